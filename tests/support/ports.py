"""Reserve a port for a server that another process starts and that cannot choose its port itself."""

from __future__ import annotations

import socket
from collections.abc import Generator
from contextlib import contextmanager

__all__ = ["reserved_port"]


@contextmanager
def reserved_port() -> Generator[int]:
    """Yield a free port of 127.0.0.1 that no other process is given until the end of the context.

    The socket that holds it is bound and does not listen. A server can bind the same port and listen at it, because both
    set SO_REUSEADDR. If the port were only looked up and released, a test in another process could be given it before
    the server starts.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]
