from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from hypothesis import given
from hypothesis import strategies as st

from srpcore.crypto.totp import decode_secret, hotp, totp, verify_totp
from srpcore.exceptions.base import ConfigurationError
from srpcore.testing import texts_with_lone_surrogates

DIGITS = "1234567890" * 7
KEYS = {"sha1": DIGITS[:20], "sha256": DIGITS[:32], "sha512": DIGITS[:64]}
SECRET = base64.b32encode(DIGITS[:20].encode()).decode()

# RFC 4226, appendix D.
HOTP = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]

# RFC 6238, appendix B.
TOTP_TABLE = [
    (59, "94287082", "46119246", "90693936"),
    (1111111109, "07081804", "68084774", "25091201"),
    (1111111111, "14050471", "67062674", "99943326"),
    (1234567890, "89005924", "91819424", "93441116"),
    (2000000000, "69279037", "90698825", "38618901"),
    (20000000000, "65353130", "77737706", "47863826"),
]


@pytest.mark.parametrize(("counter", "code"), list(enumerate(HOTP)))
def test_codes_equal_those_of_rfc_4226_appendix_d(counter: int, code: str) -> None:
    assert hotp(DIGITS[:20].encode(), counter) == code


@pytest.mark.parametrize(("time", "sha1", "sha256", "sha512"), TOTP_TABLE)
def test_codes_equal_those_of_rfc_6238_appendix_b(time: int, sha1: str, sha256: str, sha512: str) -> None:
    for digest, code in {"sha1": sha1, "sha256": sha256, "sha512": sha512}.items():
        secret = base64.b32encode(KEYS[digest].encode()).decode()
        assert totp(secret, time, digits=8, digest=digest) == code


@given(st.binary(min_size=16, max_size=64), st.floats(0, 2**40), st.sampled_from([6, 7, 8]))
def test_a_code_equals_that_of_cryptography(key: bytes, time: float, digits: int) -> None:
    theirs = TOTP(key, digits, hashes.SHA1(), 30).generate(int(time)).decode()
    assert totp(base64.b32encode(key).decode(), time, digits=digits) == theirs


@given(st.binary(min_size=1, max_size=64), st.booleans(), st.booleans(), st.integers(0, 8))
def test_a_secret_is_parsed_in_any_spelling(key: bytes, lower: bool, padded: bool, group: int) -> None:
    text = base64.b32encode(key).decode()
    text = text if padded else text.rstrip("=")
    text = text.lower() if lower else text
    text = " ".join(text[i : i + group] for i in range(0, len(text), group)) if group else text
    assert decode_secret(text) == key


def test_only_padding_is_removed_from_the_end_of_a_secret() -> None:
    assert decode_secret("AAAAAAAX") == bytes(4) + b"\x17"
    assert decode_secret("MFRGGXX=") == b"abc^"


@pytest.mark.parametrize(
    "secret",
    [
        "",
        " ",
        "====",
        "A",
        "ABC",
        "ABCDEF",
        "0189",
        "AB-CD",
        "ABCDEFG!",
        "\u017fABCDEFG",
        "\u0131ABCDEFG",
        "\u00df",
        "AB=CD",
        "AB\nCD",
    ],
)
def test_a_secret_that_is_not_base32_is_refused_and_not_shown(secret: str) -> None:
    for call in (lambda: decode_secret(secret), lambda: totp(secret, 0), lambda: verify_totp(secret, "123456", 0)):
        with pytest.raises(ConfigurationError) as caught:
            call()
        assert caught.value.args == (
            "TOTP secret is not base32: use the SecretCode that AssociateSoftwareToken returned",
        )
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None


@pytest.mark.parametrize("secret", [None, b"MFRGG", 7])
def test_a_secret_that_is_not_a_string_is_refused(secret: str) -> None:
    with pytest.raises(ConfigurationError, match="TOTP secret must be a string"):
        decode_secret(secret)


@given(texts_with_lone_surrogates())
def test_a_lone_surrogate_is_not_base32(text: str) -> None:
    with pytest.raises(ConfigurationError, match="TOTP secret contains a lone surrogate"):
        decode_secret(text)


# Verification.


@pytest.mark.parametrize(("away", "window"), [(0, 0), (-1, 1), (0, 1), (1, 1), (-2, 2), (2, 2)])
def test_a_code_in_the_window_is_accepted(away: int, window: int) -> None:
    code = HOTP[4 + away]
    for time in (120, 149.999):
        assert verify_totp(SECRET, code, time, window=window) == 4 + away


@pytest.mark.parametrize(("away", "window"), [(-1, 0), (1, 0), (-2, 1), (2, 1), (-3, 2), (3, 2)])
def test_a_code_out_of_the_window_is_refused(away: int, window: int) -> None:
    assert verify_totp(SECRET, HOTP[4 + away], 120, window=window) is None


def test_the_default_window_is_one_step() -> None:
    accepted = [step for step, code in enumerate(HOTP) if verify_totp(SECRET, code, 150) is not None]
    assert accepted == [4, 5, 6]


def test_a_window_that_reaches_before_the_epoch_ends_there() -> None:
    assert verify_totp(SECRET, HOTP[0], 0, window=3) == 0


def test_a_code_is_accepted_once() -> None:
    step = verify_totp(SECRET, HOTP[4], 120)
    assert step == 4
    assert verify_totp(SECRET, HOTP[4], 121, after=step) is None
    assert verify_totp(SECRET, HOTP[3], 121, after=step) is None
    assert verify_totp(SECRET, HOTP[5], 121, after=step) == 5


@pytest.mark.parametrize(
    "code", ["", "33831", "3383140", " 338314", "338314\n", "\u0663\u0663\u0668\u0663\u0661\u0664", "\ud800", "999999"]
)
def test_a_string_that_is_not_a_code_is_refused(code: str) -> None:
    assert verify_totp(SECRET, code, 120) is None
