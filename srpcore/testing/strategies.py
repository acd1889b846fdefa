"""Values at the edges of the log-in's cryptography, as hypothesis strategies.

Each gives its edges about half of the time, and otherwise ordinary values of the same kind. A scrambling parameter
*u* of 0 is not among them: it is a hash of A and B, and nobody can draw the pair that gives it. To test it, hand
``u=0`` to :func:`srpcore.crypto.srp.client_premaster` and :func:`~srpcore.crypto.srp.server_premaster`.
"""

from __future__ import annotations

import base64

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

__all__ = [
    "hex_texts",
    "non_hex_texts",
    "other_passwords",
    "passwords",
    "public_values",
    "salt_texts",
    "salts",
    "secret_blocks",
    "secret_exponents",
    "signed_integers",
    "texts_with_lone_surrogates",
    "unsafe_public_values",
    "usernames",
]

_EDGE_TEXTS = (
    "",
    " ",
    " leading",
    "trailing ",
    "tab\tand\nnewline\r\n",
    "\0",
    "before\0after",
    "a:b",
    ":",
    "a::b:",
    "caf\u00e9",  # composed
    "cafe\u0301",  # the same with a combining accent: other bytes, for nothing is normalised
    "\ufb01ne",  # a ligature that compatibility normalisation would split
    "\u212b\u00c5A\u030a",  # three ways to write one letter
    "stra\u00dfe",
    "\u0130stanbul \u0131",
    "\u5bc6\u78bc",
    "\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
    "\u202eright to left\u202c",
    "\u200bzero\u200dwidth\ufeff",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1ea\U0001f1fa",
    "\U0010ffff\ufffe",
    "\x7f\x80\xff",
    "%41&=+/\\\"'`${HOME}<b>",
    "p" * 256,
    "\u00e9" * 5000,
)

_EDGE_BITS = (0, 1, 2, 7, 8, 9, 15, 16, 17, 63, 64, 65, 127, 128, 129, 255, 256, 257, 3071, 3072, 3073)


def _texts() -> SearchStrategy[str]:
    alphabet = st.characters(exclude_categories=["Cs"])
    return st.sampled_from(_EDGE_TEXTS) | st.text(alphabet, max_size=40)


def usernames() -> SearchStrategy[str]:
    """Return texts that have a UTF-8 form, as somebody may type for a name: empty, with ``:``, NUL, spaces, huge."""
    return _texts()


def passwords() -> SearchStrategy[str]:
    """Return texts that have a UTF-8 form, as somebody may take for a password; see :func:`usernames`."""
    return _texts()


def other_passwords(password: str) -> SearchStrategy[str]:
    """Return passwords that are not *password*, most of them so near to it that careless code takes them for it."""
    near = (
        password + " ",
        " " + password,
        password.strip(),
        password + "\0",
        password.split("\0")[0],
        password.upper(),
        password.lower(),
        password[:-1],
        password[:128],
        password.replace("\u00e9", "e\u0301"),
        password.replace("e\u0301", "\u00e9"),
    )
    return (st.sampled_from(near) | _texts()).filter(lambda other: other != password)


def texts_with_lone_surrogates() -> SearchStrategy[str]:
    """Return texts that hold half of a surrogate pair, and so have no UTF-8 form: JSON and file names let them in."""
    halves = st.characters(categories=["Cs"])
    return st.tuples(_texts(), halves, _texts()).map("".join)


def signed_integers(max_bits: int = 3080) -> SearchStrategy[int]:
    """Return integers of either sign, weighted to 0, to powers of two and what lies beside them."""
    bits = st.sampled_from([n for n in _EDGE_BITS if n <= max_bits]) | st.integers(0, max_bits)
    near_powers = st.tuples(bits, st.sampled_from((-1, 0, 1))).map(lambda drawn: (1 << drawn[0]) + drawn[1])
    return near_powers | near_powers.map(lambda number: -number) | st.integers(-(1 << max_bits), 1 << max_bits)


def secret_exponents(bits: int = 256) -> SearchStrategy[int]:
    """Return exponents of 0 or more and at most *bits* bits: 0, 1, all ones, single bits, with leading zero bytes."""
    edges = st.sampled_from([n for n in (0, 1, 2, 3, (1 << bits) - 1, 1 << (bits - 1)) if n.bit_length() <= bits])
    short = st.integers(1, max(bits // 8, 1)).flatmap(lambda size: st.integers(0, (1 << size) - 1))
    single_bits = st.integers(0, bits - 1).map(lambda n: 1 << n)
    return edges | short | single_bits | st.integers(0, (1 << bits) - 1)


def salts(size: int = 16) -> SearchStrategy[int]:
    """Return salts of at most *size* bytes as the signed integers that SALT stands for.

    Negative ones and 0 are among them, ones with leading zero bytes and nibbles, and ones with the top bit set.
    """
    bits = 8 * size
    edges = st.sampled_from((0, 1, -1, 127, 128, -128, -129, 255, -256, (1 << bits) - 1, 1 << (bits - 1), -(1 << bits)))
    short = st.integers(1, bits).flatmap(lambda n: st.integers(0, (1 << n) - 1))
    high = st.integers(1 << (bits - 1), (1 << bits) - 1)
    return edges | short | high | high.map(lambda number: -number) | st.integers(0, (1 << bits) - 1)


def hex_texts(numbers: SearchStrategy[int]) -> SearchStrategy[tuple[str, int]]:
    """Return ``(text, number)``: *numbers* as hexadecimal text of even and odd length, in any case, with more zeros."""

    def write(number: int, zeros: int, upper: bool) -> tuple[str, int]:
        digits = "0" * zeros + f"{abs(number):x}"
        return ("-" if number < 0 else "") + (digits.upper() if upper else digits), number

    return st.builds(write, numbers, st.sampled_from((0, 0, 1, 2, 3, 4)), st.booleans())


def salt_texts(size: int = 16) -> SearchStrategy[tuple[str, int]]:
    """Return ``(SALT, number)``, SALT in every form in which it has been seen; see :func:`salts`."""
    return hex_texts(salts(size))


def non_hex_texts() -> SearchStrategy[object]:
    """Return what is not hexadecimal text, most of it such as ``int(text, 16)`` would take."""
    edges = ("", "-", "+1", " 1", "1 ", "1\n", "0x1", "1_0", "--1", "1-", "g", "\u0661", "\uff11", "1\0", "\ud800")
    others: tuple[object, ...] = (None, 1, b"1f", 1.5, ["1"], True)
    return st.sampled_from(edges) | st.sampled_from(others) | st.text(max_size=8).filter(_is_not_hex)


def _is_not_hex(text: str) -> bool:
    digits = text.removeprefix("-")
    return not digits or any(character not in "0123456789abcdefABCDEF" for character in digits)


def public_values(modulus: int) -> SearchStrategy[int]:
    """Return values of A or B in ``1 .. modulus - 1``: the first, the last, with the top bit set or leading zeros."""
    width = modulus.bit_length()
    edges = st.sampled_from((1, 2, modulus // 2, modulus - 2, modulus - 1, 1 << (width - 1), (1 << (width - 1)) - 1))
    short = st.integers(1, width - 1).flatmap(lambda n: st.integers(1, (1 << n) - 1))
    return (edges | short | st.integers(1, modulus - 1)).filter(lambda value: 0 < value < modulus)


def unsafe_public_values(modulus: int) -> SearchStrategy[int]:
    """Return values of A or B that must be refused: 0, multiples of *modulus*, negative ones, ones over *modulus*."""
    multiples = st.integers(-3, 3).map(lambda n: n * modulus)
    above = st.integers(modulus, 3 * modulus)
    return st.sampled_from((0, modulus, 2 * modulus)) | multiples | above | st.integers(-modulus, -1)


def secret_blocks(max_size: int = 64) -> SearchStrategy[tuple[str, bytes | None]]:
    """Return ``(SECRET_BLOCK, bytes)``: base64, standard or URL-safe, padded or not, or no base64 (bytes is None)."""

    def write(data: bytes, url_safe: bool, padded: bool) -> tuple[str, bytes | None]:
        text = (base64.urlsafe_b64encode if url_safe else base64.b64encode)(data).decode("ascii")
        return text if padded else text.rstrip("="), data

    edges = st.sampled_from((b"", b"\0", b"\xff\xff\xff", b"\xfb\xef\xbe", b"\xff\xfe", b"a", b"ab", b"abc"))
    encoded = st.builds(write, edges | st.binary(max_size=max_size), st.booleans(), st.booleans())
    foreign = st.sampled_from(("secret block", "!", "a", "====", "\u00e9\ud800", "ab=cd", " YQ==\n", "Y.Q"))
    return encoded | foreign.map(lambda text: (text, None))
