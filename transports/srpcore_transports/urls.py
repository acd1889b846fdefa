"""The parts of a URL that a request needs: where to connect, what to ask for, and the ``Host`` header."""

from __future__ import annotations

from functools import lru_cache

from srpcore._urls import split_url
from srpcore._values import Value
from srpcore.exceptions.base import ConfigurationError
from srpcore.pool import other_endpoint

__all__ = ["Origin", "check_characters", "host_of", "origin_and_target", "what_to_check"]

_DEFAULT_PORTS = {"http": 80, "https": 443}


class Origin(Value):
    """What a connection leads to (RFC 9110, section 4.3.1)."""

    __slots__ = ("host", "port", "scheme")

    scheme: str
    host: str
    port: int

    def __init__(self, scheme: str, host: str, port: int) -> None:
        self._set(scheme=scheme, host=host, port=port)

    @property
    def url(self) -> str:
        """The URL without a path, and without the scheme's default port."""
        return f"{self.scheme}://{self.authority}"

    @property
    def authority(self) -> str:
        """The host and the port, without the scheme's default port."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == _DEFAULT_PORTS.get(self.scheme) else f"{name}:{self.port}"


# A transport uses few URLs: its endpoint, and the key sets that it fetches. So each is taken apart once.
@lru_cache(maxsize=64)
def origin_and_target(url: str) -> tuple[Origin, str]:
    """Return the origin of *url*, and its path and query: the target of the request line (RFC 9112, section 3.2.1)."""
    parts = split_url(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Origin(parts.scheme, parts.hostname or "", port), target


@lru_cache(maxsize=64)
def host_of(url: str) -> str:
    """Return the ``Host`` header of a request to *url*: without the scheme's default port (RFC 9110, section 4.2.3)."""
    parts = split_url(url)
    host = parts.hostname or ""
    name = f"[{host}]" if ":" in host else host
    return name if parts.port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f"{name}:{parts.port}"


def what_to_check(host: str) -> str:
    """Return what to check if *host* was not found. Only the names of AWS's endpoints depend on the region."""
    return "check the region" if other_endpoint(f"https://{host}") is None else "check the endpoint URL"


def check_characters(url: str) -> None:
    """Check that *url* can be put on a request line: printable ASCII without spaces.

    Raises:
        ConfigurationError: it contains another character.
    """
    if not url or not url.isascii() or not url.isprintable() or " " in url:
        raise ConfigurationError("a URL contains a space or a character outside ASCII: percent-encode it")
