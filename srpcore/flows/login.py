"""Log in, step by step: begin with any auth flow, and answer any challenge.

Theory of operation
===================

:func:`start_login` sends the first request, and :func:`answer_challenge` answers a challenge that needs the user. Both
go on as long as they can without the user: they prove the password by SRP, and they answer the challenges for a
remembered device. They return the first reply that needs the user or that has the tokens.

A long login: USER_SRP_AUTH by a user who must choose a new password and has a second factor, on a remembered device.
An ordinary login has only the first two requests::

    program                      the flow                                 Cognito
       │                            │                                        │
       │ start_login(password)      │                                        │
       ├───────────────────────────►│ draw a; A = g^a mod N                  │
       │                            │ InitiateAuth: USER_SRP_AUTH            │
       │                            │   USERNAME, SRP_A, DEVICE_KEY          │
       │                            ├───────────────────────────────────────►│
       │                            │ PASSWORD_VERIFIER                      │
       │                            │   SRP_B, SALT, SECRET_BLOCK            │
       │                            │◄───────────────────────────────────────┤
       │                            │ check B; compute the key               │
       │                            │ answer: PASSWORD_CLAIM_SIGNATURE       │
       │                            ├───────────────────────────────────────►│
       │                            │ NEW_PASSWORD_REQUIRED                  │
       │ the reply                  │◄───────────────────────────────────────┤
       │◄───────────────────────────┤                                        │
       │ answer_challenge(password) │                                        │
       ├───────────────────────────►│ answer: NEW_PASSWORD                   │
       │                            ├───────────────────────────────────────►│
       │                            │ SOFTWARE_TOKEN_MFA                     │
       │ the reply                  │◄───────────────────────────────────────┤
       │◄───────────────────────────┤                                        │
       │ answer_challenge(code)     │                                        │
       ├───────────────────────────►│ answer: SOFTWARE_TOKEN_MFA_CODE,       │
       │                            │   DEVICE_KEY                           │
       │                            ├───────────────────────────────────────►│
       │                            │ DEVICE_SRP_AUTH                        │
       │                            │◄───────────────────────────────────────┤
       │                            │ draw a new a; A = g^a mod N            │
       │                            │ answer: SRP_A                          │
       │                            ├───────────────────────────────────────►│
       │                            │ DEVICE_PASSWORD_VERIFIER               │
       │                            │   SRP_B, SALT, SECRET_BLOCK            │
       │                            │◄───────────────────────────────────────┤
       │                            │ check B; compute the key               │
       │                            │ answer: PASSWORD_CLAIM_SIGNATURE       │
       │                            ├───────────────────────────────────────►│
       │                            │ AuthenticationResult: the tokens       │
       │ the reply                  │◄───────────────────────────────────────┤
       │◄───────────────────────────┤                                        │

Every reply is compared with what may follow the request (:mod:`srpcore.flows.transitions`). Anything else ends the flow
before more is sent, because an attacker who answers instead of the service could otherwise ask for the password itself.

Every challenge comes with a Session, and the answer must carry it. A Session can be used once. If the answer is wrong,
the login begins again with :func:`start_login`, except that the service accepts a few attempts at a code.

If the service no longer knows the device, it answers ResourceNotFoundException. :func:`start_login` then sends the
login again without the device. :func:`answer_challenge` cannot do that, because the earlier answers of the user are
gone: it only drops the device, and the program must begin again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .._values import replace
from ..crypto.encoding import utf8
from ..exceptions.base import ConfigurationError, InvalidRequest
from ..exceptions.context import without_context
from ..exceptions.service import ServiceError
from ..protocol import Flow, JsonObject
from ..users import attribute_value
from . import ask, require_string
from .challenge import NEEDS, PREFIX, Answer, Challenge, missing_attributes, unsupported
from .login_context import LoginContext
from .srp import answer_device, is_stale_device, password_prover, prove, retry_without_stale_device
from .transitions import AFTER_FIRST_FACTOR, after_choice, after_initiate

__all__ = ["answer_challenge", "set_up_totp", "start_login"]


def start_login(
    context: LoginContext, auth_flow: str, password: str | None, *, preferred: str | None = None
) -> Flow[JsonObject]:
    """Begin a login with *auth_flow*, and return the first reply that needs the user or that has the tokens.

    The password is proved by SRP in USER_SRP_AUTH, and if one is given in CUSTOM_AUTH and USER_AUTH. The password
    itself is sent in USER_PASSWORD_AUTH and in the administrator's flows, and in USER_AUTH if *preferred* is PASSWORD.

    If the service no longer knows the device, the login begins again without it.

    Args:
        context: the login.
        auth_flow: AuthFlow of InitiateAuth, for example ``USER_SRP_AUTH``.
        password: the password, or None for a flow that does not need one.
        preferred: PREFERRED_CHALLENGE, for USER_AUTH only.

    Raises:
        ConfigurationError: the flow needs a password and got none, the password cannot be encoded as UTF-8, or
            *preferred* was given for another flow; nothing was sent.
        ServiceError: the service refused the login.
        UnexpectedChallenge: the service sent a challenge that must not follow, for example PASSWORD after SRP.
    """
    return (yield from retry_without_stale_device(context, lambda: _start(context, auth_flow, password, preferred)))


def _start(context: LoginContext, auth_flow: str, password: str | None, preferred: str | None) -> Flow[JsonObject]:
    utf8(auth_flow, name="auth_flow")
    if preferred is not None and auth_flow != "USER_AUTH":
        raise ConfigurationError(f"{auth_flow} does not accept a preferred challenge: only USER_AUTH does")
    sends_password = auth_flow in ("USER_PASSWORD_AUTH", "ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH")
    if password is not None:
        utf8(password, name="password")
    elif sends_password or auth_flow == "USER_SRP_AUTH" or preferred in ("PASSWORD", "PASSWORD_SRP"):
        raise InvalidRequest(f"{auth_flow} needs a password: give one")
    own: dict[str, str] = {} if preferred is None else {"PREFERRED_CHALLENGE": preferred}
    by_srp = password is not None and not sends_password and preferred in (None, "PASSWORD_SRP")
    if password is not None and (sends_password or preferred == "PASSWORD"):
        own["PASSWORD"] = password
    if not by_srp or password is None:
        expected = after_initiate(auth_flow, preferred, by_srp=False)
        reply = yield from context.initiate(auth_flow, context.identified(own), expected=expected)
        return (yield from answer_device(context, reply))
    if auth_flow == "CUSTOM_AUTH":
        own["CHALLENGE_NAME"] = "SRP_A"
    if auth_flow == "USER_AUTH" and preferred is None:
        own["PREFERRED_CHALLENGE"] = "PASSWORD_SRP"
    prover = password_prover(context, password)
    request = {**prover.get_auth_params(), **own}
    expected = after_initiate(auth_flow, preferred, by_srp=True)
    reply = yield from context.initiate(auth_flow, request, expected=expected)
    return (yield from prove(context, reply, prover, request))


def answer_challenge(context: LoginContext, challenge: Challenge, given: Answer) -> Flow[JsonObject]:
    """Answer *challenge* with *given*, and return the next reply that needs the user or that has the tokens.

    Raises:
        ConfigurationError: *given* lacks what the challenge needs, or a value cannot be encoded; nothing was sent.
        UnsupportedChallenge: the challenge is for a device, and the login has no device; or it is PASSWORD_VERIFIER or
            DEVICE_PASSWORD_VERIFIER, which need the *a* of the request before them.
        UnexpectedChallenge: the service sent a challenge that must not follow.
        ServiceError: the service refused the answer.
    """
    try:
        return (yield from _answer(context, challenge, given))
    except ServiceError as error:
        # The Session is used up, so the program must begin the login again. Without the device that will succeed.
        if is_stale_device(error):
            context.device = None
        raise


def _answer(context: LoginContext, challenge: Challenge, given: Answer) -> Flow[JsonObject]:
    needs, key = NEEDS[challenge.name]
    reply = challenge.as_reply()
    if challenge.name in ("PASSWORD_VERIFIER", "DEVICE_PASSWORD_VERIFIER"):
        raise unsupported(challenge)
    if needs == "device":
        if context.device is None:
            raise unsupported(challenge)
        return (yield from answer_device(context, reply))
    if challenge.name == "MFA_SETUP":
        return (yield from _answer_set_up(context, challenge, given))
    if challenge.name in ("SELECT_CHALLENGE", "PASSWORD", "PASSWORD_SRP", "ADMIN_NO_SRP_AUTH"):
        return (yield from _answer_first_factor(context, challenge, given))
    responses = _responses(challenge, given, needs, key)
    reply = yield from context.respond(reply, context.identified(responses), expected=AFTER_FIRST_FACTOR)
    return (yield from answer_device(context, reply))


def _responses(challenge: Challenge, given: Answer, needs: str, key: str) -> dict[str, str]:
    if needs == "credential":
        return {key: _require(_as_json(given.credential), needs)}
    if needs == "code":
        return {key: _require(given.code, needs, strip=True)}
    if needs == "answer":
        return {key: _require(given.answer, needs)}
    if needs == "choice":
        return {key: _chosen(challenge, given)}
    attributes = _attributes(given)
    missing = missing_attributes(challenge.as_reply(), attributes)
    if missing:
        raise ConfigurationError(f"required attributes are missing: give {', '.join(missing)} in attributes")
    named = {PREFIX + name: value for name, value in attributes.items()}
    return {key: _require(given.new_password, needs), **named}


def _attributes(given: Answer) -> dict[str, str]:
    """Return the attributes of *given* as strings, by name and without the prefix ``userAttributes.``."""
    attributes: dict[str, str] = {}
    for name, value in (given.attributes or {}).items():
        string = attribute_value(value)
        # An empty value is allowed here: the service validates the values.
        utf8(string, name=f"attribute {name}")
        attributes[_require(name, "attributes").removeprefix(PREFIX)] = string
    return attributes


def _answer_first_factor(context: LoginContext, challenge: Challenge, given: Answer) -> Flow[JsonObject]:
    """Answer with the first factor. If that is the password, the same answer carries it, or SRP_A for it."""
    reply = challenge.as_reply()
    chosen = challenge.name
    responses: dict[str, str] = {}
    if challenge.needs == "choice":
        chosen = responses["ANSWER"] = _chosen(challenge, given)
    if chosen != "PASSWORD_SRP":
        if chosen in ("PASSWORD", "ADMIN_NO_SRP_AUTH"):
            responses["PASSWORD"] = _require(given.password, "password")
        reply = yield from context.respond(reply, context.identified(responses), expected=after_choice(chosen))
        return (yield from answer_device(context, reply))
    prover = password_prover(context, _require(given.password, "password"))
    request = {**responses, **prover.get_auth_params()}
    reply = yield from context.respond(reply, request, expected=after_choice(chosen))
    return (yield from prove(context, reply, prover, request))


def _chosen(challenge: Challenge, given: Answer) -> str:
    chosen = _require(given.choice, "choice")
    if challenge.choices and chosen not in challenge.choices:
        raise ConfigurationError(f"invalid choice {chosen!r}: choose one of {', '.join(challenge.choices)}")
    return chosen


def set_up_totp(challenge: Challenge) -> Flow[tuple[str, Challenge]]:
    """Begin MFA_SETUP with an authenticator app. Return its secret (base32), and the challenge to answer with a code.

    Raises:
        ConfigurationError: *challenge* is not MFA_SETUP; nothing was sent.
        ServiceError: the service refused the request.
        UnsafeServerValue: the reply has no secret.
    """
    if challenge.name != "MFA_SETUP":
        raise ConfigurationError(f"{challenge.name} is not MFA_SETUP: answer it without set_up_totp()")
    reply = yield from ask("AssociateSoftwareToken", {"Session": challenge.session})
    return require_string(reply, "SecretCode"), replace(challenge, session=reply.get("Session"), secret_shown=True)


def _answer_set_up(context: LoginContext, challenge: Challenge, given: Answer) -> Flow[JsonObject]:
    # Each request carries the Session from the reply before it.
    responses: dict[str, str] = {}
    reply = challenge.as_reply()
    attributes = _attributes(given)
    if "email" in attributes:
        responses["EMAIL"] = _require(attributes["email"], "email")
    else:
        code = _require(given.code, "code", strip=True)
        verified = yield from ask("VerifySoftwareToken", {"Session": challenge.session, "UserCode": code})
        reply["Session"] = verified.get("Session")
    reply = yield from context.respond(reply, context.identified(responses), expected=AFTER_FIRST_FACTOR)
    return (yield from answer_device(context, reply))


@without_context
def _as_json(credential: str | Mapping[str, Any] | None) -> str | None:
    if credential is None or isinstance(credential, str):
        return credential
    try:
        return json.dumps(credential)
    except (TypeError, ValueError, RecursionError):
        raise ConfigurationError(
            "credential cannot be encoded as JSON: give the browser's PublicKeyCredential, as JSON or as a dictionary"
        ) from None


def _require(value: str | None, name: str, *, strip: bool = False) -> str:
    if value is not None and utf8(value, name=name) and (value.strip() or not strip):
        return value.strip() if strip else value
    raise ConfigurationError(f"the challenge needs {name}: it is missing or empty")
