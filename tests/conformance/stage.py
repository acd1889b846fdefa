"""The stage of a probe: pools, app clients and users with names of their own, and a client's arithmetic."""

from __future__ import annotations

import base64
import itertools
import json
import secrets
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from srpcore.crypto import cognito
from srpcore.crypto.device import device_identity, device_verifier, new_device_password
from srpcore.crypto.encoding import decode_secret_block, parse_hex, to_hex
from srpcore.crypto.secret_hash import secret_hash
from srpcore.crypto.totp import totp

from .probes import Refused, tried
from .targets import Target, call

__all__ = [
    "NEW_PASSWORD",
    "PASSWORD",
    "AppClient",
    "Device",
    "LeftBehind",
    "Pool",
    "Stage",
    "attributes",
    "claims",
    "pairs",
]

PASSWORD = "Correct-Horse-1"
NEW_PASSWORD = "Battery-Staple-2"
FLOWS = [
    "ALLOW_USER_SRP_AUTH",
    "ALLOW_USER_PASSWORD_AUTH",
    "ALLOW_ADMIN_USER_PASSWORD_AUTH",
    "ALLOW_REFRESH_TOKEN_AUTH",
    "ALLOW_USER_AUTH",
]
TRACKED = {"ChallengeRequiredOnNewDevice": True, "DeviceOnlyRememberedOnUserPrompt": False}


def pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    """Return attributes as the API's list of names and values."""
    return [{"Name": name, "Value": value} for name, value in values.items()]


def attributes(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the attributes of a user in an answer."""
    listed = document.get("UserAttributes", document.get("Attributes", []))
    return {entry["Name"]: entry["Value"] for entry in listed}


def claims(token: str) -> dict[str, Any]:
    """Return the claims of a token, without a check of its signature."""
    segment = token.split(".")[1]
    document: dict[str, Any] = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    return document


class Stage:
    """What a story works with. The pools that it creates are deleted at the end of :meth:`play`.

    Args:
        target: the server.
        prefix: the beginning of the names of all pools.
    """

    def __init__(self, target: Target, prefix: str = "srpcore-conformance") -> None:
        self.target = target
        self.prefix = f"{prefix}-{secrets.token_hex(4)}"
        self.remaining: dict[str, str] = {}
        """The pools that were created and not yet deleted: the name of each by its id."""
        self._numbers = itertools.count(1)
        self._shared: Pool | None = None

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call an operation and return the answer.

        Raises:
            Refused: the server answered with an error.
        """
        return call(self.target, operation, parameters)

    def name(self, name: str = "alice") -> str:
        """Return a user name that nobody else has."""
        return f"{name}{next(self._numbers)}"

    def email(self, name: str = "alice") -> str:
        """Return an e-mail address that nobody else has."""
        return self.target.address(self.name(name))

    @property
    def pool(self) -> Pool:
        """The pool with the default settings, which all stories share."""
        if self._shared is None:
            self._shared = self.new_pool()
        return self._shared

    def new_pool(self, client: Mapping[str, Any] | None = None, **settings: Any) -> Pool:
        """Create a pool with these parameters of CreateUserPool, and an app client with those in *client*."""
        pool = Pool(self, self.create_pool(**settings)["Id"])
        pool.client = pool.new_client(**(client or {}))
        return pool

    def create_pool(self, **settings: Any) -> dict[str, Any]:
        """Create a pool without an app client, and return CreateUserPool's answer."""
        name = f"{self.prefix}-{next(self._numbers)}"
        made: dict[str, Any] = self.call("CreateUserPool", **{"PoolName": name, **settings})["UserPool"]
        self.remaining[made["Id"]] = name
        return made

    def mfa_pool(self, configuration: str = "OPTIONAL", **settings: Any) -> Pool:
        """Create a pool whose users can use an authenticator app."""
        pool = self.new_pool(**settings)
        pool.admin(
            "SetUserPoolMfaConfig",
            MfaConfiguration=configuration,
            SoftwareTokenMfaConfiguration={"Enabled": True},
        )
        return pool

    def email_mfa_pool(self, configuration: str = "OPTIONAL") -> Pool:
        """Create a pool whose users can use an authenticator app, or codes by e-mail.

        Raises:
            CannotRun: the target has no e-mail sender, without which the service refuses the factor.
        """
        pool = self.new_pool(AutoVerifiedAttributes=["email"], EmailConfiguration=self.target.email_sender())
        pool.admin(
            "SetUserPoolMfaConfig",
            MfaConfiguration=configuration,
            SoftwareTokenMfaConfiguration={"Enabled": True},
            EmailMfaConfiguration={"Message": "{####}", "Subject": "code"},
        )
        return pool

    def delete(self, pool_id: str) -> None:
        """Delete a pool, with its domain and in spite of its protection. It is not an error if it does not exist."""
        try:
            described = self.call("DescribeUserPool", UserPoolId=pool_id)["UserPool"]
            if described.get("Domain"):
                self.call("DeleteUserPoolDomain", UserPoolId=pool_id, Domain=described["Domain"])
            if described.get("DeletionProtection") == "ACTIVE":
                self.call("UpdateUserPool", UserPoolId=pool_id, DeletionProtection="INACTIVE")
            self.call("DeleteUserPool", UserPoolId=pool_id)
        except Refused as error:
            if error.code != "ResourceNotFoundException":
                raise
        self.remaining.pop(pool_id, None)

    @contextmanager
    def play(self) -> Generator[Stage]:
        """Delete the pools that the story in the block creates, except the shared one."""
        kept = set(self.remaining)
        try:
            yield self
        finally:
            shared = set() if self._shared is None else {self._shared.id}
            for pool_id in [pool_id for pool_id in self.remaining if pool_id not in kept | shared]:
                # What cannot be deleted now is tried again by close(), which reports it.
                with suppress(Refused, OSError):
                    self.delete(pool_id)

    def close(self) -> None:
        """Delete all pools that are left.

        Raises:
            LeftBehind: a pool could not be deleted. The others are deleted first.
        """
        causes: list[Exception] = []
        for pool_id in list(self.remaining):
            try:
                self.delete(pool_id)
            except Exception as error:  # noqa: BLE001 - whatever happened, try to delete the other pools
                causes.append(error)
        if causes:
            raise LeftBehind(sorted(self.remaining.values())) from causes[0]


class LeftBehind(Exception):
    """Pools could not be deleted; the message has their names."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(f"could not delete these user pools, delete them yourself: {', '.join(names)}")
        self.names = names


@dataclass
class Pool:
    """A pool that the stage created."""

    stage: Stage
    id: str
    client: AppClient = field(init=False)

    def admin(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call an administrator's operation on the pool."""
        return self.stage.call(operation, UserPoolId=self.id, **parameters)

    def new_client(self, **settings: Any) -> AppClient:
        """Create an app client."""
        parameters = {
            "ClientName": "conformance",
            "ExplicitAuthFlows": FLOWS,
            "PreventUserExistenceErrors": "ENABLED",
            **settings,
        }
        made = self.admin("CreateUserPoolClient", **{k: v for k, v in parameters.items() if v is not None})
        return AppClient(self, made["UserPoolClient"]["ClientId"], made["UserPoolClient"].get("ClientSecret"))

    def describe(self) -> dict[str, Any]:
        """Return DescribeUserPool's answer."""
        described: dict[str, Any] = self.admin("DescribeUserPool")["UserPool"]
        return described

    def create(self, username: str, *, password: str = PASSWORD, **values: str) -> dict[str, Any]:
        """Create a user with a temporary password, without a message, and return the answer's User."""
        made: dict[str, Any] = self.admin(
            "AdminCreateUser",
            Username=username,
            TemporaryPassword=password,
            MessageAction="SUPPRESS",
            UserAttributes=pairs(values),
        )["User"]
        return made

    def user(self, username: str | None = None, *, password: str = PASSWORD, **values: str) -> str:
        """Create a confirmed user, and return the user name."""
        username = username or self.stage.name()
        canonical: str = self.create(username, password=password, **values)["Username"]
        self.admin("AdminSetUserPassword", Username=canonical, Password=password, Permanent=True)
        return canonical

    def get(self, username: str) -> dict[str, Any]:
        """Return AdminGetUser's answer."""
        return self.admin("AdminGetUser", Username=username)


@dataclass
class Exchange:
    """An SRP exchange after its first step."""

    client: AppClient
    reply: dict[str, Any]
    pair: Any

    def answers(
        self, password: str = PASSWORD, *, identity: str | None = None, timestamp: str | None = None
    ) -> dict[str, str]:
        """Return ChallengeResponses that prove *password*; *identity* is a device's, otherwise the user's."""
        given = self.reply["ChallengeParameters"]
        who = identity or self.client.pool.id.partition("_")[2] + given["USER_ID_FOR_SRP"]
        salt = parse_hex(given["SALT"], name="SALT", max_digits=130, signed=True)
        key = cognito.client_key(self.pair, int(given["SRP_B"], 16), cognito.private_key(who, password, salt))
        timestamp = timestamp or cognito.format_timestamp(datetime.now(timezone.utc))
        name = given.get("USERNAME") or given["USER_ID_FOR_SRP"]
        return {
            "USERNAME": name,
            "TIMESTAMP": timestamp,
            "PASSWORD_CLAIM_SECRET_BLOCK": given["SECRET_BLOCK"],
            "PASSWORD_CLAIM_SIGNATURE": cognito.claim(key, who, decode_secret_block(given["SECRET_BLOCK"]), timestamp),
            **self.client.hash(name),
        }

    def respond(self, answers: Mapping[str, str]) -> dict[str, Any]:
        """Answer the challenge."""
        return self.client.respond(self.reply["ChallengeName"], self.reply.get("Session"), answers)


@dataclass
class Device:
    """A device as its owner knows it."""

    key: str
    group_key: str
    password: str

    @property
    def identity(self) -> str:
        """The user name of the device's own SRP exchange."""
        return device_identity(self.group_key, self.key)


@dataclass
class AppClient:
    """An app client of a pool, used as an app uses it."""

    pool: Pool
    id: str
    secret: str | None = None

    def hash(self, username: str) -> dict[str, str]:
        """Return the entry SECRET_HASH, if the client has a secret."""
        return {} if self.secret is None else {"SECRET_HASH": secret_hash(username, self.id, self.secret)}

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call an operation of the app client."""
        return self.pool.stage.call(operation, ClientId=self.id, **parameters)

    def initiate(self, flow: str, **values: str) -> dict[str, Any]:
        """Call InitiateAuth with these AuthParameters."""
        return self.call("InitiateAuth", AuthFlow=flow, AuthParameters=values)

    def respond(self, challenge: str, session: str | None, answers: Mapping[str, str]) -> dict[str, Any]:
        """Call RespondToAuthChallenge."""
        given = {} if session is None else {"Session": session}
        return self.call("RespondToAuthChallenge", ChallengeName=challenge, ChallengeResponses=dict(answers), **given)

    def answer(self, challenge: Mapping[str, Any], username: str, **answers: str) -> dict[str, Any]:
        """Answer a challenge that came with a Session."""
        values = {"USERNAME": username, **self.hash(username), **answers}
        return self.respond(challenge["ChallengeName"], challenge["Session"], values)

    def log_in(self, username: str, password: str = PASSWORD, **values: str) -> dict[str, Any]:
        """Log in with the flow USER_PASSWORD_AUTH, and return the tokens or the first challenge."""
        given = {"USERNAME": username, "PASSWORD": password, **self.hash(username), **values}
        return self.initiate("USER_PASSWORD_AUTH", **given)

    def tokens(self, username: str, password: str = PASSWORD, **values: str) -> dict[str, Any]:
        """Log in with the flow USER_PASSWORD_AUTH, and return AuthenticationResult."""
        reply = self.log_in(username, password, **values)
        assert "AuthenticationResult" in reply, f"the login needs {reply.get('ChallengeName')}"
        result: dict[str, Any] = reply["AuthenticationResult"]
        return result

    def begin(self, username: str, **values: str) -> Exchange:
        """Take the first step of USER_SRP_AUTH."""
        pair = cognito.client_pair()
        given = {"USERNAME": username, "SRP_A": to_hex(pair.public), **self.hash(username), **values}
        return Exchange(self, self.initiate("USER_SRP_AUTH", **given), pair)

    def srp(self, username: str, password: str = PASSWORD, **values: str) -> dict[str, Any]:
        """Log in with the flow USER_SRP_AUTH, and return what follows PASSWORD_VERIFIER."""
        exchange = self.begin(username, **values)
        return exchange.respond({**exchange.answers(password), **values})

    def refresh(self, token: str, **values: str) -> dict[str, Any]:
        """Refresh with the flow REFRESH_TOKEN_AUTH, and return AuthenticationResult."""
        result: dict[str, Any] = self.initiate("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=token, **values)[
            "AuthenticationResult"
        ]
        return result

    def enrol(self, username: str, *, prefer: bool = True) -> Callable[[], str]:
        """Set up an authenticator app for the user, and return a function that returns a new code at each call."""
        stage, token = self.pool.stage, self.tokens(username)["AccessToken"]
        secret = stage.call("AssociateSoftwareToken", AccessToken=token)["SecretCode"]

        # A code is good once. Verify the previous one, so that the present and the next one are left for logins. If the
        # step of 30 seconds ends just now, the previous one has become too old: then try again.
        def verify() -> float:
            now = time.time()
            stage.call("VerifySoftwareToken", AccessToken=token, UserCode=totp(secret, now - 30))
            return now

        verified = tried(verify)
        now = verify() if isinstance(verified, Refused) else verified
        times = iter((now, now + 30))

        def code() -> str:
            return totp(secret, next(times))

        settings = {"Enabled": True, "PreferredMfa": prefer}
        stage.call("SetUserMFAPreference", AccessToken=token, SoftwareTokenMfaSettings=settings)
        return code

    def confirm_device(self, tokens: Mapping[str, Any]) -> tuple[Device, dict[str, Any]]:
        """Confirm the device that a login named, and return it with ConfirmDevice's answer."""
        metadata = tokens["NewDeviceMetadata"]
        device = Device(metadata["DeviceKey"], metadata["DeviceGroupKey"], new_device_password())
        verifier = device_verifier(device.group_key, device.key, device.password)
        reply = self.pool.stage.call(
            "ConfirmDevice",
            AccessToken=tokens["AccessToken"],
            DeviceKey=device.key,
            DeviceSecretVerifierConfig=verifier.as_parameter(),
        )
        return device, reply

    def finish_device(self, username: str, device: Device, session: str | None) -> dict[str, Any]:
        """Answer DEVICE_SRP_AUTH with this *session*, and then DEVICE_PASSWORD_VERIFIER."""
        pair = cognito.client_pair()
        own = {"DEVICE_KEY": device.key, **self.hash(username)}
        first = {"USERNAME": username, "SRP_A": to_hex(pair.public), **own}
        exchange = Exchange(self, self.respond("DEVICE_SRP_AUTH", session, first), pair)
        assert exchange.reply["ChallengeName"] == "DEVICE_PASSWORD_VERIFIER"
        answers = exchange.answers(device.password, identity=device.identity)
        return exchange.respond({**answers, "USERNAME": username, **own})
