"""Which challenges may follow each request of a login.

A login by SRP never sends the password. An attacker who answers instead of the service can try to get it in another
way: it answers the SRP request with a challenge that asks for the password itself, and hopes that the program answers
it. So each request names the challenges that may follow it, and every other reply is an
:class:`~srpcore.exceptions.UnexpectedChallenge`: the flow ends, and nothing more is sent.

::

    request                                      what may follow
    ───────────────────────────────────────────  ──────────────────────────────────────────────────────────
    USER_SRP_AUTH, CUSTOM_AUTH with a password   PASSWORD_VERIFIER

    the proof (answer to PASSWORD_VERIFIER)      AFTER_FIRST_FACTOR: tokens, NEW_PASSWORD_REQUIRED,
    USER_PASSWORD_AUTH                             SMS_MFA, SOFTWARE_TOKEN_MFA, EMAIL_OTP, SELECT_MFA_TYPE,
    CUSTOM_AUTH without a password                 MFA_SETUP, DEVICE_SRP_AUTH, CUSTOM_CHALLENGE
    any other answer

    the administrator's password flows           AFTER_FIRST_FACTOR, ADMIN_NO_SRP_AUTH

    USER_AUTH                                    SELECT_CHALLENGE, and: the preferred challenge; or with SRP_A
                                                   PASSWORD_VERIFIER, PASSWORD_SRP; or without a preference any first
                                                   factor except PASSWORD, and tokens
    USER_AUTH with PASSWORD                      SELECT_CHALLENGE, PASSWORD, AFTER_FIRST_FACTOR

    SELECT_CHALLENGE: the choice of PASSWORD     PASSWORD, AFTER_FIRST_FACTOR
    ... of PASSWORD_SRP, or answer to it         PASSWORD_VERIFIER
    ... of another factor                        the challenge for that factor

    DEVICE_SRP_AUTH                              DEVICE_PASSWORD_VERIFIER

PASSWORD is in none of these sets unless the program itself preferred or chose it.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from ..exceptions.base import UnexpectedChallenge
from ..protocol import JsonObject

__all__ = [
    "AFTER_FIRST_FACTOR",
    "DEVICE_PROOF",
    "PASSWORD_PROOF",
    "TOKENS",
    "Expected",
    "after_choice",
    "after_initiate",
    "check_expected",
]

Expected: TypeAlias = frozenset[str | None]
"""The names of the challenges that may follow a request, with ``TOKENS`` if the tokens may follow it."""

TOKENS: Final = None
"""The name in a reply that has no challenge, because it has the tokens."""

PASSWORD_PROOF: Final[Expected] = frozenset({"PASSWORD_VERIFIER"})

DEVICE_PROOF: Final[Expected] = frozenset({"DEVICE_PASSWORD_VERIFIER"})

AFTER_FIRST_FACTOR: Final[Expected] = frozenset(
    {
        TOKENS,
        "CUSTOM_CHALLENGE",
        "DEVICE_SRP_AUTH",
        "EMAIL_OTP",
        "MFA_SETUP",
        "NEW_PASSWORD_REQUIRED",
        "SELECT_MFA_TYPE",
        "SMS_MFA",
        "SOFTWARE_TOKEN_MFA",
    }
)

_SELECT: Final[Expected] = frozenset({"SELECT_CHALLENGE"})
_FIRST_FACTORS: Final[Expected] = frozenset({"PASSWORD_SRP", "EMAIL_OTP", "SMS_OTP", "WEB_AUTHN"})
_SENDS_PASSWORD: Final = ("PASSWORD", "ADMIN_NO_SRP_AUTH")


def after_initiate(auth_flow: str, preferred: str | None, *, by_srp: bool) -> Expected:
    """Return what may follow InitiateAuth with *auth_flow*.

    Args:
        auth_flow: AuthFlow.
        preferred: PREFERRED_CHALLENGE as the program gave it, for USER_AUTH only.
        by_srp: whether SRP_A was sent.
    """
    if auth_flow == "USER_AUTH":
        if by_srp:
            return _SELECT | PASSWORD_PROOF | {"PASSWORD_SRP"}
        # Without a preference the tokens may follow: the Session of ConfirmSignUp counts as a first factor.
        return _SELECT | (_FIRST_FACTORS | {TOKENS} if preferred is None else after_choice(preferred))
    if by_srp:
        return PASSWORD_PROOF
    if auth_flow in ("ADMIN_NO_SRP_AUTH", "ADMIN_USER_PASSWORD_AUTH"):
        return AFTER_FIRST_FACTOR | {"ADMIN_NO_SRP_AUTH"}
    return AFTER_FIRST_FACTOR


def after_choice(chosen: str) -> Expected:
    """Return what may follow the choice of the first factor *chosen*, with its password or SRP_A in the same answer."""
    if chosen == "PASSWORD_SRP":
        return PASSWORD_PROOF
    if chosen in _SENDS_PASSWORD:
        return AFTER_FIRST_FACTOR | {chosen}
    return frozenset({chosen})


def check_expected(reply: JsonObject, expected: Expected, after: str) -> JsonObject:
    """Return *reply* if its challenge is one of *expected*.

    Args:
        reply: the reply of the service.
        expected: what may follow the request.
        after: what the reply followed, for the message: the auth flow, for example USER_SRP_AUTH, or "the answer to
            SMS_MFA".

    Raises:
        UnexpectedChallenge: the challenge must not follow the request.
    """
    name: object = reply.get("ChallengeName")
    if (name is TOKENS or isinstance(name, str)) and name in expected:
        return reply
    raise UnexpectedChallenge("absent" if name is None else str(name), after)
