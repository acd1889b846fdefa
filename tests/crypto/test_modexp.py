from __future__ import annotations

import _hashlib
import ctypes
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from srpcore.crypto import _openssl, modexp
from srpcore.crypto.groups import MODP_3072, RFC5054_GROUPS
from srpcore.exceptions.base import ConfigurationError
from srpcore.testing import secret_exponents, signed_integers

N = MODP_3072.N
HAS_LIBCRYPTO = hasattr(_hashlib, "__file__")

odd_moduli = st.sampled_from(
    [3, 5, 255, 257, 2**64 + 13, 2**64 - 1, *(g.N for g in RFC5054_GROUPS.values() if g.N < 2**3072)]
) | (st.integers(1, 2**300).map(lambda n: 2 * n + 1))

EDGES = [
    (0, 0, 3),
    (0, 1, 3),
    (1, 0, 3),
    (2, 0, N),
    (2, 1, N),
    (0, 5, N),
    (N, 5, N),
    (N, 0, N),
    (N - 1, 2, N),
    (N + 1, 7, N),
    (-1, 3, N),
    (-(2**4000), 3, N),
    (2**9000 + 1, 5, N),
    (7, 2**64, 3),
    (2, (N - 1) // 2, N),
    (5, N - 1, N),
    (3, 2**5000 - 1, 2**89 - 1),
    (10, 2**255, 2**64 - 1),
]


@pytest.fixture
def unloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what was loaded and chosen, for the time of a test."""
    monkeypatch.setattr(modexp, "_loaded", {})
    monkeypatch.setattr(modexp, "_selected", None)
    monkeypatch.setattr(modexp, "_LOADERS", dict(modexp._LOADERS))


def replace_loader(name: str, loader: Callable[[], modexp.Engine]) -> None:
    modexp._LOADERS[name] = loader


def fail(error: Exception) -> Any:
    raise error


# What the engines compute.


@pytest.mark.parametrize("name", modexp.available())
@pytest.mark.parametrize(("base", "exponent", "modulus"), EDGES, ids=range(len(EDGES)))
def test_edge_cases_equal_pow(name: str, base: int, exponent: int, modulus: int) -> None:
    modexp.select(name)
    assert modexp.modexp(base, exponent, modulus) == pow(base, exponent, modulus)


@given(signed_integers(), secret_exponents() | secret_exponents(600), odd_moduli)
@example(0, 0, 3)
def test_every_engine_equals_pow(base: int, exponent: int, modulus: int) -> None:
    expected = pow(base, exponent, modulus)
    for name in modexp.available():
        modexp.select(name)
        assert modexp.modexp(base, exponent, modulus) == expected, name


@pytest.mark.parametrize("name", modexp.available())
@pytest.mark.parametrize(
    ("exponent", "modulus"), [(-1, 7), (1, 8), (1, 2), (1, 1), (1, 0), (1, -7), (0, 1), (1, 2**3072)]
)
def test_every_engine_refuses_invalid_arguments(name: str, exponent: int, modulus: int) -> None:
    modexp.select(name)
    with pytest.raises(ConfigurationError, match="exponent of 0 or more and an odd modulus"):
        modexp.modexp(2, exponent, modulus)


# Which engine computes.


def test_the_best_available_engine_is_the_default() -> None:
    there = {"openssl": HAS_LIBCRYPTO, "gmpy2": find_spec("gmpy2") is not None, "python": True}
    assert modexp.available() == tuple(name for name in ("openssl", "gmpy2", "python") if there[name])
    assert modexp.engine() == modexp.available()[0]


@pytest.mark.parametrize("name", modexp.available())
def test_an_engine_can_be_chosen_and_reset(name: str) -> None:
    modexp.select(name)
    assert modexp.engine() == name
    modexp.select(None)
    assert modexp.engine() == modexp.available()[0]


def test_the_chosen_engine_is_the_one_that_computes(unloaded: None) -> None:
    used = []

    def counted(base: int, exponent: int, modulus: int) -> int:
        used.append(exponent)
        return pow(base, exponent, modulus)

    replace_loader("gmpy2", lambda: counted)
    modexp.select("gmpy2")
    used.clear()
    assert modexp.modexp(2, 10, 1001) == 1024 % 1001
    modexp.select("python")
    modexp.modexp(2, 11, 1001)
    assert used == [10]


@pytest.mark.parametrize("name", ["", "OpenSSL", "pow", "rust"])
def test_an_unknown_engine_is_refused_and_the_old_one_stays_in_use(name: str) -> None:
    modexp.select("python")
    with pytest.raises(ConfigurationError, match="choose one of openssl, gmpy2, python"):
        modexp.select(name)
    assert modexp.engine() == "python"


@pytest.mark.parametrize("name", ["openssl", "gmpy2"])
@pytest.mark.parametrize(
    "loader",
    [
        lambda: fail(ImportError("no such module")),
        lambda: fail(OSError("no such library")),
        lambda: fail(AttributeError("no such function")),
        lambda: lambda base, exponent, modulus: pow(base, exponent, modulus) ^ 1,
        lambda: lambda base, exponent, modulus: fail(MemoryError()),
    ],
    ids=["import", "library", "function", "wrong", "raising"],
)
def test_a_broken_engine_is_not_used(unloaded: None, name: str, loader: Callable[[], modexp.Engine]) -> None:
    replace_loader(name, loader)
    assert name not in modexp.available()
    assert modexp.engine() == modexp.available()[0]
    assert modexp.modexp(3, 5, 7) == 5
    with pytest.raises(
        ConfigurationError, match=f"{name!r} is missing or computes wrong results on this computer: use .*python"
    ):
        modexp.select(name)


def test_python_is_used_if_there_is_no_other_engine(unloaded: None) -> None:
    for name in ("openssl", "gmpy2"):
        replace_loader(name, lambda: fail(ImportError()))
    assert (modexp.available(), modexp.engine()) == (("python",), "python")
    assert modexp.modexp(3, 5, 7) == 5


def test_an_engine_is_tested_once(unloaded: None) -> None:
    loads = []
    replace_loader("openssl", lambda: loads.append(1) or pow)  # type: ignore[func-returns-value]  # None, so pow
    for _ in range(3):
        modexp.modexp(2, 5, 7)
        modexp.available()
    assert loads == [1]


def test_a_thread_that_finds_the_default_does_not_undo_a_choice(
    unloaded: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = modexp._load

    def load_while_another_thread_chooses(name: str) -> modexp.Engine | None:
        monkeypatch.setattr(modexp, "_load", load)
        modexp.select("python")
        return load(name)

    monkeypatch.setattr(modexp, "_load", load_while_another_thread_chooses)
    modexp.modexp(2, 5, 7)
    assert modexp.engine() == "python"


def test_threads_agree_while_the_engine_changes() -> None:
    work = [(base, (1 << 255) + base, N) for base in range(2, 10)]
    expected = [pow(*item) for item in work]
    done = Event()

    def change() -> None:
        while not done.is_set():
            for name in (*modexp.available(), None):
                modexp.select(name)

    with ThreadPoolExecutor(9) as pool:
        changing = pool.submit(change)
        results = [pool.submit(lambda: [modexp.modexp(*item) for item in work]) for _ in range(8)]
        try:
            assert [result.result() for result in results] == [expected] * 8
        finally:
            done.set()
        changing.result()


# OpenSSL through ctypes.


class Spy(ctypes.CDLL):
    """A CDLL, whose functions release the GIL (PyDLL's hold it), that counts the functions asked of it."""

    spies: list[Spy]

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.asked: Counter[str] = Counter()
        self.spies.append(self)

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("BN_"):
            self.asked[name] += 1
        return super().__getattribute__(name)


@pytest.fixture
def spy(monkeypatch: pytest.MonkeyPatch) -> type[Spy]:
    if not HAS_LIBCRYPTO:
        pytest.skip("this Python has no libcrypto file of its own")
    monkeypatch.setattr(Spy, "spies", [], raising=False)
    monkeypatch.setattr(ctypes, "CDLL", Spy)
    return Spy


def test_openssl_computes_in_constant_time_without_the_gil_and_frees_all(spy: type[Spy]) -> None:
    compute = _openssl.load()
    (library,) = spy.spies  # loaded as a CDLL
    library.asked.clear()
    assert compute(3, 1 << 255, N) == pow(3, 1 << 255, N)
    assert library.asked["BN_mod_exp_mont_consttime"] == 1
    assert library.asked["BN_set_flags"] == 1
    assert library.asked["BN_CTX_new"] == library.asked["BN_CTX_free"] == 1
    assert library.asked["BN_clear_free"] == library.asked["BN_bin2bn"] + library.asked["BN_new"] == 4


def test_openssl_has_every_signature_declared(spy: type[Spy]) -> None:
    _openssl.load()
    (library,) = spy.spies
    assert library.asked  # each of them was found
    for name in list(library.asked):
        assert getattr(library, name).argtypes is not None, name
        assert getattr(library, name).restype is not ctypes.c_int or name in {
            "BN_bn2binpad",
            "BN_mod_exp_mont_consttime",
        }


def test_openssl_frees_the_very_objects_that_it_made(spy: type[Spy]) -> None:
    compute = _openssl.load()
    (library,) = spy.spies
    made: dict[str, list[object]] = {"BN": [], "BN_CTX": []}
    freed: dict[str, list[object]] = {"BN": [], "BN_CTX": []}

    def record(name: str, kind: str, *, frees: bool) -> None:
        function = getattr(library, name)

        def call(*arguments: object) -> object:
            result = function(*arguments)
            (freed if frees else made)[kind].append(arguments[0] if frees else result)
            return result

        setattr(library, name, call)

    for name, kind in (("BN_bin2bn", "BN"), ("BN_new", "BN"), ("BN_CTX_new", "BN_CTX")):
        record(name, kind, frees=False)
    for name, kind in (("BN_clear_free", "BN"), ("BN_CTX_free", "BN_CTX")):
        record(name, kind, frees=True)
    compute(3, 5, N)
    assert freed == made
    assert (len(made["BN"]), len(made["BN_CTX"])) == (4, 1)


@pytest.mark.parametrize("name", ["BN_mod_exp_mont_consttime", "BN_bn2binpad", "BN_new", "BN_CTX_new"])
def test_openssl_frees_all_when_it_fails(spy: type[Spy], name: str) -> None:
    compute = _openssl.load()
    (library,) = spy.spies
    setattr(library, name, lambda *_: 0)
    library.asked.clear()
    with pytest.raises(MemoryError, match="could not compute"):
        compute(3, 5, N)
    made = library.asked["BN_bin2bn"] + (name != "BN_new")
    assert library.asked["BN_clear_free"] == made
    assert library.asked["BN_CTX_free"] == 1


def test_openssl_frees_the_numbers_before_the_one_it_could_not_make(spy: type[Spy]) -> None:
    compute = _openssl.load()
    (library,) = spy.spies
    make = library.BN_bin2bn
    calls: list[int] = []

    def make_two(data: bytes, length: int, place: None) -> Any:
        calls.append(length)
        return make(data, length, place) if len(calls) < 3 else None

    setattr(library, "BN_bin2bn", make_two)  # noqa: B010 - mypy knows no such attribute
    library.asked.clear()
    with pytest.raises(MemoryError, match="could not compute"):
        compute(3, 5, N)
    assert (len(calls), library.asked["BN_clear_free"], library.asked["BN_CTX_free"]) == (3, 2, 1)


def test_openssl_is_not_used_if_python_has_no_libcrypto_file(unloaded: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(_hashlib, "__file__", raising=False)
    assert "openssl" not in modexp.available()
    assert modexp.modexp(3, 5, 7) == 5


def test_openssl_is_not_used_if_libcrypto_lacks_a_function(unloaded: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_openssl._SIGNATURES, "BN_of_another_library", (None, []))
    assert "openssl" not in modexp.available()


def test_libcrypto_is_found_beside_python_on_windows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path))
    monkeypatch.setattr(_hashlib, "__file__", str(tmp_path / "DLLs" / "_hashlib.pyd"), raising=False)
    with pytest.raises(OSError, match="no libcrypto-3"):
        _openssl.library_file()
    (tmp_path / "libcrypto-3.dll").touch()
    assert Path(_openssl.library_file()) == tmp_path / "libcrypto-3.dll"
    (tmp_path / "DLLs").mkdir()
    (tmp_path / "DLLs" / "libcrypto-3-x64.dll").touch()
    assert Path(_openssl.library_file()) == tmp_path / "DLLs" / "libcrypto-3-x64.dll"


def test_another_thread_runs_while_openssl_computes(spy: type[Spy]) -> None:
    compute = _openssl.load()
    group, stop, counted = RFC5054_GROUPS[4096], Event(), 0

    def count() -> None:
        nonlocal counted
        while not stop.is_set():
            counted += 1
            time.sleep(0)  # gives up the GIL

    interval = sys.getswitchinterval()
    # The interpreter takes the GIL from no thread then. The other thread runs only if OpenSSL does not hold it.
    sys.setswitchinterval(1000)
    try:
        with ThreadPoolExecutor(1) as pool:
            counting = pool.submit(count)
            try:
                for _ in range(20):
                    before = counted
                    compute(group.g, group.N - 2, group.N)
                    if progressed := counted > before:
                        break
                assert progressed
            finally:
                stop.set()
            counting.result()
    finally:
        sys.setswitchinterval(interval)
