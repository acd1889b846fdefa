"""The HTTP proxy that the environment names for a host."""

from __future__ import annotations

import os
import re
from base64 import b64encode

from srpcore.exceptions.base import ConfigurationError
from srpcore.exceptions.context import without_context
from srpcore.pool import is_loopback

__all__ = ["Proxy", "parse_proxy", "proxy_for"]


class Proxy:
    """One HTTP proxy. Two proxies with the same attributes are equal; the repr does not show the password.

    Attributes:
        host: the proxy's host name.
        port: its port.
        authorization: the value of ``Proxy-Authorization`` if the proxy's URL contains a user, else None.
    """

    __slots__ = ("authorization", "host", "port")

    def __init__(self, host: str, port: int, authorization: str | None = None) -> None:
        self.host = host
        self.port = port
        self.authorization = authorization

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Proxy) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return f"Proxy(host={self.host!r}, port={self.port!r})"

    def _key(self) -> tuple[str, int, str | None]:
        return self.host, self.port, self.authorization

    @property
    def headers(self) -> dict[str, str]:
        """The headers that are sent to the proxy and not to the host."""
        return {} if self.authorization is None else {"Proxy-Authorization": self.authorization}


def proxy_for(scheme: str, host: str, port: int) -> Proxy | None:
    """Return the proxy for *host*, or None if it is reached directly.

    Reads ``HTTPS_PROXY`` or ``HTTP_PROXY``, according to *scheme*, and ``NO_PROXY``; the lower-case name of a variable
    takes precedence. Plain http to this machine never goes through a proxy.

    Raises:
        ConfigurationError: the variable is not the URL of an HTTP proxy.
    """
    if "_proxy" not in " ".join(os.environ).lower():
        return None
    if scheme == "http" and is_loopback(host):
        return None
    # Imported only here: urllib.request is slow to load, and most programs have no proxy.
    from urllib.request import getproxies_environment, proxy_bypass

    url = getproxies_environment().get(scheme)
    if not url or proxy_bypass(f"{host}:{port}"):
        return None
    return parse_proxy(url, f"{scheme.upper()}_PROXY")


@without_context
def parse_proxy(url: str, variable: str) -> Proxy:
    """Return the proxy at *url*, ``[http://][user:password@]host[:port]``.

    Args:
        url: the proxy's URL.
        variable: the name of the environment variable, for the message.

    Raises:
        ConfigurationError: *url* is another kind of URL. The message does not quote it, because it may hold a password.
    """
    from urllib.parse import unquote, urlsplit  # imported only here: it is slow, and most programs have no proxy

    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host, port = parts.hostname or "", parts.port or 80
    except ValueError:
        raise ConfigurationError(_not_a_proxy(variable)) from None
    if parts.scheme != "http" or not re.fullmatch(r"[!-~]+", host, re.ASCII):
        raise ConfigurationError(_not_a_proxy(variable))
    if parts.username is None:
        return Proxy(host, port)
    # Basic authentication in UTF-8 (RFC 7617, section 2.1).
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return Proxy(host, port, f"Basic {b64encode(pair.encode('utf-8', 'surrogateescape')).decode('ascii')}")


def _not_a_proxy(variable: str) -> str:
    return f"{variable} is not the URL of an HTTP proxy: give http://host:port"
