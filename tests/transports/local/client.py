"""A tiny client of the protocol: one step a call, every value in the test's hands."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, TypeVar

import pytest

from srpcore.aws_json import decode
from srpcore.crypto import cognito
from srpcore.crypto.device import device_identity, device_verifier, new_device_password
from srpcore.crypto.encoding import decode_secret_block, parse_hex, to_hex
from srpcore.crypto.secret_hash import secret_hash
from srpcore.crypto.totp import totp
from srpcore.exceptions import ServiceError, service_error
from srpcore_transports.credentials import Credentials
from srpcore_transports.local import LocalUserPool
from srpcore_transports.local.api.shape_types import Structure
from srpcore_transports.local.api.shapes import SHAPES
from srpcore_transports.local.operations import dispatch
from srpcore_transports.local.storage.state import State
from support.clock import Clock
from support.users import PASSWORD

T = TypeVar("T")
KEYS = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")


def members_of(operation: str, **parameters: Any) -> dict[str, Any]:
    """Return those of *parameters* that the request of *operation* has, for tests of several operations."""
    shape = SHAPES[f"{operation}Request"]
    assert isinstance(shape, Structure)
    return {name: value for name, value in parameters.items() if name in shape.members}


class Client:
    """Calls a pool with its client id, and does the client's arithmetic."""

    def __init__(self, pool: LocalUserPool, clock: Clock) -> None:
        self.pool = pool
        self.clock = clock
        self.pool_id = pool.user_pool_id
        self.client_id = pool.client_id
        self.secret = pool.client_secret

    def use(self, client_id: str, secret: str | None = None) -> Client:
        """Return the same client with another client id."""
        other = Client(self.pool, self.clock)
        other.pool_id, other.client_id, other.secret = self.pool_id, client_id, secret
        return other

    def call(self, name: str, **parameters: Any) -> dict[str, Any]:
        # Not pool.call: it refuses wrongly typed parameters before the pool sees them, as every transport does.
        response = dispatch.answer(self.pool._service, name, json.dumps(parameters).encode())
        reply = decode(response.status, response.headers, response.body)
        if reply.error is not None:
            raise service_error(reply, name)
        return reply.document

    def run(self, handler: Callable[[State], T]) -> T:
        """Call *handler* with the state of the pool, to look at what no operation shows."""
        return State(self.pool._service).run(handler)

    def admin(self, name: str, **parameters: Any) -> dict[str, Any]:
        return self.call(name, UserPoolId=self.pool_id, **parameters)

    def user(self, username: str = "alice", password: str = PASSWORD, **attributes: str) -> str:
        """Make a confirmed user and return its canonical name."""
        pairs = [{"Name": name, "Value": value} for name, value in attributes.items()]
        made = self.admin("AdminCreateUser", Username=username, UserAttributes=pairs, MessageAction="SUPPRESS")
        canonical = str(made["User"]["Username"])
        self.admin("AdminSetUserPassword", Username=canonical, Password=password, Permanent=True)
        return canonical

    def hash(self, username: str) -> dict[str, str]:
        return {} if self.secret is None else {"SECRET_HASH": secret_hash(username, self.client_id, self.secret)}

    def timestamp(self, shift: float = 0) -> str:
        return cognito.format_timestamp(datetime.fromtimestamp(self.clock.now + shift, tz=timezone.utc))

    def begin(self, username: str = "alice", device_key: str | None = None, **changes: Any) -> Exchange:
        """Send SRP_A."""
        pair = cognito.client_pair()
        values: dict[str, Any] = {"USERNAME": username, "SRP_A": to_hex(pair.public), **self.hash(username)}
        if device_key is not None:
            values["DEVICE_KEY"] = device_key
        reply = self.call(
            "InitiateAuth", ClientId=self.client_id, AuthFlow="USER_SRP_AUTH", AuthParameters={**values, **changes}
        )
        return Exchange(self, reply, pair)

    def log_in(
        self, username: str = "alice", password: str = PASSWORD, device_key: str | None = None
    ) -> dict[str, Any]:
        """Go up to what follows PASSWORD_VERIFIER."""
        exchange = self.begin(username, device_key)
        return exchange.respond(exchange.answers(password))

    def tokens(self, username: str = "alice", password: str = PASSWORD) -> dict[str, str]:
        result: dict[str, str] = self.log_in(username, password)["AuthenticationResult"]
        return result

    def respond(self, name: str, session: str | None, answers: Mapping[str, Any]) -> dict[str, Any]:
        given = {} if session is None else {"Session": session}
        return self.call(
            "RespondToAuthChallenge",
            ClientId=self.client_id,
            ChallengeName=name,
            ChallengeResponses=dict(answers),
            **given,
        )

    def answer(self, challenge: Mapping[str, Any], username: str = "alice", **answers: str) -> dict[str, Any]:
        """Answer a challenge that came with a Session."""
        values = {"USERNAME": username, **self.hash(username), **answers}
        return self.respond(challenge["ChallengeName"], challenge["Session"], values)

    def refresh(self, token: str, username: str = "alice", **values: str) -> dict[str, Any]:
        parameters = {"REFRESH_TOKEN": token, **self.hash(username), **values}
        return self.call(
            "InitiateAuth", ClientId=self.client_id, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters=parameters
        )


@dataclass
class Exchange:
    """An SRP exchange after its first step: PASSWORD_VERIFIER or DEVICE_PASSWORD_VERIFIER."""

    client: Client
    reply: dict[str, Any]
    pair: Any

    @property
    def parameters(self) -> dict[str, str]:
        parameters: dict[str, str] = self.reply["ChallengeParameters"]
        return parameters

    def answers(self, password: str, *, identity: str | None = None, timestamp: str | None = None) -> dict[str, str]:
        """Return ChallengeResponses; *identity* is a device's, else the user's."""
        p, stamp = self.parameters, timestamp or self.client.timestamp()
        who = identity or self.client.pool_id.split("_")[1] + p["USER_ID_FOR_SRP"]
        salt = parse_hex(p["SALT"], name="SALT", max_digits=64, signed=True)
        x = cognito.private_key(who, password, salt)
        key = cognito.client_key(self.pair, int(p["SRP_B"], 16), x)
        return {
            "USERNAME": p["USERNAME"],
            "TIMESTAMP": stamp,
            "PASSWORD_CLAIM_SECRET_BLOCK": p["SECRET_BLOCK"],
            "PASSWORD_CLAIM_SIGNATURE": cognito.claim(key, who, decode_secret_block(p["SECRET_BLOCK"]), stamp),
            **self.client.hash(p["USERNAME"]),
        }

    def respond(self, answers: Mapping[str, Any], session: str | None = None) -> dict[str, Any]:
        return self.client.respond(self.reply["ChallengeName"], session or self.reply.get("Session"), answers)


@dataclass
class Device:
    """A device as its owner knows it."""

    key: str
    group_key: str
    password: str

    @property
    def identity(self) -> str:
        return device_identity(self.group_key, self.key)


def confirm_device(client: Client, tokens: Mapping[str, Any], salt: int | None = None) -> tuple[Device, dict[str, Any]]:
    """Confirm the device that a login named, and return it with ConfirmDevice's reply."""
    metadata = tokens["NewDeviceMetadata"]
    device = Device(metadata["DeviceKey"], metadata["DeviceGroupKey"], new_device_password())
    verifier = device_verifier(device.group_key, device.key, device.password, salt)
    reply = client.call(
        "ConfirmDevice",
        AccessToken=tokens["AccessToken"],
        DeviceKey=device.key,
        DeviceSecretVerifierConfig=verifier.as_parameter(),
    )
    return device, reply


def begin_device(client: Client, challenge: Mapping[str, Any], device: Device, **changes: Any) -> Exchange:
    """Answer DEVICE_SRP_AUTH; give ``session=None`` to leave the Session out."""
    session = changes.pop("session", challenge["Session"])
    pair = cognito.client_pair()
    values = {"USERNAME": "alice", "DEVICE_KEY": device.key, "SRP_A": to_hex(pair.public), **client.hash("alice")}
    return Exchange(client, client.respond("DEVICE_SRP_AUTH", session, {**values, **changes}), pair)


def temporary_user(client: Client, username: str = "alice", **attributes: str) -> str:
    """Create a user who must change the password, and return the canonical username."""
    pairs = [{"Name": name, "Value": value} for name, value in attributes.items()]
    made = client.admin(
        "AdminCreateUser",
        Username=username,
        TemporaryPassword=PASSWORD,
        UserAttributes=pairs,
        MessageAction="SUPPRESS",
    )
    return str(made["User"]["Username"])


def enrol(client: Client, *, prefer: bool = True) -> str:
    """Enrol an authenticator app for alice, and return its secret."""
    token = client.tokens()["AccessToken"]
    secret: str = client.call("AssociateSoftwareToken", AccessToken=token)["SecretCode"]
    client.call("VerifySoftwareToken", AccessToken=token, UserCode=totp(secret, client.clock.now))
    settings = {"Enabled": True, "PreferredMfa": prefer}
    client.call("SetUserMFAPreference", AccessToken=token, SoftwareTokenMfaSettings=settings)
    client.clock.now += 60
    return secret


def finish(client: Client, challenge: dict[str, Any], device: Device, password: str = "") -> dict[str, Any]:
    """Answer the device's challenges with *password*, or with its own."""
    exchange = begin_device(client, challenge, device)
    assert exchange.reply["ChallengeName"] == "DEVICE_PASSWORD_VERIFIER"
    return exchange.respond(
        {**exchange.answers(password or device.password, identity=device.identity), "DEVICE_KEY": device.key}
    )


def refused(code: str, message: str = "") -> Any:
    """Expect the service's refusal *code* with a message that has *message* in it."""
    return pytest.raises(ServiceError, match=rf"\b{code}\b.*{message}")
