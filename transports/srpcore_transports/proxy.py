"""Which HTTP proxy the environment puts between here and a host."""

from __future__ import annotations

import os
import re
from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from srpcore.exceptions.base import ConfigurationError

__all__ = ["Proxy", "parse_proxy", "proxy_for"]


@dataclass(frozen=True, slots=True)
class Proxy:
    """One HTTP proxy; ``authorization`` is the value of ``Proxy-Authorization``, where its URL named a user."""

    host: str
    port: int
    authorization: str | None = field(default=None, repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """What is said to the proxy alone."""
        return {} if self.authorization is None else {"Proxy-Authorization": self.authorization}


def proxy_for(scheme: str, host: str, port: int) -> Proxy | None:
    """Return the proxy for *host*, or None where it is reached directly.

    Reads ``HTTPS_PROXY`` or ``HTTP_PROXY`` by *scheme*, and ``NO_PROXY``; a lower-case name wins over its twin. Plain
    http to this machine never goes through a proxy.

    Raises:
        ConfigurationError: the variable is not the URL of an HTTP proxy.
    """
    loopback = host in ("localhost", "::1") or host.startswith("127.")
    if (scheme == "http" and loopback) or not any(name.lower().endswith("_proxy") for name in os.environ):
        return None
    # Only now: the module is slow to load, and most programs have no proxy.
    from urllib.request import getproxies_environment, proxy_bypass

    url = getproxies_environment().get(scheme)
    if not url or proxy_bypass(f"{host}:{port}"):
        return None
    return parse_proxy(url, f"{scheme.upper()}_PROXY")


def parse_proxy(url: str, variable: str) -> Proxy:
    """Return the proxy at *url*, ``[http://][user:password@]host[:port]``; *variable* is the name for a message.

    Raises:
        ConfigurationError: it is another kind of URL; the message does not quote it, since it may hold a password.
    """
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
