"""The HTTP/1.1 server of the local pools.

A thread reads requests from all connections (:mod:`.event_loop`, :mod:`.request_reader`), and a bounded number of
threads (:mod:`.workers`) answers them (:mod:`.routing`)::

    sockets <--> event loop --Request--> workers --> router --> dispatch --> handlers of the operations
       ^                                    |
       +-------------response---------------+
"""

from __future__ import annotations

from collections.abc import Iterable

from srpcore._fork import ForkSafeLock

from ...credentials import Credentials
from ..storage.service import Service
from .control import Control, checked_token
from .event_loop import EventLoop
from .hosts import AllowedHosts, is_loopback
from .page import Page
from .routing import PublicDocument, Router

__all__ = ["LocalServer"]

_LOOPBACK_OF = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - it does not bind
"""Servers can listen on these addresses, but clients cannot connect to them everywhere."""


class LocalServer:
    """A running HTTP server. It is also a context manager that closes the server at the end of the block.

    Attributes:
        url: the address of the server for clients on this computer, for example ``http://127.0.0.1:49152``.
        page_url: the address of the page for people; None if the server has no page.
    """

    def __init__(
        self,
        service: Service,
        document: PublicDocument,
        credentials: Credentials | None,
        host: str,
        port: int,
        allowed_hosts: Iterable[str] = (),
        *,
        control: bool | str = False,
        page: bool | None = None,
    ) -> None:
        hosts, token = AllowedHosts(host, allowed_hosts), checked_token(control, host)
        shown = is_loopback(host.lower()) if page is None else page
        router = Router(
            service,
            document,
            credentials,
            hosts,
            Control(service, token) if control is not False else None,
            Page(service, hosts) if shown else None,
        )
        self._loop = EventLoop((host, port), router)
        self._closed, self._lock = False, ForkSafeLock()
        host = _LOOPBACK_OF.get(host, host)
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{self._loop.port}"
        self.page_url: str | None = f"{self.url}/" if shown else None

    def close(self) -> None:
        """Stop listening, close the open connections, and wait for the threads. Closing twice is safe."""
        with self._lock.lock:
            closed, self._closed = self._closed, True
        if not closed:
            self._loop.close()

    def __enter__(self) -> LocalServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
