"""JSON that the pool gets from outside: what is refused when it is parsed."""

from __future__ import annotations

import json

import pytest

from srpcore_transports.local.api import json_input
from srpcore_transports.local.operations import dispatch

from .client import Client


@pytest.mark.parametrize("text", ["null", "1.5e10", "-9223372036854775808", "18446744073709551615", '{"a": [[], "b"]}'])
def test_json_is_parsed(text: str) -> None:
    assert json_input.parse(text.encode()) == json.loads(text)


REFUSED = (
    *("no", "NaN", "Infinity", "-Infinity", "1e999", "-1e999", "-9223372036854775809", "18446744073709551616"),
    *("1" * 5000, '"\\ud800"', "[" * 201 + "]" * 201, "[" * 200 + "1" + "]" * 200, "[" * 100_000),
)


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:20])
@pytest.mark.parametrize("form", ["%s", '{"a": [%s]}'])
def test_everything_else_is_refused(text: str, form: str) -> None:
    with pytest.raises(ValueError):
        json_input.parse((form % text).encode())


def test_only_utf_8_is_accepted() -> None:
    assert json_input.parse('"ä"'.encode("utf-8-sig")) == "ä"
    for encoding in ("utf-16", "utf-16-le", "latin-1"):
        with pytest.raises(ValueError):
            json_input.parse('"ä"'.encode(encoding))


def test_200_levels_are_accepted() -> None:
    assert json_input.parse(b"[" * 200 + b"]" * 200)


def test_many_brackets_beside_each_other_are_accepted() -> None:
    assert json_input.parse(b"[" + b"[]," * 300 + b'"[[["]') == [[]] * 300 + ["[[["]


@pytest.mark.parametrize("settings", ["NaN", "Infinity", "1e999", "1" + "0" * 31, "[" * 300 + "]" * 300])
def test_a_request_with_a_number_that_is_not_json_is_refused(client: Client, settings: str) -> None:
    body = f'{{"UserPoolId": "{client.pool_id}", "ClientId": "{client.client_id}", "Settings": {{"a": {settings}}}}}'
    response = dispatch.answer(client.pool._service, "CreateManagedLoginBranding", body.encode())
    assert (response.status, response.headers["x-amzn-errortype"]) == (400, "SerializationException:")
