"""``srpcore login`` keeps the login; ``token``, ``whoami``, ``logout`` and the other commands of a user go on with it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from srpcore.crypto.totp import totp
from srpcore.store import FileStore, Login, store_key
from support.cli_processes import KEYS, Result, Server, Terminal
from support.minting import access_claims, mint
from support.users import NEW_PASSWORD, PASSWORD

pytestmark = pytest.mark.slow  # together they are too slow for the unit tier

RunHere = Callable[..., Result]


@pytest.fixture
def log_in(server: Server, user: str, run_here: RunHere) -> str:
    """Log a new user in, as the stored login, and return the name."""
    assert run_here("login", *server.pool(), "--username", user, stdin=f"{PASSWORD}\n").status == 0
    return user


EXPIRED = mint(access_claims(exp=1))
"""The time in it decides that a login is refreshed. It is not verified before that."""


def stored(own_folders: Path, server: Server, user: str) -> tuple[FileStore, str, Login]:
    store = FileStore(own_folders / "state" / "srpcore" / "logins")
    key = store_key(server.user_pool_id, server.client_id, user)
    login = store.load(key)
    assert login
    return store, key, login


def test_a_token_of_the_stored_login_is_printed_without_options(admin: Any, run_here: RunHere, log_in: str) -> None:
    result = run_here("token")
    assert (result.status, result.stderr, result.stdout.count("\n")) == (0, "", 1)
    assert admin.get_user(AccessToken=result.stdout.strip())["Username"] == log_in
    claims = json.loads(run_here("decode", stdin=run_here("token", "--use", "id").stdout).stdout)["claims"]
    assert claims["token_use"] == "id"


def test_an_expired_token_is_refreshed_and_kept(
    server: Server, admin: Any, run_here: RunHere, log_in: str, own_folders: Path
) -> None:
    store, key, login = stored(own_folders, server, log_in)
    old = login.tokens
    assert old
    store.save(key, Login.from_dict({**login.to_dict(), "tokens": {**old.to_dict(), "access_token": EXPIRED}}))
    fresh = run_here("token").stdout.strip()
    assert fresh != old.access_token
    assert admin.get_user(AccessToken=fresh)["Username"] == log_in
    kept = stored(own_folders, server, log_in)[2].tokens
    assert kept
    assert kept.access_token == fresh


def test_a_login_that_has_ended_has_its_own_exit_status(
    server: Server, run_here: RunHere, log_in: str, own_folders: Path
) -> None:
    store, key, login = stored(own_folders, server, log_in)
    assert login.tokens
    for change in ({"refresh_token": None}, {"refresh_token": "wrong"}):
        tokens = {**login.tokens.to_dict(), "access_token": EXPIRED, **change}
        store.save(key, Login.from_dict({**login.to_dict(), "tokens": tokens}))
        run_here("token").refused(4)


def test_without_a_login_the_command_to_run_is_named(server: Server, run_here: RunHere) -> None:
    assert run_here("token").refused(4) == "srpcore: not logged in: run srpcore login\n"
    error = run_here("whoami", *server.pool(), "--username", "nobody").refused(4)
    assert error == "srpcore: no login of nobody is stored: run srpcore login\n"


def test_a_login_is_not_kept_without_a_store(server: Server, run_here: RunHere, user: str, own_folders: Path) -> None:
    result = run_here("login", *server.pool(), "--username", user, "--store", "none", stdin=f"{PASSWORD}\n")
    assert result.status == 0
    assert [*own_folders.rglob("*")] == []
    run_here("token").refused(4)


def test_whoami_shows_the_user(server: Server, admin: Any, run_here: RunHere, log_in: str) -> None:
    shown = json.loads(run_here("whoami").stdout)
    assert shown["username"] == log_in
    assert (shown["user_pool_id"], shown["client_id"]) == (server.user_pool_id, server.client_id)
    assert abs(shown["access_token_expires_at"] - time.time() - 3600) < 600


def test_logout_revokes_this_login_and_deletes_it(
    server: Server, admin: Any, run_here: RunHere, log_in: str, own_folders: Path
) -> None:
    access_token = run_here("token").stdout.strip()
    refresh_token = stored(own_folders, server, log_in)[2].tokens
    assert refresh_token
    assert run_here("logout").status == 0
    run_here("token").refused(4)
    with pytest.raises(admin.exceptions.NotAuthorizedException):
        admin.get_user(AccessToken=access_token)
    with pytest.raises(admin.exceptions.ClientError):
        admin.get_tokens_from_refresh_token(ClientId=server.client_id, RefreshToken=refresh_token.refresh_token)


def test_logout_everywhere_ends_other_logins(server: Server, admin: Any, run_here: RunHere, log_in: str) -> None:
    options = (*server.pool(), "--username", log_in, "--store", "none", "--token", "access")
    other = run_here("login", *options, stdin=f"{PASSWORD}\n").stdout.strip()
    run_here("token")
    assert admin.get_user(AccessToken=other)
    assert run_here("logout", "--everywhere").status == 0
    with pytest.raises(admin.exceptions.NotAuthorizedException):
        admin.get_user(AccessToken=other)


def test_a_login_that_the_service_has_ended_can_be_deleted(
    server: Server, admin: Any, run_here: RunHere, log_in: str
) -> None:
    admin.admin_user_global_sign_out(UserPoolId=server.user_pool_id, Username=log_in)
    result = run_here("logout", "--everywhere")
    assert result.status == 0
    assert "The service had ended the login already: Access Token has been revoked\n" in result.stderr
    assert "Other logins of the user may go on" in result.stderr  # this login could end no other one
    run_here("token").refused(4)


def test_the_password_is_changed(server: Server, run_here: RunHere, log_in: str) -> None:
    assert "differ" in run_here("password", "change", stdin=f"{PASSWORD}\n{NEW_PASSWORD}\nother\n").refused(2)
    run_here("password", "change", stdin=f"wrong\n{NEW_PASSWORD}\n{NEW_PASSWORD}\n").refused(3)
    assert run_here("password", "change", stdin=f"{PASSWORD}\n{NEW_PASSWORD}\n{NEW_PASSWORD}\n").status == 0
    again = ("login", *server.pool(), "--username", log_in)
    run_here(*again, stdin=f"{PASSWORD}\n").refused(3)
    assert run_here(*again, stdin=f"{NEW_PASSWORD}\n").status == 0


def test_a_forgotten_password_is_replaced_with_the_code(server: Server, make_user: Callable[..., str]) -> None:
    email = f"forgetful-{time.time_ns()}@example.com"
    user = make_user(email=email, email_verified="true")
    with Terminal("password", "forgot", *server.pool(), "--username", user) as terminal:
        terminal.await_text("Code (it is sent if the user has a verified address): ")
        code = server.await_code(email)
        terminal.type("\n")
        terminal.answer("Code (it is sent if the user has a verified address): ", f"{(int(code) + 1) % 10**6:06d}")
        terminal.answer("New password: ", NEW_PASSWORD)
        terminal.answer("New password again: ", NEW_PASSWORD)
        terminal.await_text("That code is wrong")
        terminal.answer("Code (it is sent if the user has a verified address): ", blank_in_the_middle(code))
        assert terminal.end() == 0
    assert code not in terminal.shown
    with Terminal("login", *server.pool(), "--username", user) as terminal:
        terminal.answer("Password: ", NEW_PASSWORD)
        assert terminal.end() == 0


def test_an_administrator_resets_a_password(server: Server, make_user: Callable[..., str], run_here: RunHere) -> None:
    user = make_user(email=f"reset-{time.time_ns()}@example.com", email_verified="true")
    assert run_here("password", "reset", user, *server.pool(), **KEYS).status == 0
    error = run_here("login", *server.pool(), "--username", user, stdin=f"{PASSWORD}\n").refused(3)
    assert "PasswordResetRequiredException" in error


def blank_in_the_middle(code: str) -> str:
    """Return *code* as many apps show it."""
    return f"{code[:3]} {code[3:]}"


def test_an_authenticator_app_is_set_up_with_a_qr_code(server: Server, log_in: str) -> None:
    with Terminal("mfa", "setup") as terminal:
        terminal.await_text("Secret for the authenticator app: ")
        terminal.await_text("\n")
        secret = terminal.shown.split("authenticator app: ")[1].split()[0]
        terminal.answer("Code of the authenticator app: ", "000000")
        terminal.await_text("That code is wrong")
        assert "▀" in terminal.shown
        for mistyped in ("12345", "1234567", "abcdef"):
            terminal.answer("Code of the authenticator app: ", mistyped)
            terminal.await_text("A code has six digits")
        terminal.answer("Code of the authenticator app: ", "")
        code = totp(secret, time.time())
        terminal.answer("Code of the authenticator app: ", blank_in_the_middle(code))
        assert terminal.end() == 0
    with Terminal("login", *server.pool(), "--username", log_in) as terminal:
        terminal.answer("Password: ", PASSWORD)
        terminal.answer("Code of the authenticator app: ", "000000")
        terminal.await_text("That code is wrong")
        terminal.answer("Code of the authenticator app: ", code)  # the set-up has used it
        terminal.await_text("That code was used already or has expired: enter the next one.")
        terminal.answer("Code of the authenticator app: ", "")
        terminal.answer("Code of the authenticator app: ", "12345")
        terminal.await_text("A code has six digits")
        terminal.answer("Code of the authenticator app: ", blank_in_the_middle(totp(secret, time.time() + 30)))
        assert terminal.end() == 0
    assert "logged in as" in terminal.shown
    assert "eyJ" not in terminal.shown


def test_the_second_factors_are_shown_and_turned_off(
    server: Server, run_here: RunHere, totp_user: tuple[str, Callable[[], str]]
) -> None:
    user, next_code = totp_user
    answers = f"{PASSWORD}\n{next_code()}\n"
    assert run_here("login", *server.pool(), "--username", user, stdin=answers).status == 0
    shown = json.loads(run_here("mfa", "status").stdout)
    assert shown == {"factors": ["SOFTWARE_TOKEN_MFA"], "preferred": "SOFTWARE_TOKEN_MFA"}
    assert run_here("mfa", "off").status == 0
    assert json.loads(run_here("mfa", "status").stdout)["factors"] == []


@pytest.mark.parametrize("code", ["000000", "12345"])
def test_a_wrong_code_leaves_the_second_factor_as_it_was(run_here: RunHere, log_in: str, code: str) -> None:
    refused = run_here("mfa", "setup", stdin=f"{code}\n")
    assert refused.status == 3
    assert "the next run of srpcore mfa setup makes a new secret" in refused.stderr
    assert "still the same" not in refused.stderr
    assert json.loads(run_here("mfa", "status").stdout)["factors"] == []


def test_passkeys_are_listed(run_here: RunHere, log_in: str) -> None:
    assert json.loads(run_here("passkeys", "list").stdout) == []
