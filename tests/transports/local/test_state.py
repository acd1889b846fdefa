"""The state of a local pool in a file: what survives the end of the process, and which files are refused."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from srpcore import Cognito
from srpcore.exceptions import ServiceError
from srpcore.exceptions.base import ConfigurationError, TransportError
from srpcore.service_client import ServiceClient
from srpcore_transports import https
from srpcore_transports.credentials import Credentials
from srpcore_transports.local import LocalUserPool
from support.clock import Clock
from support.users import PASSWORD
from support.waiting import wait_until

from .client import Client

KEYS = Credentials("test", "test")


def test_users_logins_and_keys_are_there_after_a_restart(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "pool.db"
    with LocalUserPool(clock=clock, state=path, client_secret=True, pool_settings={"MfaConfiguration": "OFF"}) as pool:
        client = Client(pool, clock)
        client.user(email="alice@example.com")
        client.admin("CreateGroup", GroupName="staff")
        client.admin("AdminAddUserToGroup", GroupName="staff", Username="alice")
        tokens = client.tokens()
        begun = client.begin()
        keys = pool.document(f"/{pool.user_pool_id}/.well-known/jwks.json")
    with LocalUserPool(clock=clock, state=path) as again:
        assert (again.user_pool_id, again.client_id) == (pool.user_pool_id, pool.client_id)
        assert again.client_secret == pool.client_secret
        assert again.document(f"/{pool.user_pool_id}/.well-known/jwks.json") == keys
        client = Client(again, clock)
        assert client.call("GetUser", AccessToken=tokens["AccessToken"])["Username"] == "alice"
        assert client.refresh(tokens["RefreshToken"])["AuthenticationResult"]
        begun.client = client
        assert begun.respond(begun.answers(PASSWORD))["AuthenticationResult"]
        groups = client.admin("AdminListGroupsForUser", Username="alice")["Groups"]
        assert [group["GroupName"] for group in groups] == ["staff"]


def test_ids_choose_or_create_a_pool_and_a_client(tmp_path: Path) -> None:
    path = tmp_path / "pool.db"
    with LocalUserPool(state=path) as first:
        pass
    with LocalUserPool(state=path, user_pool_id="eu-west-1_Other", client_id="other") as other:
        assert (other.region, other.user_pool_id, other.client_id) == ("eu-west-1", "eu-west-1_Other", "other")
    with LocalUserPool(state=path) as oldest:
        assert (oldest.region, oldest.user_pool_id, oldest.client_id) == (
            "us-east-1",
            first.user_pool_id,
            first.client_id,
        )
    with LocalUserPool(state=path, user_pool_id="eu-west-1_Other") as again:
        assert again.client_id == "other"


def test_a_refused_setting_leaves_no_file_open(tmp_path: Path) -> None:
    path = tmp_path / "pool.db"
    with pytest.raises(ConfigurationError):
        LocalUserPool(state=path, pool_settings={"MfaConfiguration": "MAYBE"})
    LocalUserPool(state=path).close()


def test_a_file_in_use_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pool.db"
    with (
        LocalUserPool(state=path),
        pytest.raises(ConfigurationError, match=r"another process is using it: stop that `srpcore serve`"),
    ):
        LocalUserPool(state=path)


@contextmanager
def serving(path: Path) -> Generator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """Run ``srpcore serve`` with a state, and yield the process and what it printed."""
    command = [sys.executable, "-m", "srpcore", "serve", "--port", "0", "--json", "--state", str(path)]
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )
    with process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


@contextmanager
def administrator(started: dict[str, str]) -> Generator[ServiceClient]:
    with https.HttpsTransport("us-east-1", endpoint_url=started["url"], max_attempts=1, credentials=KEYS) as transport:
        yield ServiceClient(transport, "us-east-1")


@pytest.mark.long
def test_nothing_that_was_answered_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    path, seed = tmp_path / "pool.db", random.Random(15)
    acknowledged: dict[str, str] = {}  # the value of the attribute "name" by user, when it was last answered
    for round_number in range(4):
        with serving(path) as (process, started):
            stop = time.monotonic() + 0.3 + seed.random() / 2
            writers = [
                threading.Thread(target=write, args=(started, f"{round_number}{letter}", acknowledged), daemon=True)
                for letter in "abc"
            ]
            for writer in writers:
                writer.start()
            time.sleep(max(0.0, stop - time.monotonic()))
            wait_until(lambda: len(acknowledged) > 3 * (round_number + 1))  # noqa: B023 - called at once
            process.send_signal(signal.SIGKILL)
            for writer in writers:
                writer.join(20)
    assert len(acknowledged) > 10
    with serving(path) as (_, started), administrator(started) as client:
        for name, value in acknowledged.items():
            found = client.admin_get_user(UserPoolId=started["user_pool_id"], Username=name)
            attributes = {entry["Name"]: entry["Value"] for entry in found["UserAttributes"]}
            assert (name, attributes["name"]) == (name, value)
            assert found["UserStatus"] == "CONFIRMED"
        last = [*acknowledged][-1]
        with Cognito(started["user_pool_id"], started["client_id"], username=last, endpoint_url=started["url"]) as user:
            user.authenticate(PASSWORD)


def write(started: dict[str, str], prefix: str, acknowledged: dict[str, str]) -> None:
    """Create users and change them until the server is gone; note what it has answered."""
    with administrator(started) as client:
        for number in range(10_000):
            user: dict[str, Any] = {"UserPoolId": started["user_pool_id"], "Username": f"{prefix}{number}"}
            attributes = [{"Name": "name", "Value": f"{prefix}{number}"}]
            try:
                client.admin_create_user(**user, MessageAction="SUPPRESS", UserAttributes=attributes)
                client.admin_set_user_password(**user, Password=PASSWORD, Permanent=True)
                acknowledged[user["Username"]] = f"{prefix}{number}"
            except TransportError:
                return


def test_a_pool_that_was_deleted_is_created_again(tmp_path: Path) -> None:
    path = tmp_path / "pool.db"
    with LocalUserPool(state=path) as pool:
        ServiceClient(pool, pool.region).delete_user_pool(UserPoolId=pool.user_pool_id)
    with LocalUserPool(state=path) as again:
        assert again.user_pool_id != pool.user_pool_id
        with pytest.raises(ServiceError):
            ServiceClient(again, again.region).describe_user_pool(UserPoolId=pool.user_pool_id)
