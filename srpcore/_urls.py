"""Take a URL apart without ``urllib.parse``, which takes two milliseconds of a cold start to import.

The URL of an endpoint or of a key set is nearly always plain: a scheme, a host name, perhaps a port, and a path. Any
other URL is left to :func:`urllib.parse.urlsplit`.
"""

from __future__ import annotations

from ._values import Value

__all__ = ["SplitUrl", "split_url"]

# The characters of a plain URL. Among those that are missing: % and ?, the @ of a user name, the brackets of an IPv6
# address, white space and everything outside ASCII.
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/:")
_LAST_PORT = 65535


class SplitUrl(Value):
    """The parts of a URL, with the names and the values of :func:`urllib.parse.urlsplit`."""

    __slots__ = ("hostname", "netloc", "path", "port", "query", "scheme")

    scheme: str
    netloc: str
    hostname: str | None
    port: int | None
    path: str
    query: str

    def __init__(
        self, scheme: str, netloc: str, hostname: str | None, port: int | None, path: str = "", query: str = ""
    ) -> None:
        self._set(scheme=scheme, netloc=netloc, hostname=hostname, port=port, path=path, query=query)


def split_url(url: str) -> SplitUrl:
    """Return the parts of *url*.

    Raises:
        ValueError: *url* has an invalid port, or an invalid host.
    """
    if _PLAIN.issuperset(url):
        scheme, separator, rest = url.partition("://")
        netloc, slash, path = rest.partition("/")
        host, colon, port = netloc.partition(":")
        is_port = port.isdecimal() and len(port) <= 5 and int(port) <= _LAST_PORT if colon else True
        if separator and scheme in ("http", "https") and host and is_port:
            return SplitUrl(scheme, netloc, host.lower(), int(port) if colon else None, slash + path)
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    return SplitUrl(parts.scheme, parts.netloc, parts.hostname, parts.port, parts.path, parts.query)
