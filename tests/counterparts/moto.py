"""Start moto's server, one that nobody here wrote."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator

from counterparts.ministack import stop, wait_for
from support.ports import reserved_port


@contextlib.contextmanager
def running() -> Iterator[str]:
    """Start moto's server on a free loopback port, yield its URL, and stop it."""
    with reserved_port() as port:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_for(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            stop(process)
