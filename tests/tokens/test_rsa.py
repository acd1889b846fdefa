"""RS256 through every engine: Wycheproof's vectors, the edges of RFC 8017, section 8.2.2, and the keys refused."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

from srpcore.exceptions import ConfigurationError, InvalidKey, InvalidSignature
from srpcore.tokens import _openssl, rsa
from srpcore.tokens.rsa import ENGINES, PublicKey, default_engine, verify_rs256
from support.minting import private_key, refusal
from support.vectors import load

PRIVATE = private_key()
KEY = PublicKey(PRIVATE.public_key().public_numbers().n, PRIVATE.public_key().public_numbers().e)


def signed(message: bytes) -> bytes:
    return PRIVATE.sign(message, PKCS1v15(), SHA256())


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("size", [2048, 3072, 4096])
def test_outcomes_equal_those_of_wycheproof(size: int, engine: str) -> None:
    document = load(f"wycheproof/rsa_signature_{size}_sha256_test.json")
    wrong: list[int] = []
    tested = 0
    for group in document["testGroups"]:
        key = PublicKey(int(group["publicKey"]["modulus"], 16), int(group["publicKey"]["publicExponent"], 16))
        for test in group["tests"]:
            error = refusal(verify_rs256, key, bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"]), engine=engine)
            # "acceptable" is a DigestInfo without its NULL: not the block that RFC 8017, section 9.2, builds.
            if (error is None) is not (test["result"] == "valid") or not isinstance(error, InvalidSignature | None):
                wrong.append(test["tcId"])
            tested += 1
    assert wrong == []
    assert tested == document["numberOfTests"] > 200


@pytest.mark.parametrize("engine", [*ENGINES, None])
def test_a_signature_not_below_the_modulus_is_refused_even_if_it_is_congruent(engine: str | None) -> None:
    for message in (b"%d" % i for i in range(1000)):
        signature = signed(message)
        larger = int.from_bytes(signature, "big") + KEY.n
        if larger < 2**2048:
            break
    verify_rs256(KEY, message, signature, engine=engine)
    with pytest.raises(InvalidSignature, match="not below"):
        verify_rs256(KEY, message, larger.to_bytes(256, "big"), engine=engine)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("signature", "reason"),
    [
        (b"", "length"),
        (b"\0", "length"),
        (bytes(256), "does not match the token"),
        (bytes(255) + b"\1", "does not match the token"),
        ((KEY.n - 1).to_bytes(256, "big"), "does not match the token"),
        (KEY.n.to_bytes(256, "big"), "not below"),
        ((KEY.n + 1).to_bytes(256, "big"), "not below"),
        (b"\xff" * 256, "not below"),
    ],
)
def test_degenerate_signatures_are_refused(engine: str, signature: bytes, reason: str) -> None:
    with pytest.raises(InvalidSignature, match=reason):
        verify_rs256(KEY, b"", signature, engine=engine)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("change", [lambda s: s + b"\0", lambda s: b"\0" + s, lambda s: s[1:], lambda s: s[:-1]])
def test_the_signature_must_be_as_long_as_the_modulus(engine: str, change: Any) -> None:
    with pytest.raises(InvalidSignature, match="length") as caught:
        verify_rs256(KEY, b"m", change(signed(b"m")), engine=engine)
    assert caught.value.expected == 256


@pytest.mark.parametrize("engine", ENGINES)
def test_moduli_that_are_not_a_whole_number_of_bytes_are_accepted(engine: str) -> None:
    private = generate_private_key(65537, 2049)
    key = PublicKey(private.public_key().public_numbers().n, 65537)
    signature = private.sign(b"m", PKCS1v15(), SHA256())
    verify_rs256(key, b"m", signature, engine=engine)
    with pytest.raises(InvalidSignature):
        verify_rs256(key, b"n", signature, engine=engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_threads_can_share_a_key(engine: str) -> None:
    messages = [b"%d" % i for i in range(24)]
    pairs = [(message, signed(message)) for message in messages]

    def all_right(_: int) -> bool:
        good = [refusal(verify_rs256, KEY, message, signature, engine=engine) for message, signature in pairs]
        bad = [refusal(verify_rs256, KEY, message + b"!", signature, engine=engine) for message, signature in pairs]
        return not any(good) and all(bad)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(all_right, range(24)))


N = KEY.n


@pytest.mark.parametrize(
    ("n", "e"),
    [
        (0, 65537),
        pytest.param(-N, 65537, id="-n"),
        pytest.param(2**2047 - 1, 65537, id="2**2047 - 1"),
        pytest.param(2**2047 + 2, 65537, id="2**2047 + 2"),
        pytest.param(2**8192 + 1, 65537, id="2**8192 + 1"),
        pytest.param(N, 0, id="e = 0"),
        pytest.param(N, 1, id="e = 1"),
        pytest.param(N, 2, id="e = 2"),
        pytest.param(N, -3, id="e = -3"),
        pytest.param(N, 65536, id="e = 65536"),
        pytest.param(N, 2**64 + 1, id="e = 2**64 + 1"),
    ],
)
def test_unsafe_keys_are_refused(n: int, e: int) -> None:
    with pytest.raises(InvalidKey):
        PublicKey(n, e)


@pytest.mark.parametrize(
    ("n", "e"),
    [
        pytest.param(2**2047 + 1, 3, id="the smallest"),
        pytest.param(2**8192 - 1, 2**64 - 1, id="the largest"),
        pytest.param(N, 65537, id="the usual"),
    ],
)
def test_keys_at_the_limits_are_accepted(n: int, e: int) -> None:
    assert PublicKey(n, e) == PublicKey(n, e)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_large_exponent_gives_the_same_result_in_every_engine(engine: str) -> None:
    private = generate_private_key(65537, 2048).private_numbers()
    # The key pair of another exponent from the same primes: e * d = 1 modulo (p - 1)(q - 1).
    totient, e = (private.p - 1) * (private.q - 1), 2**64 - 59
    key = PublicKey(private.p * private.q, e)
    digest_info = bytes.fromhex("3031300d060960864801650304020105000420")
    digest = sha256(b"m").digest()
    block = b"\0\1" + b"\xff" * (256 - 54) + b"\0" + digest_info + digest
    signature = pow(int.from_bytes(block, "big"), pow(e, -1, totient), key.n).to_bytes(256, "big")
    verify_rs256(key, b"m", signature, engine=engine)
    with pytest.raises(InvalidSignature):
        verify_rs256(key, b"n", signature, engine=engine)


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="choose one of openssl, cryptography, python"):
        verify_rs256(KEY, b"m", signed(b"m"), engine="quantum")


def test_each_engine_prepares_a_key_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def counting(name: str, load: Any) -> Any:
        def loader(n: int, e: int) -> Any:
            made.append(name)
            return load(n, e)

        return loader

    for name in ENGINES:
        monkeypatch.setitem(rsa._LOADERS, name, counting(name, rsa._LOADERS[name]))
    key, signature = PublicKey(KEY.n, KEY.e), signed(b"m")
    for engine in ("python", None, "python", None, "cryptography", "cryptography"):
        verify_rs256(key, b"m", signature, engine=engine)
    assert made == ["python", "openssl", "cryptography"]


def test_the_engine_does_not_depend_on_other_imports() -> None:
    assert "cryptography.hazmat.primitives.asymmetric.rsa" in sys.modules
    assert default_engine() == "openssl"


def test_cryptography_is_not_imported_by_srpcore() -> None:
    program = (
        "import sys; from srpcore.tokens import rsa; "
        f"key = rsa.PublicKey({KEY.n}, {KEY.e}); "
        f"rsa.verify_rs256(key, b'm', bytes.fromhex('{signed(b'm').hex()}')); "
        "print(rsa.default_engine(), 'cryptography' in sys.modules)"
    )
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert printed.stdout.split() == ["openssl", "False"]


@pytest.mark.parametrize(
    ("imported", "engine"), [("cryptography.hazmat.primitives.asymmetric.rsa", "cryptography"), ("json", "python")]
)
def test_without_libcrypto_another_engine_is_used(imported: str, engine: str) -> None:
    program = (
        f"import sys, {imported}, srpcore.crypto._openssl as native; from srpcore.tokens import rsa\n"
        "def missing(): raise OSError('no libcrypto')\n"
        "native.library_file = missing\n"
        f"key = rsa.PublicKey({KEY.n}, {KEY.e})\n"
        f"rsa.verify_rs256(key, b'm', bytes.fromhex('{signed(b'm').hex()}'))\n"
        "print(rsa.default_engine())\n"
        "try: rsa.verify_rs256(key, b'm', bytes(256), engine='openssl')\n"
        "except rsa.ConfigurationError as error: print(error)\n"
    )
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert printed.stdout.splitlines() == [
        engine,
        "engine 'openssl' is missing or computes wrong results on this computer",
    ]


@pytest.mark.parametrize(
    ("has_openssl", "imported", "expected"),
    [(True, True, "openssl"), (True, False, "openssl"), (False, True, "cryptography"), (False, False, "python")],
)
def test_the_default_engine_is_the_best_one_that_is_loaded(
    monkeypatch: pytest.MonkeyPatch, has_openssl: bool, imported: bool, expected: str
) -> None:
    monkeypatch.setattr(rsa, "_has_openssl", lambda: has_openssl)
    if not imported:
        monkeypatch.delitem(sys.modules, "cryptography.hazmat.primitives.asymmetric.rsa")
    assert default_engine() == expected


def test_equal_keys_are_one_member_of_a_set_and_others_are_not() -> None:
    other = PublicKey(KEY.n, 3)
    assert {KEY, PublicKey(KEY.n, KEY.e), other} == {KEY, other}
    assert hash(KEY) == hash(PublicKey(KEY.n, KEY.e)) != hash(other)


def test_a_key_of_openssl_is_freed_with_its_owner_but_not_when_the_interpreter_exits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[Any] = []

    class Finalize(weakref.finalize):  # type: ignore[type-arg]  # it takes no parameters when the program runs
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            made.append(self)

    _openssl.make_rsavp1(KEY.n, KEY.e)  # the first use of libcrypto makes a key for the known-answer test too
    monkeypatch.setattr(weakref, "finalize", Finalize)
    compute = _openssl.make_rsavp1(KEY.n, KEY.e)
    (finalizer,) = made
    assert (finalizer.alive, finalizer.atexit) == (True, False)  # a daemon thread may still be verifying then
    freed = finalizer.peek()[2][0]
    assert freed.value  # the address of the key
    del compute
    gc.collect()
    assert not finalizer.alive


def test_threads_can_verify_while_the_interpreter_exits() -> None:
    program = (
        "import time; from threading import Thread; from srpcore.tokens import rsa\n"
        f"key = rsa.PublicKey({KEY.n}, {KEY.e}); signature = bytes.fromhex('{signed(b'm').hex()}')\n"
        "def work():\n"
        "    while True: rsa.verify_rs256(key, b'm', signature)\n"
        "for _ in range(8): Thread(target=work, daemon=True).start()\n"
        "time.sleep(0.3)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")
