"""The page for people: what it shows, what it never shows, and who can read it. test_page.py of tests/system shows it."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from srpcore.protocol import Operation
from srpcore.service_model import TARGET_PREFIX
from srpcore_transports.credentials import Credentials
from srpcore_transports.local import LocalServer, LocalUserPool, UserPool
from srpcore_transports.local.http.page import DATA_PATH
from srpcore_transports.local.model.calls import KEPT
from srpcore_transports.local.operations.table import OPERATIONS
from srpcore_transports.local.storage.state import State
from support.users import PASSWORD

from .client import Client, confirm_device, enrol, refused

pytestmark = pytest.mark.slow  # for `make check`, which runs at every save


@pytest.fixture
def pool() -> UserPool:
    return UserPool()


@pytest.fixture
def server(pool: UserPool) -> Iterator[LocalServer]:
    with pool.serve() as server:
        yield server


def send(
    server: LocalServer, path: str = DATA_PATH, method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", int(server.url.rpartition(":")[2]), timeout=10)
    try:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
    finally:
        connection.close()


def data(server: LocalServer) -> dict[str, Any]:
    status, _, body = send(server)
    assert status == 200
    document: dict[str, Any] = json.loads(body)
    return document


class TestWhatItShows:
    def test_users_with_groups_and_attributes_the_newest_first(self, pool: UserPool, server: LocalServer) -> None:
        pool.add_user("alice", email="alice@example.com", groups=["staff", "admins"])
        pool.add_user("bob")
        (shown,) = data(server)["pools"]
        assert (shown["id"], shown["userCount"]) == (pool.user_pool_id, 2)
        bob, alice = shown["users"]
        assert (bob["username"], bob["groups"], bob["status"], bob["enabled"]) == ("bob", [], "CONFIRMED", True)
        assert (alice["username"], alice["groups"]) == ("alice", ["staff", "admins"])
        assert alice["attributes"]["email"] == "alice@example.com"
        assert [client["id"] for client in shown["clients"]] == [pool.client_id]
        assert [group["name"] for group in shown["groups"]] == ["staff", "admins"]

    def test_a_hundred_users_of_a_large_pool(self, pool: UserPool, server: LocalServer) -> None:
        names = [f"user-{number}" for number in range(103)]
        for name in names:
            pool.call(Operation("AdminCreateUser", {"UserPoolId": pool.user_pool_id, "Username": name}))
        (shown,) = data(server)["pools"]
        assert shown["userCount"] == 103
        assert [user["username"] for user in shown["users"]] == names[:2:-1]

    def test_devices_and_second_factors(self, make: Callable[..., Client]) -> None:
        client = make(remember_devices=True)
        client.user()
        device, _ = confirm_device(client, client.tokens())
        enrol(client)
        with client.pool.serve() as server:
            (user,) = data(server)["pools"][0]["users"]
        assert user["mfa"] == ["SOFTWARE_TOKEN_MFA"] == [user["preferredMfa"]]
        shown = next(found for found in user["devices"] if found["key"] == device.key)
        assert (shown["confirmed"], shown["remembered"]) == (True, True)

    def test_messages_with_their_codes_the_newest_first(self, pool: UserPool, server: LocalServer) -> None:
        for name in ("alice", "bob"):
            email = [{"Name": "email", "Value": f"{name}@example.com"}]
            given = {"ClientId": pool.client_id, "Username": name, "Password": PASSWORD, "UserAttributes": email}
            pool.call(Operation("SignUp", given))
        newest, oldest = data(server)["messages"]
        assert (oldest["username"], oldest["code"]) == ("alice", pool.outbox.latest("alice").code)
        assert (newest["username"], newest["code"]) == ("bob", pool.outbox.latest("bob").code)
        assert newest["purpose"] == "code to confirm the sign-up"
        assert newest["number"] > oldest["number"]

    def test_calls_in_process_and_over_http(self, pool: UserPool, server: LocalServer) -> None:
        pool.add_user("alice")
        before = data(server)["calls"][0]["number"]
        given = {"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": pool.client_id}
        pool.call(Operation("InitiateAuth", {**given, "AuthParameters": {"USERNAME": "alice", "PASSWORD": PASSWORD}}))
        pool.call(Operation("InitiateAuth", {**given, "AuthParameters": {"USERNAME": "alice", "PASSWORD": "wrong"}}))
        send(server, "/", "POST", X_Amz_Target=TARGET_PREFIX + "ListUsers")
        send(server, "/", "POST", X_Amz_Target=TARGET_PREFIX + "NoSuchOperation" * 20)
        shown = [call for call in data(server)["calls"] if call["number"] > before][::-1]
        assert [(call["operation"][:15], call["status"], call["error"], call["username"]) for call in shown] == [
            ("InitiateAuth", 200, None, "alice"),
            ("InitiateAuth", 400, "NotAuthorizedException", "alice"),
            ("ListUsers", 403, "MissingAuthenticationTokenException", None),
            ("NoSuchOperation", 400, "UnknownOperationException", None),
        ]
        assert len(shown[-1]["operation"]) == 128
        assert [call["seconds"] > 0 for call in shown[:2]] == [True, True]

    def test_a_call_that_raises_an_exception(
        self, pool: UserPool, server: LocalServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> dict[str, Any]:
            raise ZeroDivisionError

        monkeypatch.setitem(OPERATIONS, "GetUser", fail)
        with pytest.raises(ZeroDivisionError):
            pool.call(Operation("GetUser", {"AccessToken": "a.b.c"}))
        call = data(server)["calls"][0]
        assert (call["operation"], call["status"], call["error"]) == ("GetUser", 500, "InternalErrorException")

    def test_only_the_last_calls(self, pool: UserPool, server: LocalServer) -> None:
        for _ in range(KEPT + 5):
            pool.call(Operation("GetUser", {"AccessToken": "a.b.c"}))
        numbers = [call["number"] for call in data(server)["calls"]]
        assert numbers == list(range(KEPT + 5, 5, -1))


class TestVersion:
    def test_nothing_is_sent_if_nothing_has_changed(self, server: LocalServer) -> None:
        version = send(server)[1]["etag"]
        status, headers, body = send(server, If_None_Match=version)
        assert (status, headers["etag"], body) == (304, version, b"")

    @pytest.mark.parametrize("change", ["user", "call", "message", "removed message", "reset"])
    def test_it_changes_with_all_that_is_shown(self, pool: UserPool, server: LocalServer, change: str) -> None:
        service = pool._service
        given = {"UserPoolId": pool.user_pool_id, "Username": "alice"}
        pool.call(
            Operation("AdminCreateUser", {**given, "UserAttributes": [{"Name": "email", "Value": "a@example.com"}]})
        )
        version = send(server)[1]["etag"]
        if change == "user":
            State(service).run(
                lambda state: setattr(state.users.get(state.pool(pool.user_pool_id), "alice"), "enabled", False)
            )
        elif change == "call":
            service.calls.add(0.0, "GetUser", 200, None, None, 0.0)
        elif change == "message":
            pool.outbox.messages.append(pool.outbox.messages[0])
        elif change == "reset":
            service.database.restore(service.database.copy(), lambda: None)
        else:
            pool.outbox.messages.clear()
        assert send(server, If_None_Match=version)[0] == 200


class TestWhoCanReadIt:
    @pytest.mark.parametrize("origin", ["http://localhost:3000", "http://127.0.0.1:3000", "https://evil.example"])
    def test_no_page_of_another_origin(self, server: LocalServer, origin: str) -> None:
        for path in ("/", DATA_PATH):
            _, headers, _ = send(server, path, Origin=origin)
            assert not [name for name in headers if name.startswith("access-control-")]
            assert headers["cross-origin-resource-policy"] == "same-origin"

    def test_no_page_of_another_origin_after_a_preflight(self, server: LocalServer) -> None:
        asked = {"Origin": "http://localhost:3000", "Access_Control_Request_Method": "GET"}
        status, headers, _ = send(server, DATA_PATH, "OPTIONS", **asked)
        assert (status, headers["allow"]) == (405, "GET")
        assert not [name for name in headers if name.startswith("access-control-")]

    @pytest.mark.parametrize(
        ("site", "expected"), [("same-origin", 200), ("none", 200), ("same-site", 403), ("x", 403)]
    )
    def test_no_request_that_the_browser_marks_as_anothers(self, server: LocalServer, site: str, expected: int) -> None:
        status, _, body = send(server, Sec_Fetch_Site=site)
        assert status == expected
        assert (b"pools" in body) == (expected == 200)

    def test_no_frame_and_no_script_but_its_own(self, server: LocalServer) -> None:
        _, headers, body = send(server, "/")
        rules = dict(rule.strip().split(" ", 1) for rule in headers["content-security-policy"].split(";"))
        assert rules["default-src"] == "'none'"
        assert rules["frame-ancestors"] == "'none'"
        assert rules["connect-src"] == "'self'"
        assert "unsafe" not in headers["content-security-policy"]
        for kind in ("script", "style"):
            (content,) = re.findall(f"<{kind}>(.*?)</{kind}>".encode(), body, re.DOTALL)
            digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
            assert rules[f"{kind}-src"] == f"'sha256-{digest}'"

    def test_it_loads_nothing_else(self, server: LocalServer) -> None:
        body = send(server, "/")[2].decode().replace("http://www.w3.org/2000/svg", "")  # the name of a namespace
        assert "//" not in re.sub(r"^ *//.*|  // .*", "", body, flags=re.MULTILINE)
        assert not re.search(
            r"\b(src|action|style|on\w+)=|@import|url\(|innerHTML|<link(?! rel=\"icon\" href=\"data:)", body
        )

    def test_dns_rebinding_is_prevented_on_loopback(self, server: LocalServer) -> None:
        for path in ("/", DATA_PATH):
            assert send(server, path, Host="evil.example")[0] in (403, 404)

    @pytest.mark.parametrize(
        ("host", "expected"),
        [
            ("localhost:9229", 200),
            ("192.0.2.7", 200),
            ("[2001:db8::7]:80", 200),
            ("pool.example", 200),
            ("evil.example", 403),
            ("*", 404),
        ],
    )
    @pytest.mark.parametrize("more", [[], ["*"]])
    def test_dns_rebinding_is_prevented_where_every_name_is_accepted(
        self, pool: UserPool, host: str, expected: int, more: list[str]
    ) -> None:
        with pool.serve("0.0.0.0", page=True, allowed_hosts=["pool.example", *more]) as server:
            for path in ("/", DATA_PATH):
                assert send(server, path, Host=host)[0] == expected

    def test_the_control_endpoint_is_beside_it(self, pool: UserPool) -> None:
        with pool.serve(control=True) as server:
            assert data(server)["pools"]
            assert send(server, "/_srpcore/clock", X_Srpcore_Control="1")[0] == 200

    @pytest.mark.parametrize("settings", [{"page": False}, {"host": "0.0.0.0"}])
    def test_nobody_if_it_is_off(self, pool: UserPool, settings: dict[str, Any]) -> None:
        with pool.serve(**settings) as server:
            assert server.page_url is None
            for path in ("/", DATA_PATH):
                assert send(server, path)[0] == 404

    def test_it_is_on_by_default_on_loopback(self, server: LocalServer) -> None:
        assert server.page_url == f"{server.url}/"


def leaves(value: object, path: str = "") -> Iterator[tuple[str, str | bytes]]:
    """Yield all strings in a JSON or MessagePack document, with their places."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from leaves(member, f"{path}/{name}")
    elif isinstance(value, list):
        for member in value:
            yield from leaves(member, path)
    elif isinstance(value, str | bytes):
        yield path, value


SECRET_SIZE = 16
"""Shorter strings in the database are names of states and the like. Passwords are given to the test explicitly."""

# What may be shown, by table and place in the record.
PUBLIC = re.compile(
    r"user:/(username|sub|attributes/.*|status|codes/.*|enabled_mfa|preferred_mfa|devices/[^/]+/(key|name))"
    r"|record:/(id|client_id|user_pool_id|name|description|settings/(?!ProviderDetails).*)"
    r"|(login|login_grant|refresh_token):.*/(username|sub|pool_id|client_id|client|device_key|challenges|claims|scope)"
)
PUBLIC_ON_THE_WIRE = re.compile(
    r".*/(Username|USERNAME|USER_ID_FOR_SRP|UserPoolId|ClientId|ClientName|UserSub|DeviceKey|DEVICE_KEY|Value|Name|"
    r"ProviderName|ProviderType|ChallengeName|AuthFlow|ExplicitAuthFlows|Destination|UserStatus|AttributeName|__type|message|Arn)"
)


def secrets_in_database(pool: LocalUserPool) -> Iterator[tuple[str, str | bytes]]:
    connection = pool._service.database.connection
    for table in ("record", "user", "login", "login_grant", "refresh_token", "auth_event"):
        for (stored,) in connection.execute(f"SELECT data FROM {table}").fetchall():
            for path, value in leaves(msgspec.msgpack.decode(stored), f"{table}:"):
                if len(value) >= SECRET_SIZE and not PUBLIC.fullmatch(path):
                    yield path, value


def spellings(value: str | bytes) -> set[str]:
    """Return the forms in which a value could be in a page."""
    if isinstance(value, str):
        return {value}
    number = int.from_bytes(value, "big", signed=True)
    encoded = base64.b64encode(value).decode().rstrip("=")
    return {value.hex(), f"{number:x}", str(number), encoded, encoded.replace("+", "-").replace("/", "_")}


def live(client: Client) -> list[str]:
    """Make users with everything that is secret, log in, fail, and leave logins half finished. Return the passwords."""
    client.admin(
        "CreateIdentityProvider",
        ProviderName="Google",
        ProviderType="Google",
        ProviderDetails={"client_id": "x", "client_secret": "marker-of-the-provider", "authorize_scopes": "openid"},
    )
    client.user(email="alice@example.com", email_verified="true")
    tokens = client.tokens()
    confirm_device(client, tokens)
    totp_secret = enrol(client)
    client.call("AssociateSoftwareToken", AccessToken=tokens["AccessToken"])
    client.begin()
    client.log_in()
    temporary = "Marker-Of-Temporary-1"
    client.admin("AdminCreateUser", Username="bob", TemporaryPassword=temporary, MessageAction="SUPPRESS")
    wrong = "Marker-Of-Wrong-1"
    values = {"USERNAME": "alice", "PASSWORD": wrong, **client.hash("alice")}
    with refused("NotAuthorizedException"):
        client.call("InitiateAuth", ClientId=client.client_id, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=values)
    client.admin("AddUserPoolClientSecret", ClientId=client.client_id)
    return [PASSWORD, temporary, wrong, totp_secret]


class Recorded(Client):
    """A client that remembers all that was sent and received."""

    wire: list[tuple[str, str | bytes]]

    def call(self, name: str, **parameters: Any) -> dict[str, Any]:
        self.wire += leaves(parameters)
        document = super().call(name, **parameters)
        self.wire += leaves(document)
        return document


def test_it_has_no_secrets(clock: Any) -> None:
    keys = Credentials("AKIDEXAMPLE", "marker-of-the-aws-keys")
    pool = UserPool(clock=clock, credentials=keys, remember_devices=True, client_secret=True)
    client = Recorded(pool, clock)
    client.wire = []
    secrets: set[tuple[str, str | bytes]] = {("password", value) for value in live(client)}
    secrets.add(("keys", keys.secret_access_key))
    secrets |= {
        found for found in client.wire if len(found[1]) >= SECRET_SIZE and not PUBLIC_ON_THE_WIRE.match(found[0])
    }
    secrets |= set(secrets_in_database(pool))
    places = {path for path, _ in secrets}
    # The search has found what it must find.
    for place in ("record:/key", "record:/secret", "user:/password/value_bytes", "user:/totp_secret", "/Session"):
        assert place in places
    for place in ("user:/totp_pending", "/AuthenticationResult/RefreshToken", "/SecretCode", "record:/settings"):
        assert any(path.startswith(place) for path in places), place
    with pool.serve() as server:
        text = "\n".join(str(value) for _, value in leaves(data(server)))
    assert "alice@example.com" in text
    assert not [path for path, value in secrets if any(spelling in text for spelling in spellings(value))]
