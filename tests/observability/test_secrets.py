"""No secret is logged or recorded, at any level, in any story."""

from __future__ import annotations

import base64
import gc
import inspect
import io
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

import srpcore
from observability.ledger import Journal, Ledger, everything, leaks
from observability.stage import Stage
from observability.stories import STORIES
from srpcore import exceptions
from srpcore.cli import main
from srpcore.cli.exit_status import ExitStatus
from srpcore.crypto import cognito, srp
from srpcore.protocol import Operation
from srpcore_transports.credentials import Credentials
from srpcore_transports.https import HttpsTransport
from srpcore_transports.local import LocalUserPool
from srpcore_transports.signing import RequestSigner
from support.loopback import LoopbackServer, answer
from support.tracing import Tracing
from support.users import PASSWORD
from support.world import World


@pytest.fixture
def journal() -> Iterator[Journal]:
    """Log everything, of every logger."""
    journal, root = Journal(), logging.getLogger()
    before = root.level
    root.setLevel(logging.DEBUG)
    root.addHandler(journal)
    # Journal.objects() looks at every object that the collector knows. Those that exist already (some 300,000, of
    # modules and of pytest) cannot hold a secret of this test: gc.freeze() leaves them out. They stay frozen after the
    # test, as tests/conftest.py wants; garbage of earlier tests is collected first.
    gc.collect()
    gc.freeze()
    yield journal
    root.removeHandler(journal)
    root.setLevel(before)


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """Keep what is computed and what is signed, beside what the wire tells."""
    ledger = Ledger()

    def premaster(group: Any, k: int, pair: Any, B: int, x: int, u: int) -> int:
        S = real_premaster(group, k, pair, B, x, u)
        ledger.hear([pair.secret, x, S])
        ledger.hear(pair.public, "SRP_A")
        return S

    def key(*arguments: Any) -> bytes:
        K = real_key(*arguments)
        ledger.hear(K)
        return K

    def signed(self: RequestSigner, *arguments: Any) -> Mapping[str, str]:
        headers = real_signed(self, *arguments)
        ledger.hear(
            [headers.get("X-Amz-Security-Token", ""), *headers.get("Authorization", "").split("Signature=")[1:]]
        )
        return headers

    real_premaster, real_key, real_signed = srp.client_premaster, cognito.client_key, RequestSigner.signed
    monkeypatch.setattr(srp, "client_premaster", premaster)
    monkeypatch.setattr(cognito, "client_key", key)
    monkeypatch.setattr(RequestSigner, "signed", signed)
    return ledger


def assert_silent(ledger: Ledger, journal: Journal, tracing: Tracing) -> None:
    """Assert that nothing of *ledger* was written, and that something was."""
    written = {**everything(journal), "spans": "\n".join(span.to_json() for span in tracing.ended)}
    for what, text in written.items():
        assert text, what
        hidden = ledger.secrets | (ledger.details if what in ("log", "events", "spans") else set())
        found = leaks(text, hidden)
        assert not found, f"in the {what}: {found}"


def play(
    kind: str, names: Iterable[str], ledger: Ledger, journal: Journal, tracing: Tracing
) -> tuple[set[str], set[str]]:
    """Play the stories, and return which methods were used and which operations were asked."""
    used, asked = set[str](), set[str]()
    for name in names:
        story, settings = STORIES[name]
        stage = Stage(kind, ledger, journal, tracing, **settings)
        try:
            stage.play(story)
        finally:
            stage.close()
        used |= stage.used
        asked |= {operation.name for operation in stage.wire.operations}
    return used, asked


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["https", "asynchronous httpx"])
def test_no_secret_of_a_story_is_written(kind: str, ledger: Ledger, journal: Journal, tracing: Tracing) -> None:
    used, asked = play(kind, STORIES, ledger, journal, tracing)
    assert_silent(ledger, journal, tracing)
    assert len(ledger.secrets) > 200
    for name in asked:
        assert f"{name} to 127.0.0.1, attempt 1: " in journal.log, name
        assert any(span.name == f"CognitoIdentityProvider.{name}" for span in tracing.ended), name
    methods = {name for name, _ in inspect.getmembers(srpcore.Cognito, inspect.isfunction) if not name.startswith("_")}
    # Those that a SignIn calls, and those that ask nothing.
    by_sign_in = {"answer_challenge", "set_up_totp"}
    silent = {"close", "get_group_obj", "get_key", "get_user_obj", "is_logged_in_as", "switch_session"}
    assert methods - used == by_sign_in | silent


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["httpx", "threaded"])
def test_no_secret_is_written_over_the_other_transports(
    kind: str, ledger: Ledger, journal: Journal, tracing: Tracing
) -> None:
    play(kind, ["passwords", "administration"], ledger, journal, tracing)
    assert_silent(ledger, journal, tracing)


# Credentials


def test_credentials_are_not_written(
    ledger: Ledger, journal: Journal, tracing: Tracing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    named = {"AWS_ACCESS_KEY_ID": "AKIDOFWONDERLAND", "AWS_SECRET_ACCESS_KEY": "the-secret-of-the-cheshire-cat"}
    temporary = {**named, "AWS_SESSION_TOKEN": "the-token-of-the-cheshire-cat"}
    profile = tmp_path / "credentials"
    profile.write_text("[tea]\n" + "".join(f"{name.lower()} = {value}\n" for name, value in temporary.items()))
    document = {
        "AccessKeyId": named["AWS_ACCESS_KEY_ID"],
        "SecretAccessKey": named["AWS_SECRET_ACCESS_KEY"],
        "Token": temporary["AWS_SESSION_TOKEN"],
        "Expiration": "2999-01-01T00:00:00Z",
    }
    container = LoopbackServer(lambda _request, _connection: answer(json.dumps(document).encode()))
    bearer = "the-authorization-of-the-container"
    access_key_id, *secrets = temporary.values()
    ledger.hear([*secrets, bearer])
    ledger.hear(access_key_id, "access_key_id")
    keys = Credentials(*temporary.values())
    with LocalUserPool(credentials=keys) as pool, pool.serve() as server, container:
        found: list[dict[str, str]] = [
            temporary,
            {"AWS_SHARED_CREDENTIALS_FILE": str(profile), "AWS_PROFILE": "tea"},
            {
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{container.url}/role",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN": bearer,
            },
        ]
        for variables in found:
            with pytest.MonkeyPatch.context() as patch:
                for name, value in variables.items():
                    patch.setenv(name, value)
                with HttpsTransport("us-east-1", server.url, **tracing.spans.hooks()) as transport:
                    assert transport.call(Operation("ListUsers", {"UserPoolId": pool.user_pool_id})).error is None
                    journal.objects()
                    repr(vars(transport))
        for wrong in (Credentials("AKIDOFWONDERLAND", "another-secret-of-nobody"), keys):
            ledger.hear(wrong.secret_access_key)
            with HttpsTransport("us-east-1", server.url, wrong) as transport:
                user = srpcore.Cognito(pool.user_pool_id, pool.client_id, transport=transport)
                with pytest.raises(exceptions.ServiceError) as caught:
                    user.admin_disable_user("nobody-of-that-name")
                journal.error(caught.value)
        journal.of_events.append("none")
    assert_silent(ledger, journal, tracing)


# The command line


def test_the_command_line_does_not_log_what_is_typed_or_printed(
    ledger: Ledger,
    journal: Journal,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    make_world: Callable[..., World],
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    world = make_world(kind="https", client_secret=True)
    world.create(email="alice@wonderland.example")
    password, wrong = PASSWORD, "Mistaken-Horse-3"
    ledger.hear([password, wrong, world.pool.client_secret])
    ledger.hear("alice@wonderland.example", "Username")
    monkeypatch.setenv("SRPCORE_CLIENT_SECRET", world.pool.client_secret or "")
    pool = ["--user-pool-id", world.pool.user_pool_id, "--client-id", world.pool.client_id, "--endpoint-url"]

    def run(*arguments: str, stdin: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        status = main([arguments[0], *pool, world.url or "", *arguments[1:]])
        return (status, *capsys.readouterr())

    status, out, _ = run("login", "--username", "alice", "--refresh-token", stdin=f"{password}\n")
    assert status == ExitStatus.SUCCESS
    tokens = json.loads(out)
    ledger.hear([tokens[name] for name in ("id_token", "access_token", "refresh_token")])
    assert run("verify", stdin=tokens["access_token"])[0] == 0
    status, _, refusal = run("verify", stdin=tokens["access_token"][:-6] + "AAAAAA")
    assert status == ExitStatus.TOKEN_REFUSED
    journal.of_errors.append(refusal)
    status, _, refusal = run("login", "--username", "alice", stdin=f"{wrong}\n")
    assert status == ExitStatus.REFUSED
    journal.of_errors.append(refusal)
    assert "InitiateAuth to 127.0.0.1" in journal.log
    assert leaks(journal.log, ledger.secrets | ledger.details) == []
    assert leaks("".join(journal.of_errors), ledger.secrets) == []


# The search itself


@pytest.mark.parametrize("secret", ["Correct-Horse-1", 'pässwörd "quoted"', "eyJraWQiOiJ4In0.eyJzdWIiOiIxIn0.c2ln" * 3])
@pytest.mark.parametrize(
    "write",
    [
        str,
        repr,
        json.dumps,
        quote,
        quote_plus,
        lambda secret: secret.encode().hex(),
        lambda secret: secret.encode().hex().upper(),
        lambda secret: repr(secret.encode()),
        lambda secret: base64.b64encode(secret.encode()).decode(),
        lambda secret: base64.b64encode(f"a:{secret}:b".encode()).decode(),
        lambda secret: base64.urlsafe_b64encode(f"ab:{secret}".encode()).decode(),
        lambda secret: f"...{secret[-24:]}" if len(secret) > 50 else secret,
    ],
)
def test_the_search_finds_what_is_written(secret: str, write: Callable[[str], str]) -> None:
    text = f"a line\nof a log {write(secret)}, and more"
    assert leaks(text, [secret, "another-secret"]) == [secret]


def test_the_search_finds_codes_and_decoded_bytes() -> None:
    key = bytes(range(40, 72))
    assert leaks("the code is 123456.", ["123456"]) == ["123456"]
    assert leaks("request id 0123456-7", ["123456"]) == []
    assert leaks(f"key {base64.b64encode(key).decode()}", [key.hex()]) == [key.hex()]
    encoded = base64.b64encode(key).decode()
    assert leaks(f"key {key.hex()}", [encoded]) == [encoded]


def test_the_ledger_keeps_values_that_are_not_words_of_the_api() -> None:
    ledger = Ledger()
    ledger.hear({"AuthFlow": "USER_SRP_AUTH", "AuthParameters": {"USERNAME": "alice", "PASSWORD": "a-password"}})
    ledger.hear({"CREDENTIAL": '{"id": "an-id", "signature": "a-signature"}', "Error": {"Message": "a message"}})
    ledger.hear({"UserAttributes": [{"Name": "email", "Value": "alice@example.com"}], "Codes": ["123456"]})
    assert ledger.secrets == {"a-password", "a-signature", "123456"}
    assert ledger.details == {"alice", "an-id", "alice@example.com"}
