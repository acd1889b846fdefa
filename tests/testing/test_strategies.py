"""The public Hypothesis strategies generate valid values, edge cases included."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

import srpcore
from srpcore import testing
from srpcore.crypto.groups import MODP_3072, RFC5054_GROUPS
from testing.finding import gives

pytestmark = pytest.mark.slow

N = MODP_3072.N
NFD = "cafe\u0301"


@pytest.mark.parametrize("strategy", [testing.passwords(), testing.usernames()], ids=["passwords", "usernames"])
@pytest.mark.parametrize(
    "condition",
    [
        lambda text: text == "",
        lambda text: text.startswith(" ") and text.strip() != "",
        lambda text: text.endswith(" ") and text.strip() != "",
        lambda text: "\0" in text,
        lambda text: ":" in text,
        lambda text: not text.isascii(),
        lambda text: text == NFD,
        lambda text: any(ord(character) > 0xFFFF for character in text),
        lambda text: any("\u0590" <= character <= "\u05ff" for character in text),
        lambda text: len(text) >= 5000,
    ],
)
def test_strings_include_the_edge_cases(strategy: SearchStrategy[str], condition: Callable[[str], bool]) -> None:
    gives(strategy, condition)


@given(testing.passwords(), testing.usernames(), testing.texts_with_lone_surrogates())
def test_strings_are_valid_utf8_except_those_with_lone_surrogates(password: str, username: str, text: str) -> None:
    assert (password + username).encode("utf-8").decode("utf-8") == password + username
    with pytest.raises(UnicodeEncodeError):
        text.encode("utf-8")


@given(testing.passwords().flatmap(lambda text: st.tuples(st.just(text), testing.other_passwords(text))))
def test_other_passwords_differ_from_the_password(drawn: tuple[str, str]) -> None:
    assert drawn[0] != drawn[1]


@pytest.mark.parametrize(
    "condition",
    [
        lambda salt: salt == 0,
        lambda salt: salt < -255,
        lambda salt: salt.bit_length() == 128,
        lambda salt: 0 < salt.bit_length() <= 120,
        pytest.param(lambda salt: 120 < salt.bit_length() <= 124, marks=pytest.mark.slow),
    ],
)
def test_salts_include_the_edge_cases(condition: Callable[[int], bool]) -> None:
    gives(testing.salts(), condition)


@pytest.mark.parametrize(
    "condition",
    [
        lambda text: text.startswith("-"),
        lambda text: text.startswith("00") and len(text) > 2,
        lambda text: len(text) % 2 == 1,
        lambda text: text != text.lower(),
        lambda text: text != text.upper(),
        lambda text: len(text) == 32 and text[0] in "89abcdef",
    ],
)
def test_salt_strings_include_the_edge_cases(condition: Callable[[str], bool]) -> None:
    gives(testing.salt_texts(), lambda drawn: condition(drawn[0]))


@given(testing.salt_texts())
def test_salt_strings_encode_their_number(drawn: tuple[str, int]) -> None:
    assert int(drawn[0], 16) == drawn[1]


@given(testing.non_hex_texts())
def test_non_hex_strings_are_not_hexadecimal(value: object) -> None:
    digits = value.removeprefix("-") if isinstance(value, str) else ""
    assert not digits or not set(digits) <= set("0123456789abcdefABCDEF")


@pytest.mark.parametrize("value", [1, 2, N - 1], ids=["1", "2", "N-1"])
def test_public_values_include_the_edge_cases(value: int) -> None:
    gives(testing.public_values(N), lambda drawn: drawn == value)
    gives(testing.public_values(N), lambda drawn: drawn.bit_length() == 3072)
    gives(testing.public_values(N), lambda drawn: drawn.bit_length() <= 3064)


@pytest.mark.parametrize("value", [0, N, 2 * N, -N], ids=["0", "N", "2N", "-N"])
def test_unsafe_public_values_include_the_edge_cases(value: int) -> None:
    gives(testing.unsafe_public_values(N), lambda drawn: drawn == value)
    gives(testing.unsafe_public_values(N), lambda drawn: drawn > N and drawn % N != 0)


@given(st.data(), st.sampled_from([23, 257, N, *(group.N for group in RFC5054_GROUPS.values())]))
def test_public_values_are_safe_and_unsafe_ones_are_not(data: st.DataObject, modulus: int) -> None:
    assert 0 < data.draw(testing.public_values(modulus)) < modulus
    assert not 0 < data.draw(testing.unsafe_public_values(modulus)) < modulus


@pytest.mark.parametrize("value", [0, 1, 2**256 - 1, 2**255])
def test_secret_exponents_include_the_edge_cases(value: int) -> None:
    gives(testing.secret_exponents(), lambda drawn: drawn == value)
    gives(testing.secret_exponents(), lambda drawn: 1 < drawn.bit_length() <= 248)


@given(st.integers(1, 600).flatmap(lambda bits: st.tuples(st.just(bits), testing.secret_exponents(bits))))
def test_secret_exponents_have_the_number_of_bits(drawn: tuple[int, int]) -> None:
    assert 0 <= drawn[1] < 2 ** drawn[0]


@pytest.mark.parametrize(
    "condition",
    [
        lambda text: "-" in text,
        lambda text: "+" in text,
        lambda text: text.endswith("=="),
        lambda text: len(text) % 4 == 2,
        lambda text: "!" in text,
    ],
)
def test_secret_blocks_include_the_edge_cases(condition: Callable[[str], bool]) -> None:
    gives(testing.secret_blocks(), lambda drawn: condition(drawn[0]))


@given(testing.signed_integers(16))
def test_signed_integers_have_the_number_of_bits(number: int) -> None:
    assert abs(number) <= 2**16 + 1


def test_importing_the_library_does_not_import_hypothesis() -> None:
    root = str(Path(srpcore.__file__).parents[1])
    code = (
        f"import sys; sys.path.insert(0, {root!r}); import srpcore; srpcore.Cognito; print('hypothesis' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_without_hypothesis_the_import_error_names_the_extra() -> None:
    code = "import sys; sys.modules['hypothesis'] = None; import srpcore.testing"
    root = str(Path(srpcore.__file__).parents[1])
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {root!r}); {code}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.endswith("ConfigurationError: srpcore.testing needs hypothesis: pip install 'srpcore[testing]'")
