"""The authorizers as AWS runs them: by its own runtime interface client, over a Runtime API on 127.0.0.1."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from support.key_server import POOL, Keys, mint, serve
from support.loopback import Drop, LoopbackServer, Request, answer
from support.minting import CLIENT, access_claims

from .lambda_events import KINDS, STAGE, permitted

pytestmark = pytest.mark.counterpart

FUNCTION = """
from srpcore import TokenVerifier
from srpcore.frameworks.aws_lambda import {cls}

verifier = TokenVerifier({pool!r}, client_id={client!r}, token_use="access", endpoint_url={url!r})
verifier.hydrate()
handler = {cls}(verifier)
"""


class RuntimeApi:
    """The half of the Runtime API that the service plays (docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html)."""

    def __init__(self) -> None:
        self.events: Queue[Any] = Queue()
        self.results: Queue[tuple[str, Any]] = Queue()
        self.server = LoopbackServer(self.handle)

    def handle(self, request: Request, _: socket.socket) -> bytes:
        if request.target.endswith("/invocation/next"):
            event = self.events.get(timeout=60)
            if event is None:
                raise Drop
            return answer(
                json.dumps(event).encode(),
                Content_Type="application/json",
                Lambda_Runtime_Aws_Request_Id="1",
                Lambda_Runtime_Deadline_Ms="9999999999999",
                Lambda_Runtime_Invoked_Function_Arn="arn:aws:lambda:eu-west-1:123456789012:function:authorizer",
                Lambda_Runtime_Trace_Id="Root=1",
            )
        self.results.put((request.target.rpartition("/")[2], json.loads(request.body)))
        return answer(b"{}", 202)

    def invoke(self, event: Any) -> tuple[str, Any]:
        """Return ``("response", what it returned)`` or ``("error", what it raised)``."""
        self.events.put(event)
        return self.results.get(timeout=60)


@contextmanager
def function(keys: Keys, cls: str, folder: Path) -> Iterator[RuntimeApi]:
    source = FUNCTION.format(cls=cls, pool=POOL, client=CLIENT, url=keys.server.url)
    (folder / "authorizer.py").write_text(source, encoding="utf-8")
    api = RuntimeApi()
    with api.server, (folder / "log").open("wb") as log:
        environment = {
            **os.environ,
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server.port}",
            "PYTHONPATH": os.pathsep.join([str(folder), *sys.path]),
        }
        command = [sys.executable, "-m", "awslambdaric", "authorizer.handler"]
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
        try:
            yield api
        finally:
            process.kill()
            process.wait(20)
            api.events.put(None)


@pytest.mark.parametrize("kind", KINDS)
def test_a_function_returns_what_the_service_expects(kind: str, tmp_path: Path) -> None:
    make, event = KINDS[kind]
    good, expired = mint(), mint(access_claims(exp=1))
    with serve() as keys, function(keys, make.__name__, tmp_path) as api:
        results = [api.invoke(event(token)) for token in (good, expired, good)]
        assert keys.count == 1
    assert [status for status, _ in results] == ["response", "error" if "rest" in kind else "response", "response"]
    (_, admitted), (_, refused), (_, again) = results
    assert admitted == again
    if "rest" in kind:
        assert permitted(admitted, f"{STAGE}/GET/request")
        # API Gateway answers 401 to this message, and 500 to any other.
        assert refused["errorMessage"] == "Unauthorized"
    else:
        assert (admitted["isAuthorized"], refused["isAuthorized"]) == (True, False)
    said = (tmp_path / "log").read_text("utf-8") + json.dumps(results)
    assert [part for token in (good, expired) for part in token.split(".") if part in said] == []


def test_a_function_without_keys_fails_at_its_start(tmp_path: Path) -> None:
    with serve() as keys:
        keys.instead = lambda: answer(b"", 500)
        with function(keys, "HttpApiAuthorizer", tmp_path) as api:
            status, error = api.results.get(timeout=60)
    assert (status, error["errorType"]) == ("error", "TransportError")
