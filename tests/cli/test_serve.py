"""``srpcore serve``: its output, the signatures it accepts, and how it ends. The client is boto3."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from srpcore import Cognito
from support.cli_processes import KEYS, SRPCORE, Server, Terminal, awaited, environment, run, serving, stopped
from support.loopback import LoopbackServer, answer
from support.users import PASSWORD

# These tests start one process or more each, so together they are too slow for the unit tier.
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_one_line_of_json_and_ends_cleanly(number: signal.Signals) -> None:
    with serving() as server:
        document = json.loads(server.line)
        assert document.keys() == {"url", "user_pool_id", "client_id"}
        assert server.line == f"{json.dumps(document)}\n"
        assert server.url.startswith("http://127.0.0.1:")
        assert server.stop(number) == 0
        assert server.process.stdout is not None
        assert server.process.stdout.read() == b""
        assert server.log.read_bytes() == b""
        port = int(server.url.rpartition(":")[2])
        with pytest.raises(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
            pass


def test_an_interrupt_ends_it_even_as_a_background_job_of_a_shell() -> None:
    # There a process starts with SIGINT ignored.
    with stopped(
        subprocess.Popen(
            ["sh", "-c", "trap '' INT; exec \"$@\"", "sh", *SRPCORE, "serve", "--port", "0", "--json"],
            stdout=subprocess.PIPE,
            env=environment(),
        )
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0


def test_calls_signed_with_the_keys_of_the_environment_are_accepted(server: Server, admin: Any, user: str) -> None:
    assert admin.admin_get_user(UserPoolId=server.user_pool_id, Username=user)["UserStatus"] == "CONFIRMED"
    names = {found["Username"] for found in admin.list_users(UserPoolId=server.user_pool_id)["Users"]}
    assert user in names


@pytest.mark.parametrize(
    "settings",
    [
        {"aws_secret_access_key": "another"},
        {"aws_access_key_id": "AKIDOFANOTHER"},
        {"aws_session_token": "another"},
        {"region_name": "eu-west-1"},
        {"config": Config(signature_version=UNSIGNED, proxies={})},
    ],
    ids=["secret", "key", "token", "region", "unsigned"],
)
def test_calls_signed_with_other_keys_are_refused(server: Server, settings: dict[str, Any]) -> None:
    client = server.client(**settings)
    with pytest.raises(ClientError) as caught:
        client.admin_create_user(UserPoolId=server.user_pool_id, Username="mallory")
    client.close()
    assert 400 <= caught.value.response["ResponseMetadata"]["HTTPStatusCode"] <= 403
    assert KEYS["AWS_SECRET_ACCESS_KEY"] not in str(caught.value)


def test_without_keys_every_signed_call_is_refused() -> None:
    with serving(keys={}) as server:
        client = server.client()
        with pytest.raises(ClientError, match=r"UnrecognizedClientException.*started without AWS keys: restart"):
            client.list_users(UserPoolId=server.user_pool_id)
        client.close()
        error = run("users", "list", *server.pool(), **KEYS).refused(3)
        assert "restart srpcore serve with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in error


def test_half_a_pair_of_keys_is_one_error_line() -> None:
    error = run("serve", "--port", "0", AWS_SECRET_ACCESS_KEY="half-of-them").refused()
    assert "AWS_ACCESS_KEY_ID" in error
    assert "half-of-them" not in error


def test_options_set_up_the_pool() -> None:
    options = ("--client-secret", "--devices", "--region", "eu-west-1", "--issuer", "https://issuer.example/")
    with serving(*options) as server:
        assert server.user_pool_id.startswith("eu-west-1_")
        assert server.client_secret
        client = server.client()
        client.admin_create_user(UserPoolId=server.user_pool_id, Username="dora", MessageAction="SUPPRESS")
        client.admin_set_user_password(
            UserPoolId=server.user_pool_id, Username="dora", Password=PASSWORD, Permanent=True
        )
        client.close()
        login = ["login", *server.pool(), "--username", "dora"]
        # A client of this endpoint does not accept that issuer.
        error = run(*login, stdin=PASSWORD, SRPCORE_CLIENT_SECRET=server.client_secret).refused()
        assert f"https://issuer.example/{server.user_pool_id}" in error


def test_tests_control_it_only_if_it_is_started_so() -> None:
    for options, status in ((["--control"], 200), ([], 404)):
        with serving(*options) as server:
            request = Request(f"{server.url}/_srpcore/clock", headers={"x-srpcore-control": "1"})
            try:
                with urlopen(request, timeout=30) as response:
                    answered = response.status
            except HTTPError as error:
                answered = error.code
                error.close()
            assert answered == status
    for token, reason in (("", "cannot serve the control endpoint on '0.0.0.0'"), ("short", "at least 16 ASCII")):
        refused = run("serve", "--control", "--host", "0.0.0.0", "--port", "0", SRPCORE_CONTROL_TOKEN=token)
        assert refused.status == 2
        assert reason in refused.stderr


def test_tests_control_it_in_a_container_with_the_token_of_the_environment() -> None:
    token = "6f1c9f0e3b7a4d52"
    with serving("--control", "--host", "0.0.0.0", keys={"SRPCORE_CONTROL_TOKEN": token}) as server:
        url = f"{server.url}/_srpcore/clock"
        with urlopen(Request(url, headers={"x-srpcore-control": token}), timeout=30) as response:
            assert response.status == 200
        with pytest.raises(HTTPError) as caught:
            urlopen(Request(url, headers={"x-srpcore-control": "1"}), timeout=30)
        caught.value.close()
        assert caught.value.code == 403


def test_a_wrong_seed_is_one_error_line(tmp_path: Path) -> None:
    seed = tmp_path / "seed.toml"
    seed.write_text('[[pools]]\nid = "us-east-1_Seed"\nuser = []\n', encoding="utf-8")
    error = run("serve", "--port", "0", "--seed", str(seed)).refused()
    assert error.endswith("pools[0]: unknown key 'user'; did you mean 'users'?\n")


def test_triggers_are_http_endpoints() -> None:
    def confirm(body: bytes) -> bytes:
        event = json.loads(body)
        if event["triggerSource"] == "PreSignUp_SignUp":
            event["response"]["autoConfirmUser"] = True
        else:
            details = {"accessTokenGeneration": {"claimsToAddOrOverride": {"tenant": "acme"}}}
            event["response"]["claimsAndScopeOverrideDetails"] = details
        return answer(json.dumps(event).encode())

    with LoopbackServer(lambda request, _: confirm(request.body)) as functions:
        urls = [f"{name}={functions.url}/functions/{name}" for name in ("pre_sign_up", "pre_token_generation")]
        options = ["--trigger", urls[0], "--trigger", urls[1], "--pre-token-generation-version", "V2_0"]
        with (
            serving(*options) as server,
            Cognito(server.user_pool_id, server.client_id, username="dora", endpoint_url=server.url) as user,
        ):
            user.register("dora", PASSWORD)
            user.authenticate(PASSWORD)
            assert user.access_claims is not None
            assert user.access_claims["tenant"] == "acme"
    assert [request.target for request in functions.requests] == [
        "/functions/pre_sign_up",
        "/functions/pre_token_generation",
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["pre_sign_up"], "use NAME=URL with one of pre_sign_up, post_confirmation, "),
        (["sign_up=http://127.0.0.1/f"], "invalid --trigger 'sign_up=http://127.0.0.1/f'"),
        (["pre_sign_up=https://127.0.0.1/f"], "not the http URL of a function"),
        (["pre_sign_up=http://127.0.0.1/f"] * 2, "--trigger pre_sign_up is given twice"),
    ],
)
def test_a_trigger_that_is_not_valid_is_one_error_line(options: list[str], message: str) -> None:
    given = [part for option in options for part in ("--trigger", option)]
    assert message in run("serve", "--port", "0", *given).refused()


def test_tokens_expire_after_the_seconds_of_the_options() -> None:
    options = ("--user", "alice", "--access-token-seconds", "30", "--refresh-token-seconds", "90")
    with serving(*options) as server:
        login = run("login", *server.pool(), "--username", "alice", stdin=f"{server.password}\n")
        tokens = json.loads(login.stdout)
        for name in ("access_token", "id_token"):
            claims = json.loads(run("decode", stdin=tokens[name]).stdout)["claims"]
            assert claims["exp"] - claims["iat"] == 30
        client = server.client()
        described = client.describe_user_pool_client(UserPoolId=server.user_pool_id, ClientId=server.client_id)
        client.close()
        assert described["UserPoolClient"]["RefreshTokenValidity"] == 90
        assert described["UserPoolClient"]["TokenValidityUnits"]["RefreshToken"] == "seconds"
    for invalid in ("0", "86401", "soon"):
        assert "invalid number of seconds" in run("serve", "--access-token-seconds", invalid).stderr


def test_devices_are_remembered_only_with_the_option(server: Server, user: str) -> None:
    with Cognito(server.user_pool_id, server.client_id, username=user, endpoint_url=server.url) as here:
        here.authenticate(PASSWORD)
        assert here.new_device_metadata is None
    with serving("--devices") as tracking:
        client = tracking.client()
        client.admin_create_user(UserPoolId=tracking.user_pool_id, Username="dora", MessageAction="SUPPRESS")
        client.admin_set_user_password(
            UserPoolId=tracking.user_pool_id, Username="dora", Password=PASSWORD, Permanent=True
        )
        client.close()
        with Cognito(tracking.user_pool_id, tracking.client_id, username="dora", endpoint_url=tracking.url) as there:
            there.authenticate(PASSWORD)
            assert there.confirm_device("a test").key
            there.authenticate(PASSWORD)
            assert there.device is not None


def test_first_user_logs_in_with_the_password_that_is_printed() -> None:
    with serving("--user", "fay") as server:
        document = json.loads(server.line)
        assert document["username"] == "fay"
        login = ["login", *server.pool(), "--username", "fay", "--token", "access"]
        assert run(*login, stdin=document["password"]).status == 0


def test_first_user_logs_in_with_the_password_of_the_environment() -> None:
    with serving("--user", "fay", keys={"SRPCORE_USER_PASSWORD": PASSWORD}) as server:
        assert "password" not in json.loads(server.line)
        assert PASSWORD not in server.line
        assert run("login", *server.pool(), "--username", "fay", "--token", "access", stdin=PASSWORD).status == 0


def test_password_of_the_first_user_that_is_too_short_is_one_clear_error() -> None:
    for password in ("sh0rt-", "x"):
        error = run("serve", "--port", "0", "--user", "fay", SRPCORE_USER_PASSWORD=password).refused(2)
        assert (
            "SRPCORE_USER_PASSWORD is refused: a password of this pool needs at least 8 characters, with upper" in error
        )
    assert "sh0rt-" not in error


def test_user_whose_password_is_refused_is_not_kept(tmp_path: Path) -> None:
    state = ("--state", str(tmp_path / "pool.db"), "--user", "fay")
    assert run("serve", "--port", "0", *state, SRPCORE_USER_PASSWORD="sh0rt-").status == 2
    with serving(*state) as server:
        assert "password" in json.loads(server.line)


def test_summary_shows_the_first_user_or_how_to_create_one() -> None:
    for options, row, login in (
        ((), "users         none yet: sign up, or start with --user NAME", ""),
        (("--user", "fay$1"), "username      fay$1", " --username 'fay\\$1'"),
    ):
        with Terminal("serve", "--port", "0", *options, settings={"NO_COLOR": "1"}) as terminal:
            terminal.await_text("Ctrl-C")
            terminal.process.send_signal(signal.SIGTERM)
            assert terminal.end() == 0
        lines = [line.strip() for line in terminal.shown.splitlines()]
        assert row in lines
        example = next(line for line in lines if line.startswith("srpcore login"))
        assert re.fullmatch(rf"srpcore login --endpoint-url \S+{login}", example)
        assert any(re.fullmatch("password +[-_a-zA-Z0-9]{20}", line) for line in lines) == bool(options)


def test_summary_shows_the_state_the_users_in_it_and_the_control_endpoint(tmp_path: Path) -> None:
    seed, state = tmp_path / "seed.json", tmp_path / "pool.db"
    user = {"username": "fay", "password": PASSWORD}
    seed.write_text(json.dumps({"pools": [{"id": "us-east-1_Seed", "users": [user]}]}), encoding="utf-8")
    options = ("--seed", str(seed), "--state", str(state), "--control")
    with Terminal("serve", "--port", "0", *options, settings={"NO_COLOR": "1"}) as terminal:
        terminal.await_text("Ctrl-C")
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.end() == 0
    shown = " ".join(terminal.shown.split())
    assert f"a local user pool, kept in {state} url" in shown
    assert "users 1 page" in shown
    assert "/_srpcore/ moves the clock" in shown
    assert "deletes its data" not in shown


def shown_by(*options: str, **settings: str) -> str:
    """Return what ``serve`` prints at a terminal."""
    with Terminal("serve", "--port", "0", *options, settings={"NO_COLOR": "1", **settings}) as terminal:
        terminal.await_text("Ctrl-C")
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.end() == 0
    return terminal.shown


def test_summary_names_the_file_that_keeps_the_data(tmp_path: Path) -> None:
    state = tmp_path / "pool.db"
    shown = shown_by("--state", str(state), "--user", "fay")
    assert f"a local user pool, kept in {state}" in shown
    assert f"its data stays in {state}." in shown
    assert "in memory" not in shown
    assert "deletes" not in shown
    assert "users  " not in shown
    again = shown_by("--state", str(state), "--user", "fay", SRPCORE_USER_PASSWORD=PASSWORD)
    assert re.search("password +as before", again)
    assert "SRPCORE_USER_PASSWORD is ignored: user fay exists already" in again
    assert re.search("users +1", shown_by("--state", str(state)))
    assert re.search("users +2", shown_by("--state", str(state), "--user", "gus"))


def test_options_without_effect_on_a_pool_that_exists_are_named(tmp_path: Path) -> None:
    state = ("--state", str(tmp_path / "pool.db"), "--refresh-token-seconds", "60")
    options = ("--access-token-seconds", "5", "--client-secret", "--devices")
    with serving(*state) as server:
        client_id = server.client_id
    with serving(*state, *options) as server:
        lines = server.log.read_text().splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["--access-token-seconds", "--client-secret", "--devices"]
    assert lines[0] == (
        f"--access-token-seconds is ignored: app client {client_id} exists in {state[1]}; change it with "
        "UpdateUserPoolClient, or use a new file"
    )
    with serving("--state", str(tmp_path / "new.db"), *options) as server:
        assert server.log.read_text() == ""


def test_a_region_that_differs_from_the_id_of_the_pool_is_named() -> None:
    with serving("--region", "eu-west-1", "--user-pool-id", "us-east-1_Chosen001") as server:
        ignored = "--region is ignored: user pool us-east-1_Chosen001 is in us-east-1, the region in its id\n"
        assert server.log.read_text() == ignored
    with serving("--region", "eu-west-1", "--user-pool-id", "eu-west-1_Chosen001") as server:
        assert server.log.read_text() == ""


def test_the_summary_names_all_pools_of_a_seed(tmp_path: Path) -> None:
    seed = tmp_path / "seed.json"
    ids = [f"eu-west-1_Pool000{number:02}" for number in range(62)]  # more than a page of ListUserPools
    seed.write_text(json.dumps({"pools": [{"id": each} for each in ids]}))
    shown = shown_by("--seed", str(seed))
    assert re.search("user pool id +eu-west-1_Pool00000", shown)
    assert all(each in shown for each in ids)
    assert "other pools" not in shown_by()


def test_triggers_without_effect_on_a_pool_that_exists_are_named(tmp_path: Path) -> None:
    state = ("--state", str(tmp_path / "pool.db"))
    claims = ("--trigger", "pre_token_generation=http://127.0.0.1:1/")
    with serving(*state, *claims) as server:
        pool = f"user pool {server.user_pool_id} exists in {state[1]}"
    change = "change its LambdaConfig with UpdateUserPool, or use a new file"
    with serving(*state, *claims, "--trigger", "pre_sign_up=http://127.0.0.1:1/") as server:
        assert server.log.read_text() == f"--trigger pre_sign_up is ignored: {pool} without it; {change}\n"
    with serving(*state, *claims, "--pre-token-generation-version", "V2_0") as server:
        assert server.log.read_text() == f"--pre-token-generation-version is ignored: {pool} with V1_0; {change}\n"


def test_codes_are_printed(server: Server, admin: Any) -> None:
    address = "sue@example.com"
    client = server.client(config=Config(signature_version=UNSIGNED, proxies={}))
    client.sign_up(
        ClientId=server.client_id,
        Username="sue",
        Password=PASSWORD,
        UserAttributes=[{"Name": "email", "Value": address}],
    )
    client.confirm_sign_up(ClientId=server.client_id, Username="sue", ConfirmationCode=server.await_code(address))
    client.forgot_password(ClientId=server.client_id, Username="sue")
    awaited(lambda: [line for line in server.log.read_text().splitlines() if "reset the password" in line])
    client.confirm_forgot_password(
        ClientId=server.client_id,
        Username="sue",
        ConfirmationCode=server.await_code(address),
        Password="Another-Horse-2",
    )
    client.close()
    lines = [line for line in server.log.read_text().splitlines() if address in line]
    assert [line.rpartition(":")[0] for line in lines] == [
        f"e-mail to {address} for sue: code to confirm the sign-up",
        f"e-mail to {address} for sue: code to reset the password",
    ]
    run("login", *server.pool(), "--username", "sue", stdin=PASSWORD).refused()
    assert run("login", *server.pool(), "--username", "sue", stdin="Another-Horse-2").status == 0


def test_invitation_prints_the_temporary_password(server: Server, admin: Any) -> None:
    admin.admin_create_user(
        UserPoolId=server.user_pool_id,
        Username="ivy",
        UserAttributes=[{"Name": "email", "Value": "ivy@example.com"}],
        DesiredDeliveryMediums=["EMAIL"],
    )
    temporary = server.await_code("ivy@example.com")
    lines = f"{temporary}\n{PASSWORD}\n{PASSWORD}\n"
    assert run("login", *server.pool(), "--username", "ivy", stdin=lines).status == 0


def test_a_port_in_use_is_one_error_line(server: Server) -> None:
    port = server.url.rpartition(":")[2]
    error = run("serve", "--port", port).refused()
    assert f"127.0.0.1 port {port}" in error
    assert "--port 0" in error


@pytest.mark.parametrize("host", ["", "a..b"])
def test_an_invalid_host_is_one_error_line(host: str) -> None:
    last = run("serve", "--port", "0", "--host", host)
    assert (last.status, last.stdout) == (2, "")
    assert "Traceback" not in last.stderr
    assert last.stderr.splitlines()[-1].startswith("srpcore: ")


def test_listening_for_other_machines_prints_a_warning() -> None:
    # An address for documentation (RFC 5737), which this machine does not have: nothing is listened on.
    result = run("serve", "--port", "0", "--host", "192.0.2.1")
    assert (result.status, result.stdout) == (2, "")
    warning, error = result.stderr.splitlines()
    assert warning.startswith("warning: 192.0.2.1 lets other machines connect")
    assert error.startswith("srpcore: cannot listen on 192.0.2.1 port 0")


def test_an_invalid_region_is_one_error_line() -> None:
    assert "region" in run("serve", "--port", "0", "--region", "no region").refused()


@pytest.mark.parametrize(
    ("settings", "said"),
    [(KEYS, "accepted with the AWS keys of AKIDOFTHETESTS"), ({}, "refused: set AWS_ACCESS_KEY_ID")],
    ids=["keys", "no keys"],
)
def test_a_summary_is_printed_at_a_terminal(settings: dict[str, str], said: str) -> None:
    with Terminal(
        "serve", "--port", "0", "--issuer", "https://issuer.example", settings={**settings, "NO_COLOR": "1"}
    ) as terminal:
        terminal.await_text("Ctrl-C")
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.end() == 0
    assert "\x1b" not in terminal.shown
    rows = [re.split(r"  +", line.strip(), maxsplit=1) for line in terminal.shown.splitlines()]
    names = {row[0]: row[1] for row in rows if len(row) == 2}
    assert names["signed calls"].startswith(said)
    assert names["page"] == f"{names['url']}/ shows users, codes and calls"
    assert names["issuer"] == f"https://issuer.example/{names['user pool id']}"
    assert f"srpcore login --endpoint-url {names['url']}" in terminal.shown
    assert f'Cognito("{names["user pool id"]}", "{names["client id"]}",' in terminal.shown
    assert KEYS["AWS_SECRET_ACCESS_KEY"] not in terminal.shown
    assert max(len(line) for line in terminal.shown.splitlines()) <= 80


@pytest.mark.parametrize(("options", "status"), [([], 200), (["--no-page"], 404)])
def test_the_page_can_be_turned_off(options: list[str], status: int) -> None:
    with serving(*options) as server:
        connection = http.client.HTTPConnection("127.0.0.1", int(server.url.rpartition(":")[2]), timeout=10)
        connection.request("GET", "/")
        assert connection.getresponse().status == status
        connection.close()


def test_a_named_host_is_accepted() -> None:
    with serving("--allowed-host", "pool.example", "--allowed-host", "other.example") as server:
        url = f"{server.url}/{server.user_pool_id}/.well-known/openid-configuration"
        for host in ("pool.example", "other.example:9229"):
            with urlopen(Request(url, headers={"Host": host}), timeout=10) as response:
                assert json.loads(response.read())["issuer"] == f"http://{host}/{server.user_pool_id}"
        with pytest.raises(HTTPError):
            urlopen(Request(url, headers={"Host": "evil.example"}), timeout=10)
