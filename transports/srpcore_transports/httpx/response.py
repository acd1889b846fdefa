"""The response to one request: its head is looked at before its body is taken, and its body is bounded."""

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
    """The body of a response as it comes, none of it decoded, and at most *limit* bytes of it.

    Raises:
        TransportError: the head says already that the answer cannot be taken.
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
            # What unpacks to a thousand times its size is not even begun.
            raise TransportError(f"the response of {host} is in an encoding that was not asked for: look at the proxy")
        length = self._headers.get("content-length")
        if length is None and self._must_have_length(version):
            message = f"the response of {host} has no length, so that nobody can tell whether it was cut short"
            raise TransportError(message, transient=True)
        if length is not None and length.isdigit():
            self._check_size(int(length))

    def add(self, part: bytes) -> None:
        """Take the next bytes.

        Raises:
            TransportError: they are too many.
        """
        self._size += len(part)
        self._check_size(self._size)
        self._parts.append(part)

    def received(self) -> Received:
        """Return the response, which has come to its end."""
        return Received(self._status, self._headers, b"".join(self._parts))

    def _must_have_length(self, version: str) -> bool:
        # Later versions of HTTP mark the end of a body themselves (RFC 9112, section 6.3).
        return version.startswith("HTTP/1") and self._status != 204 and "transfer-encoding" not in self._headers

    def _check_size(self, size: int) -> None:
        if size > self._limit:
            message = f"the response of {self._host} is longer than {self._limit} bytes"
            raise TransportError(f"{message}: raise max_response_size if it may be")
