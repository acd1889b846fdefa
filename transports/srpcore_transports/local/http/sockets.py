"""Non-blocking sockets: listen, and send and receive what is possible at once."""

from __future__ import annotations

import select
import socket
import sys

__all__ = ["listen", "readable", "receive", "send"]

_BACKLOG = 1024
_READ_SIZE = 65_536


def listen(address: tuple[str, int]) -> socket.socket:
    """Return a socket that listens on *address*, a host and a port.

    Raises:
        OSError: nothing can listen on the address.
    """
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":  # on Windows the option lets two servers share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener


def readable(sock: socket.socket, seconds: float) -> bool:
    """Wait for at most *seconds*, and return whether there is something to receive."""
    # select() cannot wait for descriptors above 1023, but Windows has nothing else.
    if not hasattr(select, "poll"):
        return bool(select.select([sock], [], [], seconds)[0])
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def receive(sock: socket.socket) -> bytes | None:
    """Return what was received: empty if the connection is closed or broken, None if there is nothing yet."""
    try:
        return sock.recv(_READ_SIZE)
    except (BlockingIOError, InterruptedError):
        return None
    except OSError:
        return b""


def send(sock: socket.socket, data: bytes | memoryview) -> int | None:
    """Send as much as the socket accepts at once; return how many bytes, or None if the connection is broken."""
    try:
        return sock.send(data)
    except (BlockingIOError, InterruptedError):
        return 0
    except OSError:
        return None
