"""Hypothesis strategies for the values in a login, with many edge cases (extra ``srpcore[testing]``).

.. code-block:: python

    from hypothesis import given
    from srpcore.testing import passwords

    @given(passwords())
    def test_my_own_code(password: str) -> None: ...

Raises:
    ConfigurationError: hypothesis is not installed.
"""

from __future__ import annotations

from importlib.util import find_spec

from ..exceptions.base import ConfigurationError

if find_spec("hypothesis") is None:
    raise ConfigurationError("srpcore.testing needs hypothesis: pip install 'srpcore[testing]'")

from .strategies import (
    hex_texts,
    non_hex_texts,
    other_passwords,
    passwords,
    public_values,
    salt_texts,
    salts,
    secret_blocks,
    secret_exponents,
    signed_integers,
    texts_with_lone_surrogates,
    unsafe_public_values,
    usernames,
)

__all__ = [
    "hex_texts",
    "non_hex_texts",
    "other_passwords",
    "passwords",
    "public_values",
    "salt_texts",
    "salts",
    "secret_blocks",
    "secret_exponents",
    "signed_integers",
    "texts_with_lone_surrogates",
    "unsafe_public_values",
    "usernames",
]
