"""Run a server that nobody here wrote in a process of its own."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

__all__ = ["serving"]


@contextlib.contextmanager
def serving(
    command: Sequence[str | Path], port: int, *, env: Mapping[str, str] | None = None, cwd: str | None = None
) -> Iterator[str]:
    """Start *command*, yield its URL once it takes connections at the loopback *port*, and stop it."""
    process = subprocess.Popen(command, env=env, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        _stop(process)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"{process.args!r} did not start")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End *process*, by force if it takes long."""
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
