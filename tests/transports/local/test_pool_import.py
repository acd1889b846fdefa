"""What an import refuses: documents with values that a pool never stores."""

from __future__ import annotations

import base64
import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from srpcore.exceptions import ConfigurationError, ServiceError
from srpcore_transports.local import LocalUserPool, UserPool
from srpcore_transports.local.auth import webauthn
from srpcore_transports.local.model.users import Passkey
from srpcore_transports.local.storage.state import State
from support.authenticator import Authenticator
from support.clock import Clock
from support.users import PASSWORD

from .client import Client, confirm_device

pytestmark = pytest.mark.slow

POOL_ID = "eu-west-1_Import001"
MISSING = object()
JUNK: tuple[object, ...] = (MISSING, None, "", "x", "garbage\n", 7, -1, 1e300, True, [], {}, ["x"], [{}], {"x": 1}, [7])
EXAMPLES = 60
DEVICE = {"key": "other", "group_key": "group", "created": 0.0}
CODE = {"value": "123456", "expires": 0.0, "attribute": "name"}


def _public(key: Any) -> bytes:
    encoded: bytes = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return encoded


@pytest.fixture(scope="module")
def exported() -> dict[str, Any]:
    """Return the export of a pool that has a bit of everything."""
    clock = Clock.stopped()
    settings = {
        "AliasAttributes": ["email"],
        "MfaConfiguration": "OFF",
        "Policies": {
            "PasswordPolicy": {"MinimumLength": 10},
            "SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD"]},
        },
        "Schema": [{"Name": "tenant", "AttributeDataType": "String"}],
    }
    pool = UserPool(clock=clock, user_pool_id=POOL_ID, client_id="web", remember_devices=True, pool_settings=settings)
    client = Client(pool, clock)
    client.user(email="alice@example.com", email_verified="true", **{"custom:tenant": "acme"})
    client.user("bob", email="bob@example.com", email_verified="true")
    client.admin("CreateGroup", GroupName="staff", Precedence=3)
    client.admin("AdminAddUserToGroup", GroupName="staff", Username="alice")
    client.admin("CreateUserPoolDomain", Domain="import-test")
    scopes = [{"ScopeName": "read", "ScopeDescription": "r"}]
    client.admin("CreateResourceServer", Identifier="orders", Name="o", Scopes=scopes)
    limit = {"UserSessionTracking": "ENABLED", "TokenSession": {"MaxPerUser": 5}}
    client.admin("SetUserPoolSessionConfiguration", **limit)
    confirm_device(client, client.tokens())
    key = webauthn.encode_key(Authenticator().ec_key.public_key())

    def add_passkey(state: State) -> None:
        user = state.users.get(state.pool(POOL_ID), "alice")
        assert user is not None
        user.passkeys["credential"] = Passkey("credential", key, "localhost", clock.now)

    State(pool._service).run(add_passkey)
    document: dict[str, Any] = json.loads(pool.export_pool())
    return document


def import_into_new(document: object) -> LocalUserPool:
    pool = LocalUserPool(user_pool_id="us-east-1_Other", client_id="other")
    assert pool.import_pool(json.dumps(document)) == POOL_ID
    return pool


def change(document: Any, path: tuple[str | int, ...], value: object) -> Any:
    changed = copy.deepcopy(document)
    *parents, last = path
    inner = changed
    for name in parents:
        inner = inner[name]
    if value is MISSING:
        del inner[last]
    else:
        inner[last] = value
    return changed


def paths(document: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the place of each value in a document."""
    if path:
        yield path
    inner = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for name, value in inner:
        yield from paths(value, (*path, name))


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        (("pool", "key"), "garbage", "pool.key"),
        (("pool", "key"), "-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----\n", "pool.key"),
        (("pool", "created"), 1e300, "pool.created"),
        (("pool", "settings"), {}, "pool.settings"),
        (("pool", "settings", "Schema"), "x", "pool.settings"),
        (("pool", "settings", "Policies"), "x", "pool.settings"),
        (("clients", 0, "settings"), {}, "clients[0].settings"),
        (("clients", 0, "settings", "ExplicitAuthFlows"), 7, "clients[0].settings"),
        (("clients", 0, "client_id"), "a b\n", "clients[0].client_id"),
        (("clients", 0, "secret"), "short", "clients[0].secret"),
        (("groups", 0, "name"), "", "groups[0]"),
        (("resources", "weird"), [], "resources.weird"),
        (("resources", "domain", 0, "settings", "UserPoolId"), "us-east-1_Other", "resources.domain[0]"),
        (("resources", "resource_server", 0, "settings"), {"Name": "o"}, "resources.resource_server[0]"),
        (("resources", "document", 0, "settings"), {}, "resources.document[0]"),
        (("users", 0, "groups"), ["nobody"], "users[0].groups"),
        (("users", 0, "user", "username"), "", "users[0].username"),
        (("users", 0, "user", "username"), "bob", "users[1].username"),
        (("users", 0, "user", "status"), "FOO", "users[0].status"),
        (("users", 0, "user", "sub"), "x", "users[0].sub"),
        (("users", 0, "user", "attributes", "email"), "bob@example.com", "users[1].attributes.email"),
        (("users", 0, "user", "attributes", "email"), "nonsense", "users[0].attributes"),
        (("users", 0, "user", "attributes", "custom:none"), "x", "users[0].attributes"),
        (("users", 0, "user", "attributes", "identities"), "{}", "users[0].attributes.identities"),
        (("users", 0, "user", "enabled_mfa"), ["FOO"], "users[0].enabled_mfa"),
        (("users", 0, "user", "totp_secret"), "1", "users[0].totp_secret"),
        (("users", 0, "user", "password", "value_bytes"), "", "users[0].password"),
        (("users", 0, "user", "passkeys", "credential", "key"), "AAAA", "users[0].passkeys"),
        (("users", 0, "user", "passkeys", "credential", "id"), "other", "users[0].passkeys"),
        (("users", 0, "user", "passkeys", "credential", "created"), -1.0, "users[0].passkeys"),
        (("users", 0, "user", "devices"), {"x": DEVICE}, "users[0].devices"),
        (("users", 0, "user", "codes"), {"reset": CODE}, "users[0].codes"),
        (("users", 1, "user", "attributes", "sub"), "x", "users[1].attributes.sub"),
        (("clients", 0, "second_secret"), {"value": "x" * 24, "created": 0.0}, "clients[0].second_secret"),
        (("providers",), [{"name": "x", "created": 0.0, "modified": 0.0, "settings": {}}], "providers[0]"),
        (("resources", "document", 0, "name"), "weird/", "resources.document[0]"),
    ],
)
def test_an_invalid_value_is_named_and_nothing_is_changed(
    exported: dict[str, Any], path: tuple[str | int, ...], value: object, place: str
) -> None:
    pool = import_into_new(exported)
    before = pool.export_pool(POOL_ID)
    with pytest.raises(ConfigurationError) as caught:
        pool.import_pool(json.dumps(change(exported, path, value)), replace=True)
    assert str(caught.value).startswith(f"invalid export: {place}: ")
    assert pool.export_pool(POOL_ID) == before


def test_an_id_that_no_request_can_have_is_refused(exported: dict[str, Any]) -> None:
    longer = change({**exported, "clients": []}, ("pool", "id"), POOL_ID + "a" * 40)
    with pytest.raises(ConfigurationError, match=r"invalid export: pool\.id: "):
        import_into_new(longer)


def test_two_users_cannot_have_the_same_sub_or_passkey(exported: dict[str, Any]) -> None:
    alice, bob = (entry["user"] for entry in exported["users"])
    same = {**bob, "sub": alice["sub"], "attributes": {**bob["attributes"], "sub": alice["sub"]}}
    with pytest.raises(ConfigurationError, match=r"invalid export: users\[1\]\.sub: another user has it"):
        import_into_new(change(exported, ("users", 1, "user"), same))
    with pytest.raises(ConfigurationError, match=r"users\[1\]\.passkeys: another user has 'credential'"):
        import_into_new(change(exported, ("users", 1, "user", "passkeys"), alice["passkeys"]))
    with pytest.raises(ConfigurationError, match=r"users\[2\]\.username: another user has it"):
        import_into_new({**exported, "users": [*exported["users"], exported["users"][0]]})
    with pytest.raises(ConfigurationError, match=r"clients\[1\]\.client_id: another app client has it"):
        import_into_new({**exported, "clients": exported["clients"] * 2})


@pytest.mark.parametrize("key", [ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP384R1())])
def test_a_passkey_of_another_algorithm_is_refused(exported: dict[str, Any], key: Any) -> None:
    path = ("users", 0, "user", "passkeys", "credential", "key")
    encoded = base64.b64encode(_public(key)).decode()
    with pytest.raises(ConfigurationError, match="neither RSA nor EC on the curve P-256"):
        import_into_new(change(exported, path, encoded))


def test_an_import_with_any_changed_value_is_refused_or_the_pool_works(exported: dict[str, Any]) -> None:
    chosen = random.Random(12)
    places = list(paths(exported))
    imported = 0
    for _ in range(EXAMPLES):
        path, value = chosen.choice(places), chosen.choice(JUNK)
        try:
            pool = import_into_new(change(exported, path, value))
        except ConfigurationError:
            continue
        except AssertionError:  # the id is another one
            continue
        imported += 1
        try:
            use(pool)
        except ServiceError as error:
            if error.status == 500:
                raise AssertionError((path, value)) from error
        except Exception as error:
            raise AssertionError((path, value)) from error
    assert imported > EXAMPLES / 20


def use(pool: LocalUserPool) -> None:
    client = Client(pool, Clock.stopped())
    client.pool_id, client.client_id = POOL_ID, "web"
    assert pool.document(f"/{POOL_ID}/.well-known/jwks.json")
    for operation in ("DescribeUserPool", "ListUserPoolClients", "ListUsers", "ListGroups"):
        client.admin(operation)
    client.call("ListUserPools", MaxResults=10)
    client.tokens("bob", PASSWORD)
    client.tokens("alice", PASSWORD)
