"""The exceptions: one class for each name of the service model, base classes, messages, and copies."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
import subprocess
import sys
import traceback
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpcore import exceptions
from srpcore.exceptions.compat import COUNTERPARTS, REASONS
from srpcore.exceptions.reply import service_error
from srpcore.exceptions.service import ServiceError
from srpcore.exceptions.service_exceptions import NotAuthorizedException
from srpcore.protocol import Reply
from srpcore.service_model import EXCEPTIONS

SESSION = "the-session-is-a-secret"
PUBLIC = sorted(
    (
        cls
        for cls in (getattr(exceptions, name) for name in exceptions.__all__)
        if isinstance(cls, type) and issubclass(cls, Exception)
    ),
    key=lambda cls: cls.__qualname__,
)


@pytest.fixture
def without_botocore(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "botocore.exceptions", raising=False)


def document(code: str = "NotAuthorizedException", message: str = "The words of the service.") -> dict[str, Any]:
    return {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": 400, "RequestId": "an-id"},
    }


def made(cls: type[Exception]) -> Exception:
    """Return an exception of *cls* with something in every attribute."""
    if issubclass(cls, ServiceError):
        return cls(document(cls.__name__), "InitiateAuth")
    if issubclass(cls, exceptions.TokenVerificationException):
        return cls("refused", expected="this", actual="that")
    if issubclass(cls, exceptions.MFAChallengeException):
        return cls("a code, please", {"Session": SESSION}, "more")
    if issubclass(cls, exceptions.ForceChangePasswordException):
        return cls("a new password, please", ("email",))
    return cls("a text")


def test_there_is_exactly_one_class_for_each_exception_name_of_the_model() -> None:
    ours = {cls.__name__ for cls in PUBLIC if issubclass(cls, ServiceError) and cls.__base__ is ServiceError}
    assert ours == EXCEPTIONS.keys()


def test_every_class_is_exported_under_its_name_and_from_its_module() -> None:
    for cls in PUBLIC:
        assert cls.__qualname__ in exceptions.__all__
        assert getattr(sys.modules[cls.__module__], cls.__qualname__) is cls
        assert issubclass(cls, exceptions.SrpcoreError)
        assert cls.__doc__


@pytest.mark.parametrize(
    "name", [cls.__name__ for cls in PUBLIC if cls is ServiceError or cls.__base__ is ServiceError]
)
def test_a_known_name_gives_its_class(name: str) -> None:
    error = service_error(Reply(document(name)), "InitiateAuth")
    assert isinstance(error, getattr(exceptions, name))
    assert (type(error).__name__, type(error).__qualname__) == (name, name)
    assert type(error).__module__ == getattr(exceptions, name).__module__
    assert type(error).__doc__ == getattr(exceptions, name).__doc__
    assert error.code == name


@pytest.mark.parametrize("name", ["BrandNewException", "ServiceError", "SrpcoreError", "service_error", "Exception"])
def test_an_unknown_name_gives_a_service_error_of_that_name(name: str) -> None:
    error = service_error(Reply(document(name)), "InitiateAuth")
    assert isinstance(error, ServiceError)
    assert (type(error).__name__, type(error).__qualname__) == (name, "ServiceError")
    assert error.code == name
    same(error, pickle.loads(pickle.dumps(error)))


@pytest.mark.parametrize("name", ["", "a b", "1st", "naïve", "a" * 129, "a\n"])
def test_a_code_that_cannot_be_the_name_of_a_class_gives_a_plain_service_error(name: str) -> None:
    error = service_error(Reply(document(name)), "InitiateAuth")
    assert type(error).__name__ == "ServiceError"
    assert error.code == name


def test_attributes_and_message_of_a_service_error(without_botocore: None) -> None:
    response = document()
    error = service_error(Reply(response), "InitiateAuth")
    assert error.response is response
    assert (error.code, error.message) == ("NotAuthorizedException", "The words of the service.")
    assert (error.operation, error.operation_name) == ("InitiateAuth", "InitiateAuth")
    assert (error.status, error.request_id) == (400, "an-id")
    expected = "NotAuthorizedException (HTTP 400, InitiateAuth): The words of the service."
    assert (str(error), repr(error), error.args) == (expected, f"<{expected}>", (expected,))


def test_message_of_a_service_error_without_a_status(without_botocore: None) -> None:
    error = ServiceError({"Error": {"Code": "X", "Message": "y"}}, "SignUp")
    assert str(error) == "X (SignUp): y"
    assert (error.status, error.request_id) == (None, None)


ODD = st.one_of(
    st.none(), st.text(max_size=3), st.integers(), st.lists(st.text(max_size=2), max_size=2), st.just({}), st.booleans()
)


@given(
    response=st.one_of(
        ODD,
        st.fixed_dictionaries({}, optional={"Error": ODD, "ResponseMetadata": ODD}),
        st.fixed_dictionaries(
            {"Error": st.fixed_dictionaries({}, optional={"Code": ODD, "Message": ODD})},
            optional={
                "ResponseMetadata": st.fixed_dictionaries({}, optional={"HTTPStatusCode": ODD, "RequestId": ODD})
            },
        ),
    )
)
def test_any_error_document_becomes_an_error(response: Any) -> None:
    errors = [ServiceError(response, "SignUp")]
    if isinstance(response, dict):
        errors.append(service_error(Reply(response), "SignUp"))
    for error in errors:
        assert error.response is response
        assert isinstance(error.code, str)
        assert isinstance(error.message, str)
        assert "SignUp" in str(error)
        assert "SignUp" in repr(error)
        assert copy.copy(error).code == error.code


@pytest.mark.parametrize("response", [{}, {"Error": None}, {"Error": ["X"]}, {"Error": {}}])
def test_an_error_without_a_code_is_unknown(response: Any) -> None:
    assert service_error(Reply(response), "SignUp").code == "Unknown"
    assert service_error(Reply(response), "SignUp").message == ""


# Beside botocore.


@pytest.mark.counterpart
@pytest.mark.parametrize("name", ["NotAuthorizedException", "BrandNewException"])
def test_beside_botocore_an_error_is_a_client_error_too(name: str) -> None:
    import botocore.exceptions

    error = service_error(Reply(document(name)), "InitiateAuth")
    response: Any = document(name)
    theirs = botocore.exceptions.ClientError(response, "InitiateAuth")
    assert isinstance(error, botocore.exceptions.ClientError)
    assert (str(error), error.args) == (str(theirs), theirs.args)
    assert type(error).__name__ == name
    assert error.response == theirs.response
    assert error.operation_name == theirs.operation_name
    assert type(service_error(Reply(document(name)), "SignUp")) is type(error)


@pytest.mark.counterpart
@pytest.mark.parametrize(
    "response",
    [
        {"Error": {"Code": "X", "Message": "y"}, "ResponseMetadata": {"MaxAttemptsReached": True, "RetryAttempts": 4}},
        {"Error": {"Code": "X", "Message": "y"}, "ResponseMetadata": {"MaxAttemptsReached": True}},
        {"Error": {"Code": "X", "Message": "y"}, "ResponseMetadata": {"RetryAttempts": 4}},
        {"Error": {"Code": "X"}},
        {"Error": {"Message": "y"}},
        {},
    ],
)
def test_the_text_is_that_of_botocore_for_every_shape_of_a_reply(response: Any) -> None:
    import botocore.exceptions

    theirs = botocore.exceptions.ClientError(response, "SignUp")
    assert str(ServiceError(response, "SignUp")) == str(theirs)


@pytest.mark.counterpart
def test_an_exception_that_a_program_makes_itself_is_a_client_error_too() -> None:
    import botocore.exceptions

    error = exceptions.UserNotFoundException(document("UserNotFoundException"), "SignUp")
    assert isinstance(error, botocore.exceptions.ClientError)
    assert isinstance(error, exceptions.UserNotFoundException)


@pytest.mark.counterpart
def test_an_error_is_of_the_class_that_the_client_under_the_transport_raised() -> None:
    import botocore.exceptions
    import botocore.session

    client = botocore.session.get_session().create_client("cognito-idp", region_name="eu-west-1")
    theirs: Any = client.exceptions.NotAuthorizedException
    client.close()
    error = service_error(Reply(document(), theirs), "InitiateAuth")
    assert isinstance(error, theirs)
    assert isinstance(error, exceptions.NotAuthorizedException)
    assert str(error) == str(service_error(Reply(document()), "InitiateAuth"))
    again = pickle.loads(pickle.dumps(error))
    assert isinstance(again, exceptions.NotAuthorizedException)
    assert isinstance(again, botocore.exceptions.ClientError)


@pytest.mark.parametrize("stand_in", [None, object()], ids=["absent", "half imported"])
def test_a_partly_imported_botocore_is_not_used(stand_in: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore.exceptions", stand_in)
    error = service_error(Reply(document()), "InitiateAuth")
    assert type(error) is exceptions.NotAuthorizedException
    assert str(error) == "NotAuthorizedException (HTTP 400, InitiateAuth): The words of the service."


WITHOUT_BOTOCORE = """
import copy, json, pickle, sys
from srpcore import exceptions
from srpcore.exceptions.reply import service_error
from srpcore.protocol import Reply

document = {"Error": {"Code": "NotAuthorizedException", "Message": "no"}}
error = service_error(Reply(document), "InitiateAuth")
copies = [copy.copy(error), pickle.loads(pickle.dumps(error))]
given = pickle.loads(bytes.fromhex(sys.argv[1]))
print(json.dumps({
    "loaded": "botocore" in sys.modules or "botocore.exceptions" in sys.modules,
    "plain": [type(each) is exceptions.NotAuthorizedException for each in [error, *copies, *given[:1]]],
    "texts": [each.message if isinstance(each, exceptions.ServiceError) else str(each) for each in given],
    "own": [str(each) for each in [error, *copies]],
    "back": pickle.dumps(given).hex(),
    "names": [type(each).__name__ for each in given],
}))
import botocore.exceptions
later = service_error(Reply(document), "InitiateAuth")
assert isinstance(later, botocore.exceptions.ClientError)
assert isinstance(pickle.loads(pickle.dumps(error)), botocore.exceptions.ClientError)
assert not isinstance(error, botocore.exceptions.ClientError)
"""


@pytest.mark.counterpart
def test_without_botocore_an_error_has_the_plain_class_and_pickles_can_be_exchanged() -> None:
    ours: list[Exception] = [service_error(Reply(document()), "InitiateAuth"), *(made(cls) for cls in PUBLIC)]
    ours += [exceptions.TransportError("m", reason=reason, fetching=True) for reason in REASONS]
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT_BOTOCORE, pickle.dumps(ours).hex()], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    seen = json.loads(run.stdout)
    assert seen["loaded"] is False
    assert seen["plain"] == [True, True, True, True]
    assert seen["texts"] == [error.message if isinstance(error, ServiceError) else str(error) for error in ours]
    assert seen["own"] == ["NotAuthorizedException (InitiateAuth): no"] * 3
    assert seen["names"] == [type(error).__name__ for error in ours]
    for error, again in zip(ours, pickle.loads(bytes.fromhex(seen["back"])), strict=True):
        assert type(again) is type(error)
        assert str(again) == str(error)


# Copies.


def same(one: Exception, other: Exception) -> None:
    assert type(one).__name__ == type(other).__name__
    assert isinstance(other, getattr(exceptions, type(one).__qualname__))
    assert (str(one), repr(one), one.args) == (str(other), repr(other), other.args)
    assert vars(one) == vars(other)


@pytest.mark.parametrize("cls", PUBLIC)
def test_every_public_exception_survives_pickling_and_copying(cls: type[Exception]) -> None:
    error = made(cls)
    error.add_note("a note")
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        same(error, pickle.loads(pickle.dumps(error, protocol)))
    same(error, copy.copy(error))
    same(error, copy.deepcopy(error))


@pytest.mark.counterpart
@pytest.mark.parametrize("fetching", [False, True])
@pytest.mark.parametrize("cls", [exceptions.TransportError, exceptions.TransportTimeout])
@pytest.mark.parametrize("reason", [*REASONS, ""])
def test_a_transport_error_is_that_of_botocore_and_requests(
    reason: str, cls: type[exceptions.TransportError], fetching: bool
) -> None:
    import botocore.exceptions
    import requests

    error: Any = cls("what happened", reason=reason, url="https://example.com/", fetching=fetching)
    counterpart = COUNTERPARTS[reason or ("read timeout" if cls is exceptions.TransportTimeout else "answer")]
    theirs = getattr(botocore.exceptions, counterpart.botocore)
    assert isinstance(error, theirs)
    assert isinstance(error, botocore.exceptions.BotoCoreError)
    # botocore makes its own exception with these keywords, so its text needs no other.
    assert theirs(**error.kwargs).kwargs == error.kwargs
    assert isinstance(error, requests.RequestException) is (fetching and reason != "credentials")
    if fetching and counterpart.requests:
        assert isinstance(error, getattr(requests.exceptions, counterpart.requests))
    assert (str(error), error.args) == ("what happened", ("what happened",))
    assert (type(error).__name__, type(error).__qualname__) == (cls.__name__, cls.__name__)
    error.add_note("a note")
    for again in (copy.copy(error), copy.deepcopy(error), pickle.loads(pickle.dumps(error))):
        assert type(again) is type(error)
        assert again.kwargs == error.kwargs
        same(error, again)


def test_without_botocore_a_transport_error_is_of_the_plain_class(
    without_botocore: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "requests.exceptions", raising=False)
    error = exceptions.TransportError("m", reason="connect", fetching=True)
    assert type(error) is exceptions.TransportError
    assert not hasattr(error, "kwargs")


@pytest.mark.counterpart
def test_the_error_of_a_fetch_keeps_its_attributes_and_traceback() -> None:
    import requests

    with pytest.raises(exceptions.TransportError) as caught:
        raise exceptions.TransportTimeout("m", may_have_arrived=False, reason="connect timeout", url="https://a/")
    error = caught.value.for_fetch()
    assert isinstance(error, requests.ConnectTimeout)
    assert error.__traceback__ is caught.value.__traceback__
    assert vars(error) == vars(caught.value)
    assert error.fetching
    assert error.for_fetch() is error


class NamedByAUser(exceptions.NotAuthorizedException):
    """A class of a user's own."""


def test_a_class_of_a_program_survives_pickling() -> None:
    for error in (NamedByAUser(document(), "SignUp"), exceptions.UserNotFoundException({}, "SignUp")):
        again = pickle.loads(pickle.dumps(error))
        assert isinstance(again, type(error))
        assert again.code == error.code
        assert type(again).__module__ == type(error).__module__


# What the others derive from.


@pytest.mark.parametrize(
    ("cls", "base"),
    [
        (exceptions.ConfigurationError, ValueError),
        (exceptions.AccessTokenRequired, AttributeError),
        (exceptions.AccessTokenRequired, exceptions.ConfigurationError),
        (exceptions.UnsafeServerValue, ValueError),
        (exceptions.UnsupportedChallenge, NotImplementedError),
        (exceptions.UnexpectedChallenge, exceptions.UnsupportedChallenge),
        (exceptions.TransportTimeout, TimeoutError),
        (exceptions.TransportTimeout, exceptions.TransportError),
        (exceptions.SoftwareTokenMFAChallengeException, exceptions.MFAChallengeException),
        (exceptions.SMSMFAChallengeException, exceptions.MFAChallengeException),
    ],
)
def test_base_classes_of_each_exception(cls: type[Exception], base: type[Exception]) -> None:
    assert issubclass(cls, base)


def test_transport_errors_and_service_errors_are_separate_classes() -> None:
    builtin = {ValueError, AttributeError, NotImplementedError, TimeoutError, OSError}
    for cls in PUBLIC:
        if issubclass(cls, (ServiceError, exceptions.TokenVerificationException)):
            assert not builtin & set(cls.__mro__)
            assert not issubclass(cls, exceptions.TransportError)
    assert not issubclass(exceptions.TransportError, (ValueError, OSError))
    sms, app = exceptions.SMSMFAChallengeException, exceptions.SoftwareTokenMFAChallengeException
    assert not issubclass(sms, app)
    assert not issubclass(app, sms)


def test_messages_of_the_challenges() -> None:
    assert str(exceptions.UnsupportedChallenge("WEB_AUTHN")) == "challenge WEB_AUTHN is not supported by this method"
    assert exceptions.UnsupportedChallenge("WEB_AUTHN").challenge_name == "WEB_AUTHN"
    assert str(exceptions.ForceChangePasswordException("change it")) == "change it"
    wanted = exceptions.ForceChangePasswordException("change it", ("email", "name"))
    assert str(wanted) == "change it (required attributes: email, name)"
    assert wanted.required_attributes == ("email", "name")


@pytest.mark.parametrize(
    "name", ["MFAChallengeException", "SMSMFAChallengeException", "SoftwareTokenMFAChallengeException"]
)
def test_an_mfa_challenge_has_the_session_and_does_not_show_it(name: str) -> None:
    tokens = {"ChallengeName": "SMS_MFA", "Session": SESSION}
    error = getattr(exceptions, name)("a code, please", tokens, "more")
    for text in (str(error), repr(error), repr(error.args), f"{error}", f"{error!r}"):
        assert SESSION not in text
        assert "a code, please" in text
    assert error.get_tokens() == tokens
    assert json.loads(json.dumps(error.get_tokens())) == tokens
    assert error.message == "a code, please"
    assert error.args == ("a code, please", tokens, "more")
    again = pickle.loads(pickle.dumps(error))
    assert again.get_tokens() == tokens
    assert SESSION not in repr(again)
    assert repr(error.get_tokens()) == "{'ChallengeName': 'SMS_MFA', 'Session': '<hidden>'}"


@pytest.mark.parametrize(
    ("cls", "method"),
    [
        (exceptions.SoftwareTokenMFAChallengeException, "respond_to_software_token_mfa_challenge"),
        (exceptions.SMSMFAChallengeException, "respond_to_sms_mfa_challenge"),
        (exceptions.ForceChangePasswordException, "new_password_challenge"),
        (exceptions.MFAChallengeException, "respond_to_sms_mfa_challenge"),
    ],
)
def test_a_challenge_names_the_method_to_call(cls: Any, method: str) -> None:
    error = made(cls)
    assert method in error.hint  # type: ignore[attr-defined]
    assert method not in str(error)
    for again in (error, copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert again.__notes__ == [f"Hint: {cls.hint}"]


@pytest.mark.counterpart
def test_pycognitos_names_and_constructors() -> None:
    import pycognito.exceptions as theirs

    names = [name for name, cls in vars(theirs).items() if isinstance(cls, type) and issubclass(cls, Exception)]
    assert "MFAChallengeException" in names
    for name in names:
        their, our = getattr(theirs, name), getattr(exceptions, name)
        shared = {base.__name__ for base in their.__mro__} & set(names)
        assert shared <= {base.__name__ for base in our.__mro__}
        if "MFA" in name:
            accepted = {"args", "message", "self", "tokens"}
            assert accepted == set(inspect.signature(our.__init__).parameters)
            assert set(inspect.signature(their.__init__).parameters) == accepted | {"kwargs"}
            # What their keyword arguments reach refuses them.
            for cls in (their, our):
                with pytest.raises(TypeError):
                    cls("text", {}, other=1)
            assert str(our("text", {})) == our("text", {}).message == their("text", {}).message
            assert our("text", {"a": 1}, "more").args == their("text", {"a": 1}, "more").args
            assert (
                our(message="text", tokens={"a": 1}).get_tokens() == their(message="text", tokens={"a": 1}).get_tokens()
            )
        else:
            assert str(our("text")) == str(their("text"))
            if name != "TokenVerificationException":
                assert str(our()) == str(their())


def test_warrant_exception_covers_challenges_and_refused_tokens_only() -> None:
    covered = {cls.__name__ for cls in PUBLIC if cls.__base__ is exceptions.WarrantException}
    assert covered == {"ForceChangePasswordException", "MFAChallengeException", "TokenVerificationException"}
    for cls in (ServiceError, exceptions.TransportError, exceptions.ConfigurationError, exceptions.StoreError):
        assert not issubclass(cls, exceptions.WarrantException)
    assert not issubclass(exceptions.UnsupportedChallenge, exceptions.WarrantException)


@pytest.mark.parametrize(
    ("message", "name"),
    [
        # The words are the service's, from issue threads about it.
        ("Incorrect username or password.", "WrongPassword"),
        ("Password attempts exceeded", "PasswordAttemptsExceeded"),
        ("User is disabled.", "UserDisabled"),
        ("Refresh Token has expired", "RefreshTokenExpired"),
        ("Refresh Token has been revoked", "RefreshTokenRevoked"),
        ("Invalid Refresh Token", "InvalidRefreshToken"),
        ("Invalid Refresh Token.", "InvalidRefreshToken"),
        ("Refresh Token has different Client", "InvalidRefreshToken"),
        ("Access Token has expired", "AccessTokenExpired"),
        ("Access Token has been revoked", "AccessTokenRevoked"),
        ("Invalid session for the user, session is expired.", "SessionExpired"),
        ("Invalid session for the user.", "InvalidSession"),
        ("Invalid session for the user, session can only be used once.", "InvalidSession"),
        ("Invalid Access Token", "NotAuthorizedException"),
        ("", "NotAuthorizedException"),
    ],
)
def test_reasons_of_not_authorized_have_their_own_classes(message: str, name: str) -> None:
    reply = Reply({"Error": {"Code": "NotAuthorizedException", "Message": message}})
    error = service_error(reply, "InitiateAuth")
    assert type(error).__qualname__ == name
    assert type(error).__name__ == "NotAuthorizedException"
    assert isinstance(error, NotAuthorizedException)
    assert isinstance(error, getattr(exceptions, name))
    assert f".{name}: " in "".join(traceback.format_exception(error))
    assert type(pickle.loads(pickle.dumps(error))) is type(error)
    assert type(
        service_error(Reply({"Error": {"Code": "UserNotFoundException", "Message": message}}), "X")
    ).__name__ == ("UserNotFoundException")
    assert name.startswith("NotAuth") or issubclass(getattr(exceptions, name), NotAuthorizedException)
    refused = isinstance(error, exceptions.RefreshTokenRefused)
    assert refused == ("Refresh Token" in message)
