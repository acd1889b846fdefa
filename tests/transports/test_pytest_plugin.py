"""The pytest plugin in test runs of their own: the fixture ``user_pool``, and what every test run pays.

``recorded/test_pytest_plugin.py`` tests the fixture ``cassette``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import TypeAlias

import pytest

from srpcore.exceptions import TransportError
from srpcore_transports import pytest_plugin

Run: TypeAlias = Callable[..., pytest.RunResult]

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.slow

APP_TEST = """
import pytest
from srpcore import Cognito, TokenVerifier
from srpcore.exceptions import TokenExpired
from srpcore_transports.local import UserPool

seen = []

@pytest.fixture
def verifier(user_pool: UserPool):
    options = {"client_id": user_pool.client_id, "token_use": "access", "transport": user_pool}
    return TokenVerifier(user_pool.user_pool_id, **options)

def test_minted_token(user_pool: UserPool, verifier):
    claims = verifier.verify(user_pool.token(scopes="orders/read", groups=["staff"], sub="1"), scope="orders/read")
    assert (claims["sub"], claims["cognito:groups"]) == ("1", ["staff"])
    seen.append(user_pool)

def test_expired_token(user_pool: UserPool, verifier):
    with pytest.raises(TokenExpired):
        verifier.verify(user_pool.token(expires_in=-1))
    seen.append(user_pool)

def test_login(user_pool: UserPool, verifier):
    user_pool.add_user("alice", password="Battery-Staple-2")
    user = Cognito(user_pool.user_pool_id, user_pool.client_id, username="alice", transport=user_pool)
    user.authenticate("Battery-Staple-2")
    assert verifier.verify(user.access_token)["username"] == "alice"
    seen.append(user_pool)

def test_each_test_had_a_pool_of_its_own():
    assert len({pool.user_pool_id for pool in seen}) == 3
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the tests in a process of their own, with this plugin and no other that happens to be installed."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    return partial(pytester.runpytest_subprocess, "-p", "srpcore_transports.pytest_plugin", "-p", "no:cacheprovider")


def test_an_app_uses_the_pool_without_configuration(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(APP_TEST)
    run("-W", "error").assert_outcomes(passed=4)


def test_the_installed_plugin_is_loaded_by_itself(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(user_pool):\n    assert user_pool.token()\n")
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_settings_give_the_pool_the_ids_of_the_app(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import pytest

        @pytest.fixture
        def user_pool_settings():
            return {"user_pool_id": "eu-west-1_AbCd12345", "client_id": "app", "remember_devices": True}

        def test_ids(user_pool):
            assert (user_pool.user_pool_id, user_pool.client_id) == ("eu-west-1_AbCd12345", "app")
    """)
    run().assert_outcomes(passed=1)


def test_fixtures_of_the_app_override_those_of_the_plugin(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeconftest("""
        import pytest

        @pytest.fixture
        def user_pool():
            return "the app's"

        @pytest.fixture
        def cassette():
            return "the app's"
    """)
    pytester.makepyfile('def test_it(user_pool, cassette):\n    assert user_pool == cassette == "the app\'s"\n')
    run().assert_outcomes(passed=1)


def test_a_test_run_that_uses_no_fixture_imports_nothing_of_srpcore(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import sys

        def test_it():
            ours = [name for name in sys.modules if name.startswith(("srpcore.", "srpcore_transports."))]
            assert ours == ["srpcore_transports.pytest_plugin"]
            assert {"srpcore", "jwt", "cryptography", "ssl"} & sys.modules.keys() == set()
    """)
    run().assert_outcomes(passed=1)


BESIDE_MOTO = """
import socket
import moto
import pytest
from srpcore import Cognito
from srpcore.exceptions import ResourceNotFoundException

def unknown(*_, **__):
    raise socket.gaierror(-2, "Name or service not known")

def sign_up(endpoint_url=None):
    Cognito("eu-west-1_AbCd12345", "client", endpoint_url=endpoint_url).register("alice", "password")

@pytest.fixture(autouse=True)
def without_a_network(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", unknown)

def test_unknown_host():
    sign_up()

def test_unknown_client():
    raise ResourceNotFoundException({"Error": {"Code": "ResourceNotFoundException"}}, "SignUp")

def test_with_botocore(srpcore_botocore):
    test_unknown_client()

def test_another_server():
    sign_up("https://nowhere.invalid")
"""


def test_an_error_of_the_real_service_beside_moto_has_a_note(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(moto="", test_it=BESIDE_MOTO)
    failed = run("--tb=line")
    failed.assert_outcomes(failed=4)
    note = 'moto does not affect the default transport of srpcore: set srpcore_transport = "botocore"'
    # Without the summary at the end, which shows whole messages if CI is set.
    shown = failed.stdout.str().partition("short test summary info")[0]
    errors = shown.split("\nE   srpcore.exceptions.")[1:]
    assert [note in error for error in errors] == [True, True, False, False]


def test_the_note_is_added_once_and_only_beside_moto(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SRPCORE_TRANSPORT", raising=False)
    monkeypatch.delitem(sys.modules, "moto", raising=False)
    cause, error = TransportError("lost", url="https://cognito-idp.eu-west-1.amazonaws.com/"), ValueError()
    error.__cause__ = cause
    pytest_plugin._add_note_on_moto(error)
    assert not hasattr(cause, "__notes__")
    monkeypatch.setitem(sys.modules, "moto", ModuleType("moto"))
    pytest_plugin._add_note_on_moto(error)
    pytest_plugin._add_note_on_moto(error)
    assert len(cause.__notes__) == 1
    assert not hasattr(error, "__notes__")


def test_a_verifier_beside_moto_has_a_note_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SRPCORE_TRANSPORT", "botocore")
    monkeypatch.setitem(sys.modules, "moto", ModuleType("moto"))
    url = "https://cognito-idp.eu-west-1.amazonaws.com/"
    fetch, call = TransportError("lost", url=url, fetching=True), TransportError("lost", url=url)
    pytest_plugin._add_note_on_moto(fetch)
    pytest_plugin._add_note_on_moto(call)
    assert "verifier.load_jwks(user.pool_jwk)" in fetch.__notes__[0]
    assert not hasattr(call, "__notes__")


def test_options_of_other_plugins_may_be_named_record(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeconftest("def pytest_addoption(parser):\n    parser.addoption('--record', default='none')\n")
    pytester.makepyfile("def test_it(pytestconfig):\n    assert pytestconfig.getoption('--record') == 'none'\n")
    run().assert_outcomes(passed=1)


@pytest.mark.parametrize("fixture", ["user_pool", "cassette"])
def test_a_missing_package_is_named(run: Run, pytester: pytest.Pytester, fixture: str) -> None:
    pytester.makeconftest("import sys\nsys.modules['jwt'] = None\n")
    pytester.makepyfile(f"def test_it({fixture}):\n    pass\n")
    result = run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*the fixture {fixture} needs the package PyJWT: pip install 'srpcore?testing?'"])
