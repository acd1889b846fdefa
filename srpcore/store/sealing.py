"""Encrypt stored logins with a key of the program: AES-256-GCM, by the package ``cryptography``.

A record has five parts::

    0x01 | key id (8 bytes) | nonce (12 bytes) | ciphertext | tag (16 bytes)      encrypted
    0x00 | the login as JSON                                                      not encrypted

The associated data is the first nine bytes and the key of the login (see :func:`~srpcore.store.store_key`). So a record
that somebody has copied to another user's place in the database is refused. This is why Fernet is not used here: it has
no associated data. The key id is a hash of the encryption key, so after a rotation of keys each record names the key
that opens it.

Encryption does not prevent that somebody who can write to the database puts back an older record of the same user.

The nonce is random. With random nonces, one key is safe for 2**32 records (NIST SP 800-38D, section 8.3): change the
key before that many logins have been saved.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from ..exceptions.base import ConfigurationError
from ..exceptions.store import StoreCorrupt, StoreError
from .record import Login, check_key, decode, encode

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = ["EncryptionKeys", "RecordCipher"]

EncryptionKeys: TypeAlias = bytes | Sequence[bytes] | None
"""One key, or several: the first one encrypts, and all of them decrypt. None does not encrypt."""

MAX_SIZE = 300_000
"""The highest number of bytes in a record. A login has about five thousand; an item of DynamoDB has at most 400 KB."""

_PLAIN, _SEALED = b"\x00", b"\x01"
_KEY_SIZE = 32
_ID_SIZE = 8
_NONCE_SIZE = 12
_HEAD_SIZE = len(_SEALED) + _ID_SIZE


class RecordCipher:
    """Turns logins into records and back.

    Raises:
        ConfigurationError: a key is not 32 random bytes, or the package ``cryptography`` is not installed.
    """

    def __init__(self, keys: EncryptionKeys) -> None:
        # By key id, the key that encrypts first. Empty if records are not encrypted.
        self._ciphers: dict[bytes, AESGCM] = {_key_id(key): _cipher(key) for key in _key_list(keys)}

    def seal(self, key: str, login: Login) -> bytes:
        """Return the record for *login*, which is stored under *key*.

        Raises:
            ConfigurationError: *key* is empty or not a string, or *login* is not a :class:`Login`, or is too big.
        """
        data = encode(key, login)
        if len(data) > MAX_SIZE:
            raise ConfigurationError(f"login is too big: at most {MAX_SIZE} bytes can be stored")
        if not self._ciphers:
            return _PLAIN + data
        key_id, cipher = next(iter(self._ciphers.items()))
        head, nonce = _SEALED + key_id, os.urandom(_NONCE_SIZE)
        return head + nonce + cipher.encrypt(nonce, data, head + check_key(key))

    def open(self, key: str, record: bytes) -> Login:
        """Return the login in *record*, which was stored under *key*.

        Raises:
            StoreCorrupt: the record is damaged, belongs to another key, or is not encrypted although it should be.
            StoreError: the record was encrypted with a key that this object does not have, or this object has no keys.
        """
        try:
            return decode(key, self._decrypt(key, record))
        except ConfigurationError as error:
            raise _corrupt(str(error)) from None

    def _decrypt(self, key: str, record: bytes) -> bytes:
        kind, head = record[:1], record[:_HEAD_SIZE]
        if kind == _PLAIN and not self._ciphers:
            return record[1:]
        if kind == _PLAIN:
            # Somebody who can write to the database, but does not have the key, could put any login there.
            raise _corrupt("it is not encrypted, but the store has encryption keys")
        if kind != _SEALED or len(record) < _HEAD_SIZE + _NONCE_SIZE:
            raise _corrupt("it is not a record of this library")
        cipher = self._ciphers.get(head[1:])
        if cipher is None:
            raise StoreError(
                f"the stored login is encrypted with another key (key id {head[1:].hex()}): "
                "give that key too, after the one that encrypts: encryption_key=[new, old]"
            )
        return self._decrypt_with(cipher, record, head + check_key(key))

    def _decrypt_with(self, cipher: AESGCM, record: bytes, associated_data: bytes) -> bytes:
        from cryptography.exceptions import InvalidTag

        start = _HEAD_SIZE + _NONCE_SIZE
        try:
            return cipher.decrypt(record[_HEAD_SIZE:start], record[start:], associated_data)
        except InvalidTag:
            raise _corrupt("it was changed, or belongs to another user") from None


def _key_list(keys: EncryptionKeys) -> list[bytes]:
    if keys is None:
        return []
    several = [keys] if isinstance(keys, (bytes, bytearray, str)) else list(keys)
    if not several:
        raise ConfigurationError(
            "encryption_key is empty: give a key of 32 random bytes, for example of os.urandom(32)"
        )
    for key in several:
        _check_encryption_key(key)
    return several


def _check_encryption_key(key: object) -> None:
    if not isinstance(key, bytes) or len(key) != _KEY_SIZE:
        found = f"{len(key)} bytes" if isinstance(key, bytes) else f"a {type(key).__name__}"
        raise ConfigurationError(f"encryption_key must be 32 random bytes, not {found}: make one with os.urandom(32)")
    # Random bytes are all printable with a probability of 10**-13. Printable ones are a password, or hexadecimal digits
    # that were not decoded, and have less than 256 random bits.
    if all(32 <= byte < 127 for byte in key):
        raise ConfigurationError(
            "encryption_key is a password or hexadecimal digits, not random bytes: make one with os.urandom(32), and "
            "decode it if it is stored as Base64 or hexadecimal digits"
        )


def _cipher(key: bytes) -> AESGCM:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError:
        raise ConfigurationError(
            "encryption_key needs the package cryptography: pip install 'srpcore[redis]' or 'srpcore[dynamodb]'"
        ) from None
    return AESGCM(key)


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"srpcore store key id" + key).digest()[:_ID_SIZE]


def _corrupt(why: str) -> StoreCorrupt:
    return StoreCorrupt(f"the stored record is not a login ({why}): delete it, and log in again")
