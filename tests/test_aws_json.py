"""AWS JSON 1.1 against botocore's serializer and parser."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpcore.aws_json import decode, encode
from srpcore.exceptions import ConfigurationError, InvalidRequest, TransportError
from srpcore.protocol import Operation, is_operation_name
from srpcore.service_model import OPERATIONS as METHODS
from srpcore.service_model import TIMESTAMP_MEMBERS


@cache
def service_model() -> Any:
    session = pytest.importorskip("botocore.session")
    return session.get_session().get_service_model("cognito-idp")


@pytest.fixture(scope="module")
def model() -> Any:
    return service_model()


TEXTS = st.text(max_size=12) | st.sampled_from(["", "\0", "é", "𝔘", '"\\', "{}", "2026-01-01"])

OPERATIONS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "InitiateAuth": st.fixed_dictionaries(
        {"AuthFlow": st.just("USER_SRP_AUTH"), "ClientId": TEXTS},
        optional={
            "AuthParameters": st.dictionaries(TEXTS, TEXTS, max_size=3),
            "UserContextData": st.fixed_dictionaries({"IpAddress": TEXTS}),
            "Session": TEXTS,
        },
    ),
    "ListUsers": st.fixed_dictionaries(
        {"UserPoolId": TEXTS},
        optional={"Limit": st.integers(0, 2**31 - 1), "AttributesToGet": st.lists(TEXTS, max_size=3), "Filter": TEXTS},
    ),
    "AdminCreateUser": st.fixed_dictionaries(
        {"UserPoolId": TEXTS, "Username": TEXTS},
        optional={
            "UserAttributes": st.lists(st.fixed_dictionaries({"Name": TEXTS, "Value": TEXTS}), max_size=3),
            "ForceAliasCreation": st.booleans(),
        },
    ),
}


@given(data=st.data(), name=st.sampled_from(sorted(OPERATIONS)))
def test_encodes_like_botocore(data: st.DataObject, name: str) -> None:
    serialize = pytest.importorskip("botocore.serialize")
    parameters = data.draw(OPERATIONS[name])
    expected = serialize.create_serializer("json", include_validation=False).serialize_to_request(
        parameters, service_model().operation_model(name)
    )
    headers, body = encode(Operation(name, parameters))
    assert headers == {field: expected["headers"][field] for field in ("Content-Type", "X-Amz-Target")}
    assert json.loads(body) == json.loads(expected["body"])


def test_every_operation_has_the_target_that_botocore_sends(model: Any) -> None:
    serialize = pytest.importorskip("botocore.serialize")
    serializer = serialize.create_serializer("json", include_validation=False)
    for name in METHODS.values():
        expected = serializer.serialize_to_request({}, model.operation_model(name))
        headers, body = encode(Operation(name, {}))
        assert headers == {field: expected["headers"][field] for field in ("Content-Type", "X-Amz-Target")}
        assert body == b"{}"
        assert (expected["method"], expected["url_path"]) == ("POST", "/")


@pytest.mark.parametrize(
    "value",
    [
        "lone \ud800 surrogate",
        b"bytes",
        object(),
        {1, 2},
        float("nan"),
        float("inf"),
        {("a", "b"): 1},
        datetime(2026, 1, 1),
    ],
)
def test_values_without_a_json_form_are_refused(value: Any) -> None:
    for parameters in ({"PASSWORD": value}, {"AuthParameters": {"PASSWORD": [value]}}):
        with pytest.raises(ConfigurationError, match="InitiateAuth") as caught:
            encode(Operation("InitiateAuth", parameters))
        assert "surrogate" not in str(caught.value)
        assert caught.value.__suppress_context__


def test_circular_and_deeply_nested_parameters_are_refused() -> None:
    circle: dict[str, Any] = {}
    circle["again"] = circle
    tower: list[Any] = []
    for _ in range(200_000):
        tower = [tower]
    for parameters in (circle, {"Tower": tower}):
        with pytest.raises(ConfigurationError):
            encode(Operation("InitiateAuth", parameters))
    while tower:
        tower = tower[0]


# Answers.


def botocore_parses(name: str, status: int, headers: dict[str, str], body: bytes) -> dict[str, Any]:
    parsers = pytest.importorskip("botocore.parsers")
    response = {"status_code": status, "headers": headers, "body": body}
    shape = service_model().operation_model(name).output_shape
    parsed: dict[str, Any] = parsers.create_parser("json").parse(response, shape)
    # What the endpoint adds when the response comes.
    parsed["ResponseMetadata"].setdefault("RetryAttempts", 0)
    return parsed


SECONDS = (
    st.integers(0, 4 * 10**9)
    | st.floats(0, 4e9, allow_nan=False)
    | st.sampled_from([0, 0.5, 1.7e9 + 0.123, 1700000000.999])
)
USERS = st.fixed_dictionaries(
    {},
    optional={
        "Username": TEXTS,
        "UserCreateDate": SECONDS,
        "UserLastModifiedDate": SECONDS,
        "Enabled": st.booleans(),
        "Attributes": st.lists(st.fixed_dictionaries({"Name": TEXTS, "Value": TEXTS}), max_size=3),
    },
)
DEVICES = st.fixed_dictionaries(
    {"DeviceKey": TEXTS, "DeviceCreateDate": SECONDS, "DeviceLastAuthenticatedDate": SECONDS},
    optional={"DeviceAttributes": st.lists(st.fixed_dictionaries({"Name": TEXTS, "Value": TEXTS}), max_size=2)},
)
ANSWERS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "ListUsers": st.fixed_dictionaries({"Users": st.lists(USERS, max_size=3)}, optional={"PaginationToken": TEXTS}),
    "ListDevices": st.fixed_dictionaries({"Devices": st.lists(DEVICES, max_size=3)}),
    "AdminGetUser": USERS.map(lambda user: {key: user[key] for key in user if key != "Attributes"}),
    "InitiateAuth": st.fixed_dictionaries(
        {"ChallengeParameters": st.dictionaries(TEXTS, TEXTS, max_size=3)},
        optional={"Session": TEXTS, "ChallengeName": st.just("PASSWORD_VERIFIER")},
    ),
}


@given(data=st.data(), name=st.sampled_from(sorted(ANSWERS)))
def test_decodes_like_botocore(data: st.DataObject, name: str) -> None:
    body = json.dumps(data.draw(ANSWERS[name])).encode("utf-8")
    headers = {"x-amzn-requestid": "an-id", "content-type": "application/x-amz-json-1.1"}
    assert decode(200, headers, body).document == botocore_parses(name, 200, headers, body)


@pytest.mark.parametrize(
    ("headers", "document"),
    [
        ({}, {"__type": "NotAuthorizedException", "message": "Incorrect username or password."}),
        ({}, {"__type": "com.amazonaws.cognito#UserNotFoundException", "Message": "No."}),
        ({"x-amzn-requestid": "an-id"}, {"__type": "LimitExceededException"}),
        ({}, {"__type": "InvalidParameterException", "message": None}),
    ],
)
@pytest.mark.parametrize("status", [400, 500])
def test_decodes_errors_like_botocore(status: int, headers: dict[str, str], document: dict[str, Any]) -> None:
    body = json.dumps(document).encode()
    ours = decode(status, headers, body)
    theirs = botocore_parses("InitiateAuth", status, headers, body)
    assert ours.error is not None
    assert ours.error["Code"] == theirs["Error"]["Code"]
    assert ours.error["Message"] == (theirs["Error"]["Message"] or "")
    assert ours.document["ResponseMetadata"] == theirs["ResponseMetadata"]
    assert ours.status == status
    assert "__type" not in ours.document


@pytest.mark.parametrize(
    "value", ["CodeMismatchException:http://internal.amazon.com/", "ns#CodeMismatchException", "CodeMismatchException"]
)
@pytest.mark.parametrize("document", [{"message": "No."}, {"__type": "Other", "Message": "No."}])
def test_the_error_type_in_the_header_wins(value: str, document: dict[str, Any]) -> None:
    # Smithy's AWS JSON 1.1 protocol, "Operation error serialization": the header, then the body; botocore reads the
    # body alone.
    reply = decode(400, {"x-amzn-errortype": value}, json.dumps(document).encode())
    assert reply.error == {"Code": "CodeMismatchException", "Message": "No."}


def test_the_model_has_no_output_member_that_looks_like_an_error(model: Any) -> None:
    for name in model.operation_names:
        output = model.operation_model(name).output_shape
        assert output is None or not {"Error", "ResponseMetadata", "__type"} & set(output.members)
    assert decode(200, {}, b'{"Error": {"Code": "X", "Message": "Y"}}').error is None


def test_a_document_nested_too_deeply_is_a_typed_error() -> None:
    for depth in range(200, 1100, 10):
        try:
            assert decode(200, {}, b'{"a":' * depth + b"1" + b"}" * depth).status == 200
        except TransportError:
            return
    # Later Pythons go deeper before they stop; then it is an answer like any other.


def test_an_empty_body_is_an_empty_document() -> None:
    for body in (b"", b" \r\n"):
        assert set(decode(200, {}, body).document) == {"ResponseMetadata"}


@pytest.mark.parametrize("status", [300, 400, 403, 502])
@pytest.mark.parametrize("body", [b"", b"{}", b'{"message": "Forbidden"}', b'{"__type": 7}', b'{"__type": ""}'])
def test_an_error_status_without_an_error_document_is_a_transport_error(status: int, body: bytes) -> None:
    with pytest.raises(TransportError, match=f"HTTP {status}"):
        decode(status, {}, body)


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("body", [b"<html>", b"[]", b'"text"', b"7", b"null", b"\xff\xfe", b"{", b"[" * 100_000])
def test_a_body_that_is_not_a_json_object_is_a_transport_error(status: int, body: bytes) -> None:
    with pytest.raises(TransportError, match=f"HTTP {status}"):
        decode(status, {}, body)


@pytest.mark.parametrize("seconds", ["1e400", "-1e400", "NaN", "Infinity", "1e18", "-1e18", "9" * 400])
def test_a_date_out_of_range_is_a_typed_error(seconds: str) -> None:
    with pytest.raises(TransportError):
        decode(200, {}, f'{{"UserCreateDate": {seconds}}}'.encode())


@given(
    st.binary(max_size=40)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | TEXTS | st.integers(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(sorted(TIMESTAMP_MEMBERS))
                | st.sampled_from(["__type", "message", "Message", "Error", "ResponseMetadata"]),
                inner,
                max_size=4,
            )
        ),
    ).map(lambda value: json.dumps(value).encode()),
    st.sampled_from([200, 302, 400, 500]),
)
def test_any_body_is_a_reply_or_a_transport_error(body: bytes, status: int) -> None:
    try:
        reply = decode(status, {}, body)
    except TransportError:
        return
    assert reply.status == status
    assert reply.error is None or isinstance(reply.error["Code"], str)


def test_dates_are_aware_and_only_numbers_become_dates() -> None:
    body = (
        b'{"UserCreateDate": 1.25, "CreationDate": "soon", "LastModifiedDate": true, "StartDate": null, "Other": 1.25}'
    )
    document = decode(200, {}, body).document
    assert document["UserCreateDate"] == datetime(1970, 1, 1, 0, 0, 1, 250000, tzinfo=timezone.utc)
    assert (document["CreationDate"], document["LastModifiedDate"], document["StartDate"]) == ("soon", True, None)
    assert document["Other"] == 1.25


@pytest.mark.parametrize(
    "name", ["", "Sign Up", "SignUp\r\nX: y", "SignUp\n", "SígnUp", "1SignUp", "Sign_Up", "S" * 129, "S.UP", "٣", 5]
)
def test_the_name_of_an_operation_is_letters_and_digits(name: Any) -> None:
    assert not is_operation_name(name)
    with pytest.raises(ConfigurationError, match="invalid operation name"):
        encode(Operation(name, {}))


def test_every_operation_of_the_model_has_a_valid_name() -> None:
    assert all(is_operation_name(name) for name in METHODS.values())
    assert is_operation_name("S" * 128)


def test_a_missing_username_names_the_argument() -> None:
    for value, message in ((None, "no username: pass username= to Cognito"), (5, "Username must be a string")):
        with pytest.raises(InvalidRequest, match=f"ForgotPassword: {message}; nothing was sent"):
            encode(Operation("ForgotPassword", {"ClientId": "c", "Username": value}))
