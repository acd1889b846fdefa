"""The public names: what ``import srpcore`` exports, and that every name in an ``__all__`` exists."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys

import pytest

import srpcore

PROMISED = """
    DynamoDBStore FileStore KeyringStore LoginTokens MemoryStore RedisStore TokenStore Tokens
    AWSSRP AsyncCognito AsyncSignIn Challenge Cognito SignIn ConfigurationError Device ForceChangePasswordException GroupObj MFAChallengeException
    SMSMFAChallengeException ServiceError SoftwareTokenMFAChallengeException SrpcoreError TokenVerificationException
    AsyncTokenVerifier TokenVerifier
    TransportError UnsafeServerValue AsyncUserObj UserObj WarrantException __version__ camel_to_snake cognito_to_dict dict_to_cognito
    snake_to_camel
""".split()

NAMES = [
    module.name
    for module in pkgutil.walk_packages(srpcore.__path__, "srpcore.")
    if not module.name.endswith("__main__")
]


def test_top_level_names_are_exported() -> None:
    assert sorted(srpcore.__all__) == sorted(PROMISED)


@pytest.mark.parametrize("name", ["srpcore", *NAMES])
def test_every_exported_name_exists(name: str) -> None:
    module = importlib.import_module(name)
    for exported in getattr(module, "__all__", ()):
        assert hasattr(module, exported), f"{name}.{exported}"
    assert len(set(getattr(module, "__all__", ()))) == len(getattr(module, "__all__", ()))


def test_exceptions_of_pycognito_derive_from_warrant_exception() -> None:
    from srpcore import exceptions

    for name in ("ForceChangePasswordException", "TokenVerificationException", "MFAChallengeException"):
        assert issubclass(getattr(exceptions, name), exceptions.WarrantException)


def test_exceptions_exports_the_names_of_its_modules() -> None:
    from srpcore import exceptions

    modules = [getattr(exceptions, name) for name in exceptions._MODULES]
    assert sorted(exceptions.__all__) == sorted(name for module in modules for name in module.__all__)


@pytest.mark.parametrize("module", ["srpcore", "srpcore.exceptions"])
def test_an_unknown_name_is_an_attribute_error(module: str) -> None:
    with pytest.raises(AttributeError, match="Cognitto"):
        _ = importlib.import_module(module).Cognitto


def test_dir_shows_public_names_only() -> None:
    assert set(dir(srpcore)) == set(srpcore.__all__)
    assert set(dir(srpcore.exceptions)) == set(srpcore.exceptions.__all__)


def test_every_name_of_dir_can_be_read_without_optional_packages() -> None:
    """freezegun reads every name of every loaded module, and expects an ImportError or AttributeError at most."""
    program = (
        "import sys; sys.modules.update(dict.fromkeys(['hypothesis', 'fastapi', 'flask', 'starlette', 'rest_framework']))\n"
        "import inspect, srpcore, srpcore.exceptions; inspect.getmembers(srpcore); inspect.getmembers(srpcore.exceptions)\n"
        "from freezegun import freeze_time\n"
        "with freeze_time('2030-01-01'): pass\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_packages_are_attributes_without_an_import() -> None:
    program = "import srpcore; srpcore.exceptions.tokens.TokenExpired; srpcore.aws_srp.AWSSRP; srpcore.utils.TokenType"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
