"""The whole message of each error of the cryptography, and values at the edges that no other test has."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from srpcore import crypto
from srpcore.crypto import _openssl, cognito, groups, key_exchange, modexp
from srpcore.crypto.device import Device, DeviceVerifier, device_identity, device_verifier, new_device_password
from srpcore.crypto.encoding import decode_secret_block, parse_hex, parse_public_value, utf8
from srpcore.crypto.hkdf import expand, hkdf
from srpcore.crypto.secret_hash import secret_hash
from srpcore.crypto.srp import Client, Parameters, Server
from srpcore.crypto.totp import decode_secret, hotp, totp, verify_totp
from srpcore.exceptions import ConfigurationError, SrpcoreError

P = Parameters(groups.RFC5054_GROUPS[1024])
N = P.group.N
SALT = b"salt"
SURROGATE = "contains a lone surrogate, which UTF-8 cannot encode: pass a valid string"
# RFC 6238, appendix B: the secret, in base32.
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


def client() -> Client:
    return Client(P, "alice", "password", key_exchange.client_pair(P.group, 5))


def server() -> Server:
    verifier = P.verifier(P.private_key("alice", "password", SALT))
    return Server(P, "alice", SALT, verifier, key_exchange.server_pair(P.group, P.k, verifier, 7))


def second_answer() -> object:
    first = client()
    first.prove(SALT, 5)
    return first.prove(SALT, 6)


def wrong_server_proof() -> object:
    first = client()
    first.prove(SALT, server().B)
    return first.verify(b"x")


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: cognito.client_key(cognito.client_pair(5), 0, 5), "server: B must be between 1 and N-1"),
        (lambda: cognito.client_key(cognito.client_pair(5), cognito.GROUP.N, 5), "server: B must be between 1 and N-1"),
        (lambda: cognito.server_key(cognito.server_pair(5, 5), 0, 5), "client: A must be between 1 and N-1"),
        (
            lambda: cognito.server_key(cognito.server_pair(5, 5), cognito.GROUP.N, 5),
            "client: A must be between 1 and N-1",
        ),
        (
            lambda: key_exchange.client_premaster(P.group, P.k, client().pair, N, 5, 1),
            "server: B must not be 0 modulo N, and u must not be 0",
        ),
        (
            lambda: key_exchange.client_premaster(P.group, P.k, client().pair, 5, 5, 0),
            "server: B must not be 0 modulo N, and u must not be 0",
        ),
        (
            lambda: key_exchange.server_premaster(P.group, server().pair, N, 5, 1),
            "client: A must not be 0 modulo N, and u must not be 0",
        ),
        (
            lambda: key_exchange.server_premaster(P.group, server().pair, 5, 5, 0),
            "client: A must not be 0 modulo N, and u must not be 0",
        ),
        (lambda: client().prove(SALT, 0), "server: B must be between 1 and N-1"),
        (lambda: client().prove(SALT, N), "server: B must be between 1 and N-1"),
        (second_answer, "server: a second B for the same A; make a new Client"),
        (lambda: server().verify(0, b""), "client: A must be between 1 and N-1"),
        (lambda: server().verify(N, b""), "client: A must be between 1 and N-1"),
        (lambda: parse_hex("x", name="NAME", max_digits=4), "server: NAME is not hexadecimal"),
        (lambda: parse_hex("12345", name="NAME", max_digits=4), "server: NAME has more than 4 hexadecimal digits"),
        (lambda: parse_hex("-1234", name="NAME", max_digits=4), "server: NAME is negative"),
        (lambda: parse_public_value("x", 251, name="NAME"), "server: NAME is not hexadecimal"),
        (lambda: parse_public_value("ff", 251, name="NAME"), "server: NAME must be between 1 and N-1"),
        (lambda: parse_public_value("fb", 251, name="NAME"), "server: NAME must be between 1 and N-1"),
        (lambda: parse_public_value("0", 251, name="NAME"), "server: NAME must be between 1 and N-1"),
        (lambda: decode_secret_block(5), "server: SECRET_BLOCK is not a string"),
    ],
)
def test_an_unsafe_value_of_the_other_side_is_named(call: Callable[[], object], expected: str) -> None:
    with pytest.raises(SrpcoreError) as caught:
        call()
    assert str(caught.value) == f"unsafe value from the {expected}"


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (wrong_server_proof, "server proof is wrong: the server does not know the verifier of this password"),
        (
            lambda: client().verify(b""),
            "server proof is wrong: the server does not know the verifier of this password",
        ),
        (lambda: server().verify(5, b"x"), "client proof is wrong: its password does not match the verifier"),
        (
            lambda: Parameters(digest="shake_128"),
            "unknown hash 'shake_128': use one of hashlib.algorithms_available with a fixed length",
        ),
        (
            lambda: Parameters(digest="x"),
            "unknown hash 'x': use one of hashlib.algorithms_available with a fixed length",
        ),
        (lambda: P.private_key("\ud800", "", SALT), f"identity {SURROGATE}"),
        (lambda: P.private_key("", "\ud800", SALT), f"password {SURROGATE}"),
        (lambda: P.client_proof("\ud800", SALT, 5, 5, b""), f"identity {SURROGATE}"),
        (lambda: cognito.private_key("\ud800", "", 5), f"username {SURROGATE}"),
        (lambda: cognito.private_key("", "\ud800", 5), f"password {SURROGATE}"),
        (lambda: cognito.claim(b"", "\ud800", b"", ""), f"username {SURROGATE}"),
        (lambda: cognito.claim(b"", "", b"", "\ud800"), f"timestamp {SURROGATE}"),
        (lambda: secret_hash("\ud800", "", ""), f"username {SURROGATE}"),
        (lambda: secret_hash("", "\ud800", ""), f"client_id {SURROGATE}"),
        (lambda: secret_hash("", "", "\ud800"), f"client_secret {SURROGATE}"),
        (lambda: utf8(5, name="NAME"), "NAME must be a string, not int"),  # type: ignore[arg-type]
        (lambda: expand(b"", b"", -1), "invalid HKDF length -1: use 0 to 8160 bytes"),
        (lambda: expand(b"", b"", 8161), "invalid HKDF length 8161: use 0 to 8160 bytes"),
        (
            lambda: decode_secret("1"),
            "TOTP secret is not base32: use the SecretCode that AssociateSoftwareToken returned",
        ),
        (
            lambda: decode_secret(" = "),
            "TOTP secret is not base32: use the SecretCode that AssociateSoftwareToken returned",
        ),
        (lambda: decode_secret("\ud800"), f"TOTP secret {SURROGATE}"),
        *(
            (
                lambda arguments=arguments: modexp.modexp(*arguments),
                "invalid modexp arguments: use an exponent of 0 or more and an odd modulus of 3 or more",
            )
            for arguments in ((2, -1, 7), (2, 1, 1), (2, 1, 8))
        ),
        (lambda: modexp.select("abacus"), "engine 'abacus' does not exist: choose one of openssl, gmpy2, python"),
    ],
)
def test_a_wrong_value_is_named(call: Callable[[], object], expected: str) -> None:
    with pytest.raises(SrpcoreError) as caught:
        call()
    assert str(caught.value) == expected


def test_the_values_at_the_limits_are_accepted() -> None:
    assert parse_hex("-1234", name="NAME", max_digits=4, signed=True) == -0x1234
    assert parse_public_value("1", 251, name="NAME") == 1
    assert parse_public_value("fa", 251, name="NAME") == 250
    assert len(expand(b"", b"", 8160)) == 8160
    assert expand(b"", b"", 0) == b""
    assert hkdf(b"k", salt=b"s", info=b"i", length=16) == hkdf(b"k", salt=b"s", info=b"i", length=33)[:16]
    assert modexp.modexp(5, 0, 3) == 1
    assert modexp.modexp(-1, 1, 3) == 2
    assert client().prove(SALT, N - 1) == client().prove(SALT, N - 1)
    assert client().prove(SALT, 1)
    with pytest.raises(SrpcoreError, match="client proof"):
        server().verify(N - 1, b"")
    with pytest.raises(SrpcoreError, match="client proof"):
        server().verify(1, b"")
    assert cognito.client_key(cognito.client_pair(5), cognito.GROUP.N - 1, 5)
    assert cognito.server_key(cognito.server_pair(5, 5), cognito.GROUP.N - 1, 5)


def test_an_engine_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modexp, "_loaded", {"gmpy2": None, "openssl": None})
    with pytest.raises(ConfigurationError) as caught:
        modexp.select("gmpy2")
    expected = "engine 'gmpy2' is missing or computes wrong results on this computer: use python"
    assert str(caught.value) == expected
    monkeypatch.setattr(modexp, "_loaded", {"gmpy2": pow, "openssl": None})
    with pytest.raises(ConfigurationError, match=r": use gmpy2, python$"):
        modexp.select("openssl")


def test_gmpy2_computes_with_its_constant_time_function(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[int, int, int]] = []

    def powmod_sec(base: int, exponent: int, modulus: int) -> int:
        calls.append((base, exponent, modulus))
        return pow(base, exponent, modulus)

    monkeypatch.setitem(sys.modules, "gmpy2", SimpleNamespace(powmod_sec=powmod_sec))
    compute = modexp._load_gmpy2()
    assert (compute(2, 5, 7), compute(2, 0, 7)) == (4, 1)
    assert calls == [(2, 5, 7)]


def test_no_engine_is_selected_after_a_reset() -> None:
    modexp.select("python")
    modexp.select(None)
    assert modexp._selected is None


def test_a_group_is_made_of_its_hexadecimal_digits() -> None:
    assert groups._group(8, "\nF\nB\n", 5) == groups.Group("RFC 5054, 8 bits", 0xFB, 5)


def test_a_device_is_proved_with_a_password_of_40_bytes_and_a_salt_of_128_bits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes: list[int] = []

    def token_bytes(size: int) -> bytes:
        sizes.append(size)
        return b"\xfb" * size

    def randbits(bits: int) -> int:
        sizes.append(bits)
        return 5

    monkeypatch.setattr("secrets.token_bytes", token_bytes)
    monkeypatch.setattr("secrets.randbits", randbits)
    assert new_device_password() == "+/v7" * 13 + "+w=="
    assert device_identity("group", "key") == "groupkey"
    made = device_verifier("group", "key", "p")
    assert made == device_verifier("group", "key", "p", 5) != device_verifier("key", "group", "p", 5)
    assert made.salt == "BQ=="
    assert made.as_parameter() == {"PasswordVerifier": made.verifier, "Salt": "BQ=="}
    assert sizes == [40, 128]
    assert "the-verifier" not in repr(DeviceVerifier("s", "the-verifier"))
    assert "the-password" not in repr(Device("key", "group", "the-password"))


def test_codes_equal_the_examples_of_rfc_6238() -> None:
    key = decode_secret(SECRET)
    assert key == b"12345678901234567890"
    assert decode_secret("gezd gnbv gy3tqojqgezdgnbvgy3tqojq====") == key
    assert totp(SECRET, 59, digits=8) == hotp(key, 1, digits=8) == "94287082"
    assert totp(SECRET, 60) == hotp(key, 2) == "359152"
    assert totp(SECRET, 1111111109, digits=8) == "07081804"
    assert hotp(key, 1, digest="sha256") != hotp(key, 1)


def test_a_code_is_accepted_within_the_window_and_only_once() -> None:
    code = totp(SECRET, 59)
    for time, step in ((0, 1), (29.9, 1), (30, 1), (89.9, 1), (90, None)):
        assert verify_totp(SECRET, code, time) == step
    assert verify_totp(SECRET, code, 0, window=0) is None
    assert verify_totp(SECRET, code, 30, window=0) == 1
    assert verify_totp(SECRET, code, 30, after=0) == 1
    assert verify_totp(SECRET, code, 30, after=1) is None
    assert verify_totp(SECRET, totp(SECRET, 0), 0) == 0
    assert verify_totp(SECRET, "\ud800", 0) is None


def test_a_client_and_a_server_draw_a_pair_unless_one_is_given() -> None:
    assert Client(P, "alice", "x").A != Client(P, "alice", "x").A
    verifier = P.verifier(5)
    assert Server(P, "alice", SALT, verifier).B != Server(P, "alice", SALT, verifier).B
    first, second = client(), server()
    key, proof = second.verify(first.A, first.prove(second.salt, second.B))
    assert first.verify(proof) == key == first.key
    assert "the-password" not in repr(Client(P, "alice", "the-password"))


def test_a_failure_of_libcrypto_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MemoryError, match=r"^libcrypto could not compute a modular exponentiation$"):
        _openssl._checked(0)
    assert _openssl._checked(5) == 5
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setattr("sys.base_prefix", "/nowhere")
    monkeypatch.setattr("_hashlib.__file__", "/nowhere/_hashlib.pyd")
    with pytest.raises(OSError, match=r"^no libcrypto-3\*\.dll found in the folder of Python$"):
        _openssl.library_file()


def test_the_names_of_the_package_are_listed() -> None:
    assert dir(crypto) == sorted(crypto.__all__)
