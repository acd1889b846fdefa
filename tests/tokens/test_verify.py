"""The whole verification: every changed character refused, and PyJWT beside it."""

from __future__ import annotations

import json
import pickle
import string
from typing import Any

import jwt
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from jwt.types import Options

from srpcore import tokens
from srpcore.exceptions import (
    AccessTokenHashMismatch,
    AudienceMismatch,
    InvalidClaim,
    InvalidSignature,
    MalformedToken,
    TokenExpired,
    TokenNotYetValid,
    TokenUseMismatch,
    TokenVerificationException,
    UnknownKey,
    UnsupportedAlgorithm,
)

from .minting import (
    CLIENT,
    ISSUER,
    KID,
    NOW,
    access_claims,
    id_claims,
    key_set,
    mint,
    private_key,
    refusal,
    segment,
    sign,
)

KEYS = key_set()
OPTIONS: dict[str, Any] = {"issuers": [ISSUER], "client_id": CLIENT, "token_use": "access", "now": NOW}


def verify(token: str, **options: Any) -> dict[str, Any]:
    return dict(tokens.verify(token, KEYS, **{**OPTIONS, **options}))


def test_good_tokens() -> None:
    assert verify(mint(access_claims())) == access_claims()
    assert verify(mint(id_claims()), token_use="id") == id_claims()
    claims = access_claims(
        scope="a b", nbf=NOW, **{"cognito:groups": ["g"], "version": 2, "custom:x": "\u00e9\U0001f600"}
    )
    assert verify(mint(claims), groups="g", scope=["b"]) == claims


def test_what_came_with_an_id_token() -> None:
    access_token = mint(access_claims())
    token = mint(id_claims(at_hash=tokens.access_token_hash(access_token)))
    assert verify(token, token_use="id", access_token=access_token)["at_hash"]
    with pytest.raises(AccessTokenHashMismatch):
        verify(token, token_use="id", access_token=mint(access_claims(jti="another")))


def test_nothing_but_rs256_is_verified_with_the_public_key() -> None:
    # Not even what another algorithm's signature would be right for.
    for algorithm, key in (("none", None), ("HS256", "x" * 64), ("RS384", private_key()), ("PS256", private_key())):
        token = jwt.encode(access_claims(), key, algorithm, headers={"kid": KID})  # type: ignore[arg-type]  # None is for none
        with pytest.raises(UnsupportedAlgorithm):
            verify(token)


def test_the_key_is_the_one_of_the_kid() -> None:
    both = key_set("a", "b")
    assert tokens.verify(mint(access_claims(), name="a"), both, **OPTIONS)
    with pytest.raises(InvalidSignature):
        tokens.verify(mint(access_claims(), {"kid": "b", "alg": "RS256"}, name="a"), both, **OPTIONS)
    with pytest.raises(UnknownKey):
        tokens.verify(mint(access_claims(), name="c"), both, **OPTIONS)


def test_the_signature_is_verified_before_the_payload_is_read() -> None:
    unsigned = f"{segment({'kid': KID, 'alg': 'RS256'})}.{segment(b'not JSON')}.{segment(bytes(256))}"
    with pytest.raises(InvalidSignature):
        verify(unsigned)
    with pytest.raises(InvalidSignature):
        verify(f"{mint(access_claims(exp=0)).rsplit('.', 1)[0]}.{segment(bytes(256))}")


def test_parts_of_two_tokens_make_no_third() -> None:
    one, two = mint(access_claims()).split("."), mint(access_claims(username="bob")).split(".")
    for mixed in ([one[0], two[1], one[2]], [one[0], one[1], two[2]], [one[1], one[0], one[2]]):
        assert refusal(verify, ".".join(mixed)) is not None


TOKEN = mint(access_claims())
assert jwt.decode(TOKEN, private_key().public_key(), ["RS256"])["username"] == "alice"


@pytest.mark.parametrize("replacement", [*string.ascii_letters, *string.digits, *"-_.=+/ \n\0\u0430"])
def test_every_changed_character_is_refused(replacement: str) -> None:
    accepted = [
        i
        for i, character in enumerate(TOKEN)
        if character != replacement and refusal(verify, TOKEN[:i] + replacement + TOKEN[i + 1 :]) is None
    ]
    assert accepted == []
    assert verify(TOKEN)


def test_every_changed_bit_is_refused() -> None:
    for i, character in enumerate(TOKEN):
        for bit in range(7):
            changed = TOKEN[:i] + chr(ord(character) ^ 1 << bit) + TOKEN[i + 1 :]
            assert refusal(verify, changed) is not None, (i, bit)


@pytest.mark.parametrize("inserted", ["A", "=", ".", " ", "\n"])
def test_every_insertion_and_deletion_is_refused(inserted: str) -> None:
    for i in range(len(TOKEN)):
        assert refusal(verify, TOKEN[:i] + TOKEN[i + 1 :]) is not None, i
        assert refusal(verify, TOKEN[:i] + inserted + TOKEN[i:]) is not None, i
    assert refusal(verify, TOKEN + inserted) is not None


def test_errors_survive_a_pickle() -> None:
    error = pickle.loads(pickle.dumps(refusal(verify, TOKEN, client_id="another")))
    assert type(error) is AudienceMismatch
    assert (error.message, error.expected, error.actual) == (
        "the token is another app client's (client_id)",
        "another",
        CLIENT,
    )


def test_no_error_holds_the_token() -> None:
    parts = TOKEN.split(".")
    errors = [
        refusal(verify, TOKEN, client_id="another"),
        refusal(verify, TOKEN, now=NOW + 7200),
        refusal(verify, TOKEN[:-1] + "."),
        refusal(verify, TOKEN[:-2] + "AA"),
        refusal(verify, f"{parts[0]}.{parts[1]}="),
    ]
    for error in errors:
        assert isinstance(error, TokenVerificationException)
        text = f"{error!r} {error} {vars(error)}"
        assert not any(part in text for part in parts)
        assert error.__cause__ is None
        assert "alice" not in text


# --- beside PyJWT ----------------------------------------------------------------------------------------------------

# What PyJWT accepts, as pycognito calls it, and this does not. The list is closed: a refusal for any other reason, of a
# token that PyJWT accepts, fails the test.
ALLOWED: list[tuple[type[TokenVerificationException], str, str]] = [
    (MalformedToken, "canonical base64url", "PyJWT takes padding: a second spelling of the same token"),
    (MalformedToken, "names a member twice", "which of the two another decoder takes is its own affair"),
    (MalformedToken, "NaN or an infinity", "these are not JSON"),
    (MalformedToken, "number out of range", "it would be read as an infinity"),
    (MalformedToken, "not UTF-8", "PyJWT takes UTF-16 and UTF-32"),
    (MalformedToken, "not JSON", "PyJWT takes UTF-16 without a byte order mark, and UTF-8 with one"),
    (MalformedToken, "surrogate", "a text that cannot be encoded breaks whoever prints it"),
    (MalformedToken, "nested too deep", "nesting is bounded"),
    (MalformedToken, "no kid", "a key is chosen by its kid alone"),
    (UnknownKey, "no key of the issuer", "PyJWT is handed the one key"),
    (UnsupportedAlgorithm, "extension", "PyJWT takes b64 where it is true"),
    (InvalidClaim, "exp is missing or no finite number", "PyJWT takes texts and booleans as numbers"),
    (InvalidClaim, "nbf is missing or no finite number", "PyJWT takes texts and booleans as numbers"),
    (InvalidClaim, "iat is missing or no finite number", "pycognito has PyJWT not look at iat"),
    (InvalidClaim, "aud is missing or no string", "a user pool's aud is one client, never a list"),
    (InvalidClaim, "client_id is missing or no string", "pycognito does not look at client_id"),
    (AudienceMismatch, "client_id", "pycognito does not look at client_id"),
    (InvalidClaim, "token_use is missing or no string", "pycognito looks at it after PyJWT"),
    (TokenUseMismatch, "another use", "pycognito looks at it after PyJWT"),
    (InvalidClaim, "scope is missing or no string", "PyJWT does not look at scope"),
    (InvalidClaim, "cognito:groups is no list of strings", "PyJWT does not look at groups"),
    (TokenNotYetValid, "nbf", "PyJWT cuts the fraction of nbf off, and is up to a second early"),
]


def by_pyjwt(token: str, token_use: str) -> dict[str, Any] | None:
    """Return the claims if PyJWT, called as pycognito calls it, accepts *token*."""
    # An access token's audience is its client_id; pycognito gives PyJWT none to compare.
    options: Options = {"require": ["iss", "exp"], "verify_iat": False, "verify_aud": token_use == "id"}
    if token_use == "id":
        options["require"] = ["aud", "iss", "exp"]
    try:
        claims: dict[str, Any] = jwt.decode(
            token, private_key().public_key(), ["RS256"], options=options, audience=CLIENT, issuer=ISSUER
        )
    except jwt.PyJWTError:
        return None
    return claims


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=4),
    st.lists(st.text(max_size=3), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
TIMES = st.one_of(
    st.sampled_from([NOW - 10**6, NOW + 10**6, float(NOW + 10**6), str(NOW + 10**6), 1e300, 0, True]),
    st.integers(NOW + 1000, 2**62),
    ODD,
)
CHANGES: dict[str, st.SearchStrategy[Any]] = {
    "exp": TIMES,
    "nbf": TIMES,
    "iat": TIMES,
    "iss": st.sampled_from([ISSUER, ISSUER + "/", "", [ISSUER]]) | ODD,
    "aud": st.sampled_from([CLIENT, [CLIENT], ["another", CLIENT], "another"]) | ODD,
    "client_id": st.sampled_from([CLIENT, "another"]) | ODD,
    "token_use": st.sampled_from(["access", "id", "refresh"]) | ODD,
    "sub": ODD,
    "jti": ODD,
    "scope": ODD,
    "cognito:groups": ODD,
    "custom:deep": st.sampled_from([json.loads("[" * depth + "]" * depth) for depth in (5, 31, 40)]),
    "custom:any": ODD | st.text(st.characters(), max_size=3) | st.just("\ud800"),
}
HEADERS: dict[str, st.SearchStrategy[Any]] = {
    "alg": st.sampled_from(["none", "HS256", "rs256", None]),
    "kid": st.sampled_from(["another", "", None, 7]),
    "typ": st.sampled_from(["JWT", "at+jwt", 7]),
    "crit": st.sampled_from([[], ["exp"], None, ["b64"]]),
    "b64": st.booleans(),
    "x": ODD,
}
REMOVED = object()


def edits(members: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    one = st.one_of([st.tuples(st.just(name), st.just(REMOVED) | values) for name, values in members.items()])
    return st.lists(one, max_size=2).map(dict)


def edited(members: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**members, **changes}.items() if value is not REMOVED}


def in_other_bytes(kind: str, payload: bytes) -> bytes:
    if kind == "twice":
        return payload[:-1] + b',"exp":1}'
    return payload.decode("utf-8", "surrogatepass").encode(kind, "surrogatepass")


@st.composite
def odd_tokens(draw: st.DrawFn) -> tuple[str, str]:
    use = draw(st.sampled_from(["access", "id"]))
    claims = edited(access_claims() if use == "access" else id_claims(), draw(CLAIM_EDITS))
    payload = json.dumps(claims, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    header, padding = {"alg": "RS256", "kid": KID}, ["", "", ""]
    match draw(st.sampled_from(["claims", "claims", "claims", "header", "bytes", "padding"])):
        case "header":
            header = edited(header, draw(HEADER_EDITS))
        case "bytes":
            payload = in_other_bytes(draw(st.sampled_from(BYTES)), payload)
        case "padding":
            padding = draw(st.lists(st.sampled_from(["", "=", "=="]), min_size=3, max_size=3))
        case _:
            pass
    token = sign(f"{segment(header)}{padding[0]}.{segment(payload)}{padding[1]}")
    return token + padding[2], use


CLAIM_EDITS, HEADER_EDITS = edits(CHANGES), edits(HEADERS)
BYTES = ["twice", "utf-16", "utf-16-le", "utf-32", "utf-8-sig"]


def with_payload(payload: bytes) -> str:
    return mint(payload.replace(b"EXP", b'"token_use":"access","iss":"%s","exp":9e9' % ISSUER.encode()))


# A token for each entry of ALLOWED, in its order.
DIFFERENCES: list[tuple[str, str]] = [
    (TOKEN + "==", "access"),
    (with_payload(b'{EXP,"a":1,"a":1}'), "access"),
    (with_payload(b'{EXP,"a":NaN}'), "access"),
    (with_payload(b'{EXP,"a":1e999}'), "access"),
    (mint(json.dumps(access_claims()).encode("utf-16")), "access"),
    (mint(json.dumps(access_claims()).encode("utf-16-le")), "access"),
    (with_payload(b'{EXP,"a":"\\ud800"}'), "access"),
    (mint(access_claims(a=json.loads("[" * 40 + "]" * 40))), "access"),
    (mint(access_claims(), {"alg": "RS256"}), "access"),
    (mint(access_claims(), {"alg": "RS256", "kid": "another"}), "access"),
    (mint(access_claims(), {"alg": "RS256", "kid": KID, "b64": True}), "access"),
    (mint(access_claims(exp=str(NOW + 86_400))), "access"),
    (mint(access_claims(nbf=True)), "access"),
    (mint(access_claims(iat="yesterday")), "access"),
    (mint({**id_claims(), "aud": [CLIENT]}), "id"),
    (mint(access_claims(client_id=None)), "access"),
    (mint(access_claims(client_id="another")), "access"),
    (mint(access_claims(token_use=None)), "access"),
    (mint(access_claims(token_use="refresh")), "access"),
    (mint(access_claims(scope=["a"])), "access"),
    (mint(access_claims(**{"cognito:groups": "admin"})), "access"),
    (mint(access_claims(nbf=NOW + 0.5)), "access"),
]


@pytest.mark.parametrize(("case", "allowed"), list(zip(DIFFERENCES, ALLOWED, strict=True)))
def test_every_allowed_difference_is_one(
    case: tuple[str, str], allowed: tuple[type[TokenVerificationException], str, str]
) -> None:
    token, use = case
    error = refusal(verify, token, token_use=use)
    assert type(error) is allowed[0]
    assert allowed[1] in str(error)
    assert by_pyjwt(token, use) is not None


@settings(deadline=None, max_examples=600)
@given(odd_tokens())
def test_beside_pyjwt(token_and_use: tuple[str, str]) -> None:
    token, use = token_and_use
    theirs = by_pyjwt(token, use)
    error = refusal(verify, token, token_use=use)
    if error is None:
        event("both accept")
        # Not ==: 1 == True == 1.0.
        assert repr(verify(token, token_use=use)) == repr(theirs)
    elif theirs is not None:
        allowed = [reason for kind, text, reason in ALLOWED if type(error) is kind and text in str(error)]
        event(f"PyJWT accepts: {error.message}")
        assert len(allowed) == 1, error
    else:
        event("both refuse")


@pytest.mark.parametrize("offset", [-1.0, -0.5, 0, 0.25, 0.5, 0.999, 1, 1.001, 2])
@pytest.mark.parametrize("leeway", [0, 0.5, 10])
@pytest.mark.parametrize("name", ["exp", "nbf"])
def test_the_edges_of_time_beside_pyjwt(
    name: str, leeway: float, offset: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Clock(jwt.api_jwt.datetime):  # type: ignore[name-defined,misc]  # PyJWT's own name for the clock
        @classmethod
        def now(cls, tz: object = None) -> Clock:
            return cls.fromtimestamp(NOW + 0.25, tz)  # type: ignore[no-any-return]

    monkeypatch.setattr(jwt.api_jwt, "datetime", Clock)
    for sign_of_leeway in (-1, 1):
        token = mint(access_claims(**{name: NOW + offset + sign_of_leeway * leeway}))
        ours = refusal(verify, token, now=NOW + 0.25, leeway=leeway)
        try:
            jwt.decode(token, private_key().public_key(), ["RS256"], leeway=leeway, options={"verify_iat": False})
        except jwt.ExpiredSignatureError:
            assert isinstance(ours, TokenExpired)
        except jwt.ImmatureSignatureError:
            assert isinstance(ours, TokenNotYetValid)
        else:
            # The one difference: the fraction of nbf counts.
            assert ours is None or (isinstance(ours, TokenNotYetValid) and offset % 1)
