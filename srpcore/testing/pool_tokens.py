"""Tokens of a user pool, valid and changed, with the verdict that a strict verifier must give.

A case is a token with everything that decides whether it is valid: the key set, and what the verifier requires. The
cases of a law are listed with the simplest first. This module has the valid tokens and the changes of algorithm,
header and claims; :mod:`.token_encodings` has those of encoding, signature and keys.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from .token_keys import SigningKey, base64url, first_key, second_key

__all__ = ["TokenCase", "TokenPolicy"]

Members: TypeAlias = Mapping[str, object]

ISSUER = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCd12345"
CLIENT_ID = "1h57kf5cpq17m0eml12EXAMPLE"
REMOVED = object()


@dataclass(frozen=True)
class TokenPolicy:
    """What a verifier requires of a token: the claim ``iss``, the app client, and the claim ``token_use``.

    The app client is in ``client_id`` of an access token, and in ``aud`` of an ID token.
    """

    issuer: str = ISSUER
    client_id: str = CLIENT_ID
    token_use: str = "access"


@dataclass(frozen=True)
class TokenCase:
    """A token, and whether a strict verifier accepts it.

    Attributes:
        law: the name of the law that decides the case.
        change: what was changed, in words.
        token: the token.
        key_set: the JWK set of the issuer (RFC 7517), as decoded JSON.
        policy: what the verifier requires.
        accepted: the verdict.
        claims: the claims that a verifier returns for an accepted token.
    """

    law: str
    change: str
    token: str
    key_set: Mapping[str, object] = field(repr=False)
    policy: TokenPolicy
    accepted: bool
    claims: Mapping[str, object] = field(repr=False)


def claims_of(use: str = "access", **changes: object) -> dict[str, object]:
    """Return the claims of a valid token with *changes*; the value REMOVED leaves a claim out."""
    now = int(time.time())
    client = {"client_id": CLIENT_ID, "scope": "aws.cognito.signin.user.admin", "username": "alice"}
    claims: dict[str, object] = {
        "sub": "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        "iss": ISSUER,
        "token_use": use,
        **(client if use == "access" else {"aud": CLIENT_ID, "cognito:username": "alice"}),
        "auth_time": now - 60,
        "iat": now - 60,
        "exp": now + 7200,
        "jti": "0b6e2f0c-6d4d-4c86-9f3a-1f5d1f0c7a11",
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not REMOVED}


def header_of(key: SigningKey | None = None, **changes: object) -> dict[str, object]:
    """Return the header of a valid token with *changes*."""
    header: dict[str, object] = {"kid": (key or first_key()).kid, "alg": "RS256", **changes}
    return {name: value for name, value in header.items() if value is not REMOVED}


def key_set(*keys: Members) -> dict[str, object]:
    """Return the JWK set of *keys*; the default is the set of the issuer, with two keys."""
    return {"keys": list(keys or (first_key().jwk(), second_key().jwk()))}


def signed(payload: Members | bytes | str, header: Members | bytes | None = None, key: SigningKey | None = None) -> str:
    """Return a token that *key* has really signed by RS256, whatever is in it."""
    signing_input = f"{_segment(header or header_of(key))}.{_segment(payload)}"
    return f"{signing_input}.{base64url((key or first_key()).sign(signing_input.encode()))}"


def _segment(part: Members | bytes | str) -> str:
    return base64url(part if isinstance(part, (bytes, str)) else json.dumps(part))


def refused(law: str, change: str, token: str, keys: Members | None = None, use: str = "access") -> TokenCase:
    """Return a case in which *token* must be refused."""
    return TokenCase(law, change, token, keys or key_set(), TokenPolicy(token_use=use), False, {})


def accepted(
    law: str, change: str, claims: Members, token: str | None = None, keys: Members | None = None
) -> TokenCase:
    """Return a case in which the token with *claims* must be accepted; *token* is one that is written differently."""
    policy = TokenPolicy(token_use=str(claims["token_use"]))
    return TokenCase(law, change, token or signed(claims), keys or key_set(), policy, True, claims)


# Valid tokens.


def access_tokens() -> Iterator[TokenCase]:
    """Yield access tokens that are valid, in usual and unusual forms."""
    law, claims = "accepts_access_tokens", claims_of()
    yield accepted(law, "nothing", claims)
    yield accepted(law, "groups", {**claims_of(), "cognito:groups": ["staff", "admin"]})
    yield accepted(law, "typ in the header", claims, signed(claims, header_of(typ="JWT")))
    yield accepted(law, "blanks in the JSON", claims, signed(json.dumps(claims, indent=1)))
    yield accepted(law, "a name in UTF-8", *_spelled(claims_of(username="j\u00f6rg \u5bc6")))
    yield accepted(law, "exp has a fraction", claims_of(exp=time.time() + 7200.5))
    yield accepted(law, "nbf is in the past", claims_of(nbf=int(time.time()) - 60))


def _spelled(claims: Members) -> tuple[Members, str]:
    return claims, signed(json.dumps(claims, ensure_ascii=False))


def id_tokens() -> Iterator[TokenCase]:
    """Yield ID tokens that are valid."""
    law = "accepts_id_tokens"
    yield accepted(law, "nothing", claims_of("id"))
    yield accepted(law, "attributes", claims_of("id", email="a@example.com", email_verified=True, **{"custom:n": "1"}))


def key_sets_with_other_keys() -> Iterator[TokenCase]:
    """Yield valid tokens for key sets that contain other keys, which a verifier must ignore."""
    law, claims, jwk = "accepts_key_sets_with_other_keys", claims_of(), first_key().jwk()
    curve = {"kty": "EC", "crv": "P-256", "kid": "ec", "x": base64url(b"\1" * 32), "y": base64url(b"\2" * 32)}
    yield accepted(law, "the other key signs", claims, signed(claims, key=second_key()))
    yield accepted(law, "an unknown kind of key", claims, None, key_set({"kty": "new", "kid": "new"}, jwk))
    yield accepted(law, "a key for encryption", claims, None, key_set({**second_key().jwk(), "use": "enc"}, jwk))
    yield accepted(law, "another curve's key", claims, None, key_set({**curve, "crv": "P-0"}, jwk))
    bare = {name: value for name, value in jwk.items() if name not in ("alg", "use")}
    yield accepted(law, "no alg and use", claims, None, key_set(bare))


# Algorithms.


def unsigned_tokens() -> Iterator[TokenCase]:
    """Yield tokens without a signature, for whatever their header has as ``alg``."""
    law, payload = "refuses_unsigned_tokens", base64url(json.dumps(claims_of()))
    for algorithm in ("none", "None", "NONE", "nOnE", "", None, 0, REMOVED):
        header = base64url(json.dumps(header_of(alg=algorithm)))
        yield refused(law, f"alg is {'missing' if algorithm is REMOVED else algorithm!r}", f"{header}.{payload}.")
    yield refused(law, "no signature", f"{base64url(json.dumps(header_of()))}.{payload}.")
    yield refused(law, "alg is 'none', with a signature", signed(claims_of(), header_of(alg="none")))


def hmac_tokens() -> Iterator[TokenCase]:
    """Yield tokens that are signed with HMAC, with the public key as the secret: an attacker knows it."""
    law, key = "refuses_hmac_with_the_public_key", first_key()
    modulus, jwk = key.n.to_bytes(256, "big"), json.dumps(key.jwk()).encode()
    secrets = {"PEM": key.pem(), "PEM without newline": key.pem().strip(), "DER": key.der(), "n": modulus, "JWK": jwk}
    for name, secret in {**secrets, "nothing": b""}.items():
        signing_input = f"{base64url(json.dumps(header_of(alg='HS256')))}.{base64url(json.dumps(claims_of()))}"
        signature = hmac.new(secret, signing_input.encode(), hashlib.sha256).digest()
        yield refused(law, f"HS256 with {name} as the secret", f"{signing_input}.{base64url(signature)}")


def other_algorithms() -> Iterator[TokenCase]:
    """Yield tokens with an ``alg`` that is not RS256. Those of RS384 and RS512 are really signed so."""
    law, key = "refuses_other_algorithms", first_key()
    for digest, name in (("sha384", "RS384"), ("sha512", "RS512")):
        signing_input = f"{base64url(json.dumps(header_of(alg=name)))}.{base64url(json.dumps(claims_of()))}"
        yield refused(law, f"{name}", f"{signing_input}.{base64url(key.sign(signing_input.encode(), digest))}")
    others: tuple[object, ...] = ("rs256", "RS256 ", "PS256", "ES256", "RS1", ["RS256"], {"RS256": 1})
    for other in others:
        token = signed(claims_of(), header_of(alg=other))
        yield refused(law, f"alg is {other!r}, the signature is that of RS256", token)


# The header.


def critical_extensions() -> Iterator[TokenCase]:
    """Yield tokens whose header requires an extension (RFC 7515, section 4.1.11, and RFC 7797)."""
    law = "refuses_critical_extensions"
    required: tuple[dict[str, object], ...] = (
        {"crit": ["new"], "new": True},
        {"crit": ["exp"], "exp": 1},
        {"crit": ["b64"], "b64": True},
        {"crit": ["new"]},
        {"crit": []},
        {"crit": "exp"},
    )
    for members in required:
        yield refused(law, f"{members}", signed(claims_of(), header_of(None, **members)))
    yield from _unencoded_payload(law)


def _unencoded_payload(law: str) -> Iterator[TokenCase]:
    header, payload = base64url(json.dumps(header_of(crit=["b64"], b64=False))), json.dumps(claims_of())
    signature = base64url(first_key().sign(f"{header}.{payload}".encode()))
    yield refused(law, "b64 is false and the decoded payload is signed", f"{header}.{base64url(payload)}.{signature}")


def keys_in_the_header() -> Iterator[TokenCase]:
    """Yield tokens that bring the attacker's key in their header."""
    law, attacker = "refuses_keys_in_the_header", second_key()
    jwk = attacker.jwk()
    certificate = b64encode(attacker.der()).decode("ascii")
    for kid in (first_key().kid, attacker.kid):
        members: dict[str, object] = {"jwk": {**jwk, "kid": kid}, "x5c": [certificate]}
        members |= {"jku": "https://example.com/jwks.json", "x5u": "https://example.com/key.pem"}
        for name, value in members.items():
            token = signed(claims_of(), header_of(None, kid=kid, **{name: value}), attacker)
            yield refused(law, f"{name}, and kid {kid!r}", token, key_set(first_key().jwk()))


def unknown_keys() -> Iterator[TokenCase]:
    """Yield tokens of a key that is not in the set."""
    law, only = "refuses_unknown_keys", key_set(first_key().jwk())
    yield refused(law, "another key's kid", signed(claims_of(), key=second_key()), only)
    yield refused(law, "the right kid, another key", signed(claims_of(), header_of(), second_key()), only)
    yield refused(law, "the kid of the other key", signed(claims_of(), header_of(second_key())))
    yield refused(law, "no key", signed(claims_of()), {"keys": []})


def wrong_kids() -> Iterator[TokenCase]:
    """Yield tokens that do not name a key of the set, although one of its keys has signed them."""
    for kid in (REMOVED, None, "", 7, [first_key().kid], first_key().kid.upper(), first_key().kid + " "):
        change = "kid is missing" if kid is REMOVED else f"kid is {kid!r}"
        yield refused("requires_kid", change, signed(claims_of(), header_of(kid=kid)), key_set(first_key().jwk()))


# Claims.


def _changed(law: str, values: Mapping[str, Iterable[object]], use: str = "access") -> Iterator[TokenCase]:
    for name, changes in values.items():
        for value in changes:
            yield refused(law, _description(name, value), signed(claims_of(use, **{name: value})), use=use)


def _description(name: str, value: object) -> str:
    return f"{name} is missing" if value is REMOVED else f"{name} is {value!r}"


def expired_tokens() -> Iterator[TokenCase]:
    """Yield tokens that are not valid any more, those that expired long ago first."""
    law = "refuses_expired_tokens"
    yield from _moved(law, "exp", int(time.time()), {"3600 s ago": -3600, "1 s ago": -1, "0.5 s ago": -0.5})
    # Only within this second does a verifier that compares with <= accept the token, so leave it half a second.
    if (passed := time.time() % 1) > 0.5:
        time.sleep(1 - passed)
    yield from _moved(law, "exp", int(time.time()), {"now": 0})
    yield from _changed(law, {"exp": (1, 0, -1, -1e30)})


def early_tokens() -> Iterator[TokenCase]:
    """Yield tokens that are not valid yet."""
    law, now = "refuses_early_tokens", int(time.time())
    yield from _moved(law, "nbf", now, {"in 3600 s": 3600, "in 3600.5 s": 3600.5})
    yield from _changed(law, {"nbf": (1e30,)})


def _moved(law: str, name: str, now: int, places: Mapping[str, float]) -> Iterator[TokenCase]:
    """Yield a token for each of *places*, which are seconds after *now*. The change is named relative to now."""
    for place, seconds in places.items():
        yield refused(law, f"{name} is {place}", signed({**claims_of(), name: now + seconds}))


def odd_times() -> Iterator[TokenCase]:
    """Yield tokens whose times are not numbers, or whose ``exp`` is missing."""
    later = int(time.time()) + 7200
    odd: tuple[object, ...] = (REMOVED, None, "", "never", str(later), True, [later], {"exp": later})
    yield from _changed("refuses_odd_times", {"exp": odd})
    yield from _changed("refuses_odd_times", {"nbf": ("", "0", [], True, {}), "iat": ("", "0", [], True, {})})


def other_issuers() -> Iterator[TokenCase]:
    """Yield tokens of another issuer, some with a similar name."""
    near = (ISSUER + "/", ISSUER[:-1], ISSUER.upper(), ISSUER.replace("https", "http"), ISSUER + "?", " " + ISSUER)
    other = ISSUER.replace("AbCd12345", "Other6789")
    odd: tuple[object, ...] = (other, "", REMOVED, None, [ISSUER], [ISSUER, other], {ISSUER: 1}, 7)
    yield from _changed("refuses_other_issuers", {"iss": (*odd, *near)})


def other_clients() -> Iterator[TokenCase]:
    """Yield tokens for another app client, some with a similar id."""
    near = (CLIENT_ID.lower(), CLIENT_ID[:-1], CLIENT_ID + "x", CLIENT_ID + " ", CLIENT_ID[0])
    odd: tuple[object, ...] = ("other", "", REMOVED, None, {CLIENT_ID: 1}, 7, ["other"], [])
    yield from _changed("refuses_access_tokens_of_other_clients", {"client_id": (*odd, *near, [CLIENT_ID])})
    yield from _changed("refuses_id_tokens_of_other_clients", {"aud": (*odd, *near)}, "id")
    yield from _client_in_the_other_claim("refuses_access_tokens_of_other_clients", "access", "client_id", "aud")
    yield from _client_in_the_other_claim("refuses_id_tokens_of_other_clients", "id", "aud", "client_id")
    lists = ([CLIENT_ID], [CLIENT_ID, "other"], ["other", CLIENT_ID])
    yield from _changed("refuses_lists_of_clients", {"aud": lists}, "id")


def _client_in_the_other_claim(law: str, use: str, claim: str, foreign: str) -> Iterator[TokenCase]:
    """Yield tokens for another app client that have the right id in the claim of the other kind of token."""
    for value in ("other", REMOVED):
        change = f"{_description(claim, value)}, and {foreign} is the app client"
        yield refused(law, change, signed(claims_of(use, **{claim: value, foreign: CLIENT_ID})), use=use)


def other_uses() -> Iterator[TokenCase]:
    """Yield access tokens instead of ID tokens, and the other way around."""
    law, both = "refuses_other_uses", {"aud": CLIENT_ID, "client_id": CLIENT_ID}
    yield refused(law, "an ID token instead of an access token", signed(claims_of("id", **both)))
    yield refused(law, "an access token instead of an ID token", signed(claims_of(**both)), use="id")
    yield from _changed(law, {"token_use": (REMOVED, None, "", "refresh", "Access", ["access"], {"access": 1}, True)})
