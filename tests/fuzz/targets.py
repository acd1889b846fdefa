"""What is fuzzed: a function of bytes for each parser, which lets only an exception out that nobody documented.

Whatever is accepted must hold more than that: another decoder reads it to the same value.
"""

from __future__ import annotations

import json
import os
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import jwt
from jwt.algorithms import RSAAlgorithm

from srpcore import tokens
from srpcore.exceptions import ConfigurationError, InvalidKey, TokenVerificationException
from srpcore.tokens import KeySet, strict_json
from srpcore.tokens.jwks_source import read_jwks
from srpcore.tokens.policy import Policy
from support.beside_pyjwt import by_pyjwt
from support.minting import CLIENT, ISSUER, KID, NOW, access_claims, id_claims, jwk, key_set, mint, segment

__all__ = ["CHOICES", "KEYS", "OPTIONS", "TARGETS", "seeds", "write_corpus", "write_dictionary"]

KEYS = key_set()
OPTIONS: dict[str, Any] = {"issuers": [ISSUER], "client_id": CLIENT, "token_use": None, "now": float(NOW)}
NONE_ELSE: dict[str, Any] = {"groups": None, "scope": None, "leeway": 0, "custom_check": None}
ACCESS_TOKEN = mint(access_claims())
CHOICES: list[dict[str, Any]] = [
    {},
    {"token_use": "access", "client_id": None, "groups": ["g", "h"]},
    {"token_use": "id", "access_token": ACCESS_TOKEN},
    {"scope": "a", "leeway": 10.5},
]


def json_object(data: bytes) -> None:
    try:
        value = strict_json.json_object(data)
    except ValueError as error:
        _own(error)
        return
    _same(value, json.loads(data, object_pairs_hook=_without_twins))
    assert _depth(value) <= strict_json.MAX_DEPTH
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")


def base64url(data: bytes) -> None:
    text = _text(data)
    try:
        value = strict_json.base64url(text)
    except ValueError as error:
        _own(error)
        return
    assert segment(value) == text


def parse(data: bytes) -> None:
    token = _text(data)
    try:
        jws = tokens.parse(token)
    except TokenVerificationException as error:
        _safe(error)
        return
    assert jws.signing_input + b"." + segment(jws.signature).encode() == token.encode()
    assert jws.signing_input.endswith(b"." + segment(jws.payload).encode())
    _same(dict(jws.header), jwt.get_unverified_header(token))
    assert (jws.kid, "RS256") == (jws.header["kid"], jws.header["alg"])


def unverified_claims(data: bytes) -> None:
    token = _text(data)
    try:
        claims = tokens.unverified_claims(token)
    except TokenVerificationException as error:
        _safe(error)
        return
    _same(dict(claims), json.loads(urlsafe_b64decode(token.split(".")[1] + "==")))


def verify(data: bytes) -> None:
    _verify(_text(data), {})


def signed(data: bytes) -> None:
    """Sign the rest of the second line, or a usual header, with what follows it; the first byte chooses the options."""
    header, _, payload = data[1:].partition(b"\n")
    _verify(mint(payload, header), CHOICES[(data[:1] or b"0")[0] % len(CHOICES)])


def check(data: bytes) -> None:
    """Check the claims alone, which is a hundred times faster than to sign them, with each choice of options."""
    try:
        claims = strict_json.json_object(data)
    except ValueError:
        return
    for choice in CHOICES:
        options = {**OPTIONS, **choice}
        now, issuers, access_token = options.pop("now"), options.pop("issuers"), options.pop("access_token", None)
        demands = Policy(**{**NONE_ELSE, **options}).for_issuers(issuers)
        try:
            demands.check(claims, now, access_token)
        except TokenVerificationException as error:
            _safe(error)


def parse_key_set(data: bytes) -> None:
    try:
        keys = tokens.parse_key_set(data)
    except InvalidKey as error:
        _safe(error)
        return
    _same_keys(keys, json.loads(data))


def cognito_jwks(data: bytes) -> None:
    text = _text(data)
    with patch.object(os, "environ", {"COGNITO_JWKS": text}):
        try:
            keys = read_jwks(None)
        except (InvalidKey, ConfigurationError):
            return
    assert keys.keys


TARGETS: dict[str, Callable[[bytes], None]] = {
    function.__name__: function
    for function in (
        json_object,
        base64url,
        parse,
        unverified_claims,
        verify,
        signed,
        check,
        parse_key_set,
        cognito_jwks,
    )
}


def _verify(token: str, choice: dict[str, Any]) -> None:
    options = {**OPTIONS, **choice}
    try:
        claims = dict(tokens.verify(token, KEYS, **options))
    except TokenVerificationException as error:
        _safe(error)
        return
    theirs = by_pyjwt(token, claims["token_use"], client_id=options["client_id"], leeway=choice.get("leeway", 0))
    _same(claims, theirs)


def _text(data: bytes) -> str:
    # Halves of surrogate pairs too: a text may hold them, though no bytes of UTF-8 do.
    return data.decode("utf-8", "surrogateescape")


def _own(error: ValueError) -> None:
    # JSONDecodeError and UnicodeError are ValueErrors too, and quote what came.
    assert not isinstance(error, (json.JSONDecodeError, UnicodeError)), error
    assert error.__cause__ is None


def _safe(error: TokenVerificationException) -> None:
    assert error.__cause__ is None
    assert len(str(error)) < 1000
    str(error).encode()


def _same(ours: object, theirs: object) -> None:
    # Not ==: 1 == True == 1.0.
    assert repr(ours) == repr(theirs)


def _same_keys(keys: KeySet, document: Any) -> None:
    read = [(entry.get("kid"), _numbers(entry)) for entry in document["keys"]]
    for kid, key in keys.keys.items():
        assert (kid, (key.n, key.e)) in read


def _numbers(entry: dict[str, Any]) -> tuple[int, int] | None:
    """Return n and e as PyJWT reads them."""
    try:
        key: Any = RSAAlgorithm.from_jwk({name: entry[name] for name in ("kty", "n", "e")})
    except (KeyError, TypeError, ValueError, AttributeError, jwt.PyJWTError):
        # A key for something else, which is passed over.
        return None
    numbers = key.public_numbers()
    return numbers.n, numbers.e


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len({name for name, _ in pairs}) == len(pairs)
    return dict(pairs)


def _depth(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(_depth, inner), default=0)


# --- where to start from, and what to put in -------------------------------------------------------------------------


def seeds(target: str) -> Iterator[bytes]:
    """Yield what is accepted by *target*, of each kind, and what is nearly."""
    objects = [json.dumps(claims).encode() for claims in _claims()]
    headers = [
        json.dumps({"kid": KID, "alg": "RS256"}).encode(),
        b'{"alg":"RS256","kid":"\\u%04x%s","typ":"JWT"}' % (ord(KID[0]), KID[1:].encode()),
    ]
    match target:
        case "json_object":
            yield from [*objects, *headers, *_json_at_the_edges()]
        case "base64url":
            yield from (segment(bytes(range(length))).encode() for length in range(8))
        case "parse_key_set" | "cognito_jwks":
            yield from (json.dumps(document).encode() for document in _key_sets())
            if target == "cognito_jwks":
                yield from (
                    *(repr(document).encode() for document in _key_sets()),
                    b"{[]:0}",
                    b"{'keys':[-1.5+2j]}",
                )
        case "signed":
            bodies = [*objects, *_odd_claims()]
            yield from (b"%d%s\n%s" % (i % 4, headers[i % 2] if i % 3 else b"", body) for i, body in enumerate(bodies))
            for more in (b'"crit":["exp"]', b'"b64":true', b'"alg":"PS256"', b'"kid":7', b'"alg":"none"'):
                yield b"0%s,%s}\n%s" % (headers[0][:-1], more, objects[0])
        case "check":
            yield from [*objects, *_odd_claims()]
        case _:
            yield from (mint(body, header).encode() for body in objects for header in headers)


def write_corpus(folder: str, target: Callable[[bytes], None]) -> str:
    """Write the seeds of *target* under *folder*, a file each, and return the folder of them."""
    corpus = Path(folder, "corpus")
    corpus.mkdir()
    for number, seed in enumerate(seeds(target.__name__)):
        (corpus / str(number)).write_bytes(seed)
    return str(corpus)


def write_dictionary(folder: str) -> str:
    """Write the dictionary under *folder* as libFuzzer reads it, and return its path."""
    path = Path(folder, "dictionary")
    escaped = ("".join(f"\\x{byte:02x}" for byte in entry.encode("latin-1")) for entry in DICTIONARY)
    path.write_text("".join(f'"{entry}"\n' for entry in escaped))
    return str(path)


def _claims() -> Iterator[dict[str, Any]]:
    yield access_claims()
    yield access_claims(scope="a b", nbf=NOW, **{"cognito:groups": ["g"], "custom:a": "\u00e9\U0001f600", "x": 1.5})
    yield id_claims(at_hash=tokens.access_token_hash(ACCESS_TOKEN))
    yield id_claims(email_verified=True, identities=[{"primary": None}])


def _odd_claims() -> Iterator[bytes]:
    """Yield claims of which one, or an item of a list, is of another type."""
    values: list[Any] = [None, True, "\u00e9", 0.5, [0], [[]], {}]
    for odd in values:
        for name in ("iss", "client_id", "token_use", "scope", "exp", "nbf", "iat", "sub", "cognito:groups"):
            yield json.dumps(access_claims(**{name: odd})).encode()
        yield json.dumps({**id_claims(at_hash=odd), "aud": CLIENT}).encode()
        yield json.dumps({**id_claims(), "aud": odd}).encode()


def _json_at_the_edges() -> Iterator[bytes]:
    for depth in (31, 32):
        yield b'{"a":' + b"[" * depth + b"]" * depth + b"}"
    yield from (b'{"a":%s}' % value for value in (b"NaN", b"-Infinity", b"1e999", b'1,"a":1', b'{"b":1,"b":1}', b"01"))
    yield b'{"a":"' + b"[" * 40 + b'\\"","b":{"c":[-0.0e-1,1E+2,true,false,null]}}'
    yield b' {"\\ud83d\\ude00":"\\n\\u00e9"}\r\n'


def _key_sets() -> Iterator[dict[str, Any]]:
    yield {"keys": [jwk(), jwk("other", use=None, alg=None)]}
    for name in ("kty", "use", "key_ops", "alg", "kid", "n", "e"):
        yield {"keys": [jwk(), jwk("other", **{name: 7})]}
        yield {"keys": [jwk(), jwk("other", **{name: [[]]})]}
    yield {"keys": [jwk(key_ops=["verify"]), {"kty": "EC", "kid": "e", "crv": "P-256"}, jwk()]}


DICTIONARY = (
    *("{", "}", "[", "]", ",", ":", '"', "\\u", "\\ud800", "\\udc00", "\\", "true", "false", "null", "NaN", "Infinity"),
    *("-Infinity", "1e999", "-0", "0.5", "9007199254740993", "[[[[[[[[", "]]]]]]]]", '{"":{"":{"":', "\x00", "\xff"),
    *("\xef\xbb\xbf", "\xed\xa0\x80", "\xfe\xff", ".", "..", "=", "==", "-", "_", "+", "/", "eyJ", "AAAA", "AQAB", "()", "b''", "{[]:0}"),
    *('"alg"', '"kid"', '"crit"', '"b64"', '"typ"', '"RS256"', '"none"', '"HS256"', '"keys"', '"kty"', '"RSA"', '"n"'),
    *('"e"', '"use"', '"sig"', '"key_ops"', '"verify"', '"iss"', '"aud"', '"exp"', '"nbf"', '"iat"', '"sub"', '"jti"'),
    *('"token_use"', '"access"', '"id"', '"client_id"', '"scope"', '"cognito:groups"', '"at_hash"', '"AQAB"'),
)  # fmt: skip
"""Tokens of JSON, of base64 and of the formats, as Latin-1."""
