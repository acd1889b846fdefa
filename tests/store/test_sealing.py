"""Encrypted records: which keys open them, and that no changed or moved record is accepted."""

from __future__ import annotations

import re
import sys
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from srpcore.exceptions import ConfigurationError, StoreCorrupt, StoreError
from srpcore.store import Login
from srpcore.store.sealing import MAX_SIZE, RecordCipher

from .making import KEY, LOGIN, SECRETS, logins, texts_of

PRINTABLE = (
    r"encryption_key is a password or hexadecimal digits, not random bytes: make one with os.urandom\(32\), and decode "
    "it if it is stored as Base64 or hexadecimal digits"
)
ONE, TWO, THREE = (bytes([number]) * 32 for number in (1, 2, 3))


@pytest.mark.slow
@settings(max_examples=30)
@given(key=st.text(st.characters(codec="utf-8"), min_size=1), login=logins())
def test_a_record_opens_to_the_login_that_was_sealed(key: str, login: Login) -> None:
    for cipher in (RecordCipher(ONE), RecordCipher(None)):
        assert cipher.open(key, cipher.seal(key, login)) == login


def test_an_encrypted_record_contains_nothing_readable_and_is_new_each_time() -> None:
    cipher = RecordCipher(ONE)
    records = {cipher.seal(KEY, LOGIN) for _ in range(10)}
    assert len({record[9:21] for record in records}) == 10  # the nonces
    assert not any(text.encode() in record for record in records for text in (*SECRETS, "somebody", KEY))
    assert all(text.encode() in RecordCipher(None).seal(KEY, LOGIN) for text in (*SECRETS, "somebody"))


def test_the_record_is_aes_256_gcm_with_its_head_and_the_key_of_the_login_as_associated_data() -> None:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    record = RecordCipher(ONE).seal(KEY, LOGIN)
    opened = AESGCM(ONE).decrypt(record[9:21], record[21:], record[:9] + KEY.encode())
    assert RecordCipher(None).open(KEY, b"\x00" + opened) == LOGIN


def test_the_first_key_encrypts_and_every_key_decrypts() -> None:
    old, new = RecordCipher(ONE).seal(KEY, LOGIN), RecordCipher([TWO, ONE]).seal(KEY, LOGIN)
    both = RecordCipher([TWO, ONE])
    assert both.open(KEY, old) == both.open(KEY, new) == RecordCipher(TWO).open(KEY, new) == LOGIN
    with pytest.raises(StoreError, match=rf"another key \(key id {old[1:9].hex()}\).*\[new, old\]") as caught:
        RecordCipher([TWO, THREE]).open(KEY, old)
    assert not isinstance(caught.value, StoreCorrupt)  # the record is fine: nobody should delete it


@pytest.mark.slow
@settings(max_examples=30)
@given(data=st.data())
def test_a_record_with_one_changed_byte_is_refused(data: st.DataObject) -> None:
    cipher = RecordCipher(ONE)
    record = cipher.seal(KEY, LOGIN)
    place = data.draw(st.integers(0, len(record) - 1))
    changed = bytearray(record)
    changed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(StoreError) as caught:
        cipher.open(KEY, bytes(changed))
    assert not any(secret in texts_of(caught.value) for secret in SECRETS)


@pytest.mark.parametrize("size", [0, 1, 8, 9, 20, 21, 36, 37, -1])
def test_a_record_that_was_cut_is_refused(size: int) -> None:
    cipher = RecordCipher(ONE)
    with pytest.raises(StoreCorrupt) as caught:
        cipher.open(KEY, cipher.seal(KEY, LOGIN)[:size])
    why = "it is not a record of this library" if 0 <= size < 21 else "it was changed, or belongs to another user"
    assert str(caught.value) == f"the stored record is not a login ({why}): delete it, and log in again"


def test_the_record_of_another_user_is_refused() -> None:
    for cipher in (RecordCipher(ONE), RecordCipher(None)):
        with pytest.raises(StoreCorrupt) as caught:
            cipher.open(KEY + "2", cipher.seal(KEY, LOGIN))
        why = "it was changed, or belongs to another user" if cipher._ciphers else "it belongs to another key"
        assert str(caught.value) == f"the stored record is not a login ({why}): delete it, and log in again"
        assert not any(secret in texts_of(caught.value) for secret in SECRETS)


def test_a_store_with_keys_refuses_a_record_that_is_not_encrypted() -> None:
    with pytest.raises(StoreCorrupt, match=r"\(it is not encrypted, but the store has encryption keys\)"):
        RecordCipher(ONE).open(KEY, RecordCipher(None).seal(KEY, LOGIN))


def test_a_store_without_keys_refuses_an_encrypted_record() -> None:
    with pytest.raises(StoreError) as caught:
        RecordCipher(None).open(KEY, RecordCipher(ONE).seal(KEY, LOGIN))
    assert re.fullmatch(
        r"the stored login is encrypted with another key \(key id [0-9a-f]+\): give that key too, after the one that "
        r"encrypts: encryption_key=\[new, old\]",
        str(caught.value),
    )


def test_a_login_that_is_too_big_is_refused() -> None:
    cipher = RecordCipher(ONE)
    room = MAX_SIZE - len(RecordCipher(None).seal(KEY, Login(username=""))) + 1
    assert cipher.open(KEY, cipher.seal(KEY, Login(username="x" * room))).username == "x" * room
    with pytest.raises(ConfigurationError, match=f"at most {MAX_SIZE} bytes"):
        cipher.seal(KEY, Login(username="x" * (room + 1)))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (b"", r"^encryption_key must be 32 random bytes, not 0 bytes: make one with os.urandom\(32\)$"),
        (bytes(31), "not 31 bytes"),
        (bytes(33), "not 33 bytes"),
        ("x" * 32, "not a str"),
        (bytearray(32), "not a bytearray"),
        ([], r"^encryption_key is empty: give a key of 32 random bytes, for example of os.urandom\(32\)$"),
        ([ONE, bytes(16)], "not 16 bytes"),
        ([ONE, None], "not a NoneType"),
        *((key, f"^{PRINTABLE}$") for key in (b"0123456789abcdef" * 2, b" " * 32, b"~" * 32)),
    ],
)
def test_an_encryption_key_that_is_not_32_random_bytes_is_refused(keys: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        RecordCipher(keys)


@pytest.mark.parametrize("byte", [b"\x1f", b"\x7f", b"\xff"])
def test_one_byte_that_is_not_printable_makes_a_key_random(byte: bytes) -> None:
    cipher = RecordCipher(b"a" * 31 + byte)
    assert cipher.open(KEY, cipher.seal(KEY, LOGIN)) == LOGIN


def test_the_key_id_of_a_stored_record_never_changes() -> None:
    # Records that were stored by an earlier version name their key by it.
    assert RecordCipher(ONE).seal(KEY, LOGIN)[:9] == b"\x01" + sha256(b"srpcore store key id" + ONE).digest()[:8]


def test_without_the_package_the_error_names_the_extras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.ciphers.aead", None)
    with pytest.raises(ConfigurationError) as caught:
        RecordCipher(ONE)
    assert str(caught.value) == (
        "encryption_key needs the package cryptography: pip install 'srpcore[redis]' or 'srpcore[dynamodb]'"
    )
    RecordCipher(None)
