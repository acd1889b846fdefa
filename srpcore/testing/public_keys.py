"""JWKs of RSA keys (RFC 7517, RFC 7518), valid and changed, with the verdict of a strict verifier of RS256."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from .token_keys import SigningKey, base64url, exponent_3_key, first_key, second_key, weak_key

__all__ = ["JwkCase", "jwk_cases"]


@dataclass(frozen=True)
class JwkCase:
    """A JWK, and whether a strict verifier uses it for RS256.

    Attributes:
        jwk: the members of the JWK.
        change: what was changed, in words.
        accepted: the verdict.
    """

    jwk: Mapping[str, object]
    change: str
    accepted: bool


def jwk_cases() -> SearchStrategy[JwkCase]:
    """Return public RSA keys as JWKs, the simplest first: valid ones, and ones that are changed in one place."""
    return st.sampled_from([*_valid(), *_of_wrong_types(), *_other_purposes(), *_other_numbers(), *_other_spellings()])


def _valid() -> Iterator[JwkCase]:
    jwk = first_key().jwk()
    yield JwkCase(jwk, "nothing", True)
    yield JwkCase(second_key().jwk(), "another key", True)
    yield JwkCase(exponent_3_key().jwk(), "the exponent 3", True)
    for name in ("alg", "use"):
        yield JwkCase({key: value for key, value in jwk.items() if key != name}, f"no {name}", True)
    yield JwkCase({**jwk, "key_ops": ["verify"]}, "key_ops", True)
    yield JwkCase({**jwk, "x5t": "unused", "new": [1]}, "members that are not needed", True)


def _of_wrong_types() -> Iterator[JwkCase]:
    jwk = first_key().jwk()
    for name in ("kty", "n", "e"):
        yield JwkCase({key: value for key, value in jwk.items() if key != name}, f"no {name}", False)
        values: tuple[object, ...] = (None, "", 3, [jwk[name]], {}, True)
        for value in values:
            yield JwkCase({**jwk, name: value}, f"{name} is {value!r:.20}", False)


def _other_purposes() -> Iterator[JwkCase]:
    jwk = first_key().jwk()
    others: dict[str, tuple[object, ...]] = {
        "kty": ("EC", "oct", "rsa"),
        "use": ("enc", "SIG", "", None, ["sig"]),
        "alg": ("RS512", "PS256", "RSA-OAEP", "none", "", None, ["RS256"]),
        "key_ops": ([], ["sign"], ["encrypt"], "verify", None, {"verify": 1}),
    }
    for name, values in others.items():
        for value in values:
            yield JwkCase({**jwk, name: value}, f"{name} is {value!r}", False)


def _other_numbers() -> Iterator[JwkCase]:
    """Yield keys whose numbers are not safe: too small, even, or an exponent with which anybody can sign."""
    key = first_key()
    yield JwkCase(weak_key().jwk(), "1024 bits", False)
    numbers = {
        "n is even": (key.n + 1, key.e),
        "n is 0": (0, key.e),
        "n is 1": (1, key.e),
        "e is 0": (key.n, 0),
        "e is 1": (key.n, 1),
        "e is 2": (key.n, 2),
        "e is even": (key.n, 65536),
        "e is n": (key.n, key.n),
    }
    for change, (n, e) in numbers.items():
        yield JwkCase(SigningKey(key.kid, n, e, 1).jwk(), change, False)


def _other_spellings() -> Iterator[JwkCase]:
    """Yield keys whose numbers are not base64url of big-endian bytes without leading zeros (RFC 7518, 6.3.1)."""
    jwk, key = first_key().jwk(), first_key()
    modulus = str(jwk["n"])
    spellings = {
        "n has padding": modulus + "==",
        "n has a zero byte in front": base64url(b"\0" + key.n.to_bytes(256, "big")),
        "n has a newline": f"{modulus[:9]}\n{modulus[9:]}",
        "n is decimal": str(key.n),
        "n is hexadecimal": f"{key.n:#x}",
        "n is in standard base64": modulus.replace("-", "+").replace("_", "/"),
        "n is not ASCII": "\uff11" + modulus[1:],
    }
    for change, n in spellings.items():
        yield JwkCase({**jwk, "n": n}, change, False)
    yield JwkCase({**jwk, "e": "AAEAAQ"}, "e has a zero byte in front", False)
    yield JwkCase({**jwk, "e": "AQAB="}, "e has padding", False)
