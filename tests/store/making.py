"""Logins, strategies for them, a keyring in memory, and Python programs as processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

import srpcore
from srpcore.crypto.device import Device
from srpcore.store import Login, Tokens, TokenStore
from srpcore.testing import usernames

MakeStore: TypeAlias = Callable[[float], TokenStore]
"""A function that makes a store with a lock timeout in seconds. All stores of one function share their entries."""

SECRETS = ("the-id-token", "the-access-token", "the-refresh-token", "the-device-password")
KEY = "eu-west-1_Pool/client/somebody"
LOGIN = Login(
    tokens=Tokens(*SECRETS[:3], token_type="Bearer", expires_at=1700000000.25),
    device=Device("device-key", "group-key", SECRETS[3]),
    username="somebody",
    refresh_way="GetTokensFromRefreshToken",
)
OTHER = Login(tokens=Tokens(refresh_token="another" * 1000))

NOT_A_LOGIN = "the stored record is not a login (it was not written by this store): delete it, and log in again"
"""The message for a record in a database that the store has not written."""

times = st.one_of(
    st.sampled_from((0, 0.0, -0.0, 1, -1.5, 2**53 - 1, -(2**53) + 1, 5e-324)),
    st.floats(-9e15, 9e15),
)
maybe_texts = st.none() | usernames()


def tokens() -> SearchStrategy[Tokens]:
    return st.builds(Tokens, maybe_texts, maybe_texts, maybe_texts, maybe_texts, st.none() | times)


def devices() -> SearchStrategy[Device]:
    text = usernames().filter(bool)
    return st.builds(Device, text, text, text)


def logins() -> SearchStrategy[Login]:
    return st.builds(Login, st.none() | tokens(), st.none() | devices(), maybe_texts, maybe_texts)


def start(program: str, *arguments: object) -> subprocess.Popen[str]:
    """Start *program* in a Python of its own; *arguments* are its ``sys.argv[1:]``."""
    root = Path(srpcore.__file__).parents[1]
    path = f"import sys; sys.path[:0] = [{str(root)!r}]\n"
    command = [sys.executable, "-c", path + program, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def run(program: str, *arguments: object) -> str:
    """Run *program* to its end, and return what it printed."""
    with start(program, *arguments) as process:
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    return output


def texts_of(error: BaseException) -> str:
    """Return all that a log or a debugger could show of *error* and of what stands behind it."""
    seen: list[Any] = []
    behind: BaseException | None = error
    while behind is not None:
        seen += [str(behind), repr(behind), behind.args, vars(behind), getattr(behind, "doc", None)]
        behind = behind.__cause__ or behind.__context__
    return repr(seen)
