"""The operations on passkeys: register, list and delete them."""

from __future__ import annotations

from typing import Any, cast

from ..api.errors import Refusal, not_found
from ..api.parameters import Parameters, string
from ..auth import passkeys, webauthn
from ..auth.token_verification import verify_access_token
from ..auth.webauthn import RelyingParty
from ..model.grants import Grant
from ..model.users import Passkey, Registration, User
from ..storage import pages
from ..storage.state import State

__all__ = ["OPERATIONS"]

_MOST_PASSKEYS = 20


def start_registration(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer StartWebAuthnRegistration with the options for ``navigator.credentials.create`` in a browser."""
    grant = verify_access_token(state, string(parameters, "AccessToken"))
    party, user = _require_enabled(grant), grant.user
    nonce = webauthn.encode_base64url(passkeys.new_challenge())
    user.registration = Registration(nonce, grant.client.client_id, state.clock() + passkeys.CHALLENGE_SECONDS)
    named = user.attributes.get("email") or user.username
    return {
        "CredentialCreationOptions": {
            "rp": {"id": party.id, "name": party.id},
            "user": {"id": _user_handle(user), "name": named, "displayName": user.attributes.get("name") or named},
            "challenge": nonce,
            "pubKeyCredParams": [{"type": "public-key", "alg": number} for number in webauthn.ALGORITHMS],
            "timeout": passkeys.CHALLENGE_SECONDS * 1000,
            "excludeCredentials": [passkeys.descriptor(passkey) for passkey in passkeys.usable(grant.pool, user)],
            "authenticatorSelection": {
                "requireResidentKey": True,
                "residentKey": "required",
                "userVerification": passkeys.user_verification(party),
            },
            "attestation": "none",
        }
    }


def _require_enabled(grant: Grant) -> RelyingParty:
    if "WEB_AUTHN" not in grant.pool.first_factors:
        raise Refusal("WebAuthnNotEnabledException", "Passkeys are not enabled for the user pool.")
    party = passkeys.relying_party(grant.pool)
    if party is None:
        raise Refusal("WebAuthnConfigurationMissingException", "The user pool has no relying party id.")
    if len(grant.user.passkeys) >= _MOST_PASSKEYS:
        raise Refusal("LimitExceededException", f"A user may have {_MOST_PASSKEYS} passkeys.")
    return party


def complete_registration(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer CompleteWebAuthnRegistration: check and store the credential that the browser returned."""
    grant = verify_access_token(state, string(parameters, "AccessToken"))
    credential = _require_object(parameters["Credential"])
    party, user = _require_enabled(grant), grant.user
    # Each challenge can be used once, even if the credential is then refused.
    pending, user.registration = user.registration, None
    if pending is None or pending.expires <= state.clock():
        raise Refusal(
            "WebAuthnChallengeNotFoundException",
            "No registration is in progress, or it has expired: call StartWebAuthnRegistration first.",
        )
    if pending.client_id != grant.client.client_id:
        raise Refusal("WebAuthnClientMismatchException", "The registration was started by another app client.")
    passkey = _new_passkey(state, credential, pending, party)
    if not state.passkey_owners.claim(grant.pool, passkey.id, user):
        raise webauthn.malformed("the passkey is already registered")
    user.passkeys[passkey.id] = passkey
    return {}


def _require_object(credential: object) -> dict[str, Any]:
    # The service model allows any JSON value.
    if not isinstance(credential, dict):
        raise webauthn.malformed("it is not a JSON object")
    return cast("dict[str, Any]", credential)


def _new_passkey(state: State, credential: dict[str, Any], pending: Registration, party: RelyingParty) -> Passkey:
    response = webauthn.authenticator_response(credential)
    webauthn.check_client_data(webauthn.decode(response, "clientDataJSON"), "webauthn.create", pending.challenge, party)
    data = webauthn.check_attestation(webauthn.decode(response, "attestationObject"), party)
    identifier = webauthn.decode(credential, "id")
    if data.id is None or data.key is None or data.id != identifier:
        raise webauthn.malformed("id is not the credential id in the authenticator data")
    attachment = credential.get("authenticatorAttachment")
    transports: object = response.get("transports")
    known = cast(list[object], transports) if isinstance(transports, list) else []
    return Passkey(
        webauthn.encode_base64url(identifier),
        webauthn.encode_key(data.key),
        party.id,
        state.clock(),
        data.sign_count,
        attachment if isinstance(attachment, str) else None,
        tuple(name for name in known if isinstance(name, str)),
    )


def list_credentials(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer ListWebAuthnCredentials, with at most 20 passkeys per page."""
    user = verify_access_token(state, string(parameters, "AccessToken")).user
    registered = list(user.passkeys.values())
    page, following = pages.requested_page(state, parameters, registered, limit="MaxResults", most=_MOST_PASSKEYS)
    return {"Credentials": [_passkey_fields(passkey) for passkey in page], **following}


def delete_credential(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer DeleteWebAuthnCredential."""
    grant, identifier = (
        verify_access_token(state, string(parameters, "AccessToken")),
        string(parameters, "CredentialId"),
    )
    if grant.user.passkeys.pop(identifier, None) is None:
        raise not_found("The passkey does not exist.")
    state.passkey_owners.release(grant.pool, identifier)
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


def _user_handle(user: User) -> str:
    return webauthn.encode_base64url(user.sub.encode("ascii"))


OPERATIONS = {
    "StartWebAuthnRegistration": start_registration,
    "CompleteWebAuthnRegistration": complete_registration,
    "ListWebAuthnCredentials": list_credentials,
    "DeleteWebAuthnCredential": delete_credential,
}
