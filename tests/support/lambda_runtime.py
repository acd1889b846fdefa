"""Functions as AWS Lambda runs them: by its own runtime interface client, over a Runtime API on 127.0.0.1."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from threading import Event
from typing import Any

from support.loopback import Drop, LoopbackServer, Request, answer

__all__ = ["SNAP_START", "RuntimeApi", "function"]

SNAP_START = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}


class RuntimeApi:
    """The half of the Runtime API that the service plays (docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html)."""

    def __init__(self) -> None:
        self.events: Queue[Any] = Queue()
        self.results: Queue[tuple[str, Any]] = Queue()
        self.server = LoopbackServer(self.handle)
        self.process: subprocess.Popen[bytes] | None = None
        self.snapshot, self.restore = Event(), Event()

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
        if request.target.endswith("/restore/next"):
            # SnapStart: the function is ready for its snapshot. It goes on when it is restored from it.
            self.snapshot.set()
            assert self.restore.wait(60)
            return answer()
        self.results.put((request.target.rpartition("/")[2], json.loads(request.body)))
        return answer(b"{}", 202)

    def invoke(self, event: Any) -> tuple[str, Any]:
        """Return ``("response", what it returned)`` or ``("error", what it raised)``."""
        self.events.put(event)
        return self.results.get(timeout=60)


@contextmanager
def function(source: str, folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[RuntimeApi]:
    """Run the *source* of a function, which defines ``handler``. What it prints goes to the file ``log`` in *folder*."""
    (folder / "function.py").write_text(source, encoding="utf-8")
    api = RuntimeApi()
    with api.server, (folder / "log").open("wb") as log:
        variables = {
            **os.environ,
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server.port}",
            "AWS_LAMBDA_FUNCTION_NAME": "function",
            "PYTHONPATH": os.pathsep.join([str(folder), *sys.path]),
            **(environment or {}),
        }
        command = [sys.executable, "-m", "awslambdaric", "function.handler"]
        process = api.process = subprocess.Popen(command, env=variables, cwd=folder, stdout=log, stderr=log)
        try:
            yield api
        finally:
            process.kill()
            process.wait(20)
            api.restore.set()
            api.events.put(None)
