"""The laws of verifiers hold for this library, find the faults of others, and each of them can fail."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

import jose.exceptions
import joserfc.errors
import jwt
import pytest
from hypothesis import given, settings

from srpcore import TransportError
from srpcore.exceptions import TokenVerificationException
from srpcore.testing import LawViolation, TokenCase, TokenPolicy, VerifyToken, check_token_verifier, token_cases
from srpcore.testing.token_keys import DIGEST_INFO, exponent_3_key, first_key, second_key, weak_key
from srpcore.testing.token_laws import _SUITE, _all_cases
from srpcore.tokens import parse_key, parse_key_set
from srpcore.tokens.strict_json import base64url, json_object
from support import token_peers
from support.token_peers import WrongClaimError

pytestmark = pytest.mark.slow

LAWS = (*_SUITE, "raises_documented_errors")


def test_every_law_holds_for_our_function() -> None:
    assert check_token_verifier(token_peers.ours, errors=TokenVerificationException).laws == LAWS


def test_every_law_holds_for_our_verifier() -> None:
    errors = (TokenVerificationException, TransportError)  # TransportError: the key set has no key for tokens
    assert check_token_verifier(token_peers.our_verifier, errors=errors).laws == LAWS


# The faults of others. Some laws are stricter than the RFCs, because a user pool never issues such tokens.

FAULTS_OF_PYJWT = [
    "refuses_critical_extensions",  # it supports b64
    "refuses_odd_times",  # it takes strings and booleans for numbers
    "refuses_lists_of_clients",
    "refuses_other_base64",
    "refuses_other_json",
    "refuses_ambiguous_json",
    "refuses_keys_for_other_purposes",
    "refuses_weak_keys",  # it only warns
    "refuses_ambiguous_key_sets",
]
FAULTS_OF_JOSERFC = [
    "accepts_key_sets_with_other_keys",  # it raises KeyError for a curve that it does not know
    "refuses_critical_extensions",
    "requires_kid",
    "refuses_lists_of_clients",
    "refuses_other_json",
    "refuses_ambiguous_json",
    "refuses_weak_keys",
    "refuses_ambiguous_key_sets",
    "raises_documented_errors",
]
FAULTS_OF_PYTHON_JOSE = [
    "accepts_key_sets_with_other_keys",
    "refuses_critical_extensions",  # it ignores crit
    "refuses_unknown_keys",  # it tries every key
    "requires_kid",
    "refuses_expired_tokens",  # it accepts a token in the second exp
    "refuses_odd_times",
    "refuses_lists_of_clients",
    "refuses_other_base64",
    "refuses_other_json",
    "refuses_ambiguous_json",
    "refuses_keys_for_other_purposes",
    "refuses_weak_keys",
    "refuses_ambiguous_key_sets",
    "raises_documented_errors",
]


@pytest.mark.counterpart
@pytest.mark.filterwarnings("ignore")  # a warning about a short key does not refuse it
@pytest.mark.parametrize(
    ("verify", "errors", "known_faults"),
    [
        pytest.param(token_peers.pyjwt_verifier, (jwt.PyJWTError, KeyError), FAULTS_OF_PYJWT, id="PyJWT"),
        pytest.param(token_peers.joserfc_verifier, (joserfc.errors.JoseError,), FAULTS_OF_JOSERFC, id="joserfc"),
        pytest.param(
            token_peers.python_jose_verifier, (jose.exceptions.JOSEError,), FAULTS_OF_PYTHON_JOSE, id="python-jose"
        ),
    ],
)
def test_faults_of_others_are_found(
    verify: VerifyToken, errors: tuple[type[Exception], ...], known_faults: list[str]
) -> None:
    report = check_token_verifier(verify, errors=(*errors, WrongClaimError), known_faults=known_faults)
    assert "known fault: " in str(report)


# A verifier that is right, in steps that the tests replace.


class RefusedError(Exception):
    pass


def require(condition: object) -> None:
    if not condition:
        raise RefusedError


class Steps:
    errors: tuple[type[Exception], ...] = (RefusedError, TokenVerificationException)

    def __call__(self, token: str, key_set: Mapping[str, object], policy: TokenPolicy) -> Mapping[str, object]:
        header_part, payload_part, signature_part = self.split(token)
        header = json_object(self.base64(header_part))
        self.check_header(header)
        message = f"{header_part}.{payload_part}".encode()
        self.check_signature(header, self.key(header, key_set), message, self.base64(signature_part))
        claims = self.json(self.base64(payload_part))
        self.check_times(claims)
        self.check_issuer(claims.get("iss"), policy)
        self.check_use(claims, policy)
        self.check_client(claims, policy)
        return claims

    def split(self, token: str) -> list[str]:
        parts = token.split(".")
        require(len(parts) == 3 and token.isascii())
        return parts

    def base64(self, part: str) -> bytes:
        try:
            return base64url(part)
        except ValueError:
            raise RefusedError from None

    def json(self, payload: bytes) -> dict[str, Any]:
        try:
            return json_object(payload)
        except ValueError:
            raise RefusedError from None

    def check_header(self, header: Mapping[str, object]) -> None:
        self.check_algorithm(header.get("alg"))
        require("crit" not in header and "b64" not in header)

    def check_algorithm(self, algorithm: object) -> None:
        require(algorithm == "RS256")

    def key(self, header: Mapping[str, Any], key_set: Mapping[str, Any]) -> Any:
        kid = header.get("kid")
        require(isinstance(kid, str))
        return parse_key_set(key_set).key(str(kid))

    def check_signature(self, header: Mapping[str, Any], key: Any, message: bytes, signature: bytes) -> None:
        key.verify(message, signature)

    def check_times(self, claims: Mapping[str, Any]) -> None:
        for name in ("exp", "nbf", "iat"):
            require(type(claims.get(name, 0)) in (int, float))
        require(time.time() < claims.get("exp", 0))
        require(claims.get("nbf", 0) <= time.time())

    def check_issuer(self, issuer: Any, policy: TokenPolicy) -> None:
        require(issuer == policy.issuer)

    def check_use(self, claims: Mapping[str, Any], policy: TokenPolicy) -> None:
        require(claims.get("token_use") == policy.token_use)

    def check_client(self, claims: Mapping[str, Any], policy: TokenPolicy) -> None:
        require(claims.get("aud" if policy.token_use == "id" else "client_id") == policy.client_id)


class WholeSeconds(Steps):
    def check_times(self, claims: Mapping[str, Any]) -> None:
        super().check_times(claims)
        require(type(claims["exp"]) is int)


class AccessOnly(Steps):
    def check_client(self, claims: Mapping[str, Any], policy: TokenPolicy) -> None:
        require(claims.get("client_id") == policy.client_id)


class EveryKeyIsParsed(Steps):
    def key(self, header: Mapping[str, Any], key_set: Mapping[str, Any]) -> Any:
        keys = {jwk["kid"]: parse_key(jwk) for jwk in key_set["keys"]}
        return keys[header["kid"]]


class NoneAllowed(Steps):
    def check_algorithm(self, algorithm: object) -> None:
        require(algorithm in ("RS256", "none"))

    def check_signature(self, header: Mapping[str, Any], key: Any, message: bytes, signature: bytes) -> None:
        if header["alg"] != "none":
            super().check_signature(header, key, message, signature)


class HmacAllowed(Steps):
    def check_algorithm(self, algorithm: object) -> None:
        require(algorithm in ("RS256", "HS256"))

    def check_signature(self, header: Mapping[str, Any], key: Any, message: bytes, signature: bytes) -> None:
        if header["alg"] == "HS256":
            require(hmac.digest(first_key().der(), message, "sha256") == signature)
        else:
            super().check_signature(header, key, message, signature)


class AnyAlgorithm(Steps):
    def check_algorithm(self, algorithm: object) -> None: ...


class AnyExtension(Steps):
    def check_header(self, header: Mapping[str, object]) -> None:
        self.check_algorithm(header.get("alg"))


class KeyOfTheHeader(Steps):
    def key(self, header: Mapping[str, Any], key_set: Mapping[str, Any]) -> Any:
        return parse_key(header["jwk"]) if "jwk" in header else super().key(header, key_set)


class EveryKeyIsTried(Steps):
    def check_signature(self, header: Mapping[str, Any], key: Any, message: bytes, signature: bytes) -> None:
        valid = 0
        for known in (first_key(), second_key()):
            block = pow(int.from_bytes(signature, "big"), known.e, known.n).to_bytes(256, "big")
            valid += block == known.block(message)
        require(valid)


class OnlyKey(Steps):
    def key(self, header: Mapping[str, Any], key_set: Mapping[str, Any]) -> Any:
        if len(key_set["keys"]) == 1:
            return parse_key(key_set["keys"][0])
        return super().key(header, key_set)


class FirstKey(Steps):
    def key(self, header: Mapping[str, Any], key_set: Mapping[str, Any]) -> Any:
        return next(parse_key(jwk) for jwk in key_set["keys"] if jwk.get("kid") == header.get("kid"))


class Leeway(Steps):
    def check_times(self, claims: Mapping[str, Any]) -> None:
        require(time.time() < claims.get("exp", 0) + 60 and type(claims["exp"]) in (int, float))
        super().check_times({**claims, "exp": time.time() + 1})


class NoExpiry(Steps):
    def check_times(self, claims: Mapping[str, Any]) -> None: ...


class NoStart(Steps):
    def check_times(self, claims: Mapping[str, Any]) -> None:
        super().check_times({**claims, "nbf": 0})


class Converted(Steps):
    def check_times(self, claims: Mapping[str, Any]) -> None:
        super().check_times({**claims, "exp": float(claims["exp"])})


class IssuerPrefix(Steps):
    def check_issuer(self, issuer: Any, policy: TokenPolicy) -> None:
        require(issuer.startswith(policy.issuer))


class ClientIn(Steps):
    def check_client(self, claims: Mapping[str, Any], policy: TokenPolicy) -> None:
        require(str(claims.get("aud" if policy.token_use == "id" else "client_id")) in policy.client_id)


class EitherClaim(Steps):
    """It accepts a token if one of its claims has the app client, also the claim of the other kind of token."""

    def check_client(self, claims: Mapping[str, Any], policy: TokenPolicy) -> None:
        require(policy.client_id in (claims.get("aud"), claims.get("client_id")))


class FirstClaim(Steps):
    """It looks for the app client in the claim of the other kind of token if the right one is missing."""

    def check_client(self, claims: Mapping[str, Any], policy: TokenPolicy) -> None:
        names = ("aud", "client_id") if policy.token_use == "id" else ("client_id", "aud")
        require(next((claims[name] for name in names if name in claims), None) == policy.client_id)


class ListOfClients(Steps):
    def check_client(self, claims: Mapping[str, Any], policy: TokenPolicy) -> None:
        audience = claims.get("aud") if policy.token_use == "id" else claims.get("client_id")
        require(audience == policy.client_id or (isinstance(audience, list) and policy.client_id in audience))


class AnyUse(Steps):
    def check_use(self, claims: Mapping[str, Any], policy: TokenPolicy) -> None: ...


class Stripped(Steps):
    def split(self, token: str) -> list[str]:
        return super().split(token.strip())


class LenientBase64(Steps):
    def base64(self, part: str) -> bytes:
        return base64.urlsafe_b64decode(part.rstrip("=") + "==")


class AnyJson(Steps):
    def json(self, payload: bytes) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(payload)
        return loaded


class LastMember(Steps):
    def json(self, payload: bytes) -> dict[str, Any]:
        loaded = json.loads(payload.decode())
        require(isinstance(loaded, dict) and "NaN" not in str(loaded))
        return dict(loaded)


class ReducedSignature(Steps):
    def check_signature(self, header: Mapping[str, Any], key: Any, message: bytes, signature: bytes) -> None:
        key.verify(message, (int.from_bytes(signature, "big") % key.n).to_bytes(256, "big"))


class NoSignature(Steps):
    def check_signature(self, header: Mapping[str, Any], key: Any, message: bytes, signature: bytes) -> None: ...


class ParsedPadding(Steps):
    """It looks for the digest in the block, and does not look at what surrounds it: Bleichenbacher's attack works."""

    def check_signature(self, header: Mapping[str, Any], key: Any, message: bytes, signature: bytes) -> None:
        block = pow(int.from_bytes(signature, "big"), key.e, key.n).to_bytes(256, "big")
        require(block.startswith(b"\0\1\xff"))
        end = block[2:].lstrip(b"\xff")
        require(end.startswith(b"\0" + DIGEST_INFO["sha256"] + hashlib.sha256(message).digest()))


class AnyPurpose(Steps):
    def key(self, header: Mapping[str, Any], key_set: Mapping[str, Any]) -> Any:
        keys = [{name: jwk[name] for name in ("kty", "n", "e", "kid") if name in jwk} for jwk in key_set["keys"]]
        return super().key(header, {"keys": keys})


class WeakKeys(Steps):
    def key(self, header: Mapping[str, Any], key_set: Mapping[str, Any]) -> Any:
        return weak_key() if header.get("kid") == weak_key().kid else super().key(header, key_set)

    def check_signature(self, header: Mapping[str, Any], key: Any, message: bytes, signature: bytes) -> None:
        if key is not weak_key():
            super().check_signature(header, key, message, signature)


class ValueErrors(Steps):
    def base64(self, part: str) -> bytes:
        return base64url(part)


BROKEN: dict[str, type[Steps]] = {
    "accepts_access_tokens": WholeSeconds,
    "accepts_id_tokens": AccessOnly,
    "accepts_key_sets_with_other_keys": EveryKeyIsParsed,
    "refuses_unsigned_tokens": NoneAllowed,
    "refuses_hmac_with_the_public_key": HmacAllowed,
    "refuses_other_algorithms": AnyAlgorithm,
    "refuses_critical_extensions": AnyExtension,
    "refuses_keys_in_the_header": KeyOfTheHeader,
    "refuses_unknown_keys": EveryKeyIsTried,
    "requires_kid": OnlyKey,
    "refuses_expired_tokens": Leeway,
    "refuses_early_tokens": NoStart,
    "refuses_odd_times": Converted,
    "refuses_other_issuers": IssuerPrefix,
    "refuses_access_tokens_of_other_clients": ClientIn,
    "refuses_id_tokens_of_other_clients": ClientIn,
    "refuses_lists_of_clients": ListOfClients,
    "refuses_other_uses": AnyUse,
    "refuses_other_forms": Stripped,
    "refuses_other_base64": LenientBase64,
    "refuses_other_json": AnyJson,
    "refuses_ambiguous_json": LastMember,
    "refuses_changed_signatures": ReducedSignature,
    "refuses_changed_tokens": NoSignature,
    "refuses_wrong_padding": ParsedPadding,
    "refuses_keys_for_other_purposes": AnyPurpose,
    "refuses_weak_keys": WeakKeys,
    "refuses_ambiguous_key_sets": FirstKey,
    "raises_documented_errors": ValueErrors,
}


def test_the_steps_are_right_before_they_are_broken() -> None:
    assert check_token_verifier(Steps()).ok


@pytest.mark.parametrize("law", LAWS)
def test_each_law_can_fail(law: str) -> None:
    verify = BROKEN[law]()
    with pytest.raises(LawViolation) as caught:
        check_token_verifier(verify, errors=verify.errors, laws=[law])
    assert caught.value.report.failed == {law}


@pytest.mark.parametrize("verify", [EitherClaim(), FirstClaim()], ids=["either claim", "first claim"])
def test_a_verifier_that_takes_the_app_client_from_the_claim_of_the_other_kind_is_found(verify: Steps) -> None:
    laws = ["refuses_access_tokens_of_other_clients", "refuses_id_tokens_of_other_clients"]
    with pytest.raises(LawViolation, match="and aud is the app client") as caught:
        check_token_verifier(verify, laws=laws)
    assert caught.value.report.failed == {*laws}


def test_the_simplest_change_is_reported() -> None:
    with pytest.raises(LawViolation, match=r"the token was accepted \(one bit of the first byte\)") as caught:
        check_token_verifier(NoSignature(), laws=["refuses_changed_signatures"])
    (failure,) = caught.value.report.failures
    assert isinstance(failure.example, TokenCase)
    assert failure.example.law == "refuses_changed_signatures"


@pytest.mark.parametrize(("verify", "change"), [(NoExpiry(), "3600 s ago"), (Leeway(), "1 s ago")])
def test_a_report_tells_a_missing_check_of_exp_from_one_that_is_late(verify: Steps, change: str) -> None:
    with pytest.raises(LawViolation) as caught:
        check_token_verifier(verify, laws=["refuses_expired_tokens"])
    assert f"the token was accepted (exp is {change})" in str(caught.value)


def test_the_report_of_a_verifier_that_checks_no_signature_begins_with_changed_signatures() -> None:
    class AnyKey(NoSignature):
        def key(self, header: Mapping[str, Any], key_set: Mapping[str, Any]) -> Any: ...

    with pytest.raises(LawViolation) as caught:
        check_token_verifier(AnyKey())
    assert caught.value.report.failures[0].law == "refuses_changed_signatures"
    assert len(caught.value.report.failures) > 5


@given(token_cases())
@settings(max_examples=200, deadline=None)
def test_the_verdict_of_each_case_is_that_of_our_verifier(case: TokenCase) -> None:
    try:
        claims = token_peers.ours(case.token, case.key_set, case.policy)
    except TokenVerificationException:
        assert not case.accepted, case.change
    else:
        assert case.accepted, case.change
        assert claims == case.claims


def test_the_cases_cover_every_law_and_are_distinct() -> None:
    cases = list(_all_cases())
    assert {case.law for case in cases} == set(_SUITE)
    assert len({(case.token, str(case.key_set), case.policy) for case in cases}) == len(cases)


def test_keys_for_tests_are_valid_rsa_keys() -> None:
    for key in (first_key(), second_key(), weak_key(), exponent_3_key()):
        assert pow(pow(1234567, key.d, key.n), key.e, key.n) == 1234567
    assert [key.n.bit_length() for key in (first_key(), second_key(), exponent_3_key())] == [2048] * 3


def test_the_public_key_in_pem_is_that_of_the_jwk() -> None:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    key = load_pem_public_key(first_key().pem())
    assert isinstance(key, RSAPublicKey)
    assert (key.public_numbers().n, key.public_numbers().e) == (first_key().n, first_key().e)
