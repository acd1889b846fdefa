"""Log in with a passkey: create the challenge, and check the answer.

The credentials are checked as W3C Web Authentication requires, the signatures included (see :mod:`.webauthn`).
"""

from __future__ import annotations

import json
import secrets
from typing import Any, cast

from ..api.errors import Refusal
from ..model.pools import PoolRecord
from ..model.users import Passkey, User
from . import webauthn
from .webauthn import RelyingParty

__all__ = [
    "CHALLENGE_SECONDS",
    "descriptor",
    "is_multi_factor",
    "new_challenge",
    "relying_party",
    "request_options",
    "usable",
    "user_verification",
    "verify_assertion",
]

_CHALLENGE_BYTES = 32

CHALLENGE_SECONDS = 300
"""How long a browser may take to answer a challenge, at a registration or a login."""


def new_challenge() -> bytes:
    """Return 32 random bytes for an authenticator to sign."""
    return secrets.token_bytes(_CHALLENGE_BYTES)


def relying_party(pool: PoolRecord) -> RelyingParty | None:
    """Return the website that the passkeys of *pool* are for, or None if the pool does not name one."""
    settings = pool.section("WebAuthnConfiguration")
    name = settings.get("RelyingPartyId")
    required = settings.get("UserVerification") == "required" or is_multi_factor(pool)
    return RelyingParty(str(name), required) if name else None


def is_multi_factor(pool: PoolRecord) -> bool:
    """Return whether *pool* counts a passkey with user verification (PIN, fingerprint, ...) as both factors."""
    return pool.section("WebAuthnConfiguration").get("FactorConfiguration") == "MULTI_FACTOR_WITH_USER_VERIFICATION"


def usable(pool: PoolRecord, user: User) -> list[Passkey]:
    """Return the passkeys with which *user* can log in to *pool*."""
    party = relying_party(pool)
    return [passkey for passkey in user.passkeys.values() if party and passkey.relying_party == party.id]


def request_options(pool: PoolRecord, user: User) -> tuple[str, str]:
    """Return a new challenge in base64url, and the options for ``navigator.credentials.get`` as a JSON string.

    The options include the challenge. The client receives them as CREDENTIAL_REQUEST_OPTIONS.

    Raises:
        Refusal: the pool has no relying party id.
    """
    party = relying_party(pool)
    if party is None:
        raise Refusal("WebAuthnConfigurationMissingException", "The user pool has no relying party id.")
    nonce = webauthn.encode_base64url(new_challenge())
    options = {
        "challenge": nonce,
        "timeout": CHALLENGE_SECONDS * 1000,
        "rpId": party.id,
        "allowCredentials": [descriptor(passkey) for passkey in usable(pool, user)],
        "userVerification": user_verification(party),
    }
    return nonce, json.dumps(options)


def verify_assertion(pool: PoolRecord, user: User, challenge: str, credential: str) -> bool:
    """Verify the assertion that answers WEB_AUTHN, and return whether it counts as both factors.

    Args:
        challenge: the challenge that was sent, in base64url.
        credential: what the client sent as CREDENTIAL, an AuthenticationResponseJSON as a string.

    Raises:
        Refusal: the credential is malformed, belongs to another user, or does not prove possession of the passkey.
    """
    party, answer = relying_party(pool), _parse_credential(credential)
    passkey = user.passkeys.get(webauthn.encode_base64url(webauthn.decode(answer, "id")))
    if party is None or passkey is None or passkey.relying_party != party.id:
        raise webauthn.malformed("the user has no passkey with this id for the relying party")
    response = webauthn.authenticator_response(answer)
    hashed = webauthn.check_client_data(webauthn.decode(response, "clientDataJSON"), "webauthn.get", challenge, party)
    signed = webauthn.decode(response, "authenticatorData")
    data = webauthn.check_authenticator_data(signed, party)
    webauthn.check_signature(passkey.key, webauthn.decode(response, "signature"), signed + hashed)
    if response.get("userHandle") and webauthn.decode(response, "userHandle") != user.sub.encode("ascii"):
        raise webauthn.malformed("userHandle names another user")
    # An authenticator that counts its signatures sends a higher number each time; one that does not count always sends
    # 0. A number that did not grow is a sign that the passkey was copied (Web Authentication, section 6.1.1).
    if (data.sign_count or passkey.sign_count) and data.sign_count <= passkey.sign_count:
        raise webauthn.malformed("signature counter did not grow: the passkey may have been copied")
    passkey.sign_count = data.sign_count
    return data.user_verified and is_multi_factor(pool)


def _parse_credential(credential: str) -> dict[str, Any]:
    try:
        answer: object = json.loads(credential)
    except (ValueError, RecursionError):
        raise webauthn.malformed("CREDENTIAL is not JSON") from None
    if not isinstance(answer, dict):
        raise webauthn.malformed("CREDENTIAL is not a JSON object")
    return cast(dict[str, Any], answer)


def descriptor(passkey: Passkey) -> dict[str, Any]:
    """Return *passkey* as a PublicKeyCredentialDescriptor, from which a browser recognizes it."""
    return {"type": "public-key", "id": passkey.id, "transports": list(passkey.transports)}


def user_verification(party: RelyingParty) -> str:
    """Return the option ``userVerification`` for a browser."""
    return "required" if party.verifies_users else "preferred"
