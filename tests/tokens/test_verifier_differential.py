"""The verifiers beside PyJWT: odd tokens, random demands, and Wycheproof's JWS, JWK and RS256 groups."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode, urlsafe_b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from srpcore import AsyncTokenVerifier, TokenVerifier
from srpcore.crypto.modexp import modexp
from srpcore.exceptions import (
    AudienceMismatch,
    GroupMismatch,
    ScopeMismatch,
    SrpcoreError,
    TokenVerificationException,
)
from srpcore.tokens import Claims
from support.beside_pyjwt import ALLOWED, DIFFERENCES, Difference, allowed_reasons, by_pyjwt
from support.key_server import NEWER_ISSUER, OTHER_ISSUER, OTHER_POOL, POOL
from support.minting import CLIENT, ISSUER, KID, NOW, access_claims, jwk, mint, private_key, segment
from support.vectors import load

from .odd_tokens import odd_tokens

# Beside what tokens.verify refuses and PyJWT accepts.
ALLOWED_HERE: list[Difference] = [
    *ALLOWED,
    (GroupMismatch, "any of the required groups", "PyJWT does not look at groups"),
    (ScopeMismatch, "any of the required scopes", "PyJWT does not look at scope"),
    (AudienceMismatch, "(aud)", "the token was made for one use and says the other: PyJWT is not told which counts"),
]
OWN: dict[str, Any] = {"client_id": CLIENT, "token_use": "access", "clock": lambda: float(NOW)}


class Verifiers:
    """A verifier on threads and one on an event loop, of two pools with given keys: nothing is fetched."""

    def __init__(self, **demands: Any) -> None:
        self.sync = TokenVerifier([POOL, OTHER_POOL], **{**OWN, **demands})
        self.tasks = AsyncTokenVerifier([POOL, OTHER_POOL], **{**OWN, **demands})
        for verifier in (self.sync, self.tasks):
            verifier.load_jwks({"keys": [jwk()]}, user_pool_id=POOL)
            verifier.load_jwks({"keys": [jwk("other")]}, user_pool_id=OTHER_POOL)

    def outcomes(self, token: str, **overrides: Any) -> Iterator[Claims | TokenVerificationException]:
        """Yield what each says, twice: the second time it may have kept something of the first."""
        for _ in range(2):
            yield outcome(lambda: self.sync.verify(token, **overrides))
            yield outcome(lambda: loop().run_until_complete(self.tasks.verify(token, **overrides)))


def outcome(act: Any) -> Claims | TokenVerificationException:
    try:
        claims: Claims = act()
    except TokenVerificationException as error:
        return error
    return claims


@cache
def loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


@pytest.fixture(autouse=True, scope="module")
def closed_loop() -> Iterator[None]:
    """Close the loop after the last test.

    pytest-xdist may give a worker more tests of this module after tests of another one. Then this fixture runs again,
    so the next test must get a new loop.
    """
    yield
    loop().close()
    loop.cache_clear()


def told(one: Claims | TokenVerificationException) -> str:
    """Return all that an outcome says, for comparing: not with ==, for 1 == True == 1.0."""
    return f"{type(one).__name__}: {one}" if isinstance(one, TokenVerificationException) else repr(dict(one))


EDGES = st.sampled_from([-3600, -11, -10, -9, -1, -0.5, 0, 0.25, 0.5, 0.75, 1, 1.5, 9, 10, 10.5, 11, 3600])
TIMES = EDGES.map(lambda offset: NOW + offset)
LISTS = st.lists(st.sampled_from(["g", "h", "", "staff"]), max_size=3)
TOKENS = odd_tokens(
    {
        "exp": TIMES,
        "nbf": TIMES,
        "iat": TIMES,
        "iss": st.sampled_from([NEWER_ISSUER, OTHER_ISSUER]),
        "scope": LISTS.map(" ".join),
        "cognito:groups": LISTS,
    }
)
TEXTS = st.sampled_from(["g", "staff"]) | st.lists(st.sampled_from(["g", "h", "staff"]), min_size=1, max_size=2)
DEMANDS: dict[str, st.SearchStrategy[Any]] = {
    "client_id": st.sampled_from([None, CLIENT, "another", [CLIENT, "third"], ("another", "third")]),
    "token_use": st.sampled_from([None, "access", "id"]),
    "groups": st.none() | TEXTS,
    "scope": st.none() | TEXTS,
    "leeway": st.sampled_from([0, 0.5, 1, 10, 10.25, 86_400]),
}
# Some of the pool's own: a call may narrow them.
ISSUERS = st.sampled_from([None, ISSUER, [NEWER_ISSUER], [ISSUER, NEWER_ISSUER], [OTHER_ISSUER, ISSUER]])


def at_random(members: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=members)


SHARED = Verifiers()


@pytest.mark.slow
@settings(max_examples=300)
@given(TOKENS, at_random(DEMANDS), ISSUERS)
def test_outcomes_equal_those_of_pyjwt(token_and_use: tuple[str, str], demands: dict[str, Any], issuers: Any) -> None:
    token, made_for = token_and_use
    narrowed = {} if issuers is None else {"issuers": issuers}
    outcomes = [
        *SHARED.outcomes(token, **demands, **narrowed),
        # What is demanded of a call is what a verifier made with it demands of every call.
        *Verifiers(**demands).outcomes(token, **narrowed),
    ]
    assert len({told(one) for one in outcomes}) == 1
    ours = outcomes[0]
    asked = {**OWN, **demands}
    use = asked["token_use"] or (made_for if isinstance(ours, SrpcoreError) else ours["token_use"])
    accepted = [one for one in ([ISSUER, NEWER_ISSUER]) if issuers is None or one in issuers]
    theirs = by_pyjwt(token, use, issuers=accepted, client_id=asked["client_id"], leeway=asked.get("leeway", 0))
    if not isinstance(ours, TokenVerificationException):
        event("both accept")
        assert told(ours) == repr(theirs)
    elif theirs is not None:
        event(f"PyJWT accepts: {ours.message}")
        assert len(allowed_reasons(ours, ALLOWED_HERE)) == 1, ours
    else:
        event("both refuse")


# A token for each of the differences that only the verifiers have, in their order.
DIFFERENCES_HERE = [
    *[(token, use, {}) for token, use in DIFFERENCES],
    (mint(access_claims()), "access", {"groups": "g"}),
    (mint(access_claims()), "access", {"scope": ["g"]}),
    (mint({**access_claims(aud="another"), "token_use": "id"}), None, {}),
]


@pytest.mark.parametrize(("case", "allowed"), list(zip(DIFFERENCES_HERE, ALLOWED_HERE, strict=True)))
def test_every_allowed_difference_from_pyjwt_exists(case: tuple[str, Any, dict[str, Any]], allowed: Difference) -> None:
    token, use, demands = case
    for one in SHARED.outcomes(token, token_use=use, **demands):
        assert type(one) is allowed[0]
        assert allowed[1] in str(one)
        assert allowed_reasons(one, ALLOWED_HERE) == [allowed[2]]
    assert by_pyjwt(token, use or "access") is not None


@settings(max_examples=60)
@given(TOKENS, st.lists(at_random(DEMANDS), min_size=2, max_size=5))
def test_a_call_does_not_affect_the_next(token_and_use: tuple[str, str], calls: list[dict[str, Any]]) -> None:
    token, _ = token_and_use
    for demands in calls:
        fresh = Verifiers()
        assert {told(one) for one in SHARED.outcomes(token, **demands)} == {
            told(one) for one in fresh.outcomes(token, **demands)
        }


# --- Wycheproof ------------------------------------------------------------------------------------------------------

# Its payloads are no user pool's. So what is odd in a vector, the header or the block that the signature opens to, is
# put on a token of the pool: the digest in the block is exchanged, and the block signed with a key that is at hand.


@dataclass(frozen=True)
class Private:
    n: int
    e: int
    d: int

    def open(self, signature: int) -> bytes:
        return pow(signature, self.e, self.n).to_bytes(self.size, "big")

    def close(self, block: bytes) -> int:
        return modexp(int.from_bytes(block, "big") % self.n, self.d, self.n)

    @property
    def size(self) -> int:
        return (self.n.bit_length() + 7) // 8


def number(text: str) -> int:
    return int.from_bytes(urlsafe_b64decode(text + "=="), "big")


def transplanted(signature: bytes, theirs: Private, signed: bytes, now_signed: str, own: Private) -> str:
    """Return the segment of what *signature* would be if *own* had signed *now_signed*: as long, and as odd."""
    value = int.from_bytes(signature, "big")
    block = theirs.open(value).replace(sha256(signed).digest(), sha256(now_signed.encode()).digest())
    # One that is not below the modulus stays as far above it.
    exchanged = own.close(block) + value // theirs.n * own.n
    octets = exchanged.to_bytes(max(len(signature), own.size + 1), "big")
    return segment(octets[len(octets) - len(signature) :])


def accepts(document: dict[str, Any], token: Any) -> bool:
    verifier = TokenVerifier(POOL, client_id=CLIENT, token_use="access")
    try:
        verifier.load_jwks(document)
        return dict(verifier.verify(token)) == access_claims()
    except TokenVerificationException:
        return False


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "least"), [("json_web_crypto_test", 14), ("json_web_key_test", 6), ("json_web_signature_test", 300)]
)
def test_outcomes_of_tokens_equal_those_of_wycheproof(name: str, least: int) -> None:
    wrong: list[str] = []
    tested, valid = 0, 0
    for group in load(f"wycheproof/{name}.json")["testGroups"]:
        if '"RSA"' not in json.dumps(group.get("public", {})):
            continue
        public, private = (
            group[half] if "keys" in group[half] else {"keys": [group[half]]} for half in ("public", "private")
        )
        # One group has a key that says RSA, and holds another kind's numbers.
        own = next((entry for entry in private["keys"] if "n" in entry), jwk(d="AQ"))
        key = Private(number(own["n"]), number(own["e"]), number(own["d"]))
        for test in (test for test in group["tests"] if "jws" in test):
            expected = test["result"] == "valid" and all(entry["alg"] == "RS256" for entry in public["keys"])
            if accepts(public, of_the_pool(test["jws"], key)) is not expected:
                wrong.append(f"{test['tcId']} {test['comment']}")
            tested, valid = tested + 1, valid + expected
    assert wrong == []
    assert tested >= least
    assert valid >= 1


def of_the_pool(token: Any, key: Private) -> Any:
    """Return *token* with the claims of a user pool, where it has the form of one."""
    try:
        header, payload, signature = token.split(".")
        octets = (
            b64decode(signature, b"-_", validate=True)
            if len(signature) % 4 == 0
            else urlsafe_b64decode(signature + "==")
        )
    except (AttributeError, ValueError):
        return token
    signing_input = f"{header}.{segment(access_claims())}"
    return f"{signing_input}.{transplanted(octets, key, f'{header}.{payload}'.encode(), signing_input, key)}"


@pytest.mark.slow
def test_outcomes_of_signatures_equal_those_of_wycheproof() -> None:
    document = load("wycheproof/rsa_signature_2048_sha256_test.json")
    numbers = private_key().private_numbers()
    own = Private(numbers.public_numbers.n, numbers.public_numbers.e, numbers.d)
    signing_input = f"{segment({'kid': KID, 'alg': 'RS256'})}.{segment(access_claims())}"
    wrong: list[str] = []
    for group in document["testGroups"]:
        theirs = Private(int(group["publicKey"]["modulus"], 16), int(group["publicKey"]["publicExponent"], 16), 0)
        for test in group["tests"]:
            octets = bytes.fromhex(test["sig"])
            signature = transplanted(octets, theirs, bytes.fromhex(test["msg"]), signing_input, own)
            if accepts({"keys": [jwk()]}, f"{signing_input}.{signature}") is not (test["result"] == "valid"):
                wrong.append(f"{test['tcId']} {test['comment']}")
    assert wrong == []
    assert document["numberOfTests"] > 200
