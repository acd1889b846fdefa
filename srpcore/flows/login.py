"""Log in, step by step: begin by any flow, answer any challenge."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..crypto.encoding import utf8
from ..exceptions.base import ConfigurationError, UnsupportedChallenge
from ..exceptions.service_exceptions import ResourceNotFoundException
from ..protocol import Flow, JsonObject
from . import ask
from .challenge import NEEDS, PREFIX, Answer, Challenge, missing_attributes
from .login_context import LoginContext
from .srp import answer_device, is_stale_device, password_prover, prove, without_stale_device

__all__ = ["answer", "begin", "set_up_totp"]


def begin(
    context: LoginContext, auth_flow: str, password: str | None, *, preferred: str | None = None
) -> Flow[JsonObject]:
    """Begin a log-in by *auth_flow* and return the first reply that needs the user, or has the tokens.

    USER_SRP_AUTH, and CUSTOM_AUTH or USER_AUTH with a password, prove it by SRP; USER_PASSWORD_AUTH and the
    administrator's flows send it, and so does USER_AUTH where PASSWORD is *preferred*. A device that the service no
    longer knows is forgotten, and the log-in begins again without it.

    Raises:
        ConfigurationError: the flow needs a password and there is none, or it has no UTF-8 form; nothing was sent.
        ServiceError: the service refused.
    """
    return (yield from without_stale_device(context, lambda: _begin(context, auth_flow, password, preferred)))


def _begin(context: LoginContext, auth_flow: str, password: str | None, preferred: str | None) -> Flow[JsonObject]:
    utf8(auth_flow, name="auth_flow")
    if preferred is not None and auth_flow != "USER_AUTH":
        raise ConfigurationError(f"{auth_flow} takes no preferred challenge: USER_AUTH does")
    sends_password = auth_flow in ("USER_PASSWORD_AUTH", "ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH")
    if password is not None:
        utf8(password, name="password")
    elif sends_password or auth_flow == "USER_SRP_AUTH" or preferred in ("PASSWORD", "PASSWORD_SRP"):
        raise ConfigurationError(f"{auth_flow} needs the password: give it")
    own: dict[str, str] = {} if preferred is None else {"PREFERRED_CHALLENGE": preferred}
    by_srp = password is not None and not sends_password and preferred in (None, "PASSWORD_SRP")
    if password is not None and (sends_password or preferred == "PASSWORD"):
        own["PASSWORD"] = password
    if not by_srp or password is None:
        reply = yield from context.initiate(auth_flow, context.identified(own))
        return (yield from answer_device(context, reply))
    if auth_flow == "CUSTOM_AUTH":
        own["CHALLENGE_NAME"] = "SRP_A"
    if auth_flow == "USER_AUTH" and preferred is None:
        own["PREFERRED_CHALLENGE"] = "PASSWORD_SRP"
    prover = password_prover(context, password)
    request = {**prover.get_auth_params(), **own}
    reply = yield from context.initiate(auth_flow, request)
    return (yield from prove(context, reply, prover, request))


def answer(context: LoginContext, challenge: Challenge, given: Answer) -> Flow[JsonObject]:
    """Answer *challenge* with what was *given*, and return the next reply that needs the user, or has the tokens.

    Raises:
        ConfigurationError: what the challenge needs was not given, or cannot be used; nothing was sent.
        UnsupportedChallenge: the challenge cannot be answered from here (a device that is not at hand).
        ServiceError: the service refused.
    """
    try:
        return (yield from _answer(context, challenge, given))
    except ResourceNotFoundException as error:
        # The Session is spent: the log-in must begin again, and can, without the device.
        if is_stale_device(error):
            context.device = None
        raise


def _answer(context: LoginContext, challenge: Challenge, given: Answer) -> Flow[JsonObject]:
    needs, key = NEEDS[challenge.name]
    reply = challenge.as_reply()
    if needs == "device":
        if context.device is None or challenge.name == "DEVICE_PASSWORD_VERIFIER":
            raise UnsupportedChallenge(challenge.name)
        return (yield from answer_device(context, reply))
    if needs == "set_up":
        return (yield from _answer_set_up(context, challenge, given))
    if needs in ("choice", "password"):
        return (yield from _answer_choice(context, challenge, given))
    responses = _responses(challenge, given, needs, key)
    reply = yield from context.respond(reply, context.identified(responses))
    return (yield from answer_device(context, reply))


def _responses(challenge: Challenge, given: Answer, needs: str, key: str) -> dict[str, str]:
    if needs == "credential":
        return {key: _given(_as_json(given.credential), needs)}
    if needs == "code":
        return {key: _given(given.code, needs, strip=True)}
    if needs == "answer":
        return {key: _given(given.answer, needs)}
    attributes = given.attributes or {}
    missing = missing_attributes(challenge.as_reply(), attributes)
    if missing:
        raise ConfigurationError(f"the pool requires more attributes: give {', '.join(missing)} in attributes")
    named: dict[str, str] = {}
    for name, value in attributes.items():
        # An empty value is the service's to judge.
        utf8(value, name=f"attribute {name}")
        named[PREFIX + _given(name, "attributes").removeprefix(PREFIX)] = value
    return {key: _given(given.new_password, needs), **named}


def _answer_choice(context: LoginContext, challenge: Challenge, given: Answer) -> Flow[JsonObject]:
    """Choose among factors; one that is a password carries it, or its SRP_A, in the same answer."""
    reply = challenge.as_reply()
    chosen = challenge.name
    responses: dict[str, str] = {}
    if challenge.needs == "choice":
        chosen = responses["ANSWER"] = _given(given.choice, "choice")
        if challenge.choices and chosen not in challenge.choices:
            raise ConfigurationError(f"there is no {chosen} to choose: choose one of {', '.join(challenge.choices)}")
    if chosen != "PASSWORD_SRP":
        if chosen == "PASSWORD":
            responses["PASSWORD"] = _given(given.password, "password")
        reply = yield from context.respond(reply, context.identified(responses))
        return (yield from answer_device(context, reply))
    prover = password_prover(context, _given(given.password, "password"))
    request = {**responses, **prover.get_auth_params()}
    reply = yield from context.respond(reply, request)
    return (yield from prove(context, reply, prover, request))


def set_up_totp(challenge: Challenge) -> Flow[tuple[str, Challenge]]:
    """Begin MFA_SETUP with an authenticator app: return its secret (base32), and the challenge to answer with a code.

    Raises:
        ConfigurationError: the challenge is another; nothing was sent.
        ServiceError: the service refused.
    """
    if challenge.needs != "set_up":
        raise ConfigurationError(f"{challenge.name} asks for no set-up: answer it")
    reply = yield from ask("AssociateSoftwareToken", {"Session": challenge.session})
    return str(reply["SecretCode"]), replace(challenge, session=reply.get("Session"))


def _answer_set_up(context: LoginContext, challenge: Challenge, given: Answer) -> Flow[JsonObject]:
    # Each step takes the Session of the one before it.
    responses: dict[str, str] = {}
    reply = challenge.as_reply()
    if given.attributes and "email" in given.attributes:
        responses["EMAIL"] = _given(given.attributes["email"], "email")
    else:
        code = _given(given.code, "code", strip=True)
        verified = yield from ask("VerifySoftwareToken", {"Session": challenge.session, "UserCode": code})
        reply["Session"] = verified.get("Session")
    reply = yield from context.respond(reply, context.identified(responses))
    return (yield from answer_device(context, reply))


def _as_json(credential: str | Mapping[str, Any] | None) -> str | None:
    if credential is None or isinstance(credential, str):
        return credential
    try:
        return json.dumps(credential)
    except (TypeError, ValueError, RecursionError):
        raise ConfigurationError(
            "the credential has no JSON form: give the browser's PublicKeyCredential as JSON"
        ) from None


def _given(value: str | None, name: str, *, strip: bool = False) -> str:
    if value is not None and utf8(value, name=name) and (value.strip() or not strip):
        return value.strip() if strip else value
    raise ConfigurationError(f"the challenge needs {name}: give it")
