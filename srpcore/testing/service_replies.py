"""Replies of the service during a login: each challenge and the tokens, as the service sends them, and changed ones.

A reply is the decoded JSON document of InitiateAuth or RespondToAuthChallenge. A changed reply
tests what a client does with it: it may raise an error that it documents, but it must not fail in another way, and must
not use an unsafe value.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from ..crypto.groups import MODP_3072
from .strategies import non_hex_texts, public_values, salt_texts, unsafe_public_values

__all__ = ["CHALLENGE_NAMES", "ChangedReply", "challenges", "changed_replies", "changed_token_replies", "token_replies"]

Document = dict[str, object]

CHALLENGE_NAMES = (
    "ADMIN_NO_SRP_AUTH",
    "CUSTOM_CHALLENGE",
    "DEVICE_PASSWORD_VERIFIER",
    "DEVICE_SRP_AUTH",
    "EMAIL_OTP",
    "MFA_SETUP",
    "NEW_PASSWORD_REQUIRED",
    "PASSWORD",
    "PASSWORD_SRP",
    "PASSWORD_VERIFIER",
    "SELECT_CHALLENGE",
    "SELECT_MFA_TYPE",
    "SMS_MFA",
    "SMS_OTP",
    "SOFTWARE_TOKEN_MFA",
    "WEB_AUTHN",
)
"""The names of all challenges of the service's API model."""


@dataclass(frozen=True)
class ChangedReply:
    """A reply that the service does not send.

    Attributes:
        reply: the document.
        change: what was changed, in words.
        unsafe: whether a client must refuse it: it cannot prove a password with these values, or must not.
    """

    reply: Mapping[str, object]
    change: str
    unsafe: bool


def challenges(*names: str) -> SearchStrategy[Document]:
    """Return replies with a challenge of one of *names*, or of any name, as the service sends them."""
    return st.sampled_from(names or CHALLENGE_NAMES).flatmap(_challenge)


def token_replies() -> SearchStrategy[Document]:
    """Return replies with tokens, as the service sends them. The tokens are not signed."""
    result: Document = {"AccessToken": "a.b.c", "IdToken": "d.e.f", "TokenType": "Bearer", "ExpiresIn": 3600}
    device = {"DeviceKey": "eu-west-1_eeff478e-00dc-e8e2-b24a-094326000000", "DeviceGroupKey": "-0w7nndXa"}
    optional: SearchStrategy[Document] = st.fixed_dictionaries(
        {}, optional={"RefreshToken": st.just("refresh"), "NewDeviceMetadata": st.just(device)}
    )
    return optional.map(lambda more: {"AuthenticationResult": {**result, **more}, "ChallengeParameters": {}})


def changed_replies(*names: str) -> SearchStrategy[ChangedReply]:
    """Return replies with a challenge of one of *names*, or of any name, that are changed in one place.

    A parameter is missing, empty, of a wrong type or unsafe; or ChallengeName, ChallengeParameters,
    AvailableChallenges or Session is.
    """
    return challenges(*names).flatmap(_changed)


def changed_token_replies() -> SearchStrategy[ChangedReply]:
    """Return replies with tokens in which one member of AuthenticationResult is missing or of a wrong type.

    Those are unsafe in which the access token or the ID token is missing or not a string.
    """
    return token_replies().flatmap(_changed_tokens)


# The parameters of each challenge.

_USER = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
_DEVICE = "eu-west-1_eeff478e-00dc-e8e2-b24a-094326000000"


def _challenge(name: str) -> SearchStrategy[Document]:
    sessions = st.sampled_from(("session", "AYABe" + "x" * 1000))
    return st.builds(_document, st.just(name), _parameters(name), sessions)


def _document(name: str, parameters: Mapping[str, object], session: str) -> Document:
    document: Document = {"ChallengeName": name, "ChallengeParameters": dict(parameters), "Session": session}
    if name == "SELECT_CHALLENGE":
        document["AvailableChallenges"] = ["PASSWORD", "PASSWORD_SRP", "EMAIL_OTP", "WEB_AUTHN"]
    return document


def _parameters(name: str) -> SearchStrategy[Mapping[str, object]]:
    if name in ("PASSWORD_VERIFIER", "DEVICE_PASSWORD_VERIFIER"):
        return _proof(name)
    if name == "CUSTOM_CHALLENGE":
        return st.dictionaries(st.text("abcXYZ_", min_size=1, max_size=8), st.text(max_size=20), max_size=3)
    return st.just(_FIXED[name])


def _proof(name: str) -> SearchStrategy[Mapping[str, object]]:
    more = {"DEVICE_KEY": _DEVICE} if name.startswith("DEVICE") else {"USER_ID_FOR_SRP": _USER}

    def write(B: int, salt: tuple[str, int], block: str) -> dict[str, object]:
        return {"SRP_B": f"{B:x}", "SALT": salt[0], "SECRET_BLOCK": block, "USERNAME": _USER, **more}

    blocks = st.sampled_from(("c2VjcmV0", "c2VjcmV0IGJsb2Nr", "-_-_", "YQ"))
    return st.builds(write, public_values(MODP_3072.N), salt_texts(), blocks)


def _code(medium: str, destination: str) -> dict[str, str]:
    return {
        "CODE_DELIVERY_DELIVERY_MEDIUM": medium,
        "CODE_DELIVERY_DESTINATION": destination,
        "USER_ID_FOR_SRP": _USER,
    }


_ATTRIBUTES = json.dumps({"email_verified": "true", "email": "alice@example.com"})
_OPTIONS = {"challenge": "Y2hhbGxlbmdl", "rpId": "example.com", "timeout": 60000, "userVerification": "preferred"}

_FIXED: dict[str, Mapping[str, object]] = {
    "ADMIN_NO_SRP_AUTH": {"USER_ID_FOR_SRP": _USER},
    "DEVICE_SRP_AUTH": {"USERNAME": _USER, "DEVICE_KEY": _DEVICE},
    "EMAIL_OTP": _code("EMAIL", "a***@e***"),
    "MFA_SETUP": {"MFAS_CAN_SETUP": '["SOFTWARE_TOKEN_MFA","EMAIL_OTP"]', "USER_ID_FOR_SRP": _USER},
    "NEW_PASSWORD_REQUIRED": {
        "USER_ID_FOR_SRP": _USER,
        "requiredAttributes": '["userAttributes.given_name"]',
        "userAttributes": _ATTRIBUTES,
    },
    "PASSWORD": {"USER_ID_FOR_SRP": _USER},
    "PASSWORD_SRP": {"USER_ID_FOR_SRP": _USER},
    "SELECT_CHALLENGE": {"USERNAME": _USER},
    "SELECT_MFA_TYPE": {"MFAS_CAN_CHOOSE": '["SMS_MFA","SOFTWARE_TOKEN_MFA"]', "USER_ID_FOR_SRP": _USER},
    "SMS_MFA": _code("SMS", "+*******1234"),
    "SMS_OTP": _code("SMS", "+*******1234"),
    "SOFTWARE_TOKEN_MFA": {"FRIENDLY_DEVICE_NAME": "phone", "USER_ID_FOR_SRP": _USER},
    "WEB_AUTHN": {"CREDENTIAL_REQUEST_OPTIONS": json.dumps(_OPTIONS)},
}


# Changes.

_ODD: tuple[object, ...] = (None, 0, 1, True, [], ["a"], {}, {"a": "b"}, "", "\0", "\ud800", "x" * 100_000)
_NEEDED = ("SRP_B", "SALT", "SECRET_BLOCK")
_NOT_STRINGS = tuple(value for value in _ODD if not isinstance(value, str))


def _changed(reply: Document) -> SearchStrategy[ChangedReply]:
    changes = [_changed_member(reply)]
    parameters = cast(Document, reply["ChallengeParameters"])
    if parameters:
        changes.append(_changed_parameter(reply, parameters))
    if "SRP_B" in parameters:
        changes.append(_unsafe_number(reply, parameters))
    return st.one_of(changes)


def _changed_member(reply: Document) -> SearchStrategy[ChangedReply]:
    """Change ChallengeName, ChallengeParameters, AvailableChallenges or Session."""

    def change(name: str, value: object) -> ChangedReply:
        unsafe = name == "ChallengeName" and value not in (None, "")  # without a name there is no challenge
        return ChangedReply({**reply, name: value}, f"{name} is {str(value)[:20]!r}", unsafe)

    names = st.just("ChallengeName")
    values = st.sampled_from(("NEW_CHALLENGE", "password_verifier", " PASSWORD_VERIFIER", None, ""))
    members = ("AvailableChallenges", "ChallengeParameters", "Session")
    others = st.builds(change, st.sampled_from(members), st.sampled_from(_ODD))
    return st.builds(change, names, values) | others


def _changed_tokens(reply: Document) -> SearchStrategy[ChangedReply]:
    result = cast(Document, reply["AuthenticationResult"])

    def change(name: str, value: object) -> ChangedReply:
        unsafe = name in ("AccessToken", "IdToken") and not isinstance(value, str)
        return ChangedReply({"AuthenticationResult": {**result, name: value}}, f"{name} is {str(value)[:20]!r}", unsafe)

    def remove(name: str) -> ChangedReply:
        rest = {key: value for key, value in result.items() if key != name}
        return ChangedReply({"AuthenticationResult": rest}, f"{name} is missing", name in ("AccessToken", "IdToken"))

    def replace(value: object) -> ChangedReply:
        return ChangedReply({"AuthenticationResult": value}, f"AuthenticationResult is {str(value)[:20]!r}", True)

    names = st.sampled_from(sorted(result))
    changed = st.builds(change, names, st.sampled_from(_ODD))
    return changed | names.map(remove) | st.sampled_from(_ODD).map(replace)


def _changed_parameter(reply: Document, parameters: Document) -> SearchStrategy[ChangedReply]:
    """Change one of the ChallengeParameters, or leave it out."""

    def change(name: str, value: object) -> ChangedReply:
        changed = _with_parameters(reply, {**parameters, name: value})
        return ChangedReply(changed, f"{name} is {str(value)[:20]!r}", name in _NEEDED and value in _NOT_STRINGS)

    def remove(name: str) -> ChangedReply:
        rest = {key: value for key, value in parameters.items() if key != name}
        return ChangedReply(_with_parameters(reply, rest), f"{name} is missing", name in _NEEDED)

    names = st.sampled_from(sorted(parameters))
    return st.builds(change, names, st.sampled_from(_ODD)) | names.map(remove)


def _unsafe_number(reply: Document, parameters: Document) -> SearchStrategy[ChangedReply]:
    """Change SRP_B or SALT into a value that must not be used."""

    def change(name: str, value: object) -> ChangedReply:
        return ChangedReply(_with_parameters(reply, {**parameters, name: value}), f"{name} is unsafe", True)

    unsafe = unsafe_public_values(MODP_3072.N).map(lambda number: f"{number:x}")
    return st.builds(change, st.just("SRP_B"), unsafe | non_hex_texts()) | st.builds(
        change, st.just("SALT"), non_hex_texts()
    )


def _with_parameters(reply: Document, parameters: Document) -> Document:
    return {**reply, "ChallengeParameters": parameters}
