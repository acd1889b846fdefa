"""The whole verification: every changed character refused, and PyJWT beside it."""

from __future__ import annotations

import pickle
import string
from typing import Any

import jwt
import pytest
from hypothesis import event, given, settings

from srpcore import tokens
from srpcore.exceptions import (
    AccessTokenHashMismatch,
    AudienceMismatch,
    GroupMismatch,
    InvalidSignature,
    IssuerMismatch,
    ScopeMismatch,
    TokenExpired,
    TokenNotYetValid,
    TokenUseMismatch,
    TokenVerificationException,
    UnknownKey,
    UnsupportedAlgorithm,
)
from support.beside_pyjwt import ALLOWED, DIFFERENCES, Difference, allowed_reasons, by_pyjwt, pyjwt_at
from support.minting import (
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
)

from .odd_tokens import odd_tokens

KEYS = key_set()
OPTIONS: dict[str, Any] = {"issuers": [ISSUER], "client_id": CLIENT, "token_use": "access", "now": NOW}


def verify(token: str, **options: Any) -> dict[str, Any]:
    return dict(tokens.verify(token, KEYS, **{**OPTIONS, **options}))


def test_valid_tokens_are_accepted() -> None:
    assert verify(mint(access_claims())) == access_claims()
    assert verify(mint(id_claims()), token_use="id") == id_claims()
    claims = access_claims(
        scope="a b", nbf=NOW, **{"cognito:groups": ["g"], "version": 2, "custom:x": "\u00e9\U0001f600"}
    )
    assert verify(mint(claims), groups="g", scope=["b"]) == claims


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"issuers": "https://example.com"}, IssuerMismatch),
        ({"token_use": "id"}, TokenUseMismatch),
        ({"client_id": "another"}, AudienceMismatch),
        ({"now": NOW + 3600}, TokenExpired),
        ({"groups": "admins"}, GroupMismatch),
        ({"scope": "orders/read"}, ScopeMismatch),
    ],
)
def test_each_requirement_counts_alone(options: dict[str, Any], error: type[TokenVerificationException]) -> None:
    with pytest.raises(error) as caught:
        verify(mint(access_claims()), **options)
    assert caught.type is error


def test_a_token_is_accepted_within_the_leeway_which_is_zero_by_default() -> None:
    token = mint(access_claims())
    assert verify(token, now=NOW + 3604.5, leeway=5)
    with pytest.raises(TokenExpired):
        verify(token, now=NOW + 3600.5)


def test_an_id_token_can_be_verified_with_its_access_token() -> None:
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


def test_the_key_is_chosen_by_the_kid() -> None:
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


def test_parts_of_two_tokens_do_not_make_a_valid_one() -> None:
    one, two = mint(access_claims()).split("."), mint(access_claims(username="bob")).split(".")
    for mixed in ([one[0], two[1], one[2]], [one[0], one[1], two[2]], [one[1], one[0], one[2]]):
        assert refusal(verify, ".".join(mixed)) is not None


TOKEN = mint(access_claims())
assert jwt.decode(TOKEN, private_key().public_key(), ["RS256"])["username"] == "alice"


@pytest.mark.slow
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


def test_errors_survive_pickling() -> None:
    error = pickle.loads(pickle.dumps(refusal(verify, TOKEN, client_id="another")))
    assert type(error) is AudienceMismatch
    assert (error.message, error.expected, error.actual) == (
        "token was issued to a different app client (client_id)",
        "another",
        CLIENT,
    )


def test_errors_do_not_contain_the_token() -> None:
    parts = TOKEN.split(".")
    errors = [
        refusal(verify, TOKEN, client_id="another"),
        refusal(verify, TOKEN, now=NOW + 7200),
        refusal(verify, TOKEN[:-1] + "."),
        refusal(verify, TOKEN[:-2] + ("BA" if TOKEN.endswith("AA") else "AA")),
        refusal(verify, f"{parts[0]}.{parts[1]}="),
    ]
    for error in errors:
        assert isinstance(error, TokenVerificationException)
        text = f"{error!r} {error} {vars(error)}"
        assert not any(part in text for part in parts)
        assert error.__cause__ is None
        assert "alice" not in text


# --- beside PyJWT ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("case", "allowed"), list(zip(DIFFERENCES, ALLOWED, strict=True)))
def test_every_allowed_difference_from_pyjwt_exists(case: tuple[str, str], allowed: Difference) -> None:
    token, use = case
    error = refusal(verify, token, token_use=use)
    assert type(error) is allowed[0]
    assert allowed[1] in str(error)
    assert by_pyjwt(token, use) is not None


@pytest.mark.slow
@settings(max_examples=600)
@given(odd_tokens())
def test_outcomes_equal_those_of_pyjwt(token_and_use: tuple[str, str]) -> None:
    token, use = token_and_use
    theirs = by_pyjwt(token, use)
    error = refusal(verify, token, token_use=use)
    if error is None:
        event("both accept")
        # Not ==: 1 == True == 1.0.
        assert repr(verify(token, token_use=use)) == repr(theirs)
    elif theirs is not None:
        event(f"PyJWT accepts: {error.message}")
        assert len(allowed_reasons(error, ALLOWED)) == 1, error
    else:
        event("both refuse")


@pytest.mark.parametrize("offset", [-1.0, -0.5, 0, 0.25, 0.5, 0.999, 1, 1.001, 2])
@pytest.mark.parametrize("leeway", [0, 0.5, 10])
@pytest.mark.parametrize("name", ["exp", "nbf"])
def test_outcomes_at_the_limits_of_time_equal_those_of_pyjwt(name: str, leeway: float, offset: float) -> None:
    for sign_of_leeway in (-1, 1):
        token = mint(access_claims(**{name: NOW + offset + sign_of_leeway * leeway}))
        ours = refusal(verify, token, now=NOW + 0.25, leeway=leeway)
        try:
            with pyjwt_at(NOW + 0.25):
                jwt.decode(token, private_key().public_key(), ["RS256"], leeway=leeway, options={"verify_iat": False})
        except jwt.ExpiredSignatureError:
            assert isinstance(ours, TokenExpired)
        except jwt.ImmatureSignatureError:
            assert isinstance(ours, TokenNotYetValid)
        else:
            # The one difference: the fraction of nbf counts.
            assert ours is None or (isinstance(ours, TokenNotYetValid) and offset % 1)
