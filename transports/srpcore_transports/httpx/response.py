"""The response to one request sent with httpx: the headers are checked first, and the size is limited."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from srpcore.exceptions.base import TransportError

__all__ = ["Body", "Received"]


class Received(NamedTuple):
    """One response: its headers have lower-case names."""

    status: int
    headers: dict[str, str]
    body: bytes


class Body:
    """Collects the body of a response. Nothing is decoded.

    Args:
        host: the host name, for messages.
        limit: the largest accepted body in bytes.
        version: the HTTP version of the response, such as ``HTTP/1.1``.
        status: the HTTP status.
        headers: the names and values of the headers, as they were received.

    Raises:
        TransportError: the headers show that the body cannot be accepted: it is compressed, is too long, or has no
            length.
    """

    def __init__(
        self, host: str, limit: int, version: str, status: int, headers: Iterable[tuple[bytes, bytes]]
    ) -> None:
        self._host = host
        self._limit = limit
        self._status = status
        self._headers = {name.decode("latin-1").lower(): text.decode("latin-1") for name, text in headers}
        self._parts: list[bytes] = []
        self._size = 0
        if self._headers.get("content-encoding", "identity").lower() != "identity":
            # A compressed body could be a thousand times larger when it is unpacked, so it is not read at all.
            raise TransportError(
                f"the response of {host} has a Content-Encoding that was not asked for: check the proxy"
            )
        length = self._headers.get("content-length")
        if length is None and self._must_have_length(version):
            message = f"the response of {host} has no Content-Length, so a truncated response could not be detected"
            raise TransportError(message, transient=True)
        if length is not None and length.isdigit():
            self._check_size(int(length))

    def add(self, part: bytes) -> None:
        """Add the next bytes.

        Raises:
            TransportError: the body is too long.
        """
        self._size += len(part)
        self._check_size(self._size)
        self._parts.append(part)

    def received(self) -> Received:
        """Return the response. All of its body must have been added."""
        return Received(self._status, self._headers, b"".join(self._parts))

    def _must_have_length(self, version: str) -> bool:
        # HTTP/2 and HTTP/3 mark the end of a body in another way, so it needs no length (RFC 9112, section 6.3).
        return version.startswith("HTTP/1") and self._status != 204 and "transfer-encoding" not in self._headers

    def _check_size(self, size: int) -> None:
        if size > self._limit:
            message = f"the response of {self._host} is longer than {self._limit} bytes"
            raise TransportError(f"{message}: raise max_response_size to accept it")
