"""Show the secret of an authenticator app, as a QR code if segno is installed (extra ``cli``).

A terminal often has only 24 lines, and the question for the code is below the QR code. So the code has the lowest level
of error correction, which is enough for a screen, and two rows of modules share one line::

    ▀  upper module dark          █  both dark
    ▄  lower module dark             (a space) both light
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from itertools import zip_longest
from urllib.parse import quote, urlencode

from ..text import Style, printable
from .output import note

__all__ = ["show_totp_secret"]

# The standard wants four light modules around the code. Cameras need less, and the code would not fit.
_BORDER = 2
_BLOCKS = " ▄▀█"
_BLACK_ON_WHITE, _RESET = "\x1b[30;47m", "\x1b[0m"


def show_totp_secret(secret: str, account: str, issuer: str = "Cognito") -> None:
    """Print the secret of an authenticator app to standard error, and as a QR code if that is a terminal.

    Args:
        secret: the secret in base32, as the service sends it.
        account: the name that the app shows. If it is empty, the app shows only *issuer*.
        issuer: the name of the service that the app shows.
    """
    note(f"Secret for the authenticator app: {printable(secret)}")
    if not sys.stderr.isatty():
        return
    try:
        import segno
    except ImportError:
        note("For a QR code: pip install 'srpcore[cli]'")
        return
    code = segno.make_qr(_key_uri(secret, account, issuer), error="l", boost_error=False)
    colours = Style(sys.stderr).colours
    for line in _lines(code.matrix_iter(border=_BORDER), inverted=not colours):
        print(f"{_BLACK_ON_WHITE}{line}{_RESET}" if colours else line, file=sys.stderr)


def _lines(rows: Iterable[Iterable[int]], *, inverted: bool) -> list[str]:
    """Return two *rows* of modules in each line. Without colours most terminals show light characters: *inverted*."""
    modules = [[bool(module) is not inverted for module in row] for row in rows]
    pairs = zip_longest(modules[::2], modules[1::2], fillvalue=[False] * len(modules))
    return ["".join(_BLOCKS[2 * upper + lower] for upper, lower in zip(*pair, strict=True)) for pair in pairs]


def _key_uri(secret: str, account: str, issuer: str) -> str:
    """Return the URI that authenticator apps read from a QR code: ``otpauth://totp/ACCOUNT?secret=...&issuer=...``.

    The issuer is not repeated before the account, where the format also allows it: the code would be larger.
    """
    label = quote(account or issuer, safe="@")
    return f"otpauth://totp/{label}?{urlencode({'secret': secret, 'issuer': issuer}, quote_via=quote)}"
