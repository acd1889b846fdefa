"""The whole message of each error of the tokens, with the expected and the actual value in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from math import prod
from pathlib import Path
from typing import Any, cast

import pytest

from srpcore import AsyncTokenVerifier, TokenVerifier
from srpcore.exceptions import ConfigurationError, SrpcoreError, TransportError
from srpcore.pool import Pool
from srpcore.tokens import PublicKey, _openssl, parse_key, parse_key_set, rsa
from srpcore.tokens.claims import wrong_issuer
from srpcore.tokens.jwks import MAX_DOCUMENT_LENGTH, MAX_KEYS, parse_fetched_key_set
from srpcore.tokens.jwks_source import members_of_environment, read_jwks
from srpcore.tokens.jws import MAX_HEADER_LENGTH, MAX_TOKEN_LENGTH, parse, parse_claims, unverified_payload
from srpcore.tokens.key_cache import KeyCache, KeyTiming
from srpcore.tokens.policy import Policy, issuers_by_pool, pool_by_issuer, run_custom_check, seconds, strings
from srpcore.tokens.rsa import verify_rs256
from srpcore.tokens.strict_json import base64url, json_object
from support.minting import CLIENT, ISSUER, NOW, access_claims, id_claims, jwk, segment

HEADER = segment({"alg": "RS256", "kid": "k"})
TOKEN = "eu-west-1_AbCd12345"
KEY = parse_key(jwk())
SIZE = (KEY.n.bit_length() + 7) // 8
# It is 1, the power 65537^0, modulo each of the primes that the test of the flawed key generator uses.
ROCA = 1 + (prod(rsa._ROCA_PRIMES) << 2000)


def message(call: Callable[[], object]) -> str:
    """Return the message of the error that *call* raises."""
    with pytest.raises((SrpcoreError, ValueError)) as caught:
        call()
    return str(caught.value)


def header(**members: Any) -> str:
    return f"{segment({'alg': 'RS256', 'kid': 'k', **members})}.e30.AAAA"


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        (5, "token is not a string (expected 'str', got 'int')"),
        ("\xe9", "token is not ASCII"),
        ("\xe9" * MAX_TOKEN_LENGTH, "token is not ASCII"),
        (
            "x" * (MAX_TOKEN_LENGTH + 1),
            f"token is too long (expected {MAX_TOKEN_LENGTH}, got {MAX_TOKEN_LENGTH + 1})",
        ),
        ("a.b", "token is not a JWT: it must have 3 parts with dots between them (expected 3, got 2)"),
        ("a.b.c.d", "token is not a JWT: it must have 3 parts with dots between them (expected 3, got 4)"),
        ("BEARER a.b.c", "token still has its 'Bearer ' prefix: pass only the part after it"),
        (
            f"{'x' * (MAX_HEADER_LENGTH + 1)}.b.c",
            f"token header is too long (expected {MAX_HEADER_LENGTH}, got {MAX_HEADER_LENGTH + 1})",
        ),
        (header(alg="none"), "token is not signed with RS256 (expected 'RS256', got 'none')"),
        (header(crit=[]), "token header requires an extension (crit or b64), and none is supported"),
        (header(b64=True), "token header requires an extension (crit or b64), and none is supported"),
        (header(kid=""), "kid in the token header is missing, empty or not a string"),
        (header(kid=5), "kid in the token header is missing, empty or not a string"),
        ("e.e30.AAAA", "token header is not canonical base64url"),
        (f"{HEADER}.e.AAAA", "token payload or signature is not canonical base64url"),
    ],
)
def test_a_malformed_token_is_named(token: Any, expected: str) -> None:
    assert message(lambda: parse(token)) == expected


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        (5, "token is not a string (expected 'str', got 'int')"),
        ("\xe9..", "token is not ASCII"),
        ("a.b", "token is not a JWT: it must have 3 parts with dots between them (expected 3, got 2)"),
        ("x.e.x", "token payload is not canonical base64url"),
    ],
)
def test_a_malformed_payload_is_named(token: Any, expected: str) -> None:
    assert message(lambda: unverified_payload(token)) == expected


def test_limits_are_inclusive() -> None:
    assert message(lambda: parse("x" * MAX_TOKEN_LENGTH)).startswith("token is not a JWT")
    assert message(lambda: unverified_payload("x" * MAX_TOKEN_LENGTH)).startswith("token is not a JWT")
    assert message(lambda: unverified_payload("x" * (MAX_TOKEN_LENGTH + 1))).startswith("token is too long")
    assert message(lambda: parse(f"{'x' * MAX_HEADER_LENGTH}.b.c")).startswith("token header is not UTF-8")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\xff", "not UTF-8"),
        (b"{", "not JSON"),
        (b"[]", "not a JSON object"),
        (b'{"a": 1, "a": 2}', "JSON that names a member twice"),
        (b'{"a": 1e999}', "JSON with a number out of range"),
        (b'{"a": NaN}', "JSON with NaN or an infinity"),
        (b'{"a": "\\ud800"}', "not Unicode: it has half a surrogate pair"),
        (b'{"a":' + b"[" * 32 + b"]" * 32 + b"}", "nested too deep"),
    ],
)
def test_ambiguous_json_is_named(data: bytes, expected: str) -> None:
    assert message(lambda: json_object(data)) == expected
    assert message(lambda: parse_claims(data)) == f"token payload is {expected}"
    assert message(lambda: parse_key_set(data)) == f"key set is {expected}"


@pytest.mark.parametrize("text", ["A", "AB", "A+AA", "A/AA", "A AA", "AA=="])
def test_base64url_that_is_not_canonical_is_named(text: str) -> None:
    assert message(lambda: base64url(text)) == "not canonical base64url"


def changed(**changes: Any) -> dict[str, Any]:
    return {"keys": [{**jwk(), **changes}]}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (5, "key set must be bytes, a string or a mapping"),
        (
            b" " * (MAX_DOCUMENT_LENGTH + 1),
            f"key set is too large (expected {MAX_DOCUMENT_LENGTH}, got {MAX_DOCUMENT_LENGTH + 1})",
        ),
        ('{"a": "\udcff"}', "key set is not UTF-8"),
        ({}, "key set has no list 'keys'"),
        ({"keys": [{}] * (MAX_KEYS + 1)}, f"key set has too many keys (expected {MAX_KEYS}, got {MAX_KEYS + 1})"),
        ({"keys": [5]}, "key set has a key that is not a JSON object"),
        ({"keys": [{}]}, "key set has no RS256 key"),
        (changed(kid=""), "key set has a key whose kid is missing, empty or not a string"),
        (changed(kid=5), "key set has a key whose kid is missing, empty or not a string"),
        (changed(n=5), "key member 'n' is missing or not a string"),
        (changed(e="A"), "key member 'e' is not canonical base64url"),
        (changed(e=""), "key member 'e' is empty or starts with a zero byte"),
        (changed(e="AAEAAQ"), "key member 'e' is empty or starts with a zero byte"),
        (changed(e="AQ"), "RSA exponent is even, 1 or too large"),
        pytest.param(
            {"keys": [jwk(), {**jwk(), "e": "Aw"}]},
            f"key set has two different keys with the same kid (expected None, got {jwk()['kid']!r})",
            id="two different keys with the same kid",
        ),
    ],
)
def test_an_unusable_key_set_is_named(document: Any, expected: str) -> None:
    assert message(lambda: parse_key_set(document)) == expected


@pytest.mark.parametrize(
    ("verifier", "expected"),
    [
        (TokenVerifier, "transport must be an object with a synchronous fetch() method, not a string"),
        (AsyncTokenVerifier, "transport must be an object with a fetch() method, not a string"),
    ],
)
def test_a_transport_that_is_a_string_is_refused(verifier: Any, expected: str) -> None:
    assert message(lambda: verifier(TOKEN, client_id=None, token_use=None, transport="https")) == expected


def test_a_failure_of_libcrypto_is_named() -> None:
    with pytest.raises(MemoryError, match=r"^libcrypto could not allocate memory$"):
        _openssl._checked(None)
    assert _openssl._checked(5) == 5

    class Library:
        """A libcrypto that makes a key but cannot compute with it."""

        def __getattr__(self, name: str) -> Callable[..., int]:
            return lambda *arguments: -1 if name == "RSA_public_decrypt" else 1

    rsavp1 = _openssl._make_rsavp1(cast(Any, Library()), KEY.n, KEY.e)
    with pytest.raises(MemoryError, match=r"^libcrypto could not compute a modular exponentiation$"):
        rsavp1(b"\1" * SIZE)


def test_the_largest_key_set_is_accepted() -> None:
    assert parse_key_set({"keys": [jwk(), *({},) * (MAX_KEYS - 1)]}).keys.keys() == {jwk()["kid"]}
    assert message(lambda: parse_key_set(b" " * MAX_DOCUMENT_LENGTH)) == "key set is not JSON"


@pytest.mark.parametrize(
    ("n", "e", "expected"),
    [
        (-KEY.n, 3, "size of the RSA key in bits is not accepted (expected '2048 to 8192', got 2048)"),
        (1 << 2046 | 1, 3, "size of the RSA key in bits is not accepted (expected '2048 to 8192', got 2047)"),
        (1 << 8192 | 1, 3, "size of the RSA key in bits is not accepted (expected '2048 to 8192', got 8193)"),
        (KEY.n + 1, 3, "RSA modulus is even"),
        (KEY.n, 2, "RSA exponent is even, 1 or too large"),
        (KEY.n, 1, "RSA exponent is even, 1 or too large"),
        (KEY.n, 1 << 64 | 1, "RSA exponent is even, 1 or too large"),
        (ROCA, 3, "RSA modulus can be factored (CVE-2017-15361): the issuer must make a new key"),
    ],
    # Not the numbers: the key is new in each process, and pytest-xdist needs the same names in all of them.
    ids=[
        "negative",
        "2047 bits",
        "8193 bits",
        "even modulus",
        "exponent 2",
        "exponent 1",
        "exponent of 65 bits",
        "ROCA",
    ],
)
def test_an_unsafe_key_is_named(n: int, e: int, expected: str) -> None:
    assert message(lambda: PublicKey(n, e)) == expected


def test_the_limits_of_keys_are_inclusive() -> None:
    assert PublicKey(KEY.n, 3).e == 3
    assert PublicKey(KEY.n, (1 << 64) - 1).e == (1 << 64) - 1
    assert PublicKey(1 << 8191 | 1, 3).n == 1 << 8191 | 1


def test_a_key_for_another_purpose_is_named() -> None:
    expected = "{'kty': 'RSA', 'use': 'sig', 'key_ops': ['verify'], 'alg': 'RS256'}"
    purposes: list[dict[str, Any]] = [
        {"kty": "EC"},
        {"use": "enc"},
        {"alg": "RS512"},
        {"key_ops": ["sign"]},
        {"key_ops": "verify"},
    ]
    for purpose in purposes:
        wrong = jwk(**purpose)
        actual = {member: wrong[member] for member in ("kty", "use", "key_ops", "alg") if member in wrong}
        assert message(partial(parse_key, wrong)) == (
            f"key is not for verifying RS256 (expected {expected}, got {actual!r})"
        )


@pytest.mark.parametrize(
    ("signature", "engine", "expected"),
    [
        (b"", None, f"signature does not have the length of the key (expected {SIZE}, got 0)"),
        (KEY.n.to_bytes(SIZE, "big"), None, "signature is not below the modulus of the key"),
        (
            b"\1" * SIZE,
            None,
            "signature does not match the token: it was changed, or the issuer did not sign it",
        ),
        (b"", "abacus", "engine 'abacus' does not exist: choose one of openssl, cryptography, python"),
    ],
)
def test_an_invalid_signature_is_named(signature: bytes, engine: str | None, expected: str) -> None:
    assert message(lambda: verify_rs256(KEY, b"message", signature, engine=engine)) == expected


def test_an_engine_that_does_not_work_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(n: int, e: int) -> Any:
        raise OSError

    monkeypatch.setitem(rsa._LOADERS, "openssl", broken)
    assert message(lambda: PublicKey(KEY.n, 3).verify(b"", b"\1" * SIZE, "openssl")) == (
        "engine 'openssl' is missing or computes wrong results on this computer"
    )


def check(claims: dict[str, Any], access_token: Any = None, **options: Any) -> str:
    usual: dict[str, Any] = {
        "client_id": CLIENT,
        "token_use": None,
        "groups": None,
        "scope": None,
        "leeway": 5,
        "custom_check": None,
    }
    policy = Policy(**{**usual, **options}).for_issuers((ISSUER,))
    return message(lambda: policy.check(claims, NOW, access_token))


OTHER_URL = (
    "token is from another issuer (iss), with the same pool id but another URL before it: for an emulator, give its "
    "URL as endpoint_url=, or start it with serve --issuer; for another URL that you trust, give the issuer as issuer= "
    "(Cognito) or issuers= (TokenVerifier)"
)


def test_a_wrong_claim_is_named() -> None:
    assert check(access_claims(), b"") == "access_token must be a string or None"
    assert check(access_claims(iss="x/other")) == (
        f"token is from another issuer (iss): check the user pool id (expected {ISSUER!r}, got 'x/other')"
    )
    elsewhere = "https://other.example/" + ISSUER.rpartition("/")[2]
    assert check(access_claims(iss=elsewhere)) == f"{OTHER_URL} (expected {ISSUER!r}, got {elsewhere!r})"
    assert check(access_claims(token_use="x")) == (
        "token is of the wrong kind (token_use) (expected ['access', 'id'], got 'x')"
    )
    assert check(access_claims(client_id="x")) == (
        f"token was issued to a different app client (client_id) (expected {CLIENT!r}, got 'x')"
    )
    assert check({**id_claims(), "aud": "x"}) == (
        f"token was issued to a different app client (aud) (expected {CLIENT!r}, got 'x')"
    )
    assert check(access_claims(exp=NOW - 5)) == (
        f"token has expired (exp): get a new one, or check this computer's clock "
        f"(expected 'after {NOW - 5}', got {NOW - 5})"
    )
    assert check(access_claims(nbf=NOW + 6)) == (
        "token is not valid yet (nbf): check this computer's clock, or allow some leeway "
        f"(expected 'at most {NOW + 5}', got {NOW + 6})"
    )
    assert check(access_claims(jti=5)) == "jti is missing or not a string (expected 'str', got 'int')"
    assert check(access_claims(iat="1")) == "iat is missing or not a finite number (expected 'number', got 'str')"
    assert check({**access_claims(), "cognito:groups": "x"}) == (
        "cognito:groups is not a list of strings (expected 'list', got 'str')"
    )
    assert check({**access_claims(), "cognito:groups": ["x"]}, groups="a") == (
        "user is not in any of the required groups (expected 'a', got ['x'])"
    )
    assert check(access_claims(), groups=["a", "b"]) == (
        "user is not in any of the required groups (expected ['a', 'b'], got None)"
    )
    assert check(access_claims(scope="x y"), scope="a") == (
        "token does not have any of the required scopes (expected 'a', got 'x y')"
    )
    assert check({**id_claims(), "at_hash": "x"}, "token") == (
        "at_hash does not match the access token: the two tokens were not issued together "
        "(expected 'PEaenWxYddN6Q_NT1PiOYQ', got 'x')"
    )


def test_a_wrong_issuer_is_named_before_a_key_is_fetched() -> None:
    verifier = TokenVerifier(TOKEN, client_id=None, token_use=None)

    def verify(issuer: Any, **overrides: Any) -> str:
        token = f"{HEADER}.{segment(access_claims(iss=issuer))}.AAAA"
        return message(lambda: verifier.verify(token, **overrides))

    assert verify(5) == "iss is missing or not a string (expected 'str', got 'int')"
    other = "https://example.com/other"
    assert verify(other) == (
        f"token is from another issuer (iss): check the user pool id (expected {[*verifier._pool_of_issuer]!r}, "
        f"got {other!r})"
    )
    assert verify(ISSUER, issuers=["a", "b"]) == (
        f"token is from another issuer (iss): check the user pool id (expected ('a', 'b'), got {ISSUER!r})"
    )
    assert verify(ISSUER, issuers="ab") == (
        f"token is from another issuer (iss): check the user pool id (expected 'ab', got {ISSUER!r})"
    )
    # The hint for a pool that was reached by another URL.
    elsewhere = "https://own.example/" + ISSUER.rpartition("/")[2]
    assert OTHER_URL in verify(ISSUER, issuers=elsewhere)
    assert OTHER_URL in verify(f"https://own.example/{TOKEN}")


def test_an_issuer_without_a_pool_id_names_the_pool_id_as_the_cause() -> None:
    assert wrong_issuer(["a"], "a") == wrong_issuer(["a"], "x/a") == wrong_issuer(["x/a"], "a") == OTHER_URL
    assert wrong_issuer(["x y/a"], "z w/a") == OTHER_URL
    for actual in (5, "", "https://example.com/"):
        assert wrong_issuer([ISSUER], actual) == "token is from another issuer (iss): check the user pool id"


def policy(**changes: Any) -> Policy:
    usual: dict[str, Any] = dict.fromkeys(("client_id", "token_use", "groups", "scope", "custom_check"))
    return Policy(**{**usual, "leeway": 0, **changes})


async def awaited(claims: Any) -> None:
    return None


EMPTY = "{} must be one string or several, none of them empty: no token could match"


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: policy(token_use="x"), 'token_use must be "access", "id" or None'),
        (lambda: policy(leeway=-1), "leeway must be a finite number of seconds, 0 or more"),
        (lambda: policy(custom_check=5), "custom_check must be a function with one parameter, the claims, or None"),
        (lambda: policy(client_id=""), EMPTY.format("client_id")),
        (lambda: policy(groups=[]), EMPTY.format("groups")),
        (lambda: policy(scope=[""]), EMPTY.format("scope")),
        (lambda: policy(issuers=[5]), EMPTY.format("issuers")),
        (lambda: strings("name", 5), EMPTY.format("name")),  # type: ignore[arg-type]
        (
            lambda: policy().for_issuers(None),  # type: ignore[arg-type]
            "issuers must be one string or several, not None: no token could match",
        ),
        (lambda: policy().for_issuers(()), EMPTY.format("issuers")),
        (
            lambda: policy(custom_check=awaited).require_sync_check(),
            "custom_check must not be a coroutine function here: it would never be awaited",
        ),
        (lambda: seconds("x", 0, zero=False), "x must be a finite number of seconds, above 0"),
        (lambda: seconds("x", True), "x must be a finite number of seconds, 0 or more"),
        (
            lambda: run_custom_check(lambda claims: False, {}),  # type: ignore[arg-type, return-value]
            "custom_check returned a value: it must raise to refuse a token, and return None",
        ),
        (
            lambda: issuers_by_pool([Pool(TOKEN)], {"another": ISSUER}),
            "issuers must be a mapping with one entry for each user pool id if there are several pools",
        ),
        (lambda: issuers_by_pool([Pool(TOKEN)], {TOKEN: ""}), EMPTY.format("issuers")),
        (
            lambda: pool_by_issuer({"a": (ISSUER,), "b": (ISSUER,)}),
            "issuers must not overlap: two user pools have the same issuer",
        ),
        (
            lambda: TokenVerifier(TOKEN, client_id=None, token_use=None, cache_size=-1),
            "cache_size must be a number of tokens, or 0 for no cache",
        ),
        (
            lambda: TokenVerifier(None, client_id=None, token_use=None),  # type: ignore[arg-type]
            "user_pool_id must be the id of a user pool, or several of them, not None",
        ),
        (lambda: TokenVerifier("", client_id=None, token_use=None), EMPTY.format("user_pool_id")),
        (
            lambda: TokenVerifier([TOKEN, "eu-west-1_b"], client_id=None, token_use=None).load_jwks({"keys": [jwk()]}),
            "user_pool_id is missing: this verifier has several user pools, so pass the id of one",
        ),
        (
            lambda: TokenVerifier([TOKEN, "eu-west-1_b"], client_id=None, token_use=None).load_jwks(
                {}, user_pool_id="x"
            ),
            f"user pool 'x' is not one of this verifier's: use one of {TOKEN}, eu-west-1_b",
        ),
    ],
)
def test_a_wrong_argument_is_named(call: Callable[[], object], expected: str) -> None:
    assert message(call) == expected


def test_a_key_set_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert message(lambda: read_jwks("missing.json")) == (
        "key set file 'missing.json' cannot be read (FileNotFoundError): pass its path, bytes of JSON, or a mapping "
        "(`srpcore keys POOL_ID --output FILE` writes the file)"
    )
    monkeypatch.delenv("COGNITO_JWKS", raising=False)
    assert message(lambda: read_jwks(None)) == "COGNITO_JWKS is not set: set it, or pass the key set as an argument"
    for text in ("[]", "5", "print()", "(1,)"):
        monkeypatch.setenv("COGNITO_JWKS", text)
        assert message(members_of_environment) == (
            "COGNITO_JWKS must contain the key set as a JSON object or as a Python dictionary"
        )
    monkeypatch.setenv("COGNITO_JWKS", '{"a": 1, "a": 2}')
    assert message(members_of_environment) == "key set in COGNITO_JWKS is JSON that names a member twice"
    monkeypatch.setenv("COGNITO_JWKS", '{"a": "\udcff"}')
    assert message(members_of_environment) == "key set in COGNITO_JWKS is not UTF-8"
    monkeypatch.setenv("COGNITO_JWKS", " " * MAX_DOCUMENT_LENGTH + "5")
    assert message(members_of_environment) == (
        f"key set in COGNITO_JWKS is too large (expected {MAX_DOCUMENT_LENGTH}, got {MAX_DOCUMENT_LENGTH + 1})"
    )
    monkeypatch.setenv("COGNITO_JWKS", " " * (MAX_DOCUMENT_LENGTH - 2) + "{}")
    assert members_of_environment() == {}


def test_a_fetched_document_without_keys_is_named() -> None:
    with pytest.raises(TransportError) as caught:
        parse_fetched_key_set(b"<html>", "https://example.com/jwks.json")
    error = caught.value
    assert str(error) == (
        "the document that was fetched is not a usable key set: key set is not JSON: check the endpoint and the proxy"
    )
    assert (error.reason, error.url, error.fetching) == ("document", "https://example.com/jwks.json", True)
    assert error.__context__ is None


def test_keys_that_could_not_be_fetched_are_named() -> None:
    cache = KeyCache("https://example.com/jwks.json", KeyTiming(10, 10, 10))

    def lookup(now: float) -> Any:
        error = cache.lookup_error("k", now)
        assert isinstance(error, TransportError)
        return type(error).__name__, str(error), error.reason, error.url, error.fetching

    start = "key set https://example.com/jwks.json could not be fetched, so no token can be verified: "
    assert lookup(0)[1] == f"{start}the fetch was interrupted"
    cache.record_failure(OSError("a secret"), 0)
    assert lookup(0) == ("TransportError", f"{start}OSError", "answer", cache.url, True)
    cache.record_failure(TransportError("lost", reason="read timeout"), 0)
    assert lookup(0)[0::2] == ("TransportTimeout", "read timeout", True)
    cache.record_success(json.dumps({"keys": [jwk()]}).encode(), 0, 1)
    unknown = cache.lookup_error("k", 1)
    assert str(unknown) == (
        f"token is signed with an unknown key (kid): check the user pool id (expected {[jwk()['kid']]!r}, got 'k')"
    )
    cache.record_failure(ConfigurationError("no proxy"), 30)
    assert lookup(30)[1] == f"{start}no proxy (the cached one is 30 seconds old: too old)"
