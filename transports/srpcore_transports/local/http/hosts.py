"""Which host names the server accepts in the Host header, and which web pages may read its responses.

Two attacks of a web page that the developer happens to visit are prevented:

- DNS rebinding. The attacker's page makes its own host name resolve to 127.0.0.1, so that the browser takes this server
  for a part of the attacker's site. The Host header still has the attacker's name, so a server on loopback accepts
  loopback names only.
- Reading across origins. The page sends requests to ``http://127.0.0.1:9229`` itself. The browser asks first whether it
  may (a preflight), because of the header X-Amz-Target, and lets the page read only what this server allows. Pages on
  this computer may read, for example one at ``http://localhost:3000``, and pages of the host that the request was sent
  to. The header is therefore never ``Access-Control-Allow-Origin: *``.

Both rules also accept the names that the program gives.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

__all__ = ["METHODS", "AllowedHosts", "is_loopback", "is_loopback_host"]

_NAME = r"(?P<name>[A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?"
_HOST = re.compile(_NAME)
_ORIGIN = re.compile(rf"https?://{_NAME}")
_PREFLIGHT_SECONDS = "7200"  # the longest that Chromium accepts
_EXPOSED = "x-amzn-RequestId, x-amzn-ErrorType, Date"
_HEADER_NAMES = re.compile(r"[A-Za-z0-9-]+(?:[ \t]*,[ \t]*[A-Za-z0-9-]+)*")
METHODS = "GET, OPTIONS, POST"


class AllowedHosts:
    """The rules of one server.

    Args:
        listening: the address on which the server listens. On loopback it accepts loopback names only; otherwise every
            name, because nobody knows by which names other machines call it.
        names: more names to accept. ``*`` accepts every name.
    """

    def __init__(self, listening: str, names: Iterable[str] = ()) -> None:
        self._names = {name.strip("[]").lower() for name in names}
        self._every_origin = "*" in self._names
        self._every_host = self._every_origin or not is_loopback(listening.lower())

    def accept_host(self, host: str) -> bool:
        """Return whether a request with this Host header is answered."""
        name = _name(_HOST, host)
        return name is not None and (self._every_host or name in self._names or is_loopback(name))

    def accept_page_host(self, host: str) -> bool:
        """Return whether a request with this Host header may see the page for people.

        The page needs no signature, so also a server that accepts every name shows it only under names that a web page
        of somebody else cannot rebind: loopback names, IP addresses, and the names that the program gives.
        """
        name = _name(_HOST, host)
        return name is not None and (name in self._names or is_loopback(name) or _is_address(name))

    def accept_origin(self, origin: str, host: str) -> bool:
        """Return whether pages of *origin* may read the response to a request with the Host header *host*."""
        name = _name(_ORIGIN, origin)
        if name is None:
            return False  # also "null", the origin of a file and of a sandboxed frame
        return self._every_origin or name in self._names or is_loopback(name) or name == _name(_HOST, host)

    def cors_headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return the headers that let the page that sent a request read the response. *headers* are the request's."""
        origin = headers.get("origin")
        if origin is None or not self.accept_origin(origin, headers.get("host", "")):
            return {"vary": "Origin"}
        return {
            "vary": "Origin",
            "access-control-allow-origin": origin,
            "access-control-expose-headers": _EXPOSED,
        }

    def preflight_headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return the headers of the response to an OPTIONS request, in addition to those of :meth:`cors_headers`."""
        allowed = {"allow": METHODS}
        if "access-control-allow-origin" not in self.cors_headers(headers):
            return allowed
        allowed["access-control-allow-methods"] = METHODS
        allowed["access-control-max-age"] = _PREFLIGHT_SECONDS
        requested = headers.get("access-control-request-headers", "")
        if _HEADER_NAMES.fullmatch(requested):
            allowed["access-control-allow-headers"] = requested
        return allowed


def _name(pattern: re.Pattern[str], value: str) -> str | None:
    match = pattern.fullmatch(value)
    return None if match is None else match["name"].strip("[]").lower()


def is_loopback_host(host: str) -> bool:
    """Return whether the value of a Host header is a loopback name or address, with or without a port."""
    name = _name(_HOST, host)
    return name is not None and is_loopback(name)


@lru_cache(maxsize=64)  # the same few names in nearly all requests
def is_loopback(name: str) -> bool:
    """Return whether *name*, in lower case, is a loopback name or address."""
    # Browsers resolve every name below localhost to loopback (RFC 6761, section 6.3).
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
