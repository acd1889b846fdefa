"""The errors for HTTP statuses that a transport does not accept."""

from __future__ import annotations

from collections.abc import Mapping

from srpcore.exceptions.base import TransportError

__all__ = ["refused_redirect", "unexpected_status"]


def unexpected_status(status: int, headers: Mapping[str, str], host: str) -> TransportError:
    """Return the error for the response to a GET of a document whose *status* is not 200.

    Args:
        status: the HTTP status.
        headers: the response's headers, with lower-case names.
        host: the host name, for the message.
    """
    return TransportError(
        f"HTTP {status} from {host} where a document was expected",
        transient=status in (429, 500, 502, 503, 504),
        status=status,
        retry_after=headers.get("retry-after", ""),
    )


def refused_redirect(status: int, host: str) -> TransportError:
    """Return the error for a redirect.

    Following it would send passwords and tokens to an address that nobody configured.
    """
    return TransportError(f"HTTP {status} from {host}: redirects are not followed; configure the final address")
