"""Verify the tokens of a user pool, strictly and without I/O: bytes of a key set and a token in, claims out."""

from __future__ import annotations

from .claims import Claims, access_token_hash
from .jwks import KeySet, parse_key, parse_key_set
from .jws import Jws, parse, unverified_payload
from .policy import Policy, Strings
from .rsa import PublicKey, verify_rs256

__all__ = [
    "Claims",
    "Jws",
    "KeySet",
    "PublicKey",
    "access_token_hash",
    "parse",
    "parse_key",
    "parse_key_set",
    "unverified_claims",
    "verify",
    "verify_rs256",
]


def verify(
    token: str,
    keys: KeySet,
    *,
    issuers: Strings,
    client_id: Strings | None,
    token_use: str | None,
    now: float,
    leeway: float = 0,
    access_token: str | None = None,
    groups: Strings | None = None,
    scope: Strings | None = None,
) -> Claims:
    """Return the claims of *token* once all of it is verified: form, key, signature and then each claim.

    Args:
        token: an access or ID token in compact form.
        keys: the key set of the one issuer, under whichever of its names.
        issuers: the values of ``iss`` to accept, such as :attr:`srpcore.pool.Pool.issuers`.
        client_id: the app client or clients to accept, None for any.
        token_use: ``"access"``, ``"id"``, or None for either.
        now: seconds since the epoch.
        leeway: seconds by which clocks may differ, 0 or more.
        access_token: the access token that came with an ID token: ``at_hash``, where there is one, must be its.
        groups: the group or groups of which the user must be in one at least; None for any or none.
        scope: the scope or scopes of which the token must have one at least; None for any or none.

    Raises:
        TokenVerificationException: one of its subclasses says why the token is not accepted.
        ConfigurationError: a demand cannot be met, or would be met by any token or none.
    """
    claims_policy = Policy(client_id, token_use, groups, scope, leeway, None).for_issuers(issuers)
    jws = parse(token)
    verify_rs256(keys.key(jws.kid), jws.signing_input, jws.signature)
    claims = jws.claims()
    claims_policy.check(claims, now, access_token)
    return claims


def unverified_claims(token: str) -> Claims:
    """Return the claims of *token* with NOTHING VERIFIED: not the signature, the issuer, the client or the time.

    Anybody can make a token that says anything. Use it only for what needs no trust: to see whether one's own token
    has run out, or which user it names to the service.

    Raises:
        MalformedToken: *token* is no compact JWS, or its payload is no JSON object.
    """
    return unverified_payload(token)
