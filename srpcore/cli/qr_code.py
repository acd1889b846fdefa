"""Show the secret of an authenticator app, as a QR code if segno is installed (extra ``cli``)."""

from __future__ import annotations

import sys
from urllib.parse import quote, urlencode

from ..text import printable
from .output import note

__all__ = ["show_totp_secret"]


def show_totp_secret(secret: str, account: str, issuer: str = "Cognito") -> None:
    """Print the secret of an authenticator app to standard error, and as a QR code if that is a terminal.

    Args:
        secret: the secret in base32, as the service sends it.
        account: the name that the app shows. If it is empty, the app shows only *issuer*.
        issuer: the name of the service that the app shows.
    """
    if sys.stderr.isatty():
        try:
            import segno
        except ImportError:
            note("For a QR code: pip install 'srpcore[cli]'")
        else:
            segno.make(_key_uri(secret, account, issuer), error="m").terminal(out=sys.stderr, compact=True)
    note(f"Secret for the authenticator app: {printable(secret)}")


def _key_uri(secret: str, account: str, issuer: str) -> str:
    """Return the URI that authenticator apps read from a QR code: ``otpauth://totp/LABEL?secret=...&issuer=...``."""
    label = quote(f"{issuer}:{account}" if account else issuer, safe=":@")
    return f"otpauth://totp/{label}?{urlencode({'secret': secret, 'issuer': issuer}, quote_via=quote)}"
