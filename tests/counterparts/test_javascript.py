"""amazon-cognito-identity-js, a client that nobody here wrote, against the embedded pool over HTTP."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from srpcore.crypto.totp import totp
from srpcore.protocol import Operation
from srpcore_transports.local import LocalServer, LocalUserPool, Triggers
from support.users import OTHER_PASSWORD, PASSWORD

pytestmark = pytest.mark.counterpart

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("cognito_identity.cjs")
SRP = ["InitiateAuth", "RespondToAuthChallenge"]


@pytest.fixture(scope="module")
def node() -> tuple[str, Path]:
    """Return the paths of node and of the installed packages, from SRPCORE_NODE or beside the tree."""
    folder = Path(os.environ.get("SRPCORE_NODE", ROOT / ".node")) / "node_modules"
    executable = shutil.which("node")
    if executable is None or not (folder / "amazon-cognito-identity-js").is_dir():
        pytest.skip("node with amazon-cognito-identity-js is not there: run the tests by `make test`")
    return executable, folder


class Script:
    """Runs steps in one node process against one pool, and makes users in that pool."""

    def __init__(self, pool: LocalUserPool, server: LocalServer, node: tuple[str, Path]) -> None:
        self.pool, self.server, self.node = pool, server, node

    def run(self, *steps: dict[str, Any]) -> list[dict[str, Any]]:
        executable, folder = self.node
        whole = {
            "url": self.server.url,
            "poolId": self.pool.user_pool_id,
            "clientId": self.pool.client_id,
            "steps": steps,
        }
        done = subprocess.run(
            [executable, str(SCRIPT)],
            input=json.dumps(whole).encode(),
            # The whole environment: it may have a library that changes the time, for node as for this process.
            env={**os.environ, "NODE_PATH": str(folder)},
            capture_output=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        results: list[dict[str, Any]] = json.loads(done.stdout)
        return results

    def call(self, name: str, **parameters: Any) -> dict[str, Any]:
        reply = self.pool.call(Operation(name, parameters))
        assert reply.error is None, reply.error
        return reply.document

    def admin(self, name: str, **parameters: Any) -> dict[str, Any]:
        return self.call(name, UserPoolId=self.pool.user_pool_id, **parameters)

    def user(self, username: str = "alice", *, permanent: bool = True) -> None:
        attributes = [{"Name": "email", "Value": "alice@example.com"}]
        self.admin("AdminCreateUser", Username=username, UserAttributes=attributes, MessageAction="SUPPRESS")
        self.admin("AdminSetUserPassword", Username=username, Password=PASSWORD, Permanent=permanent)


@pytest.fixture
def script(request: pytest.FixtureRequest, node: tuple[str, Path]) -> Iterator[Script]:
    pool = LocalUserPool(**getattr(request, "param", {}))
    with pool.serve() as server:
        yield Script(pool, server, node)


def log_in(password: str = PASSWORD, **more: Any) -> dict[str, Any]:
    return {"name": "logIn", "username": "alice", "password": password, **more}


def test_the_right_password_logs_in_and_a_wrong_one_is_refused(script: Script) -> None:
    script.user()
    wrong, right, attributes = script.run(log_in(OTHER_PASSWORD), log_in(), {"name": "attributes"})
    assert (wrong["error"], wrong["message"]) == ("NotAuthorizedException", "Incorrect username or password.")
    assert right["valid"] is True
    assert right["operations"] == SRP
    assert jwt.decode(right["id"], options={"verify_signature": False})["cognito:username"] == "alice"
    assert attributes["email"] == "alice@example.com"


def test_a_new_password_is_required_and_set(script: Script) -> None:
    script.user(permanent=False)
    first, second = script.run(log_in(newPassword=OTHER_PASSWORD), log_in(OTHER_PASSWORD))
    (asked,) = first["asked"]
    assert (asked["name"], asked["required"]) == ("NEW_PASSWORD_REQUIRED", [])
    assert asked["attributes"]["email"] == "alice@example.com"
    assert first["valid"] is True
    assert (second["valid"], second["asked"]) == (True, [])


def enrol(script: Script) -> str:
    """Set up an authenticator app for alice, and return its secret. The code of the present time is not used yet."""
    values = {"USERNAME": "alice", "PASSWORD": PASSWORD}
    reply = script.call(
        "InitiateAuth", ClientId=script.pool.client_id, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=values
    )
    token = reply["AuthenticationResult"]["AccessToken"]
    secret: str = script.call("AssociateSoftwareToken", AccessToken=token)["SecretCode"]
    # The step before this one: a code is good once.
    script.call("VerifySoftwareToken", AccessToken=token, UserCode=totp(secret, time.time() - 30))
    settings = {"Enabled": True, "PreferredMfa": True}
    script.call("SetUserMFAPreference", AccessToken=token, SoftwareTokenMfaSettings=settings)
    return secret


def test_the_authenticator_s_code_is_asked_for(script: Script) -> None:
    script.user()
    secret = enrol(script)
    wrong, right = script.run(log_in(code=totp(secret, time.time() + 3600)), log_in(code=totp(secret, time.time())))
    assert wrong["error"] == "CodeMismatchException"
    assert right["asked"] == [{"name": "SOFTWARE_TOKEN_MFA"}]
    assert right["valid"] is True


@pytest.mark.parametrize("script", [{"remember_devices": True}], indirect=True)
def test_a_device_is_confirmed_and_proves_itself(script: Script) -> None:
    script.user()
    first, again, refreshed = script.run(log_in(), log_in(), {"name": "refresh"})
    assert first["operations"] == [*SRP, "ConfirmDevice"]
    assert again["operations"] == ["InitiateAuth", *["RespondToAuthChallenge"] * 3]
    assert again["valid"] is True
    devices = script.admin("AdminListDevices", Username="alice")["Devices"]
    assert len(devices) == 1
    claims = jwt.decode(again["access"], options={"verify_signature": False})
    assert claims["device_key"] == devices[0]["DeviceKey"]
    assert refreshed["valid"] is True


@pytest.mark.parametrize("script", [{"remember_devices": True}], indirect=True)
def test_a_device_proves_itself_after_the_second_factor(script: Script) -> None:
    # The client sends the Session of SOFTWARE_TOKEN_MFA again at DEVICE_SRP_AUTH.
    script.user()
    secret, now = enrol(script), time.time()
    first, again = script.run(log_in(code=totp(secret, now)), log_in(code=totp(secret, now + 30)))
    assert first["operations"] == ["InitiateAuth", *["RespondToAuthChallenge"] * 2, "ConfirmDevice"]
    assert again["operations"] == ["InitiateAuth", *["RespondToAuthChallenge"] * 4]
    assert (again["valid"], again["asked"]) == (True, [{"name": "SOFTWARE_TOKEN_MFA"}])
    assert len(script.admin("AdminListDevices", Username="alice")["Devices"]) == 1


PROMPT = {"ChallengeRequiredOnNewDevice": False, "DeviceOnlyRememberedOnUserPrompt": True}


@pytest.mark.parametrize("script", [{"pool_settings": {"DeviceConfiguration": PROMPT}}], indirect=True)
def test_a_device_is_remembered_on_request(script: Script) -> None:
    script.user()
    _, before, said, after = script.run(log_in(), log_in(), {"name": "rememberDevice"}, log_in())
    assert before["operations"] == SRP
    assert said == {"said": "SUCCESS", "operations": ["UpdateDeviceStatus"]}
    assert len(after["operations"]) == 4
    assert after["valid"] is True


def define(event: dict[str, Any], _: None) -> dict[str, Any]:
    session = event["request"]["session"]
    if session and session[-1]["challengeName"] == "CUSTOM_CHALLENGE":
        event["response"]["issueTokens"] = session[-1]["challengeResult"]
        event["response"]["failAuthentication"] = not session[-1]["challengeResult"]
    else:
        first = bool(session) and session[-1]["challengeName"] == "SRP_A"
        event["response"]["challengeName"] = "PASSWORD_VERIFIER" if first else "CUSTOM_CHALLENGE"
    return event


def create(event: dict[str, Any], _: None) -> dict[str, Any]:
    event["response"] = {"publicChallengeParameters": {"question": "5 + 3"}, "privateChallengeParameters": {"sum": "8"}}
    return event


def verify(event: dict[str, Any], _: None) -> dict[str, Any]:
    request = event["request"]
    event["response"]["answerCorrect"] = request["challengeAnswer"] == request["privateChallengeParameters"]["sum"]
    return event


TRIGGERS = Triggers(define_auth_challenge=define, create_auth_challenge=create, verify_auth_challenge_response=verify)


@pytest.mark.parametrize("script", [{"triggers": TRIGGERS}], indirect=True)
@pytest.mark.parametrize("password", [PASSWORD, ""])
def test_a_custom_login_works_with_and_without_the_password(script: Script, password: str) -> None:
    script.user()
    right, wrong = script.run(log_in(password, custom=True, answer="8"), log_in(password, custom=True, answer="7"))
    (asked,) = right["asked"]
    assert asked["parameters"]["question"] == "5 + 3"
    assert right["valid"] is True
    assert len(right["operations"]) == (3 if password else 2)
    assert wrong["error"] == "NotAuthorizedException"


def test_a_session_is_refreshed_and_signed_out_globally(script: Script) -> None:
    script.user()
    first, refreshed, out, late = script.run(log_in(), {"name": "refresh"}, {"name": "signOutEverywhere"}, log_in())
    assert refreshed["access"] != first["access"]
    assert refreshed["valid"] is True
    assert out["said"] == "SUCCESS"
    for token in (first["access"], refreshed["access"]):
        reply = script.pool.call(Operation("GetUser", {"AccessToken": token}))
        assert reply.error is not None
        assert reply.error["Message"] == "Access Token has been revoked"
    assert late["valid"] is True
