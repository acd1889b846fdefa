"""What a server chooses in an error: it is shown without control characters, and at a limited length."""

from __future__ import annotations

import sys

import pytest

from srpcore import exceptions
from srpcore.exceptions.base import MAX_TEXT_LENGTH, safe_text
from srpcore.exceptions.reply import service_error
from srpcore.exceptions.service import ServiceError
from srpcore.protocol import Reply


@pytest.fixture(params=["with botocore", "without botocore"], autouse=True)
def botocore(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "without botocore":
        monkeypatch.delitem(sys.modules, "botocore.exceptions", raising=False)
    else:
        pytest.importorskip("botocore.exceptions")


def error_of(message: object, code: str = "NotAuthorizedException") -> ServiceError:
    return service_error(Reply({"Error": {"Code": code, "Message": message}}), "InitiateAuth")


@pytest.mark.parametrize("character", ["\x1b", "\0", "\b", "\r", "\x7f", "\x9b", "\u202e", "\u2028"])
def test_control_characters_of_the_server_are_replaced(character: str) -> None:
    error = error_of(f"before{character}after")
    assert error.message == "before?after"
    assert str(error).endswith("before?after")
    assert character not in repr(error)
    assert error.response["Error"]["Message"] == f"before{character}after"


def test_an_ordinary_message_stays_as_it_is() -> None:
    message = "Lambda refused:\n\tthe é of 東京\r\n"
    assert error_of(message).message == message
    assert str(error_of(message)).endswith(message)


def test_the_length_of_a_message_is_limited() -> None:
    error = error_of("m" * 505_000)
    assert len(str(error)) < MAX_TEXT_LENGTH + 200
    assert str(error).endswith("... (505000 characters)")
    assert error_of("m" * MAX_TEXT_LENGTH).message == "m" * MAX_TEXT_LENGTH


def test_a_code_of_the_server_is_shown_safely() -> None:
    error = error_of("words", "Co\x1bde" + "x" * 1000)
    assert "\x1b" not in str(error)
    assert len(str(error)) < 300


def test_the_name_of_a_challenge_is_shown_safely() -> None:
    text = str(exceptions.UnsupportedChallenge("\x1b[2J" + "x" * 100_000))
    assert "\x1b" not in text
    assert len(text) < 300


def test_a_cut_string_says_how_long_it_was() -> None:
    assert safe_text("abcdef", 3) == "abc... (6 characters)"


def test_a_service_error_takes_the_keywords_of_botocore() -> None:
    response = {"Error": {"Code": "NotAuthorizedException", "Message": "words"}}
    error = exceptions.NotAuthorizedException(error_response=response, operation_name="InitiateAuth")
    assert (error.code, error.message, error.operation) == ("NotAuthorizedException", "words", "InitiateAuth")
    assert type(ServiceError(error_response=response, operation_name="X")).__name__ == "NotAuthorizedException"


def test_an_unknown_reason_of_a_transport_error_is_replaced() -> None:
    assert exceptions.TransportError("x", reason="zzz").reason == "answer"
    assert exceptions.TransportError("x", reason="service").reason == "answer"
    assert exceptions.TransportTimeout("x", reason="zzz").reason == "read timeout"
