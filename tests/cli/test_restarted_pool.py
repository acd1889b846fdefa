"""A stored login of a local pool that was stopped, or started again without its state: what the commands answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from srpcore.cli.exit_status import NotLoggedIn
from srpcore.cli.session import fresh_login
from srpcore.cli.settings import Settings
from srpcore.exceptions.reply import service_error
from srpcore.service_client import ServiceClient
from srpcore.store import FileStore, Login, store_key
from srpcore_transports.local import LocalUserPool
from support.cli_processes import Result
from support.minting import access_claims, mint
from support.users import PASSWORD
from support.world import error as error_reply

pytestmark = pytest.mark.slow  # together they are too slow for the unit tier

RunHere = Callable[..., Result]
FIXED = ("us-east-1_Fixed1234", "the_fixed_client")
NOT_OF_THIS_POOL = (
    "srpcore: the stored login of alice is not of this pool (was a local pool restarted without --state?): run srpcore "
    "login, with the new ids if the pool has others\n"
)
DELETED = "srpcore: the stored login of alice was deleted, but it was not revoked"


@contextmanager
def started(ids: tuple[str, str] | None = None) -> Generator[tuple[LocalUserPool, tuple[str, str]], None, None]:
    """Serve a new pool with the user alice, and yield it with the options that name its endpoint."""
    pool_id, client_id = ids or (None, None)
    with LocalUserPool(user_pool_id=pool_id, client_id=client_id) as pool, pool.serve() as server:
        admin = ServiceClient(pool, pool.region)
        alice = {"UserPoolId": pool.user_pool_id, "Username": "alice"}
        admin.admin_create_user(**alice, MessageAction="SUPPRESS")
        admin.admin_set_user_password(**alice, Password=PASSWORD, Permanent=True)
        yield pool, ("--endpoint-url", server.url)


def log_in(run_here: RunHere, pool: LocalUserPool, endpoint: tuple[str, str]) -> None:
    ids = ("--user-pool-id", pool.user_pool_id, "--client-id", pool.client_id)
    assert run_here("login", *ids, *endpoint, "--username", "alice", stdin=f"{PASSWORD}\n").status == 0


@pytest.fixture
def stopped(run_here: RunHere) -> None:
    """Log in to a pool, and stop it."""
    with started() as (pool, endpoint):
        log_in(run_here, pool, endpoint)


@pytest.fixture
def stopped_with_fixed_ids(run_here: RunHere) -> None:
    with started(FIXED) as (pool, endpoint):
        log_in(run_here, pool, endpoint)


def let_it_expire(own_folders: Path) -> None:
    store = FileStore(own_folders / "state" / "srpcore" / "logins")
    key = store_key(*FIXED, "alice")
    login = store.load(key)
    assert login
    assert login.tokens
    tokens = {**login.tokens.to_dict(), "access_token": mint(access_claims(exp=1))}
    store.save(key, Login.from_dict({**login.to_dict(), "tokens": tokens}))


@pytest.mark.usefixtures("stopped")
def test_a_pool_that_was_stopped_is_named(run_here: RunHere) -> None:
    error = run_here("whoami").refused(7)
    assert "Connection refused" in error
    assert "is srpcore serve, or the emulator, still running there?" in error


@pytest.mark.usefixtures("stopped")
def test_logout_deletes_the_login_of_a_pool_that_was_stopped_and_says_that_it_was_not_revoked(
    run_here: RunHere,
) -> None:
    error = run_here("logout").refused(7)
    assert error.startswith(f"{DELETED}, so its refresh token may still be valid: connecting to 127.0.0.1:")
    assert error.endswith("to revoke it later, run srpcore login and srpcore logout --everywhere\n")
    run_here("token").refused(4)


@pytest.mark.usefixtures("stopped")
def test_a_login_of_another_pool_leads_to_a_new_login(run_here: RunHere) -> None:
    with started() as (_, endpoint):
        assert run_here("whoami", *endpoint).refused(4) == NOT_OF_THIS_POOL
        assert run_here("mfa", "status", *endpoint).refused(4) == NOT_OF_THIS_POOL
        error = run_here("logout", *endpoint).refused(4)
        assert error.startswith(f"{DELETED}: it is not of this pool (was a local pool restarted without --state?)")
        run_here("token").refused(4)


@pytest.mark.usefixtures("stopped_with_fixed_ids")
def test_a_login_of_a_pool_with_the_same_ids_and_new_keys_leads_to_a_new_login(run_here: RunHere) -> None:
    with started(FIXED) as (pool, endpoint):
        assert run_here("whoami", *endpoint).refused(4) == NOT_OF_THIS_POOL
        assert run_here("mfa", "status", *endpoint).refused(4) == NOT_OF_THIS_POOL
        error = run_here("logout", "--everywhere", *endpoint).refused(4)
        assert error.startswith(f"{DELETED}: it is not of this pool")
        run_here("token").refused(4)
        log_in(run_here, pool, endpoint)
        assert json.loads(run_here("whoami").stdout)["username"] == "alice"


@pytest.mark.usefixtures("stopped_with_fixed_ids")
def test_a_login_that_the_restarted_pool_cannot_refresh_leads_to_a_new_login(
    run_here: RunHere, own_folders: Path
) -> None:
    let_it_expire(own_folders)
    with started() as (_, endpoint):
        assert run_here("token", *endpoint).refused(4) == NOT_OF_THIS_POOL  # it has no such app client
    with started(FIXED) as (_, endpoint):
        assert run_here("token", *endpoint).refused(4) == NOT_OF_THIS_POOL  # it has no such refresh token


@pytest.mark.parametrize("message", ["Invalid Access Token", "Could not verify signature for Access Token"])
def test_both_messages_for_an_access_token_of_another_pool_lead_to_a_new_login(run_here: RunHere, message: str) -> None:
    with started() as (pool, endpoint):
        log_in(run_here, pool, endpoint)
        settings = Settings(pool.user_pool_id, pool.client_id, "", "alice", endpoint[1], "", "file", allow_http=False)
        with pytest.raises(NotLoggedIn, match="not of this pool"), fresh_login(settings):
            raise service_error(error_reply("NotAuthorizedException", message), "GetUser")


def test_a_device_that_does_not_exist_does_not_mean_that_the_login_is_of_another_pool(run_here: RunHere) -> None:
    with started() as (pool, endpoint):
        log_in(run_here, pool, endpoint)
        error = run_here("devices", "forget", "us-east-1_00000000-0000-0000-0000-000000000000").refused()
        assert "ResourceNotFoundException" in error
        assert "not of this pool" not in error


def test_logout_without_the_client_secret_does_not_report_that_the_login_was_ended(run_here: RunHere) -> None:
    with started() as (pool, endpoint):
        admin = ServiceClient(pool, pool.region)
        made = admin.create_user_pool_client(UserPoolId=pool.user_pool_id, ClientName="secret", GenerateSecret=True)
        client_id, secret = made["UserPoolClient"]["ClientId"], made["UserPoolClient"]["ClientSecret"]
        options = ("--user-pool-id", pool.user_pool_id, "--client-id", client_id, "--username", "alice", *endpoint)
        assert run_here("login", *options, stdin=f"{PASSWORD}\n", SRPCORE_CLIENT_SECRET=secret).status == 0
        error = run_here("logout", SRPCORE_CLIENT_SECRET="").refused(3)
        assert error.startswith(f"{DELETED}, so its refresh token may still be valid: ")
        run_here("token").refused(4)
