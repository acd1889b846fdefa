"""Recordings and the clean-up, against a served local pool instead of the service."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from srpcore_transports.credentials import Credentials
from srpcore_transports.local import LocalUserPool

from . import (
    aws,
    subjects,  # noqa: F401 - registers the probes
)
from .__main__ import main
from .probes import ALL, Probe
from .redaction import Leak, Redactor
from .stage import LeftBehind, Stage
from .targets import HttpTarget

pytestmark = pytest.mark.slow

KEYS = Credentials("AKIDCONFORMANCETEST1", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
SECRETS = (KEYS.access_key_id, KEYS.secret_access_key)
RECORDED = ("tokens.", "users.creation", "app_clients.secret", "devices.login", "login.challenge", "groups.")


class Spy(HttpTarget):
    """An AWS target that keeps what the server really answered, and can refuse to delete a pool."""

    answers: list[dict[str, Any]]
    keeps: str = ""

    def send(self, operation: str, body: bytes) -> tuple[int, dict[str, Any]]:
        if operation == "DeleteUserPool" and json.loads(body)["UserPoolId"] == self.keeps:
            return 400, {"__type": "TooManyRequestsException", "message": "Rate exceeded"}
        status, answer = super().send(operation, body)
        self.answers.append(answer)
        return status, answer


@pytest.fixture
def pool() -> LocalUserPool:
    return LocalUserPool(region="eu-central-1", credentials=KEYS)


@pytest.fixture
def target(pool: LocalUserPool) -> Iterator[Spy]:
    with pool.serve() as server:
        target = aws.aws_target("eu-central-1", url=server.url, credentials=lambda: KEYS)
        target.__class__ = Spy
        assert isinstance(target, Spy)
        target.answers = []
        yield target
        target.close()


def names_of_pools(target: HttpTarget) -> list[str]:
    _, answer = target.send("ListUserPools", b'{"MaxResults": 60}')
    return [entry["Name"] for entry in answer["UserPools"]]


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def test_recording_has_the_form_of_the_answers_and_none_of_their_secrets(target: Spy, tmp_path: Path) -> None:
    path = tmp_path / "recording.json"
    results = aws.record(target, SECRETS, path, lambda result: None, only=lambda name: name.startswith(RECORDED))
    text = path.read_text(encoding="utf-8")
    entries = {entry["probe"]: entry for entry in json.loads(text)}
    assert entries.keys() == {result.probe.name for result in results}

    # Tokens, Sessions, secret blocks, client secrets, ids of pools and clients, subs.
    real = {value for answer in target.answers for value in strings(answer) if len(value) >= 20 and " " not in value}
    real -= {"ALLOW_USER_PASSWORD_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"}
    real -= {
        "phone_number_verified",
        "aws.cognito.signin.user.admin",
        "ResourceNotFoundException",
        "InvalidParameterException",
    }
    real -= {value for value in real if value.endswith("Exception") or value.isupper()}
    assert len(real) > 100
    assert [value for value in real if value in text] == []
    assert [secret for secret in SECRETS if secret in text] == []
    assert "Correct-Horse" not in text

    (creation,) = [call for call in entries["users.creation"]["calls"] if call["operation"] == "AdminCreateUser"]
    user = creation["answer"]["User"]
    assert user["UserStatus"] == "FORCE_CHANGE_PASSWORD"
    assert user["Enabled"] is True
    assert re.fullmatch(r"<user \d+>", user["Username"])
    assert re.fullmatch(r"<date \d+>", user["UserCreateDate"])
    challenge = entries["login.challenge_of_srp"]["calls"][-1]["answer"]
    assert challenge["ChallengeName"] == "PASSWORD_VERIFIER"
    assert challenge["ChallengeParameters"]["SALT"].startswith("<hexadecimal, ")


def test_recording_is_for_its_owner_only(target: Spy, tmp_path: Path) -> None:
    path = tmp_path / "recording.json"
    path.touch(mode=0o644)
    aws.record(target, SECRETS, path, lambda result: None, only=lambda name: name == "users.creation")
    assert path.stat().st_mode & 0o777 == 0o600


def test_recording_with_a_leak_is_not_written(target: Spy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Redactor, "document", lambda self, document: document)
    path = tmp_path / "recording.json"
    with pytest.raises(Leak):
        aws.record(target, SECRETS, path, lambda result: None, only=lambda name: name == "users.creation")
    assert not path.exists()


def test_every_pool_of_a_run_is_deleted(target: Spy, tmp_path: Path) -> None:
    before = names_of_pools(target)
    aws.record(target, SECRETS, tmp_path / "r.json", lambda result: None, only=lambda name: "user_pools." in name)
    assert names_of_pools(target) == before


def test_pools_are_deleted_after_an_interrupt(target: Spy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(stage: Stage) -> None:
        assert stage.pool.id
        stage.new_pool(DeletionProtection="ACTIVE")
        raise KeyboardInterrupt

    monkeypatch.setitem(ALL, "test.interrupted", Probe("test.interrupted", "https://example.com", interrupted))
    before = names_of_pools(target)
    with pytest.raises(KeyboardInterrupt):
        aws.record(
            target, SECRETS, tmp_path / "r.json", lambda result: None, only=lambda name: name == "test.interrupted"
        )
    assert names_of_pools(target) == before


def test_pool_that_cannot_be_deleted_is_named_and_the_others_are_deleted(target: Spy) -> None:
    before = names_of_pools(target)
    stage = Stage(target, aws.PREFIX)
    kept, _ = stage.create_pool(), stage.create_pool()
    target.keeps = kept["Id"]
    with pytest.raises(LeftBehind) as caught:
        stage.close()
    assert caught.value.names == [kept["Name"]]
    assert names_of_pools(target) == [*before, kept["Name"]]


def test_clean_deletes_the_pools_of_earlier_runs_only(target: Spy) -> None:
    mine = Stage(target, "production")
    mine.create_pool()
    left = Stage(target, aws.PREFIX)
    left.new_pool(DeletionProtection="ACTIVE")
    assert aws.clean(target) == sorted(left.remaining.values())
    assert set(mine.remaining.values()) <= set(names_of_pools(target))
    assert not set(left.remaining.values()) & set(names_of_pools(target))


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"SRPCORE_CONFORMANCE_CONSENT": "yes"},
        {"SRPCORE_CONFORMANCE_CONSENT": aws.CONSENT, "CI": "true"},
    ],
)
def test_account_is_not_used_without_consent_or_in_ci(environment: dict[str, str]) -> None:
    with pytest.raises(aws.NotAllowed):
        aws.require_consent(environment)


def test_account_is_used_with_consent() -> None:
    aws.require_consent({"SRPCORE_CONFORMANCE_CONSENT": aws.CONSENT})


@pytest.mark.parametrize("option", ["--aws", "--clean"])
def test_command_refuses_without_consent(
    option: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SRPCORE_CONFORMANCE_CONSENT", raising=False)
    monkeypatch.delenv("CI", raising=False)
    assert main([option, "--region", "eu-central-1"]) == 2
    assert "set SRPCORE_CONFORMANCE_CONSENT=" in capsys.readouterr().err


handlers: dict[int, Any] = {}
"""The handlers of signals that the command has set."""


@pytest.fixture
def agreed(target: Spy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Agree, let the command use *target*, and return the path for the recording."""
    monkeypatch.setenv("SRPCORE_CONFORMANCE_CONSENT", aws.CONSENT)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(aws, "aws_target", lambda region, **settings: target)
    monkeypatch.setattr(signal, "signal", lambda number, handler: handlers.__setitem__(number, handler))
    handlers.clear()
    return tmp_path / "new folder" / "recording.json"


def test_command_records_and_leaves_nothing_behind(
    target: Spy, agreed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = names_of_pools(target)
    assert main(["--aws", "--region", "eu-central-1", "--only", "users.creation", "--record", str(agreed)]) == 0
    assert json.loads(agreed.read_text(encoding="utf-8"))[0]["probe"] == "users.creation"
    assert "AWS: 1 probes: 1 right" in capsys.readouterr().out
    assert names_of_pools(target) == before


def test_command_that_is_terminated_deletes_its_pools(
    target: Spy, agreed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def terminated(stage: Stage) -> None:
        assert stage.pool.id
        handlers[signal.SIGTERM](signal.SIGTERM, None)

    monkeypatch.setitem(ALL, "test.terminated", Probe("test.terminated", "https://example.com", terminated))
    before = names_of_pools(target)
    with pytest.raises(KeyboardInterrupt):
        main(["--aws", "--region", "eu-central-1", "--only", "test.terminated", "--record", str(agreed)])
    assert names_of_pools(target) == before


def test_command_cleans(target: Spy, agreed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    left = Stage(target, aws.PREFIX)
    name = left.create_pool()["Name"]
    assert main(["--clean", "--region", "eu-central-1"]) == 0
    assert capsys.readouterr().out == f"{name}\n"
    assert not agreed.exists()


def test_command_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--target", "local", "--only", "groups.creation", "--all"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^groups\.creation +local, in process +right$", out, re.MULTILINE)
    assert "local, in process: 1 probes: 1 right" in out


def test_busy_service_is_asked_again(target: Spy, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [(400, {"__type": "TooManyRequestsException"}), (200, {"UserPools": []})]
    monkeypatch.setattr(HttpTarget, "_send", lambda self, operation, body: answers.pop(0))
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    assert names_of_pools(target) == []


def test_email_factor_needs_a_sender(target: Spy) -> None:
    with pytest.raises(Exception, match="--ses-identity"):
        target.email_sender()
    assert target.address("alice") == "success+alice@simulator.amazonses.com"


class TestRedactor:
    def test_equal_values_get_equal_labels(self) -> None:
        redacted = Redactor().document({"Created": {"CreationDate": 5.5, "LastModifiedDate": 5.5, "UserCreateDate": 6}})
        dates = redacted["Created"]
        assert dates["CreationDate"] == dates["LastModifiedDate"] == "<date 1>"
        assert dates["UserCreateDate"] == "<date 2>"

    def test_user_who_is_named_by_the_sub_is_seen_to_be(self) -> None:
        sub = "0b6d5b6e-93b6-4c4c-8f0c-1d6f2f9b9a11"
        redacted = Redactor().document({"Username": sub, "Attributes": [{"Name": "sub", "Value": sub}]})
        assert redacted == {"Username": "<user 1>", "Attributes": [{"Name": "sub", "Value": "<user 1>"}]}

    def test_message_loses_what_it_quotes(self) -> None:
        redactor = Redactor()
        redactor.document({"ClientId": "1example23456789", "UserPoolId": "eu-west-1_aBcDeFgHi"})
        text = redactor.text(
            "User pool client 1example23456789 of eu-west-1_aBcDeFgHi does not exist: bob@example.com, "
            "arn:aws:iam::123456789012:role/x (Request ID: 6f1a-22)"
        )
        assert text == (
            "User pool client <value> of <value> does not exist: <address>, "
            "arn:aws:iam::<number of an account>:role/x (Request ID: <id>)"
        )

    def test_message_loses_a_secret_of_the_request(self) -> None:
        redactor = Redactor()
        redactor.document({"Password": "Correct-Horse-1"})
        assert redactor.text("'Correct-Horse-1' is too simple") == "'<value>' is too simple"

    def test_words_of_a_message_that_contain_a_short_value_are_kept(self) -> None:
        redactor = Redactor()
        redactor.document({"ScopeName": "read"})
        assert redactor.text("read already exists") == "<value> already exists"

    def test_pools_of_others_are_not_named(self) -> None:
        redacted = Redactor().document({"UserPools": [{"Id": "eu-west-1_aBcDeFgHi", "Name": "payroll"}]})
        assert redacted == {"UserPools": [{"Id": "<Id 1>", "Name": "<Name 1>"}]}

    def test_address_that_is_not_masked_is_not_kept(self) -> None:
        redactor = Redactor()
        assert redactor.document({"Destination": "a***@e***"}) == {"Destination": "<masked address>"}
        assert redactor.document({"Destination": "a@e.org"}) == {"Destination": "<address that is not masked>"}

    @pytest.mark.parametrize(
        "text",
        [
            '{"x": "a secret of the account"}',
            '{"x": "eyJraWQiOiJhYmMiLCJhbGciOiJSUzI1NiJ9"}',
            '{"x": "123456789012"}',
            '{"x": "AKIAIOSFODNN7EXAMPLE"}',
            '{"x": "eu-west-1_aBcDeFgHi"}',
        ],
    )
    def test_leak_is_found(self, text: str) -> None:
        redactor = Redactor(["a secret of the account"])
        redactor.check('{"x": "harmless"}')
        with pytest.raises(Leak) as caught:
            redactor.check(text)
        assert json.loads(text)["x"] not in str(caught.value)
