"""Reading a file that is not a cassette, or of another version."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from srpcore_transports.recorded import CassetteError, ReplayTransport

CALL = {"operation": "GetUser", "request": {}, "reply": {}, "status": 200}
GOOD: dict[str, Any] = {"srpcore cassette": 1, "calls": [CALL], "pools": {}}


def with_call(**changes: Any) -> dict[str, Any]:
    names = {name.replace("_", " "): value for name, value in changes.items()}
    return {**GOOD, "calls": [{name: value for name, value in {**CALL, **names}.items() if value is not ...}]}


@pytest.mark.parametrize(
    "document",
    [
        GOOD,
        with_call(seconds=1),
        with_call(seconds=1.5, retry_after="3"),
        with_call(reply=..., status=..., failure="TransportTimeout: read timeout"),
        with_call(operation=..., request=..., reply=..., status=..., key_set_of="<UserPoolId 1>"),
        {**GOOD, "pools": {"<UserPoolId 1>": "us-east-1_Abc"}},
    ],
)
def test_a_cassette_is_read(document: dict[str, Any], path: Path) -> None:
    path.parent.mkdir()
    path.write_text(json.dumps(document))
    ReplayTransport(path)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("", "is not JSON"),
        ("[", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        (b"\xff\xfe\x00", "is not JSON"),
        ("[]", "srpcore cassette"),
        ("{}", "srpcore cassette"),
        ({**GOOD, "srpcore cassette": 2}, "not of version 1"),
        ({**GOOD, "srpcore cassette": True}, "not of version 1"),
        ({**GOOD, "srpcore cassette": "1"}, "not of version 1"),
        ({**GOOD, "calls": {}}, "nothing else"),
        ({**GOOD, "pools": []}, "nothing else"),
        ({**GOOD, "pools": {"<UserPoolId 1>": 1}}, "nothing else"),
        ({**GOOD, "pools": {"name": "text"}}, "nothing else"),
        ({**GOOD, "more": 1}, "nothing else"),
        ({"srpcore cassette": 1, "calls": []}, "nothing else"),
        ({**GOOD, "calls": [1]}, "call 1 is not an object"),
        ({**GOOD, "calls": [CALL, {**CALL, "more": 1}]}, "call 2 has an unknown member"),
        (with_call(operation=1), "call 1 has an unknown member"),
        (with_call(request=[]), "call 1 has an unknown member"),
        (with_call(reply=None), "call 1 has an unknown member"),
        (with_call(status=True), "call 1 has an unknown member"),
        (with_call(status="200"), "call 1 has an unknown member"),
        (with_call(seconds="1"), "call 1 has an unknown member"),
        (with_call(seconds=True), "call 1 has an unknown member"),
        (with_call(retry_after=3), "call 1 has an unknown member"),
        (with_call(operation=...), "must have 'operation' and 'request'"),
        (with_call(request=...), "must have 'operation' and 'request'"),
        (with_call(key_set_of="x"), "must have 'operation' and 'request'"),
        (with_call(operation=..., key_set_of="x"), "must have 'operation' and 'request'"),
        (with_call(reply=...), "must have 'reply' or 'failure'"),
        (with_call(failure="TransportError: closed"), "must have 'reply' or 'failure'"),
        (with_call(reply=..., failure="ZeroDivisionError"), "'failure' of call 1"),
        (with_call(reply=..., failure="TransportError: service"), "'failure' of call 1"),
    ],
)
def test_an_invalid_cassette_is_refused(document: Any, reason: str, path: Path) -> None:
    path.parent.mkdir()
    if isinstance(document, bytes):
        path.write_bytes(document)
    else:
        path.write_text(document if isinstance(document, str) else json.dumps(document))
    with pytest.raises(CassetteError, match=reason) as caught:
        ReplayTransport(path)
    assert "record it again" in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_missing_cassette_is_an_error(path: Path) -> None:
    with pytest.raises(CassetteError, match="record it first"):
        ReplayTransport(path)


def test_a_folder_is_not_a_cassette(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(CassetteError, match="record it again"):
        ReplayTransport(path)


def test_an_impossible_date_is_refused(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(json.dumps(with_call(reply={"UserCreateDate": 1e30})))
    from srpcore.protocol import Operation

    with pytest.raises(CassetteError, match="out of range"):
        ReplayTransport(path).call(Operation("GetUser", {}))
