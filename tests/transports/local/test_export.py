"""A pool as one JSON document: export, import, and the commands that do it."""

from __future__ import annotations

import itertools
import json
import stat
import uuid
from pathlib import Path
from typing import Any

import pytest

from srpcore.crypto.totp import totp
from srpcore.exceptions.base import ConfigurationError
from srpcore_transports.local import LocalUserPool
from srpcore_transports.local.auth import webauthn
from srpcore_transports.local.model.records import Record
from srpcore_transports.local.model.users import Passkey
from srpcore_transports.local.storage import work
from srpcore_transports.local.storage.state import State
from srpcore_transports.local.storage.work import encode
from support.authenticator import Authenticator
from support.cli_processes import run
from support.clock import Clock
from support.users import PASSWORD

from .client import Client, Device, confirm_device, enrol, finish, refused

pytestmark = pytest.mark.slow

POOL_ID = "eu-west-1_Export001"


@pytest.fixture
def client(clock: Clock) -> Client:
    pool = LocalUserPool(clock=clock, user_pool_id=POOL_ID, client_id="web", client_secret=True, remember_devices=True)
    return Client(pool, clock)


def fill(client: Client) -> Device:
    """Add a user with all that a user can have, and what a pool can have."""
    client.user(email="alice@example.com")
    client.admin("CreateGroup", GroupName="staff", Precedence=3)
    client.admin("AdminAddUserToGroup", GroupName="staff", Username="alice")
    client.admin("CreateUserPoolDomain", Domain="export-test")
    client.admin(
        "CreateResourceServer", Identifier="orders", Name="o", Scopes=[{"ScopeName": "read", "ScopeDescription": "r"}]
    )
    device, _ = confirm_device(client, client.tokens())
    return device


def test_a_copy_of_a_pool_that_has_not_needed_its_key_yet_has_the_same_key(client: Client, clock: Clock) -> None:
    document = client.pool.export_pool()
    other = LocalUserPool(clock=clock)
    other.import_pool(document)
    path = f"/{POOL_ID}/.well-known/jwks.json"
    assert other.document(path) == client.pool.document(path)
    client.user()
    token = client.tokens()["AccessToken"]
    with refused("NotAuthorizedException", "Invalid Access Token"):  # the copy has the key, but not the login
        Client(other, clock).call("GetUser", AccessToken=token)


def test_an_imported_pool_is_the_same(client: Client, clock: Clock) -> None:
    fill(client)
    enrolled = enrol(client)
    keys = client.pool.document(f"/{POOL_ID}/.well-known/jwks.json")
    document = client.pool.export_pool()
    other = LocalUserPool(clock=clock)
    assert other.import_pool(document) == POOL_ID
    assert other.import_pool(document.decode(), replace=True) == POOL_ID
    assert other.export_pool(POOL_ID) == document
    assert other.document(f"/{POOL_ID}/.well-known/jwks.json") == keys
    again = Client(other, clock)
    again.pool_id, again.client_id, again.secret = POOL_ID, "web", client.secret
    for operation, parameters in (
        ("DescribeUserPool", {}),
        ("DescribeUserPoolClient", {"ClientId": "web"}),
        ("AdminGetUser", {"Username": "alice"}),
        ("AdminListDevices", {"Username": "alice"}),
        ("ListUsersInGroup", {"GroupName": "staff"}),
        ("GetGroup", {"GroupName": "staff"}),
        ("ListResourceServers", {"MaxResults": 10}),
    ):
        before, after = (each.admin(operation, **parameters) for each in (client, again))
        assert {**after, "ResponseMetadata": {}} == {**before, "ResponseMetadata": {}}
    assert again.call("DescribeUserPoolDomain", Domain="export-test")["DomainDescription"]["UserPoolId"] == POOL_ID
    challenge = again.log_in()
    assert challenge["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    code = totp(enrolled, clock.now)
    assert again.answer(challenge, SOFTWARE_TOKEN_MFA_CODE=code)["AuthenticationResult"]


def test_a_pool_is_exported_after_a_login_with_a_name_that_does_not_exist(client: Client) -> None:
    before = client.pool.export_pool()
    with refused("NotAuthorizedException"):
        client.log_in("nobody")
    assert client.pool.export_pool() == before


def test_a_device_logs_in_after_an_import(client: Client) -> None:
    device = fill(client)
    client.pool.import_pool(client.pool.export_pool(), replace=True)
    assert finish(client, client.log_in(device_key=device.key), device)["AuthenticationResult"]


def test_another_pool_stays_as_it_is(client: Client, clock: Clock) -> None:
    document = client.pool.export_pool()
    with pytest.raises(ConfigurationError, match=f"the pool {POOL_ID} exists already: pass replace=True"):
        client.pool.import_pool(document)
    other = Client(LocalUserPool(clock=clock), clock)
    other.user("bob")
    other.pool.import_pool(document)
    assert other.tokens("bob")
    pools = [pool["Id"] for pool in other.call("ListUserPools", MaxResults=60)["UserPools"]]
    assert pools == [other.pool_id, POOL_ID]


def test_replace_deletes_the_pool_that_was_there(client: Client) -> None:
    document = client.pool.export_pool()
    client.user("bob")
    client.pool.import_pool(document, replace=True)
    assert client.admin("ListUsers")["Users"] == []


def test_a_passkey_has_its_owner_after_an_import(client: Client) -> None:
    client.user()
    service = client.pool._service
    key = webauthn.encode_key(Authenticator().ec_key.public_key())
    passkey = Passkey("credential", key, "localhost", 1.5, transports=("usb",))

    def add(state: State) -> None:
        user = state.users.get(state.pool(POOL_ID), "alice")
        assert user is not None
        user.passkeys[passkey.id] = passkey
        user.enabled_mfa.add("SMS_MFA")

    State(service).run(add)
    client.pool.import_pool(client.pool.export_pool(), replace=True)
    client.user("bob")

    def claim(state: State, name: str) -> tuple[bool, dict[str, Passkey]]:
        pool = state.pool(POOL_ID)
        user = state.users.get(pool, name)
        assert user is not None
        return state.passkey_owners.claim(pool, passkey.id, user), user.passkeys

    assert State(service).run(lambda state: claim(state, "bob")) == (False, {})
    assert State(service).run(lambda state: claim(state, "alice")) == (False, {passkey.id: passkey})


def test_many_users_take_time_in_proportion(client: Client) -> None:
    # Each user that is watched during the whole import would be encoded again at each statement.
    document = json.loads(client.pool.export_pool())
    subs = [str(uuid.UUID(int=number)) for number in range(1000)]
    document["users"] = [
        {"user": {"created": 0.0, "username": sub, "sub": sub, "attributes": {"sub": sub}}, "groups": []}
        for sub in subs
    ]
    encoded = itertools.count()

    def count(record: Record) -> bytes:
        next(encoded)
        return encode(record)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(work, "encode", count)
        client.pool.import_pool(json.dumps(document), replace=True)
        exported = json.loads(client.pool.export_pool())
    assert len(exported["users"]) == 1000
    assert next(encoded) < 20_000


def test_a_client_or_a_domain_of_another_pool_is_refused(client: Client, clock: Clock) -> None:
    client.admin("CreateUserPoolDomain", Domain="export-test")
    document = client.pool.export_pool()
    other = LocalUserPool(clock=clock, client_id="web")
    with pytest.raises(ConfigurationError, match="another pool has an app client with the id 'web'"):
        other.import_pool(document)
    other = LocalUserPool(clock=clock)
    Client(other, clock).admin("CreateUserPoolDomain", Domain="export-test")
    with pytest.raises(ConfigurationError, match="another pool has the domain 'export-test'"):
        other.import_pool(document)
    assert len(Client(other, clock).call("ListUserPools", MaxResults=60)["UserPools"]) == 1


def test_what_is_not_an_export_is_refused(client: Client) -> None:
    good = json.loads(client.pool.export_pool())
    client.user()
    with_user = json.loads(client.pool.export_pool())
    assert "Correct" not in json.dumps(with_user)
    twice = {**good, "groups": [{"name": "a", "created": 0.0, "modified": 0.0}] * 2}
    changed: Any
    for changed in (
        {},
        [],
        {**good, "format": "other"},
        {**good, "version": 2},
        {**good, "more": 1},
        {**good, "users": [{}]},
        {**good, "pool": {**good["pool"], "id": "nonsense"}},
        {**good, "resources": {"client": []}},
        {**good, "clients": [{**good["clients"][0], "user_pool_id": "us-east-1_Other"}]},
    ):
        with pytest.raises(ConfigurationError, match="not an export of a local pool"):
            client.pool.import_pool(json.dumps(changed), replace=True)
    with pytest.raises(ConfigurationError, match=r"groups\[1\]\.name: another group has it"):
        client.pool.import_pool(json.dumps(twice), replace=True)
    for broken in (b"{", b"\xff", b"[" * 100_000):
        with pytest.raises(ConfigurationError, match="not an export"):
            client.pool.import_pool(broken)
    # Nothing was deleted.
    assert client.tokens()


def test_a_pool_that_does_not_exist_cannot_be_exported(client: Client) -> None:
    with pytest.raises(ConfigurationError, match="User pool us-east-1_None does not exist"):
        client.pool.export_pool("us-east-1_None")


def test_the_commands_move_a_pool_from_a_state_to_another(tmp_path: Path, clock: Clock) -> None:
    first, second, file = str(tmp_path / "first.db"), str(tmp_path / "second.db"), tmp_path / "pool.json"
    with LocalUserPool(clock=clock, state=first) as pool:
        Client(pool, clock).user()
    assert run("pool", "export", "--state", first, str(file)).status == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert run("pool", "import", "--state", second, str(file)).stdout == f"{pool.user_pool_id}\n"
    assert "exists already" in run("pool", "import", "--state", second, str(file)).refused()
    assert run("pool", "import", "--replace", "--state", second, str(file)).status == 0
    with LocalUserPool(clock=clock, state=second) as again:
        assert (again.user_pool_id, again.client_id) == (pool.user_pool_id, pool.client_id)
        assert Client(again, clock).tokens("alice", PASSWORD)


@pytest.mark.long
def test_the_commands_refuse_wrong_files(tmp_path: Path) -> None:
    state, file = tmp_path / "pool.db", tmp_path / "pool.json"
    assert "no state at" in run("pool", "export", "--state", str(state), str(file)).refused()
    assert not state.exists()
    assert "cannot read" in run("pool", "import", "--state", str(state), str(file)).refused()
    assert not state.exists()
    LocalUserPool(state=state).close()
    file.write_bytes(b"")
    assert "exists already" in run("pool", "export", "--state", str(state), str(file)).refused()
    assert (
        "does not exist"
        in run("pool", "export", "--state", str(state), "--user-pool-id", "us-east-1_None", str(file)).refused()
    )
    assert "cannot write" in run("pool", "export", "--state", str(state), str(tmp_path / "none" / "x.json")).refused()
    with LocalUserPool(state=state):
        other = str(tmp_path / "other.json")
        assert "another process is using it" in run("pool", "export", "--state", str(state), other).refused()
