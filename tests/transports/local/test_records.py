"""Helpers for the values of records."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpcore_transports.local.model.records import random_string

ALPHABETS = ("01", "abc", "0123456789abcdefghijklmnopqrstuvwxyz")


@given(length=st.integers(1, 60), alphabet=st.sampled_from(ALPHABETS))
def test_each_random_number_gives_a_different_string(length: int, alphabet: str) -> None:
    count = len(alphabet) ** length
    numbers = [*range(min(count - 1, 200)), count - 1]
    limits: set[int] = set()
    following: Iterator[int] = iter(numbers)

    def next_number(limit: int) -> int:
        limits.add(limit)
        return next(following)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(secrets, "randbelow", next_number)
        made = [random_string(length, alphabet) for _ in numbers]
    assert limits == {count}
    assert len(set(made)) == len(numbers)
    assert all(len(text) == length and set(text) <= set(alphabet) for text in made)
    assert (made[0], made[-1]) == (alphabet[0] * length, alphabet[-1] * length)
