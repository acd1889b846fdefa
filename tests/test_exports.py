"""The public names: what ``import srpcore`` promises, and that every ``__all__`` is true."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import srpcore

PROMISED = """
    FileStore KeyringStore MemoryStore TokenStore Tokens
    AWSSRP AsyncCognito Challenge Cognito SignIn ConfigurationError Device ForceChangePasswordException GroupObj MFAChallengeException
    SMSMFAChallengeException ServiceError SoftwareTokenMFAChallengeException SrpcoreError TokenVerificationException
    AsyncTokenVerifier TokenVerifier
    TransportError UnsafeServerValue UserObj WarrantException __version__ camel_to_snake cognito_to_dict dict_to_cognito
    snake_to_camel
""".split()

NAMES = [
    module.name
    for module in pkgutil.walk_packages(srpcore.__path__, "srpcore.")
    if not module.name.endswith("__main__")
]


def test_top_level_names() -> None:
    assert sorted(srpcore.__all__) == sorted(PROMISED)


@pytest.mark.parametrize("name", ["srpcore", *NAMES])
def test_every_exported_name_is_there(name: str) -> None:
    module = importlib.import_module(name)
    for exported in getattr(module, "__all__", ()):
        assert hasattr(module, exported), f"{name}.{exported}"
    assert len(set(getattr(module, "__all__", ()))) == len(getattr(module, "__all__", ()))


def test_pycognito_names_of_the_exceptions() -> None:
    from srpcore import exceptions

    assert exceptions.WarrantException is exceptions.SrpcoreError
    for name in ("ForceChangePasswordException", "TokenVerificationException", "MFAChallengeException"):
        assert issubclass(getattr(exceptions, name), exceptions.WarrantException)
