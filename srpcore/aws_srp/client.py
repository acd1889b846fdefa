"""``AWSSRP``: log in by SRP, with pycognito's constructor, attributes and methods."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, cast

from ..clock import Clock, system_clock
from ..crypto import cognito
from ..crypto.device import Device, device_identity
from ..crypto.encoding import to_hex, utf8
from ..crypto.randomness import RandomBits, system_random_bits
from ..driver import run
from ..exceptions.base import ConfigurationError
from ..flows.challenge import Answer, challenge_of, raise_challenge
from ..flows.login import answer_challenge
from ..flows.login_context import AppClient, LoginContext, pool_or_placeholder
from ..flows.srp import Prover, parse_salt, require_string, sign_claim, user_srp
from ..pool import Pool
from ..protocol import Flow, JsonObject
from ..resolve import as_client, as_transport, make_transport
from ..service_time import ServiceTime
from .devices import DeviceCalls
from .pair import ExchangePair

__all__ = ["AWSSRP", "present_class"]

_MODULE = __name__.rpartition(".")[0]
_PACKAGE = _MODULE.rpartition(".")[0]


class AWSSRP(ExchangePair, DeviceCalls):
    """Log in by SRP. The constructor, the attributes and the methods are those of pycognito's ``AWSSRP``.

    The pair of the first exchange (``small_a_value``, ``large_a_value``) is drawn when it is first needed. Each later
    exchange draws a new one, because a pair must not be used twice; so does a forked child.
    """

    SMS_MFA_CHALLENGE = "SMS_MFA"
    SOFTWARE_TOKEN_MFA_CHALLENGE = "SOFTWARE_TOKEN_MFA"
    NEW_PASSWORD_REQUIRED_CHALLENGE = "NEW_PASSWORD_REQUIRED"
    PASSWORD_VERIFIER_CHALLENGE = "PASSWORD_VERIFIER"
    DEVICE_SRP_CHALLENGE = "DEVICE_SRP_AUTH"
    DEVICE_PASSWORD_VERIFIER_CHALLENGE = "DEVICE_PASSWORD_VERIFIER"

    # On the class, because some programs make an object without calling __init__.
    _app: AppClient | None = None

    # Defaults for an object that was made without the constructor: by a subclass that does not call it, or by a program
    # that sets pycognito's attributes itself.
    client_secret: str | None = None
    device_key: str | None = None
    device_group_key: str | None = None
    device_password: str | None = None
    device_name: str | None = None
    access_token: str | None = None
    canonical_username: str | None = None
    big_n = cognito.GROUP.N
    val_g = cognito.GROUP.g
    val_k = cognito.k
    _clock: Clock = staticmethod(system_clock)
    _random_bits: RandomBits = staticmethod(system_random_bits)

    def __init__(
        self,
        username: str | None,
        password: str | None,
        pool_id: str,
        client_id: str,
        pool_region: str | None = None,
        client: object = None,
        client_secret: str | None = None,
        device_key: str | None = None,
        device_group_key: str | None = None,
        device_password: str | None = None,
        *,
        clock: Clock = system_clock,
        random_bits: RandomBits = system_random_bits,
    ) -> None:
        if pool_region is not None and client is not None:
            raise ConfigurationError("pool_region and client cannot be given together: the client has a region already")
        if len({value is None for value in (device_key, device_group_key, device_password)}) > 1:
            raise ConfigurationError("device_key, device_group_key and device_password go together: give all or none")
        # pycognito accepts None here, and programs written for it rely on that. None is refused when it is used.
        self.username = cast(str, username)
        self.password = cast(str, password)
        self.pool_id = pool_id
        self.client_id = client_id
        self.client_secret = client_secret
        self.client = _default_client(pool_id, pool_region) if client is None else client
        self.device_key = device_key
        self.device_group_key = device_group_key
        self.device_password = device_password
        self.device_name = self.access_token = self.canonical_username = None
        self.big_n = cognito.GROUP.N
        self.val_g = cognito.GROUP.g
        self.val_k = cognito.k
        self._clock = clock
        self._random_bits = random_bits

    def __repr__(self) -> str:
        pool_id, username = getattr(self, "pool_id", None), getattr(self, "username", None)
        return f"<{type(self).__name__} {pool_id} {username}>"

    @cached_property
    def client(self) -> Any:
        """The client that sends the requests. The constructor sets it; without the constructor it is made here."""
        return _default_client(self.pool_id, None)

    def get_password_authentication_key(
        self, username: str, password: str, server_b_value: int, salt: int | str
    ) -> bytes:
        """Return the 16-byte key that proves the password.

        Args:
            username: USER_ID_FOR_SRP of the challenge.
            password: the user's password.
            server_b_value: B, as an integer.
            salt: SALT, as an integer or as the challenge's hexadecimal string.

        Raises:
            UnsafeServerValue: B or the salt is unsafe to use, or this is a second B for the same SRP_A.
            ConfigurationError: SRP_A was sent by the parent of this process, or the password cannot be encoded.
        """
        return self._key("password", Pool(self.pool_id).suffix + username, password, server_b_value, salt)

    def get_device_authentication_key(
        self, device_group_key: str, device_key: str, device_password: str, server_b_value: int, salt: int | str
    ) -> bytes:
        """Return the 16-byte key that proves the device. B and the salt are those of the challenge.

        Raises:
            UnsafeServerValue: B or the salt is unsafe to use, or this is a second B for the same SRP_A.
            ConfigurationError: SRP_A was sent by the parent of this process, or the password cannot be encoded.
        """
        identity = device_identity(device_group_key, device_key)
        return self._key("device", identity, device_password, server_b_value, salt)

    def _key(self, kind: str, identity: str, password: str, B: int, salt: int | str) -> bytes:
        if isinstance(salt, str):
            salt = parse_salt(salt)
        return cognito.client_key(self._pair_for(kind, B), B, cognito.private_key(identity, password, salt))

    def get_auth_params(self) -> dict[str, str]:
        """Return the AuthParameters of USER_SRP_AUTH. If the last SRP_A was already used in an answer, draw a new one.

        Raises:
            ConfigurationError: the username is missing or cannot be encoded as UTF-8.
        """
        if self._is_bound():
            self._forget_pair()
        self._state().sent = True
        return self._identified(self._login_context(), {"SRP_A": to_hex(self.large_a_value)})

    @staticmethod
    def get_secret_hash(username: str, client_id: str, client_secret: str) -> str:
        """Return ``SECRET_HASH = base64(HMAC-SHA-256(key=client_secret, message=username | client_id))``."""
        from ..crypto.secret_hash import secret_hash  # many app clients have no secret

        return secret_hash(username, client_id, client_secret)

    @staticmethod
    def get_cognito_formatted_timestamp(input_datetime: datetime) -> str:
        """Return *input_datetime* in the format of TIMESTAMP. A naive datetime counts as UTC."""
        return cognito.format_timestamp(input_datetime)

    def process_challenge(
        self, challenge_parameters: dict[str, Any], request_parameters: dict[str, str]
    ) -> dict[str, str]:
        """Return the ChallengeResponses to PASSWORD_VERIFIER.

        Args:
            challenge_parameters: the ChallengeParameters of the reply.
            request_parameters: the AuthParameters that were sent.

        It may be called again for the same challenge, but not for another one with the same SRP_A.

        Raises:
            UnsafeServerValue: a challenge parameter is missing or unsafe to use, or this is a second SRP_B for the
                same SRP_A.
            ConfigurationError: SRP_A was sent by the parent of this process.
        """
        context = self._login_context()
        context.canonical = (
            challenge_parameters.get("USERNAME")
            or challenge_parameters.get("USER_ID_FOR_SRP")
            or request_parameters["USERNAME"]
        )
        name = require_string(challenge_parameters, "USER_ID_FOR_SRP")
        claim = sign_claim(
            challenge_parameters,
            context.app.pool.suffix + name,
            lambda B, salt: self.get_password_authentication_key(name, self.password, B, salt),
            lambda: self.get_cognito_formatted_timestamp(context.now),
        )
        return self._identified(context, claim)

    def process_device_challenge(self, challenge_parameters: dict[str, Any]) -> dict[str, str]:
        """Return the ChallengeResponses to DEVICE_PASSWORD_VERIFIER, if ``large_a_value`` was sent as SRP_A.

        Raises:
            ConfigurationError: the constructor got no device, or SRP_A was sent by the parent of this process.
            UnsafeServerValue: a challenge parameter is missing or unsafe to use, or this is a second SRP_B of a device
                for the SRP_A that was sent.
        """
        context = self._login_context()
        device = context.device
        if device is None:
            raise ConfigurationError("no device: give device_key, device_group_key and device_password")
        context.canonical = challenge_parameters.get("USERNAME") or self.canonical_username
        claim = sign_claim(
            challenge_parameters,
            device_identity(device.group_key, device.key),
            lambda B, salt: self.get_device_authentication_key(device.group_key, device.key, device.password, B, salt),
            lambda: self.get_cognito_formatted_timestamp(context.now),
        )
        return self._identified(context, claim)

    def authenticate_user(self, client: object = None, client_metadata: dict[str, str] | None = None) -> JsonObject:
        """Log in, and return the service's reply with ``AuthenticationResult``. A device challenge is answered.

        Args:
            client: used only if the attribute ``client`` is None.
            client_metadata: passed to the pool's Lambda triggers.

        Raises:
            ForceChangePasswordException: the user must choose a new password: call :meth:`set_new_password_challenge`.
            SMSMFAChallengeException, SoftwareTokenMFAChallengeException: the service wants a code.
            ServiceError: the service refused the login, for example because the password is wrong.
            ConfigurationError: the username or the password is missing or cannot be encoded; nothing was sent.
            TransportError: the service did not answer.
            UnexpectedChallenge: the service sent a challenge that must not follow; nothing more was sent.
            UnsafeServerValue: the service sent an unsafe or malformed value; it was not used.
            UnsupportedChallenge: the service sent a challenge that only ``Cognito.sign_in`` can answer.
        """
        reply = run(
            self.log_in(client_metadata), as_transport(self.client or client), observer=ServiceTime(self._clock)
        )
        raise_challenge(reply)
        return reply

    def set_new_password_challenge(
        self,
        new_password: str,
        client: object = None,
        required_attributes: Mapping[str, str | float | bool] | None = None,
        client_metadata: dict[str, str] | None = None,
    ) -> JsonObject:
        """Log in, answer NEW_PASSWORD_REQUIRED with *new_password*, and return the service's reply.

        Args:
            new_password: the password that the user has chosen.
            client: used only if the attribute ``client`` is None.
            required_attributes: a value for each name in ``ForceChangePasswordException.required_attributes``.
            client_metadata: passed to the pool's Lambda triggers.

        Raises:
            ConfigurationError: a required attribute is missing, or a string cannot be encoded.
            ServiceError: the service refused the login or the new password.
            TransportError: the service did not answer.
            ForceChangePasswordException, MFAChallengeException: the service sent another challenge.
            UnexpectedChallenge: the service sent a challenge that must not follow; nothing more was sent.
            UnsafeServerValue: the service sent an unsafe or malformed value; it was not used.
            UnsupportedChallenge: the service sent a challenge that only ``Cognito.sign_in`` can answer.
        """
        flow = self.log_in_with_new_password(new_password, required_attributes, client_metadata)
        return run(flow, as_transport(self.client or client), observer=ServiceTime(self._clock))

    def log_in(self, client_metadata: dict[str, str] | None = None) -> Flow[JsonObject]:
        """Log in, and return the first reply that needs the user or that has the tokens. This is a flow.

        Raises:
            ServiceError: the service refused the login.
            TransportError: the service did not answer.
            ConfigurationError: the username or the password is missing or cannot be encoded; nothing was sent.
            UnexpectedChallenge: the service sent a challenge that must not follow; nothing more was sent.
            UnsafeServerValue: the service sent an unsafe or malformed value; it was not used.
        """
        return (yield from self._log_in(self._login_context(client_metadata)))

    def log_in_with_new_password(
        self,
        new_password: str,
        required_attributes: Mapping[str, str | float | bool] | None = None,
        client_metadata: dict[str, str] | None = None,
    ) -> Flow[JsonObject]:
        """Log in, answer NEW_PASSWORD_REQUIRED with *new_password*, and return the next reply. This is a flow.

        Raises:
            ServiceError: the service refused the login or the new password.
            TransportError: the service did not answer.
            ConfigurationError: a required attribute is missing, or a string cannot be encoded.
            UnexpectedChallenge: the service sent a challenge that must not follow; nothing more was sent.
            UnsafeServerValue: the service sent an unsafe or malformed value; it was not used.
            UnsupportedChallenge: the service sent a challenge that only ``Cognito.sign_in`` can answer.
        """
        utf8(new_password, name="new_password")
        context = self._login_context(client_metadata)
        reply = yield from self._log_in(context)
        challenge = challenge_of(context, reply)
        if challenge is None or challenge.name != self.NEW_PASSWORD_REQUIRED_CHALLENGE:
            return reply
        given = Answer(new_password=new_password, attributes=required_attributes)
        return (yield from answer_challenge(context, challenge, given))

    def _log_in(self, context: LoginContext) -> Flow[JsonObject]:
        def first() -> dict[str, str]:
            self._begin_exchange()
            if context.device is None:
                # The login has no device, or no longer has one: the service did not know it.
                self.device_key = self.device_group_key = self.device_password = None
            return self.get_auth_params()

        def device() -> dict[str, str]:
            # Each exchange has a pair of its own, the device's too.
            self._begin_exchange()
            self.canonical_username = context.canonical
            return self._identified(context, {"SRP_A": to_hex(self.large_a_value)})

        # Check the password and the pool id before anything is sent. They are needed only after the first reply, so
        # without this check a login would begin that cannot be completed. A program that overrides process_challenge
        # may not need them, so then nothing is checked.
        if getattr(self.process_challenge, "__func__", None) is _PROCESS_CHALLENGE:
            utf8(self.password, name="password")
            _ = context.app.pool.suffix  # raises if the pool id is not valid
        try:
            return (
                yield from user_srp(
                    context, Prover(first, self.process_challenge, device, self.process_device_challenge)
                )
            )
        finally:
            self.canonical_username = context.canonical

    def _login_context(self, client_metadata: dict[str, str] | None = None) -> LoginContext:
        device = None
        if self.device_key is not None and self.device_group_key is not None and self.device_password is not None:
            device = Device(self.device_key, self.device_group_key, self.device_password)
        return LoginContext(
            self._present_app(),
            self.username,
            device=device,
            client_metadata=client_metadata,
            clock=self._clock,
            random_bits=self._random_bits,
        )

    def _identified(self, context: LoginContext, parameters: dict[str, str]) -> dict[str, str]:
        """Return *parameters* with those of every request. SECRET_HASH is computed by ``get_secret_hash``."""
        found = context.identified(parameters)
        if self.client_secret is not None:
            found["SECRET_HASH"] = self.get_secret_hash(found["USERNAME"], self.client_id, self.client_secret)
        return found

    def _present_app(self) -> AppClient:
        """Return the app client. It is made again only if a program has changed the attributes since the last call."""
        app = self._app
        present = self.pool_id, self.client_id, self.client_secret
        if app is None or (app.pool.user_pool_id, app.client_id, app.client_secret) != present:
            app = self._app = AppClient(pool_or_placeholder(self.pool_id), self.client_id, self.client_secret)
        return app


def present_class() -> Any:
    """Return the class AWSSRP, or what a program has put instead of it in ``srpcore`` or in ``srpcore.aws_srp``.

    pycognito looks the name up at each login, so the tests of programs patch it.
    """
    found = vars(sys.modules[_PACKAGE]).get("AWSSRP", AWSSRP)
    return vars(sys.modules[_MODULE]).get("AWSSRP", AWSSRP) if found is AWSSRP else found


def _default_client(pool_id: str, pool_region: str | None) -> Any:
    region = pool_region or Pool(pool_id).region
    return as_client(make_transport(None, region=region), region)


_PROCESS_CHALLENGE = AWSSRP.process_challenge
