"""Targets: the servers that are asked. Each sends any JSON document, also one that no SDK would send."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import time
from collections.abc import Callable, Generator, Mapping
from datetime import datetime, timezone
from typing import Any, Protocol
from urllib.parse import urlsplit

from srpcore.protocol import Operation
from srpcore.service_model import CONTENT_TYPE, TARGET_PREFIX
from srpcore_transports.credentials import Credentials
from srpcore_transports.local import LocalUserPool
from srpcore_transports.local.operations import dispatch
from srpcore_transports.sigv4 import sign

from .probes import CannotRun, Refused

__all__ = [
    "FAKE_KEYS",
    "FAKE_SENDER",
    "Boto3Target",
    "HttpTarget",
    "InProcess",
    "Target",
    "ministack_target",
    "served_pool",
]

# ministack takes these as the keys of its root user.
FAKE_KEYS = Credentials("test", "test")
FAKE_SENDER = {
    "EmailSendingAccount": "DEVELOPER",
    "SourceArn": "arn:aws:ses:us-east-1:123456789012:identity/sender@example.com",
}

_BUSY = ("TooManyRequestsException", "ThrottlingException")


class Target(Protocol):
    """A server of user pools."""

    name: str
    region: str

    def send(self, operation: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """Return the HTTP status and the document with which the server answers.

        An error document has the members ``__type`` and ``message``.
        """
        ...

    def fetch(self, path: str) -> bytes:
        """Return the public document at *path*, for example a key set."""
        ...

    def code(self, *names: str) -> str:
        """Return the code in the last message to a user or an address.

        Raises:
            CannotRun: nobody can read the messages of this server.
        """
        ...

    def address(self, name: str) -> str:
        """Return an e-mail address for the user *name* that harms nobody if the server sends to it."""
        ...

    def email_sender(self) -> dict[str, str]:
        """Return the EmailConfiguration of a pool that may send codes as a second factor.

        Raises:
            CannotRun: there is no sender.
        """
        ...


def call(target: Target, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Call *operation* and return the answer.

    Raises:
        Refused: the server answered with an error.
    """
    status, document = target.send(operation, json.dumps(parameters).encode())
    if status < 300:
        return document
    code = str(document.get("__type", "")).rpartition("#")[2].partition(":")[0]
    raise Refused(operation, code, str(document.get("message") or document.get("Message") or ""), status)


class InProcess:
    """A local pool in this process. The requests are trusted, as those of ``LocalUserPool.call``."""

    name = "local, in process"

    def __init__(self, pool: LocalUserPool) -> None:
        self.pool, self.region = pool, pool.region

    def send(self, operation: str, body: bytes) -> tuple[int, dict[str, Any]]:
        # Not LocalUserPool.call: it refuses parameters of a wrong type before the pool sees them, as a client does.
        response = dispatch.answer(self.pool._service, operation, body)
        return response.status, json.loads(response.body)

    def fetch(self, path: str) -> bytes:
        return self.pool.fetch(f"https://localhost{path}")

    def code(self, *names: str) -> str:
        return _outbox_code(self.pool, names)

    def address(self, name: str) -> str:
        return f"{name}@example.com"

    def email_sender(self) -> dict[str, str]:
        return dict(FAKE_SENDER)


def _outbox_code(pool: LocalUserPool, names: tuple[str, ...]) -> str:
    for name in names:
        with contextlib.suppress(LookupError):
            return pool.outbox.latest(name).code
    raise AssertionError(f"no message was sent to {', '.join(names)}")


class HttpTarget:
    """A server at a URL.

    Args:
        name: the name in the table.
        url: the scheme, host and port.
        credentials: returns the AWS keys for the operations that must be signed.
        codes: returns the code in the last message to one of the names; None if nobody can read the messages.
        address: returns an e-mail address for a name.
        pauses: the seconds to wait before each further try if the server is busy.
        sender: the EmailConfiguration of a pool that may send codes as a second factor; None if there is no sender.
    """

    def __init__(
        self,
        name: str,
        url: str,
        region: str,
        credentials: Callable[[], Credentials],
        *,
        codes: Callable[[tuple[str, ...]], str] | None = None,
        address: Callable[[str], str] = "{}@example.com".format,
        pauses: tuple[float, ...] = (),
        sender: Mapping[str, str] | None = FAKE_SENDER,
    ) -> None:
        self.name, self.url, self.region = name, url.rstrip("/"), region
        self.credentials, self._codes, self._address, self._pauses = credentials, codes, address, pauses
        self._sender = sender
        self._local = threading.local()
        self._connections: list[http.client.HTTPConnection] = []

    def send(self, operation: str, body: bytes) -> tuple[int, dict[str, Any]]:
        for pause in (*self._pauses, None):
            status, document = self._send(operation, body)
            code = str(document.get("__type", ""))
            if pause is None or not (status == 429 or (status >= 400 and code.endswith(_BUSY))):
                break
            time.sleep(pause)
        return status, document

    def _send(self, operation: str, body: bytes) -> tuple[int, dict[str, Any]]:
        headers = {"Content-Type": CONTENT_TYPE, "X-Amz-Target": TARGET_PREFIX + operation}
        if Operation(operation, {}).signed:
            headers |= sign(
                method="POST",
                url=f"{self.url}/",
                headers=headers,
                body=body,
                credentials=self.credentials(),
                region=self.region,
                service="cognito-idp",
                time=datetime.now(timezone.utc),
            )
        status, answered, data = self.exchange("POST", "/", headers, body)
        document = json.loads(data) if data else {}
        if status >= 300 and "__type" not in document:
            document["__type"] = answered.get("x-amzn-errortype", "").partition(":")[0]
        return status, document

    def exchange(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Send a request and return the status, the headers with names in lower case, and the body."""
        connection = self._connect()
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
        except (http.client.HTTPException, ConnectionError):
            # The server may close an idle connection at any time; send once more over a new one.
            connection.close()
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
        data = response.read()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, data

    def _connect(self) -> http.client.HTTPConnection:
        # One connection for each thread: some stories send requests at the same time.
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            parts = urlsplit(self.url)
            kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
            connection = self._local.connection = kind(parts.hostname or "", parts.port, timeout=60)
            self._connections.append(connection)
        return connection

    def close(self) -> None:
        """Close the connections."""
        for connection in self._connections:
            connection.close()

    def fetch(self, path: str) -> bytes:
        status, _, body = self.exchange("GET", path, {})
        assert status == 200, f"GET {path} answered {status}"
        return body

    def code(self, *names: str) -> str:
        if self._codes is None:
            raise CannotRun("needs the code in a message, which nobody can read here")
        return self._codes(names)

    def address(self, name: str) -> str:
        return self._address(name)

    def email_sender(self) -> dict[str, str]:
        if self._sender is None:
            raise CannotRun("needs an e-mail sender in Amazon SES: use --ses-identity")
        return dict(self._sender)


class Boto3Target(HttpTarget):
    """A server that is called by boto3, as Terraform and the other tools call it by the SDK of their language."""

    def __init__(self, target: HttpTarget) -> None:
        super().__init__(f"{target.name}, by boto3", target.url, target.region, target.credentials)
        import boto3

        keys = target.credentials()
        self._client = boto3.client(
            "cognito-idp",
            region_name=target.region,
            endpoint_url=target.url,
            aws_access_key_id=keys.access_key_id,
            aws_secret_access_key=keys.secret_access_key,
        )

    def send(self, operation: str, body: bytes) -> tuple[int, dict[str, Any]]:
        from botocore import xform_name
        from botocore.exceptions import ClientError

        try:
            answer = getattr(self._client, xform_name(operation))(**json.loads(body))
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            found = error.response["Error"]
            return status, {"__type": found["Code"], "message": found["Message"]}
        answer.pop("ResponseMetadata")
        # boto3 parses dates; the stories compare them as the numbers that the service sends.
        return 200, json.loads(json.dumps(answer, default=datetime.timestamp))

    def close(self) -> None:
        super().close()
        self._client.close()


@contextlib.contextmanager
def served_pool(pool: LocalUserPool | None = None) -> Generator[HttpTarget]:
    """Serve a local pool on a loopback port, and yield it as a target. *pool* was made with :data:`FAKE_KEYS`."""
    pool = pool or LocalUserPool(credentials=FAKE_KEYS)
    with pool.serve() as server:
        target = HttpTarget(
            "local, over HTTP",
            server.url,
            pool.region,
            lambda: FAKE_KEYS,
            codes=lambda names: _outbox_code(pool, names),
        )
        with contextlib.closing(target):
            yield target


@contextlib.contextmanager
def ministack_target() -> Generator[HttpTarget]:
    """Start ministack, and yield it as a target. All its codes are 123456, except those for a forgotten password.

    Raises:
        CannotRun: it is not installed.
    """
    import pytest

    from counterparts import ministack

    try:
        ministack.executable()
    except pytest.skip.Exception as error:
        raise CannotRun(str(error.msg)) from None
    with ministack.running() as url:
        target = HttpTarget("ministack", url, "us-east-1", lambda: FAKE_KEYS, codes=lambda names: "123456")
        with contextlib.closing(target):
            yield target
