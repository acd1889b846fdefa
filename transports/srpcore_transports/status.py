"""What an HTTP status means for a transport: a fetched document, a failure, or a redirect."""

from __future__ import annotations

from collections.abc import Mapping

from srpcore.exceptions.base import TransportError

__all__ = ["document", "refuse_redirect"]


def document(status: int, headers: Mapping[str, str], body: bytes, host: str) -> bytes:
    """Return *body*, the response to a GET, if its *status* is 200.

    Args:
        status: the HTTP status.
        headers: the response's headers, with lower-case names.
        body: the response's body.
        host: the host name, for the message.

    Raises:
        TransportError: the status is not 200.
    """
    if status == 200:
        return body
    raise TransportError(
        f"HTTP {status} from {host} where a document was expected",
        transient=status in (429, 500, 502, 503, 504),
        status=status,
        retry_after=headers.get("retry-after", ""),
    )


def refuse_redirect(status: int, host: str) -> None:
    """Refuse a redirect: following it would send passwords and tokens to an address that nobody configured.

    Raises:
        TransportError: *status* is a redirect.
    """
    if 300 <= status < 400:
        raise TransportError(f"HTTP {status} from {host}: redirects are not followed; configure the final address")
