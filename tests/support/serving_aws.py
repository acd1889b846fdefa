"""What the tests of every transport over HTTP share: operations, handlers, and a check of signatures."""

from __future__ import annotations

import os
import socket
from datetime import datetime, timezone

import pytest

from srpcore.protocol import Operation
from srpcore_transports import sigv4
from srpcore_transports.credentials import Credentials, DefaultCredentials
from support.loopback import Handler, Request, answer

__all__ = [
    "ADMIN",
    "KEYS",
    "SIGN_IN",
    "assert_signature_holds",
    "clear_environment",
    "echo",
    "fixed",
    "refuse_to_look_for_credentials",
    "reset",
]

SIGN_IN = Operation("InitiateAuth", {"AuthFlow": "USER_SRP_AUTH", "AuthParameters": {"USERNAME": "zoë"}})
ADMIN = Operation("AdminGetUser", {"UserPoolId": "eu-west-1_abc", "Username": "zoë"})
KEYS = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI", "a-session-token")


def clear_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of the machine that runs the tests reaches the transport."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy") or name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", "")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def echo(request: Request, _: socket.socket) -> bytes:
    return answer(request.body)


def fixed(response: bytes) -> Handler:
    return lambda request, connection: response


def refuse_to_look_for_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    def look(_: DefaultCredentials) -> Credentials:
        raise AssertionError("credentials were looked for")

    monkeypatch.setattr(DefaultCredentials, "__call__", look)


def reset(connection: socket.socket) -> None:
    """Make the close of *connection* a reset (RST): the rudest way to go."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def assert_signature_holds(request: Request, path: str = "/", region: str = "eu-west-1") -> None:
    """Verify as a server does: from what came over the wire and the secret key alone."""
    timestamp = request.headers["x-amz-date"]
    scope = f"{timestamp[:8]}/{region}/cognito-idp/aws4_request"
    head, names, signature = request.headers["authorization"].split(", ")
    assert head == f"AWS4-HMAC-SHA256 Credential={KEYS.access_key_id}/{scope}"
    signed = names.removeprefix("SignedHeaders=").split(";")
    assert {"host", "content-type", "x-amz-target", "x-amz-date", "x-amz-security-token"} <= set(signed)
    canonical = sigv4.canonical_request(
        request.method, path, "", request.headers, signed, sigv4.payload_hash(request.body)
    )
    key = sigv4.signing_key(KEYS.secret_access_key, timestamp[:8], region, "cognito-idp")
    assert signature == "Signature=" + sigv4.signature(key, sigv4.string_to_sign(timestamp, scope, canonical))
    age = datetime.now(timezone.utc) - datetime.strptime(timestamp + "+0000", "%Y%m%dT%H%M%SZ%z")
    assert abs(age.total_seconds()) < 300
