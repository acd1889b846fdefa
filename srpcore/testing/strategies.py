"""Hypothesis strategies for the values that the cryptography of a login gets.

About half of the values of each strategy are edge cases, the others are ordinary.

There is no strategy for a scrambling parameter *u* of 0: *u* is a hash of A and B, and nobody can find a pair whose
hash is 0. To test that case, give ``u=0`` to :func:`srpcore.crypto.srp.client_premaster` and
:func:`~srpcore.crypto.srp.server_premaster`.
"""

from __future__ import annotations

import base64
from unicodedata import normalize

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

__all__ = [
    "hex_texts",
    "identities",
    "near_miss_passwords",
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

_EDGE_STRINGS = (
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
    "cafe\u0301",  # the same with a combining accent: the bytes differ, because passwords are not normalised
    "\ufb01ne",  # a ligature that compatibility normalisation would change to two letters
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


def _strings() -> SearchStrategy[str]:
    alphabet = st.characters(exclude_categories=["Cs"])
    return st.sampled_from(_EDGE_STRINGS) | st.text(alphabet, max_size=40)


def usernames() -> SearchStrategy[str]:
    """Return strings that a user may type as a name and that UTF-8 can encode: empty, with ``:``, NUL, spaces, long."""
    return _strings()


def identities() -> SearchStrategy[str]:
    """Return identities as Cognito hashes them: the part of a pool id after ``_``, followed by a user's id."""
    suffixes = st.sampled_from(("AbCd12345", "000000000", "aaaaaaaaa"))
    return st.tuples(suffixes, st.sampled_from(("3f2504e0-4f89-11d3-9a0c-0305e82c3301",)) | _strings()).map("".join)


def passwords() -> SearchStrategy[str]:
    """Return strings that a user may choose as a password and that UTF-8 can encode: see :func:`usernames`."""
    return _strings()


def near_miss_passwords(password: str) -> list[str]:
    """Return passwords that differ from *password* and that incorrect code may take for it, the simplest first.

    They differ in a blank, a NUL byte, upper and lower case, Unicode normalisation, or the end of a long password.
    """
    near = (
        password + " ",
        " " + password,
        password.strip(),
        password + "\0",
        password.split("\0")[0],
        password.upper(),
        password.lower(),
        password[:-1],
        password[:72],  # bcrypt ignores what comes after 72 bytes
        password[:128],
        normalize("NFC", password),
        normalize("NFD", password),
        normalize("NFKC", password),
    )
    return [other for other in dict.fromkeys(near) if other != password]


def other_passwords(password: str) -> SearchStrategy[str]:
    """Return passwords other than *password*, many of them :func:`near_miss_passwords`."""
    return (st.sampled_from(near_miss_passwords(password)) | _strings()).filter(lambda other: other != password)


def texts_with_lone_surrogates() -> SearchStrategy[str]:
    """Return strings with half of a surrogate pair, which UTF-8 cannot encode. JSON and file names can contain them."""
    halves = st.characters(categories=["Cs"])
    return st.tuples(_strings(), halves, _strings()).map("".join)


def signed_integers(max_bits: int = 3080) -> SearchStrategy[int]:
    """Return positive and negative integers. Many are 0, or a power of two, or differ from one by 1."""
    bits = st.sampled_from([n for n in _EDGE_BITS if n <= max_bits]) | st.integers(0, max_bits)
    near_powers = st.tuples(bits, st.sampled_from((-1, 0, 1))).map(lambda drawn: (1 << drawn[0]) + drawn[1])
    return near_powers | near_powers.map(lambda number: -number) | st.integers(-(1 << max_bits), 1 << max_bits)


def secret_exponents(bits: int = 256) -> SearchStrategy[int]:
    """Return integers from 0 to ``2**bits - 1``: 0, 1, all bits set, one bit set, and with leading zero bytes."""
    edges = st.sampled_from([n for n in (0, 1, 2, 3, (1 << bits) - 1, 1 << (bits - 1)) if n.bit_length() <= bits])
    short = st.integers(1, max(bits // 8, 1)).flatmap(lambda size: st.integers(0, (1 << size) - 1))
    single_bits = st.integers(0, bits - 1).map(lambda n: 1 << n)
    return edges | short | single_bits | st.integers(0, (1 << bits) - 1)


def salts(size: int = 16, *, signed: bool = True) -> SearchStrategy[int]:
    """Return salts of at most *size* bytes, as the integers that SALT encodes.

    Some are 0, some have leading zero bytes or digits, and some have the top bit set. If *signed*, some are negative,
    as the service has sent them.
    """
    bits = 8 * size
    positive = (0, 1, 127, 128, 255, (1 << bits) - 1, 1 << (bits - 1))
    short = st.integers(1, bits).flatmap(lambda n: st.integers(0, (1 << n) - 1))
    high = st.integers(1 << (bits - 1), (1 << bits) - 1)
    unsigned = st.sampled_from(positive) | short | high | st.integers(0, (1 << bits) - 1)
    if not signed:
        return unsigned
    negative = st.sampled_from((-1, -128, -129, -256, -(1 << bits))) | high.map(lambda number: -number)
    return unsigned | negative


def hex_texts(numbers: SearchStrategy[int]) -> SearchStrategy[tuple[str, int]]:
    """Return ``(string, number)`` for each of *numbers*: the string is hexadecimal.

    It has an even or odd length, upper-case or lower-case digits, and up to four leading zeros.
    """

    def write(number: int, zeros: int, upper: bool) -> tuple[str, int]:
        digits = "0" * zeros + f"{abs(number):x}"
        return ("-" if number < 0 else "") + (digits.upper() if upper else digits), number

    return st.builds(write, numbers, st.sampled_from((0, 0, 1, 2, 3, 4)), st.booleans())


def salt_texts(size: int = 16, *, signed: bool = True) -> SearchStrategy[tuple[str, int]]:
    """Return ``(SALT, number)`` for the numbers of :func:`salts`. SALT is written in every form that has been seen."""
    return hex_texts(salts(size, signed=signed))


def non_hex_texts() -> SearchStrategy[object]:
    """Return values that are not hexadecimal strings. Many of them are accepted by ``int(value, 16)``."""
    edges = ("", "-", "+1", " 1", "1 ", "1\n", "0x1", "1_0", "--1", "1-", "g", "\u0661", "\uff11", "1\0", "\ud800")
    others: tuple[object, ...] = (None, 1, b"1f", 1.5, ["1"], True)
    return st.sampled_from(edges) | st.sampled_from(others) | st.text(max_size=8).filter(_is_not_hex)


def _is_not_hex(text: str) -> bool:
    digits = text.removeprefix("-")
    return not digits or any(character not in "0123456789abcdefABCDEF" for character in digits)


def public_values(modulus: int) -> SearchStrategy[int]:
    """Return values of A or B from 1 to ``modulus - 1``: the first, the last, with the top bit set or leading zeros."""
    width = modulus.bit_length()
    edges = st.sampled_from((1, 2, modulus // 2, modulus - 2, modulus - 1, 1 << (width - 1), (1 << (width - 1)) - 1))
    short = st.integers(1, width - 1).flatmap(lambda n: st.integers(1, (1 << n) - 1))
    return (edges | short | st.integers(1, modulus - 1)).filter(lambda value: 0 < value < modulus)


def unsafe_public_values(modulus: int) -> SearchStrategy[int]:
    """Return values of A or B that must be refused: 0, multiples of *modulus*, negative and too large values."""
    multiples = st.integers(-3, 3).map(lambda n: n * modulus)
    above = st.integers(modulus, 3 * modulus)
    return st.sampled_from((0, modulus, 2 * modulus)) | multiples | above | st.integers(-modulus, -1)


def secret_blocks(max_size: int = 64) -> SearchStrategy[tuple[str, bytes | None]]:
    """Return ``(SECRET_BLOCK, bytes)``: a base64 string, standard or URL-safe, with or without padding, and its bytes.

    Some strings are not base64. Then *bytes* is None.
    """

    def write(data: bytes, url_safe: bool, padded: bool) -> tuple[str, bytes | None]:
        text = (base64.urlsafe_b64encode if url_safe else base64.b64encode)(data).decode("ascii")
        return text if padded else text.rstrip("="), data

    edges = st.sampled_from((b"", b"\0", b"\xff\xff\xff", b"\xfb\xef\xbe", b"\xff\xfe", b"a", b"ab", b"abc"))
    encoded = st.builds(write, edges | st.binary(max_size=max_size), st.booleans(), st.booleans())
    foreign = st.sampled_from(("secret block", "!", "a", "====", "\u00e9\ud800", "ab=cd", " YQ==\n", "Y.Q"))
    return encoded | foreign.map(lambda text: (text, None))
