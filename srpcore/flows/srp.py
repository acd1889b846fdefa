"""The SRP conversations: log in by password, prove a remembered device, start over when the device is gone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from ..crypto import cognito
from ..crypto.device import Device, device_identity
from ..crypto.encoding import decode_secret_block, parse_hex, parse_public_value, to_hex
from ..crypto.srp import Ephemeral, secret_exponent
from ..exceptions.base import UnsafeServerValue, UnsupportedChallenge
from ..exceptions.service_exceptions import ResourceNotFoundException
from ..protocol import Flow, JsonObject
from .login_context import LoginContext, challenge_parameters

__all__ = [
    "Prover",
    "answer_device",
    "device_claim",
    "fresh_pair",
    "is_stale_device",
    "password_claim",
    "password_prover",
    "prove",
    "user_srp",
    "without_stale_device",
]

SALT_DIGITS = 256
"""The service's salts have 32 digits; more than eight times that is nonsense."""


class Prover(NamedTuple):
    """What proves a password: the two methods that users of pycognito's AWSSRP override."""

    get_auth_params: Callable[[], dict[str, str]]
    """Returns AuthParameters of InitiateAuth; called once for each exchange."""

    process_challenge: Callable[[dict[str, Any], dict[str, str]], dict[str, str]]
    """Returns ChallengeResponses to PASSWORD_VERIFIER for its parameters and the AuthParameters that were sent."""


def password_prover(context: LoginContext, password: str) -> Prover:
    """Return what proves *password* in one exchange: with a fresh pair, and the context's clock."""
    pair = fresh_pair(context)

    def get_auth_params() -> dict[str, str]:
        return context.identified({"SRP_A": to_hex(pair.public)})

    def process_challenge(parameters: dict[str, Any], _: dict[str, str]) -> dict[str, str]:
        suffix = context.app.pool.suffix
        claim = password_claim(parameters, suffix=suffix, password=password, pair=pair, now=context.now)
        return context.identified(claim)

    return Prover(get_auth_params, process_challenge)


def fresh_pair(context: LoginContext) -> Ephemeral:
    """Return a one-time pair from the context's random source: 256 random bits."""
    return cognito.client_pair(secret_exponent(context.random_bits))


def password_claim(
    parameters: Mapping[str, Any], *, suffix: str, password: str, pair: Ephemeral, now: datetime
) -> dict[str, str]:
    """Return the three parts of the answer to PASSWORD_VERIFIER that prove the password.

    Raises:
        UnsafeServerValue: a challenge parameter is missing or must not be answered.
        ConfigurationError: the password has no UTF-8 form.
    """
    return _claim(parameters, suffix + _text(parameters, "USER_ID_FOR_SRP"), password, pair, now)


def device_claim(parameters: Mapping[str, Any], *, device: Device, pair: Ephemeral, now: datetime) -> dict[str, str]:
    """Return the three parts of the answer to DEVICE_PASSWORD_VERIFIER that prove the device.

    Raises:
        UnsafeServerValue: a challenge parameter is missing or must not be answered.
    """
    return _claim(parameters, device_identity(device.group_key, device.key), device.password, pair, now)


def _claim(
    parameters: Mapping[str, Any], identity: str, password: str, pair: Ephemeral, now: datetime
) -> dict[str, str]:
    B = parse_public_value(parameters.get("SRP_B"), cognito.GROUP.N, name="SRP_B")
    salt = parse_hex(parameters.get("SALT"), name="SALT", max_digits=SALT_DIGITS, signed=True)
    block = _text(parameters, "SECRET_BLOCK")
    key = cognito.client_key(pair, B, cognito.private_key(identity, password, salt))
    timestamp = cognito.format_timestamp(now)
    return {
        "TIMESTAMP": timestamp,
        "PASSWORD_CLAIM_SECRET_BLOCK": block,
        "PASSWORD_CLAIM_SIGNATURE": cognito.claim(key, identity, decode_secret_block(block), timestamp),
    }


def _text(parameters: Mapping[str, Any], name: str) -> str:
    value = parameters.get(name)
    if not isinstance(value, str) or not value:
        raise UnsafeServerValue(f"the challenge has no {name}: refused to answer it")
    return value


def user_srp(context: LoginContext, prover: Prover) -> Flow[JsonObject]:
    """Log in by USER_SRP_AUTH and return the reply that ends it: tokens, or a challenge that needs the user.

    A device challenge on the way is answered. Where the service no longer knows the device, it is forgotten and
    the log-in starts over without it.

    Raises:
        ServiceError: the service refused.
        UnsupportedChallenge: the service did not ask for the password's proof.
    """
    return (yield from without_stale_device(context, lambda: _user_srp(context, prover)))


def without_stale_device(context: LoginContext, begin: Callable[[], Flow[JsonObject]]) -> Flow[JsonObject]:
    """Return what *begin* returns; where the service no longer knows the device, forget it and begin again.

    Raises:
        ServiceError: the service refused.
    """
    try:
        return (yield from begin())
    except ResourceNotFoundException as error:
        if context.device is None or not is_stale_device(error):
            raise
        context.device = None
    return (yield from begin())


def _user_srp(context: LoginContext, prover: Prover) -> Flow[JsonObject]:
    request = prover.get_auth_params()
    reply = yield from context.initiate("USER_SRP_AUTH", request)
    if reply.get("ChallengeName") != "PASSWORD_VERIFIER":
        raise UnsupportedChallenge(str(reply.get("ChallengeName", "absent")))
    return (yield from prove(context, reply, prover, request))


def prove(context: LoginContext, reply: JsonObject, prover: Prover, request: dict[str, str]) -> Flow[JsonObject]:
    """Answer PASSWORD_VERIFIER, the reply to *request*, and a device challenge after it; return any other reply.

    Raises:
        UnsafeServerValue: the challenge must not be answered.
        ServiceError: the service refused.
    """
    if reply.get("ChallengeName") == "PASSWORD_VERIFIER":
        responses = prover.process_challenge(challenge_parameters(reply), request)
        reply = yield from context.respond(reply, responses)
    return (yield from answer_device(context, reply))


def answer_device(context: LoginContext, reply: JsonObject) -> Flow[JsonObject]:
    """Return *reply*, or what follows it when it is DEVICE_SRP_AUTH and the device is there to prove.

    It may follow PASSWORD_VERIFIER, a password log-in, CUSTOM_CHALLENGE and MFA. The pair is fresh.

    Raises:
        ServiceError: the service refused.
        UnsafeServerValue: the challenge must not be answered.
    """
    device = context.device
    if reply.get("ChallengeName") != "DEVICE_SRP_AUTH" or device is None:
        return reply
    pair = fresh_pair(context)
    challenge = yield from context.respond(reply, context.identified({"SRP_A": to_hex(pair.public)}))
    if challenge.get("ChallengeName") != "DEVICE_PASSWORD_VERIFIER":
        raise UnsupportedChallenge(str(challenge.get("ChallengeName", "absent")))
    claim = device_claim(challenge_parameters(challenge), device=device, pair=pair, now=context.now)
    return (yield from context.respond(challenge, context.identified(claim)))


def is_stale_device(error: ResourceNotFoundException) -> bool:
    """Say whether *error* is the service's word that it no longer knows the device."""
    return "device" in error.message.lower()
