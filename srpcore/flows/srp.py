"""The SRP steps of a login: prove the password, prove a remembered device, begin again if the device is unknown.

:mod:`srpcore.flows.login` shows where they are in a login. Cognito's variant of SRP-6a is in
:mod:`srpcore.crypto.cognito`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from .._values import Value
from ..crypto import cognito
from ..crypto.device import Device, device_identity
from ..crypto.encoding import decode_secret_block, parse_hex, parse_public_value, to_hex
from ..crypto.key_exchange import Ephemeral, secret_exponent
from ..exceptions.base import UnsafeServerValue
from ..exceptions.service import ServiceError
from ..protocol import Flow, JsonObject
from .login_context import LoginContext, challenge_parameters
from .transitions import AFTER_FIRST_FACTOR, DEVICE_PROOF, PASSWORD_PROOF

__all__ = [
    "Prover",
    "answer_device",
    "device_claim",
    "fresh_pair",
    "is_stale_device",
    "parse_salt",
    "password_claim",
    "password_prover",
    "prove",
    "require_string",
    "retry_without_stale_device",
    "sign_claim",
    "user_srp",
]

MAX_SALT_DIGITS = 256
"""The highest number of hexadecimal digits of SALT. The service sends 32; the limit only bounds the work."""


class Prover(Value):
    """Functions that prove a password, and a device. Programs for pycognito override them as methods of AWSSRP."""

    __slots__ = ("get_auth_params", "get_device_params", "process_challenge", "process_device_challenge")

    get_auth_params: Callable[[], dict[str, str]]
    """Returns the AuthParameters of InitiateAuth. It is called once for each exchange."""

    process_challenge: Callable[[dict[str, Any], dict[str, str]], dict[str, str]]
    """Returns the ChallengeResponses to PASSWORD_VERIFIER.

    It is called with the ChallengeParameters and with the AuthParameters that were sent.
    """

    get_device_params: Callable[[], dict[str, str]] | None
    """Returns the ChallengeResponses to DEVICE_SRP_AUTH; None if nothing is overridden."""

    process_device_challenge: Callable[[dict[str, Any]], dict[str, str]] | None
    """Returns the ChallengeResponses to DEVICE_PASSWORD_VERIFIER, for its ChallengeParameters."""

    def __init__(
        self,
        get_auth_params: Callable[[], dict[str, str]],
        process_challenge: Callable[[dict[str, Any], dict[str, str]], dict[str, str]],
        get_device_params: Callable[[], dict[str, str]] | None = None,
        process_device_challenge: Callable[[dict[str, Any]], dict[str, str]] | None = None,
    ) -> None:
        self._set(
            get_auth_params=get_auth_params,
            process_challenge=process_challenge,
            get_device_params=get_device_params,
            process_device_challenge=process_device_challenge,
        )


def password_prover(context: LoginContext, password: str) -> Prover:
    """Return the functions that prove *password*. Each exchange draws a fresh pair; the time is the context's clock.

    Raises:
        ConfigurationError: the pool id is not valid.
        RuntimeError: ``process_challenge`` was called before ``get_auth_params``, which draws the pair.
    """
    pair: Ephemeral | None = None
    suffix = context.app.pool.suffix  # if the pool id is not valid, this raises before anything is sent

    def get_auth_params() -> dict[str, str]:
        nonlocal pair
        pair = fresh_pair(context)
        return context.identified({"SRP_A": to_hex(pair.public)})

    def process_challenge(parameters: dict[str, Any], _: dict[str, str]) -> dict[str, str]:
        if pair is None:
            raise RuntimeError("call get_auth_params() first: it draws the pair")
        claim = password_claim(parameters, suffix=suffix, password=password, pair=pair, now=context.now)
        return context.identified(claim)

    return Prover(get_auth_params, process_challenge)


def fresh_pair(context: LoginContext) -> Ephemeral:
    """Return a new pair ``(a, A = g^a mod N)`` with 256 random bits. Use it for one exchange only."""
    return cognito.client_pair(secret_exponent(context.random_bits))


def password_claim(
    parameters: Mapping[str, Any], *, suffix: str, password: str, pair: Ephemeral, now: datetime
) -> dict[str, str]:
    """Return the three ChallengeResponses to PASSWORD_VERIFIER that prove the password.

    Args:
        parameters: the ChallengeParameters.
        suffix: the part of the pool's id after the ``_``.
        password: the user's password.
        pair: the pair whose A was sent.
        now: the present time, for TIMESTAMP.

    Raises:
        UnsafeServerValue: a challenge parameter is missing or unsafe to use.
        ConfigurationError: the password cannot be encoded as UTF-8.
    """
    return _claim(parameters, suffix + require_string(parameters, "USER_ID_FOR_SRP"), password, pair, now)


def device_claim(parameters: Mapping[str, Any], *, device: Device, pair: Ephemeral, now: datetime) -> dict[str, str]:
    """Return the three ChallengeResponses to DEVICE_PASSWORD_VERIFIER that prove the device.

    Raises:
        UnsafeServerValue: a challenge parameter is missing or unsafe to use.
    """
    return _claim(parameters, device_identity(device.group_key, device.key), device.password, pair, now)


def _claim(
    parameters: Mapping[str, Any], identity: str, password: str, pair: Ephemeral, now: datetime
) -> dict[str, str]:
    def derive_key(B: int, salt: str) -> bytes:
        return cognito.client_key(pair, B, cognito.private_key(identity, password, parse_salt(salt)))

    return sign_claim(parameters, identity, derive_key, lambda: cognito.format_timestamp(now))


def sign_claim(
    parameters: Mapping[str, Any],
    identity: str,
    derive_key: Callable[[int, str], bytes],
    timestamp_now: Callable[[], str],
) -> dict[str, str]:
    """Return the three ChallengeResponses that prove a password, of a user or of a device.

    Args:
        parameters: the ChallengeParameters. They are checked before *derive_key* is called.
        identity: whose password it is: see :func:`srpcore.crypto.cognito.private_key`.
        derive_key: returns the 16-byte key, for B and for SALT, the challenge's hexadecimal string.
        timestamp_now: returns TIMESTAMP.

    Raises:
        UnsafeServerValue: a challenge parameter is missing or unsafe to use.
    """
    B = parse_public_value(parameters.get("SRP_B"), cognito.GROUP.N, name="SRP_B")
    parse_salt(parameters.get("SALT"))
    block = require_string(parameters, "SECRET_BLOCK")
    key = derive_key(B, parameters["SALT"])
    timestamp = timestamp_now()
    return {
        "TIMESTAMP": timestamp,
        "PASSWORD_CLAIM_SECRET_BLOCK": block,
        "PASSWORD_CLAIM_SIGNATURE": cognito.claim(key, identity, decode_secret_block(block), timestamp),
    }


def parse_salt(salt: object) -> int:
    """Return SALT as an integer. Only SALT may have a sign.

    Raises:
        UnsafeServerValue: it is not a hexadecimal string of bounded size.
    """
    return parse_hex(salt, name="SALT", max_digits=MAX_SALT_DIGITS, signed=True)


def require_string(parameters: Mapping[str, Any], name: str) -> str:
    """Return the challenge parameter *name*.

    Raises:
        UnsafeServerValue: it is missing or is not a string.
    """
    value = parameters.get(name)
    if not isinstance(value, str) or not value:
        raise UnsafeServerValue(f"unsafe value from the server: {name} is missing in the challenge")
    return value


def user_srp(context: LoginContext, prover: Prover) -> Flow[JsonObject]:
    """Log in with USER_SRP_AUTH, and return the first reply that needs the user or that has the tokens.

    If the service sends a challenge for a remembered device, it is answered. If the service no longer knows the device,
    the login begins again without it.

    Raises:
        ServiceError: the service refused the login.
        UnexpectedChallenge: the service sent a challenge that must not follow, for example PASSWORD.
        UnsafeServerValue: a challenge parameter is missing or unsafe to use.
    """
    return (yield from retry_without_stale_device(context, lambda: _user_srp(context, prover)))


def retry_without_stale_device(context: LoginContext, attempt: Callable[[], Flow[JsonObject]]) -> Flow[JsonObject]:
    """Return what *attempt* returns. If the service no longer knows the device, drop it and call *attempt* again.

    Raises:
        ServiceError: the service refused the login.
    """
    try:
        return (yield from attempt())
    except ServiceError as error:
        if context.device is None or not is_stale_device(error):
            raise
        context.device = None
    return (yield from attempt())


def _user_srp(context: LoginContext, prover: Prover) -> Flow[JsonObject]:
    request = prover.get_auth_params()
    reply = yield from context.initiate("USER_SRP_AUTH", request, expected=PASSWORD_PROOF)
    return (yield from prove(context, reply, prover, request))


def prove(context: LoginContext, reply: JsonObject, prover: Prover, request: dict[str, str]) -> Flow[JsonObject]:
    """Answer PASSWORD_VERIFIER, and a device challenge if the login has a device. Return the reply after those.

    Args:
        context: the login.
        reply: the reply to *request*. If it is not PASSWORD_VERIFIER, that step is left out.
        prover: proves the password.
        request: the AuthParameters, or the ChallengeResponses, that carried SRP_A.

    Raises:
        UnsafeServerValue: a challenge parameter is missing or unsafe to use.
        UnexpectedChallenge: the service sent a challenge that must not follow, for example PASSWORD.
        ServiceError: the service refused the answer.
    """
    if reply.get("ChallengeName") == "PASSWORD_VERIFIER":
        responses = prover.process_challenge(challenge_parameters(reply), request)
        reply = yield from context.respond(reply, responses, expected=AFTER_FIRST_FACTOR)
    return (yield from answer_device(context, reply, prover))


def answer_device(context: LoginContext, reply: JsonObject, prover: Prover | None = None) -> Flow[JsonObject]:
    """Answer DEVICE_SRP_AUTH if *reply* is that challenge and the login has a device. Return the last reply.

    The service may send this challenge after PASSWORD_VERIFIER, after a login that sends the password, after
    CUSTOM_CHALLENGE and after MFA. The exchange uses a fresh pair, not the one of the password. If *prover* has
    functions for a device, they compute the answers.

    Raises:
        ServiceError: the service refused the answer.
        UnsafeServerValue: a challenge parameter is missing or unsafe to use.
        UnexpectedChallenge: the service sent a challenge that must not follow.
    """
    device = context.device
    if reply.get("ChallengeName") != "DEVICE_SRP_AUTH" or device is None:
        return reply
    if prover is not None and prover.get_device_params is not None and prover.process_device_challenge is not None:
        challenge = yield from context.respond(reply, prover.get_device_params(), expected=DEVICE_PROOF)
        responses = prover.process_device_challenge(challenge_parameters(challenge))
        return (yield from context.respond(challenge, responses, expected=AFTER_FIRST_FACTOR))
    pair = fresh_pair(context)
    request = context.identified({"SRP_A": to_hex(pair.public)})
    challenge = yield from context.respond(reply, request, expected=DEVICE_PROOF)
    claim = device_claim(challenge_parameters(challenge), device=device, pair=pair, now=context.now)
    return (yield from context.respond(challenge, context.identified(claim), expected=AFTER_FIRST_FACTOR))


def is_stale_device(error: ServiceError) -> bool:
    """Return whether *error* means that the service no longer knows the device.

    That is a ResourceNotFoundException. The service sends it for other resources too, so the message must contain
    "device": "Device does not exist."
    """
    from ..exceptions.service_exceptions import ResourceNotFoundException  # importing it is slow

    return isinstance(error, ResourceNotFoundException) and "device" in error.message.lower()
