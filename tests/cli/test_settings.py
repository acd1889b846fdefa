"""Where the command line finds the pool, the app client and the user, and the exit status for each kind of failure."""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path

import pytest

from srpcore import exceptions
from srpcore.cli.exit_status import ExitStatus, NotLoggedIn, exit_status
from srpcore.cli.settings import Settings, profiles_path, settings_of, state_folder
from srpcore.exceptions.base import ConfigurationError, SrpcoreError
from srpcore.store import FileStore, KeyringStore

PROFILES = """
default = "work"

[profiles.work]
user_pool_id = "eu-west-1_Profile12"
client_id = "profile-client"
username = "pat"
allow_http = true
aws_profile = "admin"

[profiles.home]
user_pool_id = "eu-west-1_Home12345"
client_id = "home-client"
"""


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("AWS_PROFILE", "none")
    for name in [name for name in os.environ if name.startswith("SRPCORE_")]:
        monkeypatch.delenv(name)


def found(**arguments: object) -> Settings:
    return settings_of(argparse.Namespace(**arguments))


def write_profiles(text: str = PROFILES) -> None:
    path = profiles_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def test_an_option_is_stronger_than_a_variable_and_a_variable_than_the_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    write_profiles()
    monkeypatch.setenv("SRPCORE_USERNAME", "vera")
    monkeypatch.setenv("SRPCORE_CLIENT_ID", "variable-client")
    settings = found(client_id="option-client")
    assert (settings.user_pool_id, settings.client_id, settings.username) == (
        "eu-west-1_Profile12",
        "option-client",
        "vera",
    )
    assert settings.allow_http
    assert os.environ["AWS_PROFILE"] == "admin"


def test_a_profile_is_chosen_by_an_option_or_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    write_profiles()
    assert found(profile="home").client_id == "home-client"
    monkeypatch.setenv("SRPCORE_PROFILE", "home")
    assert found().client_id == "home-client"
    assert found(profile="work").client_id == "profile-client"


def test_the_last_login_counts_if_nothing_else_names_a_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    last = Settings("eu-west-1_Last12345", "last-client", "secret", "lara", "http://127.0.0.1:1", "", "keyring", True)
    last.remember()
    assert found() == last._replace(client_secret="")
    assert found(username="other").client_id == "last-client"
    assert found(user_pool_id=last.user_pool_id) == last._replace(client_secret="")
    assert found(user_pool_id="eu-west-1_Another12").client_id == ""
    assert found(client_id="another").user_pool_id == ""
    assert "secret" not in (state_folder() / "last-login.json").read_text("utf-8")
    write_profiles()
    assert found().client_id == "profile-client"


def test_the_last_login_counts_if_its_pool_and_its_app_client_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the commands after ``srpcore login --endpoint-url ...`` would not find the login."""
    write_profiles()
    last = Settings("eu-west-1_Home12345", "home-client", "", "lara", "http://127.0.0.1:1", "", "file", False)
    last.remember()
    assert found(profile="home") == last
    assert found(profile="home", username="other").username == "other"
    assert found(profile="home", client_id="another").username == ""
    monkeypatch.setenv("SRPCORE_USER_POOL_ID", last.user_pool_id)
    monkeypatch.setenv("SRPCORE_CLIENT_ID", last.client_id)
    assert found(profile="home").endpoint_url == last.endpoint_url


def test_a_last_login_that_cannot_be_read_is_ignored() -> None:
    state_folder().mkdir(parents=True)
    (state_folder() / "last-login.json").write_text("[")
    assert found().user_pool_id == ""


def test_the_endpoint_does_not_come_from_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SRPCORE_ENDPOINT_URL", "http://127.0.0.1:1")
    assert found(user_pool_id="eu-west-1_AbCd12345").trusted_endpoint() == "https://cognito-idp.eu-west-1.amazonaws.com"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("default = ", "could not read the profiles"),
        ('default = "gone"', "no profile 'gone'"),
        ('default = "a"\nprofiles = 1', "no profile 'a'"),
        ('default = "a"\n[profiles.a]\nclient_secret = "s3cret"', "SRPCORE_CLIENT_SECRET"),
        ('default = "a"\n[profiles.a]\nuser_pool = "x"', "unknown setting 'user_pool'"),
        ('default = "a"\n[profiles.a]\nclient_id = 1', "client_id in profile 'a'"),
        ('default = "a"\n[profiles.a]\nallow_http = "yes"', "must be true or false"),
        ('default = "a"\n[profiles.a]\nstore = "cloud"', "invalid store 'cloud'"),
    ],
)
def test_an_invalid_file_of_profiles_is_an_error_that_names_the_place(text: str, named: str) -> None:
    write_profiles(text)
    with pytest.raises(ConfigurationError, match=named) as caught:
        found()
    assert "s3cret" not in str(caught.value)


def test_a_profile_without_a_file_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="does not exist"):
        found(profile="work")


def test_a_missing_setting_names_the_option_the_variable_and_the_file() -> None:
    with pytest.raises(ConfigurationError) as caught:
        found().required("client_id")
    for place in ("--client-id", "SRPCORE_CLIENT_ID", str(profiles_path())):
        assert place in str(caught.value)


def test_each_kind_of_store_is_made() -> None:
    settings = found(user_pool_id="eu-west-1_AbCd12345", client_id="c")
    assert isinstance(settings.token_store(), FileStore)
    assert isinstance(settings._replace(store="keyring").token_store(), KeyringStore)
    assert settings._replace(store="none").token_store() is None


def test_the_documentation_has_every_exit_status() -> None:
    page = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text("utf-8")
    table = page.split("## Exit status")[1].split("\n\n")[1]
    assert {int(number) for number in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)} == {*ExitStatus}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (exceptions.WrongPassword, ExitStatus.REFUSED),
        (exceptions.CodeMismatchException, ExitStatus.REFUSED),
        (exceptions.RefreshTokenExpired, ExitStatus.NOT_LOGGED_IN),
        (exceptions.AccessTokenRevoked, ExitStatus.NOT_LOGGED_IN),
        (exceptions.TokenExpired, ExitStatus.TOKEN_REFUSED),
        (exceptions.UserNotFoundException, ExitStatus.NOT_FOUND),
        (exceptions.TooManyRequestsException, ExitStatus.TRY_LATER),
        (exceptions.TransportTimeout, ExitStatus.TRY_LATER),
        (exceptions.ConfigurationError, ExitStatus.INVALID_ARGUMENTS),
        (exceptions.StoreCorrupt, ExitStatus.FAILURE),
        (NotLoggedIn, ExitStatus.NOT_LOGGED_IN),
    ],
)
def test_each_kind_of_failure_has_its_exit_status(error: type[SrpcoreError], status: ExitStatus) -> None:
    assert exit_status(error.__new__(error)) is status
