"""Passkeys: register, list and delete them; create the challenge of a login and check the answer.

The credentials are checked as W3C Web Authentication requires, the signatures included (see :mod:`.webauthn`).
"""

from __future__ import annotations

import base64
import json
import secrets
from typing import Any, cast

from ..api.errors import Refusal, not_found
from ..api.parameters import Parameters, string
from ..model.records import Passkey, PoolRecord, Registration, User
from ..storage import pages
from ..storage.state import State
from . import webauthn
from .tokens import Holder, verify_access_token
from .webauthn import RelyingParty

__all__ = ["OPERATIONS", "check", "is_multi_factor", "new_challenge", "request", "usable"]

_MOST_PASSKEYS = 20
_CHALLENGE_BYTES, _REGISTRATION_SECONDS = 32, 300


def new_challenge() -> bytes:
    """Return 32 random bytes for an authenticator to sign."""
    return secrets.token_bytes(_CHALLENGE_BYTES)


def _relying_party(pool: PoolRecord) -> RelyingParty | None:
    settings = pool.section("WebAuthnConfiguration")
    name = settings.get("RelyingPartyId")
    required = settings.get("UserVerification") == "required" or is_multi_factor(pool)
    return RelyingParty(str(name), required) if name else None


def is_multi_factor(pool: PoolRecord) -> bool:
    """Return whether *pool* counts a passkey with user verification (PIN, fingerprint, ...) as both factors."""
    return pool.section("WebAuthnConfiguration").get("FactorConfiguration") == "MULTI_FACTOR_WITH_USER_VERIFICATION"


def usable(pool: PoolRecord, user: User) -> list[Passkey]:
    """Return the passkeys with which *user* can log in to *pool*."""
    party = _relying_party(pool)
    return [passkey for passkey in user.passkeys.values() if party and passkey.relying_party == party.id]


def start_registration(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer StartWebAuthnRegistration with the options for ``navigator.credentials.create`` in a browser."""
    holder = verify_access_token(state, string(parameters, "AccessToken"))
    party, user = _require_enabled(holder), holder.user
    nonce = _base64url(new_challenge())
    user.registration = Registration(nonce, holder.client.client_id, state.clock() + _REGISTRATION_SECONDS)
    named = user.attributes.get("email") or user.username
    return {
        "CredentialCreationOptions": {
            "rp": {"id": party.id, "name": party.id},
            "user": {"id": _user_handle(user), "name": named, "displayName": user.attributes.get("name") or named},
            "challenge": nonce,
            "pubKeyCredParams": [{"type": "public-key", "alg": number} for number in webauthn.ALGORITHMS],
            "timeout": _REGISTRATION_SECONDS * 1000,
            "excludeCredentials": [_descriptor(passkey) for passkey in usable(holder.pool, user)],
            "authenticatorSelection": {
                "requireResidentKey": True,
                "residentKey": "required",
                "userVerification": _user_verification(party),
            },
            "attestation": "none",
        }
    }


def _require_enabled(holder: Holder) -> RelyingParty:
    if "WEB_AUTHN" not in holder.pool.first_factors:
        raise Refusal("WebAuthnNotEnabledException", "Passkeys are not enabled for the user pool.")
    party = _relying_party(holder.pool)
    if party is None:
        raise Refusal("WebAuthnConfigurationMissingException", "The user pool has no relying party id.")
    if len(holder.user.passkeys) >= _MOST_PASSKEYS:
        raise Refusal("LimitExceededException", f"A user may have {_MOST_PASSKEYS} passkeys.")
    return party


def complete_registration(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer CompleteWebAuthnRegistration: check and store the credential that the browser returned."""
    holder = verify_access_token(state, string(parameters, "AccessToken"))
    credential = _require_object(parameters["Credential"])
    party, user = _require_enabled(holder), holder.user
    # Each challenge can be used once, even if the credential is then refused.
    pending, user.registration = user.registration, None
    if pending is None or pending.expires <= state.clock():
        raise Refusal(
            "WebAuthnChallengeNotFoundException",
            "No registration is in progress, or it has expired: call StartWebAuthnRegistration first.",
        )
    if pending.client_id != holder.client.client_id:
        raise Refusal("WebAuthnClientMismatchException", "The registration was started by another app client.")
    passkey = _new_passkey(state, credential, pending, party)
    if not state.passkey_owners.claim(holder.pool, passkey.id, user):
        raise webauthn.malformed("the passkey is already registered")
    user.passkeys[passkey.id] = passkey
    return {}


def _require_object(credential: object) -> dict[str, Any]:
    # The service model allows any JSON value.
    if not isinstance(credential, dict):
        raise webauthn.malformed("it is not a JSON object")
    return cast("dict[str, Any]", credential)


def _new_passkey(state: State, credential: dict[str, Any], pending: Registration, party: RelyingParty) -> Passkey:
    response = _authenticator_response(credential)
    webauthn.client_data(webauthn.decode(response, "clientDataJSON"), "webauthn.create", pending.challenge, party)
    data = webauthn.check_attestation(webauthn.decode(response, "attestationObject"), party)
    identifier = webauthn.decode(credential, "id")
    if data.id is None or data.key is None or data.id != identifier:
        raise webauthn.malformed("id is not the credential id in the authenticator data")
    attachment = credential.get("authenticatorAttachment")
    transports: object = response.get("transports")
    known = cast(list[object], transports) if isinstance(transports, list) else []
    return Passkey(
        _base64url(identifier),
        webauthn.encode_key(data.key),
        party.id,
        state.clock(),
        data.sign_count,
        attachment if isinstance(attachment, str) else None,
        tuple(name for name in known if isinstance(name, str)),
    )


def _authenticator_response(credential: dict[str, Any]) -> dict[str, Any]:
    response: object = credential.get("response")
    if credential.get("type") != "public-key" or not isinstance(response, dict):
        raise webauthn.malformed("type must be public-key, and response must be an object")
    return cast(dict[str, Any], response)


def request(pool: PoolRecord, user: User) -> tuple[str, str]:
    """Return a new challenge in base64url, and the options for ``navigator.credentials.get`` as a JSON string.

    The options include the challenge. The client receives them as CREDENTIAL_REQUEST_OPTIONS.

    Raises:
        Refusal: the pool has no relying party id.
    """
    party = _relying_party(pool)
    if party is None:
        raise Refusal("WebAuthnConfigurationMissingException", "The user pool has no relying party id.")
    nonce = _base64url(new_challenge())
    options = {
        "challenge": nonce,
        "timeout": _REGISTRATION_SECONDS * 1000,
        "rpId": party.id,
        "allowCredentials": [_descriptor(passkey) for passkey in usable(pool, user)],
        "userVerification": _user_verification(party),
    }
    return nonce, json.dumps(options)


def check(pool: PoolRecord, user: User, challenge: str, credential: str) -> bool:
    """Check the answer to WEB_AUTHN, and return whether it counts as both factors.

    Args:
        challenge: the challenge that was sent, in base64url.
        credential: what the client sent as CREDENTIAL, an AuthenticationResponseJSON as a string.

    Raises:
        Refusal: the credential is malformed, belongs to another user, or does not prove possession of the passkey.
    """
    party, answer = _relying_party(pool), _parse_credential(credential)
    passkey = user.passkeys.get(_base64url(webauthn.decode(answer, "id")))
    if party is None or passkey is None or passkey.relying_party != party.id:
        raise webauthn.malformed("the user has no passkey with this id for the relying party")
    response = _authenticator_response(answer)
    hashed = webauthn.client_data(webauthn.decode(response, "clientDataJSON"), "webauthn.get", challenge, party)
    signed = webauthn.decode(response, "authenticatorData")
    data = webauthn.authenticator_data(signed, party)
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


def list_credentials(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer ListWebAuthnCredentials, with at most 20 passkeys per page."""
    user = verify_access_token(state, string(parameters, "AccessToken")).user
    passkeys = list(user.passkeys.values())
    page, following = pages.requested_page(state, parameters, passkeys, limit="MaxResults", most=_MOST_PASSKEYS)
    return {"Credentials": [_passkey_fields(passkey) for passkey in page], **following}


def delete_credential(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer DeleteWebAuthnCredential."""
    holder, identifier = (
        verify_access_token(state, string(parameters, "AccessToken")),
        string(parameters, "CredentialId"),
    )
    if holder.user.passkeys.pop(identifier, None) is None:
        raise not_found("The passkey does not exist.")
    state.passkey_owners.release(holder.pool, identifier)
    return {}


def _passkey_fields(passkey: Passkey) -> dict[str, Any]:
    return {
        "CredentialId": passkey.id,
        "FriendlyCredentialName": "Passkey",
        "RelyingPartyId": passkey.relying_party,
        **({"AuthenticatorAttachment": passkey.attachment} if passkey.attachment else {}),
        "AuthenticatorTransports": list(passkey.transports),
        "CreatedAt": passkey.created,
    }


def _descriptor(passkey: Passkey) -> dict[str, Any]:
    return {"type": "public-key", "id": passkey.id, "transports": list(passkey.transports)}


def _user_verification(party: RelyingParty) -> str:
    return "required" if party.verifies_users else "preferred"


def _user_handle(user: User) -> str:
    return _base64url(user.sub.encode("ascii"))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


OPERATIONS = {
    "StartWebAuthnRegistration": start_registration,
    "CompleteWebAuthnRegistration": complete_registration,
    "ListWebAuthnCredentials": list_credentials,
    "DeleteWebAuthnCredential": delete_credential,
}
