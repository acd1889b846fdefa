"""Tokens that are changed in their encoding, their signature or their keys; see :mod:`.pool_tokens`."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

from .pool_tokens import TokenCase, claims_of, header_of, key_set, refused, signed
from .token_keys import DIGEST_INFO, SigningKey, base64url, exponent_3_key, first_key, second_key, weak_key

__all__: list[str] = []

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


# Encoding.


def other_forms() -> Iterator[TokenCase]:
    """Yield what is not a JWS in compact form (RFC 7515, section 7.1): three parts with dots between them."""
    law, token = "refuses_other_forms", signed(claims_of())
    header, payload, signature = token.split(".")
    forms = {
        "nothing": "",
        "dots only": "..",
        "one part": header,
        "two parts": f"{header}.{payload}",
        "four parts": f"{token}.{signature}",
        "an empty part at the end": f"{token}.",
        "a blank in front": f" {token}",
        "a newline at the end": f"{token}\n",
        "a NUL at the end": f"{token}\0",
        "the prefix Bearer": f"Bearer {token}",
        "JSON serialization": json.dumps({"protected": header, "payload": payload, "signature": signature}),
    }
    for change, form in forms.items():
        yield refused(law, change, form)


def other_base64() -> Iterator[TokenCase]:
    """Yield tokens whose parts are not base64url in its only spelling; the issuer has signed them as they are.

    A token with two spellings defeats lists of revoked tokens and caches.
    """
    law = "refuses_other_base64"
    header, payload, signature = signed(_claims_that_need_padding()).split(".")
    yield refused(law, "padding of the signature", f"{header}.{payload}.{signature}==")
    yield refused(law, "another last character of the signature", f"{header}.{payload}.{_other_spelling(signature)}")
    yield refused(law, "a newline in the signature", f"{header}.{payload}.{signature[:9]}\n{signature[9:]}")
    yield refused(law, "a character outside of the alphabet", f"{header}.{payload}.{signature[:9]}!{signature[9:]}")
    yield refused(law, "a full-width digit", f"{header}.{payload}.\uff11{signature[1:]}")
    for change, part in (("padding of the payload", payload + "=" * (-len(payload) % 4)),
                         ("another last character of the payload", _other_spelling(payload)),
                         ("a newline in the payload", f"{payload[:9]}\n{payload[9:]}"),
                         ("the alphabet of standard base64", _standard_payload())):  # fmt: skip
        yield refused(law, change, _sign(f"{header}.{part}"))


def _sign(signing_input: str) -> str:
    return f"{signing_input}.{base64url(first_key().sign(signing_input.encode('utf-8')))}"


def _claims_that_need_padding() -> dict[str, object]:
    claims = claims_of()
    while len(base64url(json.dumps(claims))) % 4 == 0:
        claims["username"] = f"{claims['username']}x"
    return claims


def _other_spelling(part: str) -> str:
    """Return *part*, which needs padding, with another last character that decodes to the same bytes."""
    return part[:-1] + ALPHABET[ALPHABET.index(part[-1]) + 1]


def _standard_payload() -> str:
    payload = base64url(json.dumps(claims_of(username="?>?>~~~\u00ff"), ensure_ascii=False))
    return payload.replace("-", "+").replace("_", "/")


def other_json() -> Iterator[TokenCase]:
    """Yield signed tokens whose payload is not a JSON object in UTF-8."""
    law, claims = "refuses_other_json", json.dumps(claims_of())
    for encoding in ("utf-8-sig", "utf-16", "utf-16-le", "utf-32"):
        yield refused(law, f"the payload is in {encoding}", signed(claims.encode(encoding)))
    yield refused(law, "the payload is not UTF-8", signed(claims.encode().replace(b"alice", b"\xff\xfe")))
    payloads = {
        "empty": "",
        "a list": f"[{claims}]",
        "a string": json.dumps(claims),
        "null": "null",
        "followed by something": claims + "x",
        "an object and another one": claims + claims,
        "NaN": claims.replace('"alice"', "NaN"),
        "an infinity": claims.replace('"alice"', "-Infinity"),
        "a comment": claims[:-1] + "/**/}",
        "a comma at the end": claims[:-1] + ",}",
        "single quotes": claims.replace('"', "'"),
    }
    for change, payload in payloads.items():
        yield refused(law, f"the payload is or has {change}", signed(payload))


def ambiguous_json() -> Iterator[TokenCase]:
    """Yield signed tokens with a member name twice: programs differ in which of the values they take."""
    law, claims, header = "refuses_ambiguous_json", json.dumps(claims_of()), json.dumps(header_of())
    yield refused(law, "a claim twice", signed(claims[:-1] + ', "username": "bob"}'))
    yield refused(law, "exp twice", signed(f'{{"exp": 1, {claims[1:]}'))
    yield refused(law, "kid twice", signed(claims, f'{{"kid": "other", {header[1:]}'.encode()))
    yield refused(law, "alg twice", signed(claims, f'{{"alg": "none", {header[1:]}'.encode()))


# The signature.


def changed_signatures() -> Iterator[TokenCase]:
    """Yield tokens whose signature was changed."""
    law = "refuses_changed_signatures"
    signing_input, _, encoded = signed(claims_of()).rpartition(".")
    signature, n = _signature(signing_input), first_key().n
    number = int.from_bytes(signature, "big")
    values = {
        "one bit of the first byte": bytes([signature[0] ^ 1]) + signature[1:],
        "one bit of the last byte": signature[:-1] + bytes([signature[-1] ^ 1]),
        "the last byte is missing": signature[:-1],
        "a zero byte at the end": signature + b"\0",
        "a zero byte in front": b"\0" + signature,
        "zeros": bytes(256),
        "the number 1": bytes(255) + b"\1",
        "n - 1": (n - 1).to_bytes(256, "big"),
        "n": n.to_bytes(256, "big"),
        "n - s": (n - number).to_bytes(256, "big"),
        "s + n": (n + number).to_bytes(257, "big"),
        "the bytes in reverse": signature[::-1],
    }
    for change, value in values.items():
        yield refused(law, change, f"{signing_input}.{base64url(value)}")
    yield refused(law, "twice", f"{signing_input}.{encoded}{encoded}")
    for key in (first_key(), second_key()):
        yield _small_s_plus_n(law, key)


def _signature(signing_input: str) -> bytes:
    return first_key().sign(signing_input.encode())


def _small_s_plus_n(law: str, key: SigningKey) -> TokenCase:
    """Return a token whose signature is s + n and still has the length of n."""
    for number in range(1000):
        signing_input = signed(claims_of(number=number), key=key).rpartition(".")[0]
        s = int.from_bytes(key.sign(signing_input.encode()), "big") + key.n
        if s.bit_length() <= 2048:
            return refused(law, "s + n in 256 bytes", f"{signing_input}.{base64url(s.to_bytes(256, 'big'))}")
    raise AssertionError("no signature is less than 2^2048 - n")


def changed_tokens() -> Iterator[TokenCase]:
    """Yield tokens whose header or payload was changed after they were signed."""
    law = "refuses_changed_tokens"
    header, payload, signature = signed(claims_of()).split(".")
    admin = base64url(json.dumps({**claims_of(), "cognito:groups": ["admin"]}))
    typed = base64url(json.dumps(header_of(typ="JWT")))
    yield refused(law, "other claims", f"{header}.{admin}.{signature}")
    yield refused(law, "another header", f"{typed}.{payload}.{signature}")
    yield refused(law, "header and payload exchanged", f"{payload}.{header}.{signature}")
    later = base64url(json.dumps(claims_of(exp=int(time.time()) + 10**6)))
    yield refused(law, "a later exp", f"{header}.{later}.{signature}")


def wrong_padding() -> Iterator[TokenCase]:
    """Yield signatures of the right key over a block with wrong padding, and forgeries that need no private key.

    A verifier that builds the expected block and compares all of it refuses every one.
    """
    law, key = "refuses_wrong_padding", first_key()
    signing_input = signed(claims_of()).rpartition(".")[0]
    block = key.block(signing_input.encode())
    digest, info = block[-32:], DIGEST_INFO["sha256"]
    blocks = {
        "block type 2": b"\0\2" + block[2:],
        "the first byte is 1": b"\1" + block[1:],
        "a byte of the padding is 0xFE": block[:20] + b"\xfe" + block[21:],
        "DigestInfo without NULL": _padded(bytes.fromhex("302f300b0609608648016503040201") + b"\x04\x20" + digest),
        "no DigestInfo": _padded(digest),
        "SHA-1": key.block(signing_input.encode(), "sha1"),
        "SHA-512": key.block(signing_input.encode(), "sha512"),
        "garbage after the digest": (b"\0\1" + b"\xff" * 8 + b"\0" + info + digest).ljust(256, b"\1"),
    }
    for change, wrong in blocks.items():
        yield refused(law, change, f"{signing_input}.{base64url(key.sign_block(wrong))}")
    yield _forged_cube(law)


def _padded(end: bytes) -> bytes:
    return b"\0\1" + b"\xff" * (256 - 3 - len(end)) + b"\0" + end


def _forged_cube(law: str) -> TokenCase:
    """Return Bleichenbacher's forgery of 2006: a cube root of a block with garbage after the digest, for e = 3."""
    key = exponent_3_key()
    signing_input = signed(claims_of(), key=key).rpartition(".")[0]
    end = key.block(signing_input.encode())[-52:]
    target = int.from_bytes((b"\0\1" + b"\xff" * 8 + end).ljust(256, b"\0"), "big")
    root = _cube_root_above(target)
    token = f"{signing_input}.{base64url(root.to_bytes(256, 'big'))}"
    return refused(law, "a cube root, for a key with e = 3", token, key_set(key.jwk()))


def _cube_root_above(number: int) -> int:
    """Return the smallest integer whose cube is *number* or more."""
    low, high = 0, 1 << (number.bit_length() // 3 + 1)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if middle**3 < number else (low, middle)
    return low


# Keys.


def keys_for_other_purposes() -> Iterator[TokenCase]:
    """Yield tokens of a key that its JWK does not allow to sign tokens by RS256 (RFC 7517, sections 4.1 to 4.4)."""
    law, jwk = "refuses_keys_for_other_purposes", first_key().jwk()
    secret: dict[str, object] = {"kty": "oct", "k": base64url(b"secret" * 8)}
    purposes: dict[str, dict[str, object]] = {
        "use is enc": {"use": "enc"},
        "alg is RS512": {"alg": "RS512"},
        "alg is RSA-OAEP": {"alg": "RSA-OAEP"},
        "key_ops is encrypt": {"key_ops": ["encrypt"]},
        "kty is oct": secret,
        "kty is missing": {"kty": None},
    }
    for change, members in purposes.items():
        yield refused(law, change, signed(claims_of()), key_set({**jwk, **members}))


def weak_keys() -> Iterator[TokenCase]:
    """Yield tokens of keys that an attacker can use: with 1024 bits, with the exponent 1, or with a small modulus."""
    law, key = "refuses_weak_keys", first_key()
    weak = weak_key()
    yield refused(law, "1024 bits", signed(claims_of(), key=weak), key_set(weak.jwk()))
    one = SigningKey(key.kid, key.n, 1, 1)  # the signature is the padded block itself
    yield refused(law, "the exponent 1", signed(claims_of(), key=one), key_set(one.jwk()))


def ambiguous_key_sets() -> Iterator[TokenCase]:
    """Yield tokens for a key set that has two different keys with the same id."""
    law, mine, other = "refuses_ambiguous_key_sets", first_key().jwk(), {**second_key().jwk(), "kid": first_key().kid}
    yield refused(law, "the right key is first", signed(claims_of()), key_set(mine, other))
    yield refused(law, "the right key is last", signed(claims_of()), key_set(other, mine))
