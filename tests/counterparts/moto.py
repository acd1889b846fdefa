"""Start moto's server, one that nobody here wrote."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

from counterparts.processes import serving
from support.ports import reserved_port


@contextlib.contextmanager
def running() -> Iterator[str]:
    """Start moto's server on a free loopback port, yield its URL, and stop it."""
    with reserved_port() as port:
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        with serving(command, port) as url:
            yield url
