from __future__ import annotations

import base64
import email.utils
import hashlib
import hmac
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from time import tzset

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from srpcore.crypto import cognito, modexp, srp
from srpcore.crypto.device import device_identity
from srpcore.crypto.encoding import decode_secret_block, parse_hex, parse_public_value, to_bytes, to_hex
from srpcore.crypto.randomness import system_random_bits
from srpcore.crypto.srp import Ephemeral
from srpcore.exceptions.base import ConfigurationError, UnsafeServerValue
from srpcore.testing import (
    other_passwords,
    passwords,
    public_values,
    salts,
    secret_exponents,
    texts_with_lone_surrogates,
    unsafe_public_values,
    usernames,
)
from support import vectors

N = cognito.GROUP.N
identities = st.tuples(st.sampled_from(["AbCd1234", "000000000", ""]), usernames()).map("".join)
devices = st.builds(device_identity, st.sampled_from(["-0w7nndXa", ""]), st.sampled_from(["us-east-1_eeff478e", "k"]))
times = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999))
offsets = st.integers(-86399, 86399).map(lambda seconds: timezone(timedelta(seconds=seconds)))


def _computed(*_: int) -> int:
    raise AssertionError("something was computed")


# The vectors, computed with AWS's own clients.


def check_exchange(vector: vectors.Vector, identity: str, password: str) -> None:
    salt = parse_hex(vector["salt_hex"], name="SALT", max_digits=64, signed=True)
    B = parse_public_value(vector["B_hex"], N, name="B")
    pair = cognito.client_pair(int(vector["a_hex"], 16))
    assert to_hex(pair.public) == vector["A_hex"].lstrip("0")
    x = cognito.private_key(identity, password, salt)
    u = cognito.scrambling(pair.public, B)
    assert (x, u) == (int(vector["x_hex"], 16), int(vector["u_hex"], 16))
    assert srp.client_premaster(cognito.GROUP, cognito.k, pair, B, x, u) == int(vector["S_hex"], 16)
    key = cognito.client_key(pair, B, x)
    assert key.hex() == vector["key_hex"]
    block = decode_secret_block(vector["secret_block_b64"])
    assert cognito.claim(key, identity, block, vector["timestamp"]) == vector["signature_b64"]
    if "salt_bytes_hex" in vector:
        assert to_bytes(salt).hex() == vector["salt_bytes_hex"]


@vectors.each("cognito/log_in.jsonl", "cognito/edges.jsonl")
def test_log_in_vectors(vector: vectors.Vector) -> None:
    check_exchange(vector, vector["pool"].split("_")[1] + vector["username"], vector["password"])


@vectors.each("cognito/device_log_in.jsonl")
def test_device_log_in_vectors(vector: vectors.Vector) -> None:
    check_exchange(vector, device_identity(vector["device_group_key"], vector["device_key"]), vector["device_password"])


@pytest.mark.parametrize("engine", modexp.available())
def test_every_engine_gives_the_key_of_the_vectors(engine: str) -> None:
    modexp.select(engine)
    for vector in vectors.load_lines("cognito/log_in.jsonl")[:3]:
        check_exchange(vector, vector["pool"].split("_")[1] + vector["username"], vector["password"])


# The definitions, independently computed.


def test_the_multiplier_is_the_hash_of_a_zero_byte_N_and_g() -> None:
    assert cognito.k == int(hashlib.sha256(b"\0" + N.to_bytes(384, "big") + b"\2").hexdigest(), 16)


@given(public_values(N), public_values(N))
def test_u_hashes_A_then_B(A: int, B: int) -> None:
    def minimal(number: int) -> bytes:
        text = f"{number:x}"
        text = text if len(text) % 2 == 0 else "0" + text
        return bytes.fromhex(text if text[0] in "01234567" else "00" + text)

    assert cognito.scrambling(A, B) == int(hashlib.sha256(minimal(A) + minimal(B)).hexdigest(), 16)


@given(st.binary(min_size=16, max_size=16), identities, st.binary(max_size=60), times)
def test_the_claim_is_an_hmac(key: bytes, identity: str, block: bytes, time: datetime) -> None:
    timestamp = cognito.format_timestamp(time)
    mac = hmac.new(key, identity.encode() + block + timestamp.encode(), hashlib.sha256).digest()
    assert cognito.claim(key, identity, block, timestamp) == base64.b64encode(mac).decode()


# Both sides.


@given(identities | devices, passwords(), salts(), secret_exponents(), secret_exponents())
def test_client_and_server_agree_for_the_right_password(
    identity: str, password: str, salt: int, a: int, b: int
) -> None:
    x = cognito.private_key(identity, password, salt)
    verifier = cognito.verifier(x)
    client, server = cognito.client_pair(a), cognito.server_pair(verifier, b)
    key = cognito.client_key(client, server.public, x)
    assert len(key) == 16
    assert key == cognito.server_key(server, client.public, verifier)


@given(
    identities | devices, passwords(), st.data(), salts(), secret_exponents(), secret_exponents().map(lambda b: b + 1)
)
def test_client_and_server_never_agree_for_another_password(
    identity: str, password: str, data: st.DataObject, salt: int, a: int, b: int
) -> None:
    verifier = cognito.verifier(cognito.private_key(identity, password, salt))
    client, server = cognito.client_pair(a), cognito.server_pair(verifier, b)
    x = cognito.private_key(identity, data.draw(other_passwords(password)), salt)
    assert cognito.client_key(client, server.public, x) != cognito.server_key(server, client.public, verifier)


@given(passwords(), salts(), salts())
def test_another_salt_is_another_private_key(password: str, one: int, other: int) -> None:
    same = cognito.private_key("AbCd1234alice", password, one) == cognito.private_key("AbCd1234alice", password, other)
    assert same is (one == other)


def test_the_pair_of_the_server_has_the_exponent_that_was_passed() -> None:
    pair = cognito.server_pair(4, 7)
    assert (pair.secret, pair.public) == (7, (cognito.k * 4 + 2**7) % cognito.GROUP.N)


def test_256_random_bits_take_32_bytes_of_the_operating_system(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths: list[int] = []

    def ones(length: int) -> bytes:
        lengths.append(length)
        return b"\xff" * length

    monkeypatch.setattr(os, "urandom", ones)
    assert [system_random_bits(bits) for bits in (256, 9, 8, 1)] == [2**256 - 1, 2**9 - 1, 255, 1]
    assert lengths == [32, 2, 1, 1]


def test_pairs_are_fresh_and_of_256_bits() -> None:
    pairs = [cognito.client_pair() for _ in range(8)] + [cognito.server_pair(4) for _ in range(8)]
    assert len({pair.secret for pair in pairs}) == len({pair.public for pair in pairs}) == 16
    assert all(pair.secret.bit_length() >= 256 for pair in pairs)


# What is refused before anything is computed.


@given(unsafe_public_values(N))
@example(0)
@example(N)
@example(2 * N)
def test_an_unsafe_value_is_refused_before_a_secret_is_used(value: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(srp, "modexp", _computed)
        patch.setattr(cognito, "modexp", _computed)
        with pytest.raises(UnsafeServerValue, match="B must be between 1 and N-1"):
            cognito.client_key(Ephemeral(7, 7), value, 5)
        with pytest.raises(UnsafeServerValue, match="A must be between 1 and N-1"):
            cognito.server_key(Ephemeral(7, 7), value, 5)


@given(public_values(N))
def test_u_of_0_is_refused_before_a_secret_is_used(value: int) -> None:
    # No A and B are known whose hash is 0, so u is given.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(srp, "modexp", _computed)
        with pytest.raises(UnsafeServerValue, match="u must not be 0"):
            srp.client_premaster(cognito.GROUP, cognito.k, Ephemeral(7, 7), value, 5, 0)
        with pytest.raises(UnsafeServerValue, match="u must not be 0"):
            srp.server_premaster(cognito.GROUP, Ephemeral(7, 7), value, 5, 0)


@given(texts_with_lone_surrogates())
def test_lone_surrogates_are_refused_and_the_error_does_not_show_the_string(text: str) -> None:
    calls: dict[str, Callable[[], object]] = {
        "username": lambda: cognito.private_key(text, "Passw0rd!", 1),
        "password": lambda: cognito.private_key("AbCd1234alice", text, 1),
        "username in the claim": lambda: cognito.claim(b"key", text, b"", ""),
        "timestamp": lambda: cognito.claim(b"key", "alice", b"", text),
    }
    for name, call in calls.items():
        with pytest.raises(ConfigurationError) as caught:
            call()
        expected = f"{name.split()[0]} contains a lone surrogate, which UTF-8 cannot encode: pass a valid string"
        assert caught.value.args == (expected,)
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None


# The timestamp.


def expected_timestamp(time: datetime) -> str:
    """Take TIMESTAMP's parts from the date of an e-mail, which is English too."""
    day_name, day, month, year, clock, _ = email.utils.format_datetime(time.replace(microsecond=0)).split()
    return f"{day_name[:3]} {month} {int(day)} {clock} UTC {int(year)}"


@given(times)
def test_a_naive_time_is_taken_as_utc(time: datetime) -> None:
    assert cognito.format_timestamp(time) == expected_timestamp(time)


def test_the_zone_of_the_computer_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    tzset()
    try:
        for zone in (None, timezone.utc):
            time = datetime(2024, 2, 1, 3, 4, 5, tzinfo=zone)
            assert cognito.format_timestamp(time) == "Thu Feb 1 03:04:05 UTC 2024"
    finally:
        monkeypatch.undo()
        tzset()


@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31)), offsets)
def test_an_aware_time_is_converted_to_utc(time: datetime, zone: timezone) -> None:
    expected = expected_timestamp(time - (zone.utcoffset(None) or timedelta()))
    assert cognito.format_timestamp(time.replace(tzinfo=zone)) == expected


def test_the_timestamp_equals_strftime_on_every_day_of_a_leap_year() -> None:
    for days in range(366):
        time = datetime(2024, 1, 1, 1, 2, 3) + timedelta(days=days)
        assert cognito.format_timestamp(time) == expected_timestamp(time)


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        (datetime(2024, 2, 29, 23, 59, 59, 999999), "Thu Feb 29 23:59:59 UTC 2024"),
        (datetime(2030, 11, 9, 9, 9, 9), "Sat Nov 9 09:09:09 UTC 2030"),
        (datetime(2024, 1, 1), "Mon Jan 1 00:00:00 UTC 2024"),
        (datetime(2022, 9, 14, 16, 4, 59, tzinfo=timezone(timedelta(hours=2))), "Wed Sep 14 14:04:59 UTC 2022"),
    ],
)
def test_timestamps_equal_known_ones(time: datetime, expected: str) -> None:
    assert cognito.format_timestamp(time) == expected


IN_ANOTHER_LOCALE = """
import locale, sys
from datetime import datetime
from srpcore.crypto.cognito import format_timestamp
for name in sys.argv[1:]:
    try:
        locale.setlocale(locale.LC_ALL, name)
    except locale.Error:
        continue
    if datetime(2024, 5, 15).strftime("%a %b") != "Wed May":
        print(format_timestamp(datetime(2024, 5, 15, 1, 2, 3)))
        break
"""


@pytest.mark.slow
def test_the_timestamp_is_english_in_every_locale(tmp_path: Path) -> None:
    names = ["de_DE.UTF-8", "fr_FR.UTF-8", "ja_JP.UTF-8", "German_Germany.1252"]
    localedef = shutil.which("localedef")
    environment = {"PYTHONPATH": str(Path(cognito.__file__).parents[2])}
    if localedef and Path("/usr/share/i18n/locales/de_DE").exists():
        subprocess.run([localedef, "-i", "de_DE", "-f", "UTF-8", str(tmp_path / "de_DE.UTF-8")], check=True)
        environment["LOCPATH"] = str(tmp_path)
    command = [sys.executable, "-c", IN_ANOTHER_LOCALE, *names]
    shown = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()
    if not shown:
        pytest.skip(f"none of the locales {names} is here, nor localedef to make one")
    assert shown == "Wed May 15 01:02:03 UTC 2024"
