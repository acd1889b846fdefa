"""Verify the tokens of a user pool strictly.

:func:`verify` does no I/O: give it a parsed key set and a token, and it returns the claims. A program that verifies
tokens on every request uses :class:`srpcore.TokenVerifier` instead, which also fetches and caches the key set.
"""

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
    """Return the claims of *token* after verifying its form, its key, its signature and each claim, in this order.

    Args:
        token: an access or ID token in compact form.
        keys: the key set of the issuer. An issuer may have several names, but only one key set.
        issuers: the values of ``iss`` to accept, such as :attr:`srpcore.pool.Pool.issuers`.
        client_id: the id or ids of the app clients to accept; None accepts any app client.
        token_use: ``"access"``, ``"id"``, or None to accept both kinds.
        now: seconds since the epoch.
        leeway: seconds by which the clocks of the issuer and of this computer may differ, 0 or more.
        access_token: the access token that was issued together with an ID token. If the ID token has ``at_hash``, it
            must be the hash of this access token.
        groups: the user must be in at least one of these groups; None does not check groups.
        scope: the token must have at least one of these scopes; None does not check scopes.

    Raises:
        TokenVerificationException: the token is not accepted; the subclass is the reason.
        ConfigurationError: an argument has a wrong type or value, or is empty so that no token could match.
    """
    policy = Policy(client_id, token_use, groups, scope, leeway, None).for_issuers(issuers)
    jws = parse(token)
    verify_rs256(keys.key(jws.kid), jws.signing_input, jws.signature)
    claims = jws.claims()
    policy.check(claims, now, access_token)
    return claims


def unverified_claims(token: str) -> Claims:
    """Return the claims of *token* with NOTHING VERIFIED: not the signature, the issuer, the client or the time.

    Anybody can write a token with any claims, so never decide on them who may do something. Use this function only
    for what needs no trust: to see whether your own token has expired, or which user name it contains.

    Raises:
        MalformedToken: *token* is not a compact JWS, or its payload is not a JSON object.
    """
    return unverified_payload(token)
