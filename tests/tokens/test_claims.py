"""Each claim check by itself, at its edges."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

import pytest

from srpcore.exceptions import (
    AccessTokenHashMismatch,
    AudienceMismatch,
    ConfigurationError,
    GroupMismatch,
    InvalidClaim,
    IssuerMismatch,
    ScopeMismatch,
    TokenExpired,
    TokenNotYetValid,
    TokenUseMismatch,
    TokenVerificationException,
)
from srpcore.tokens import access_token_hash
from srpcore.tokens.policy import Policy
from support.minting import CLIENT, ISSUER, NOW, access_claims, id_claims

# OpenID Connect Core, appendix A.3: an access token and its at_hash.
ACCESS_TOKEN = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"
AT_HASH = "77QmUPtjPfzWtF2AnpK9RQ"

MISSING = object()


def checked(claims: dict[str, Any], **options: Any) -> None:
    given = {name: value for name, value in claims.items() if value is not MISSING}
    now, access_token = options.pop("now", NOW), options.pop("access_token", None)
    issuers = options.pop("issuers", (ISSUER,))
    usual = {"client_id": CLIENT, "token_use": None, "groups": None, "scope": None, "leeway": 0, "custom_check": None}
    Policy(**{**usual, **options}).for_issuers(issuers).check(given, now, access_token)


def said(values: Collection[str]) -> str | list[str]:
    """Return how an error tells of *values*: one as it is, several as a list."""
    several = [values] if isinstance(values, str) else [*values]
    return several[0] if len(several) == 1 else several


@pytest.mark.parametrize(
    "claims", [access_claims(), id_claims(), id_claims(at_hash=AT_HASH), access_claims(aud="https://api")]
)
def test_valid_claims_pass(claims: dict[str, Any]) -> None:
    checked(claims)
    checked(claims, token_use=claims["token_use"], client_id=["another", CLIENT], issuers={ISSUER, "another"})
    checked({**claims, "aud": 7, "client_id": 7}, client_id=None)


NOT_TEXTS = [MISSING, None, 7, True, [], ["x"], {}]


@pytest.mark.parametrize("value", NOT_TEXTS)
@pytest.mark.parametrize(
    ("name", "claims"),
    [("iss", access_claims()), ("token_use", id_claims()), ("client_id", access_claims()), ("aud", id_claims())],
)
def test_required_claims_must_be_strings(name: str, claims: dict[str, Any], value: object) -> None:
    with pytest.raises(InvalidClaim, match=f"^{name} is missing or not a string"):
        checked({**claims, name: value})


@pytest.mark.parametrize("value", NOT_TEXTS[1:])
@pytest.mark.parametrize("name", ["sub", "jti", "scope"])
def test_optional_claims_must_be_strings_if_present(name: str, value: object) -> None:
    checked({**access_claims(), name: MISSING})
    with pytest.raises(InvalidClaim, match=f"^{name} is missing or not a string"):
        checked({**access_claims(), name: value})


@pytest.mark.parametrize(
    "value",
    [
        None,
        "1",
        pytest.param(str(NOW + 60), id="a string of digits in the future"),
        True,
        False,
        [],
        {},
        math.nan,
        math.inf,
        -math.inf,
    ],
)
@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
def test_times_must_be_finite_numbers(name: str, value: object) -> None:
    with pytest.raises(InvalidClaim, match=f"^{name} is missing or not a finite number"):
        checked({**access_claims(), name: value})


def test_several_claims_of_the_same_wrong_type_are_still_wrong() -> None:
    for wrong in (
        {"sub": 1, "jti": 2, "scope": 3},
        {"sub": 1, "jti": 2},
        {"jti": 2, "scope": 3},
        {"exp": "9999999999", "nbf": "0", "iat": "0"},
    ):
        with pytest.raises(InvalidClaim):
            checked({**access_claims(), **wrong})


@pytest.mark.parametrize("custom_check", [0, "", [], "x"])
def test_a_custom_check_that_cannot_be_called_is_refused(custom_check: Any) -> None:
    with pytest.raises(ConfigurationError, match="custom_check"):
        checked(access_claims(), custom_check=custom_check)


@pytest.mark.parametrize("name", ["iss", "token_use", "client_id"])
def test_the_error_of_a_claim_of_a_wrong_type_names_the_type(name: str) -> None:
    with pytest.raises(InvalidClaim) as caught:
        checked(access_claims(**{name: 5}))
    assert (caught.value.expected, caught.value.actual) == ("str", "int")
    assert str(caught.value).startswith(f"{name} is missing or not a string")


def test_exp_is_required_and_iat_and_nbf_are_not() -> None:
    with pytest.raises(InvalidClaim, match="exp"):
        checked({**access_claims(), "exp": MISSING})
    checked({**access_claims(), "iat": MISSING, "nbf": MISSING})
    checked({**access_claims(), "exp": NOW + 1.5, "iat": MISSING, "nbf": MISSING})


@pytest.mark.parametrize(
    "exp",
    [
        pytest.param(NOW, id="now"),
        pytest.param(NOW - 1, id="now - 1"),
        pytest.param(NOW + 0.9, id="now + 0.9"),
        0,
        -1,
        -1e300,
        pytest.param(-(10**400), id="-(10**400)"),
    ],
)
def test_an_expired_token_is_refused(exp: float) -> None:
    with pytest.raises(TokenExpired) as caught:
        checked(access_claims(exp=exp))
    assert caught.value.actual == exp


@pytest.mark.parametrize(
    "exp",
    [
        pytest.param(NOW + 1, id="now + 1"),
        pytest.param(NOW + 1.0, id="now + 1.0"),
        1e300,
        pytest.param(10**400, id="10**400"),
    ],
)
def test_a_token_is_accepted_until_it_expires(exp: float) -> None:
    checked(access_claims(exp=exp))


@pytest.mark.parametrize(
    ("nbf", "good"),
    [
        pytest.param(NOW, True, id="now"),
        pytest.param(NOW - 1, True, id="now - 1"),
        (-1, True),
        pytest.param(NOW + 1, False, id="now + 1"),
        pytest.param(NOW + 0.1, False, id="now + 0.1"),
        pytest.param(10**400, False, id="10**400"),
    ],
)
def test_a_token_is_refused_before_nbf(nbf: float, good: bool) -> None:
    if good:
        checked(access_claims(nbf=nbf))
    else:
        with pytest.raises(TokenNotYetValid):
            checked(access_claims(nbf=nbf))


def test_leeway_extends_both_ends() -> None:
    checked(access_claims(exp=NOW - 9, nbf=NOW + 10), leeway=10)
    with pytest.raises(TokenExpired):
        checked(access_claims(exp=NOW - 10), leeway=10)
    with pytest.raises(TokenNotYetValid):
        checked(access_claims(nbf=NOW + 11), leeway=10)


@pytest.mark.parametrize("leeway", [-1, math.nan, math.inf, pytest.param(10**400, id="10**400")])
def test_leeway_must_be_a_duration(leeway: float) -> None:
    with pytest.raises(ConfigurationError, match="leeway"):
        checked(access_claims(), leeway=leeway)


def test_a_broken_clock_refuses_every_token() -> None:
    with pytest.raises(TokenExpired):
        checked(access_claims(), now=math.nan)
    with pytest.raises(TokenNotYetValid):
        checked(access_claims(exp=10**400, nbf=0), now=-math.inf)


@pytest.mark.parametrize("issuer", [ISSUER + "/", ISSUER[:-1], ISSUER.upper(), "", "https://attacker.example"])
def test_another_issuer_is_refused(issuer: str) -> None:
    for issuers in (ISSUER, (ISSUER,), [ISSUER, "x"]):
        with pytest.raises(IssuerMismatch) as caught:
            checked(access_claims(iss=issuer), issuers=issuers)
        assert (caught.value.expected, caught.value.actual) == (said(issuers), issuer)


@pytest.mark.parametrize("client", [CLIENT[:-1], CLIENT + "x", "", CLIENT.lower()])
def test_another_client_is_refused(client: str) -> None:
    for claims in (access_claims(client_id=client), {**id_claims(), "aud": client}):
        for clients in (CLIENT, [CLIENT], {CLIENT, "another"}):
            with pytest.raises(AudienceMismatch) as caught:
                checked(claims, client_id=clients)
            assert (caught.value.expected, caught.value.actual) == (said(clients), client)


def test_the_client_is_read_from_the_claim_of_the_use() -> None:
    with pytest.raises(AudienceMismatch, match=r"\(client_id\)"):
        checked(access_claims(client_id="another", aud=CLIENT))
    with pytest.raises(AudienceMismatch, match=r"\(aud\)"):
        checked({**id_claims(), "aud": "another", "client_id": CLIENT})


@pytest.mark.parametrize(
    ("asked", "use"),
    [("access", "id"), ("id", "access"), ("id", ""), (None, "refresh"), (None, "Access"), ("access", "access ")],
)
def test_another_use_is_refused(asked: str | None, use: str) -> None:
    with pytest.raises(TokenUseMismatch) as caught:
        checked({**access_claims(token_use=use), "aud": CLIENT}, token_use=asked)
    assert caught.value.actual == use
    assert caught.value.expected == (asked or ["access", "id"])


@pytest.mark.parametrize("token_use", ["refresh", "", "ACCESS", 7])
def test_only_two_uses_can_be_required(token_use: Any) -> None:
    with pytest.raises(ConfigurationError, match="token_use"):
        checked({**access_claims(), "token_use": token_use}, token_use=token_use)


def test_at_hash_equals_the_example_of_the_standard() -> None:
    assert access_token_hash(ACCESS_TOKEN) == AT_HASH


def test_at_hash_is_in_the_alphabet_of_base64url() -> None:
    # In base64 this is "eaSme4eSMr+dlwR/l+ErUA==".
    assert access_token_hash("token-81") == "eaSme4eSMr-dlwR_l-ErUA"


def test_at_hash_is_checked_if_both_tokens_are_given() -> None:
    checked(id_claims(at_hash=AT_HASH), access_token=ACCESS_TOKEN)
    checked(id_claims(), access_token=ACCESS_TOKEN)
    checked(id_claims(at_hash="anything"))


@pytest.mark.parametrize("at_hash", ["", AT_HASH[:-1], AT_HASH + "==", AT_HASH.lower(), "\u00e9", "\ud800"])
def test_another_at_hash_is_refused(at_hash: str) -> None:
    with pytest.raises(AccessTokenHashMismatch) as caught:
        checked(id_claims(at_hash=at_hash), access_token=ACCESS_TOKEN)
    assert (caught.value.expected, caught.value.actual) == (AT_HASH, at_hash)
    assert ACCESS_TOKEN not in str(caught.value)


def test_at_hash_of_another_access_token_is_refused() -> None:
    for access_token in (ACCESS_TOKEN + "x", "", "\ud800", "\u00e9"):
        with pytest.raises(AccessTokenHashMismatch):
            checked(id_claims(at_hash=AT_HASH), access_token=access_token)


@pytest.mark.parametrize("value", [None, 7, True, [], {}])
def test_at_hash_must_be_a_string(value: object) -> None:
    with pytest.raises(InvalidClaim, match="at_hash"):
        checked(id_claims(at_hash=value), access_token=ACCESS_TOKEN)


def test_a_required_group_must_be_present() -> None:
    claims = access_claims(**{"cognito:groups": ["admin", "staff"]})
    for groups in (None, "admin", ["other", "staff"], {"admin"}):
        checked(claims, groups=groups)
    for groups in ("adm", "administrators", ["other"]):
        with pytest.raises(GroupMismatch) as caught:
            checked(claims, groups=groups)
        assert (caught.value.expected, caught.value.actual) == (said(groups), ["admin", "staff"])
    with pytest.raises(GroupMismatch):
        checked(access_claims(), groups="admin")


@pytest.mark.parametrize("value", [None, "admin", 7, {"admin": 1}, ["admin", 7], [7, "admin"], [["admin"]], [None]])
def test_groups_must_be_a_list_of_strings_even_if_none_is_required(value: object) -> None:
    for groups in (None, "admin"):
        with pytest.raises(InvalidClaim, match="cognito:groups"):
            checked(access_claims(**{"cognito:groups": value}), groups=groups)


def test_a_required_scope_must_be_present() -> None:
    claims = access_claims(scope="openid api/read")
    for scope in (None, "openid", "api/read", ["other", "openid"], {"api/read"}):
        checked(claims, scope=scope)
    with pytest.raises(ScopeMismatch):
        checked(access_claims(scope="a\tb"), scope="b")
    for scope in ("open", "openid api/read", ["other"], " "):
        with pytest.raises(ScopeMismatch) as caught:
            checked(claims, scope=scope)
        assert (caught.value.expected, caught.value.actual) == (said(scope), "openid api/read")
    for empty in ("", "  "):
        with pytest.raises(ScopeMismatch):
            checked(access_claims(scope=empty), scope=" ")
    with pytest.raises(ScopeMismatch) as caught:
        checked(id_claims(), scope="openid")
    assert caught.value.actual == ""


@pytest.mark.parametrize("nothing", ["", [], [""], ["a", ""], 7, [None]])
@pytest.mark.parametrize("name", ["issuers", "client_id", "groups", "scope"])
def test_a_requirement_that_no_token_can_meet_is_refused(name: str, nothing: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} must be one string or several"):
        checked({}, **{name: nothing})


def test_issuers_must_be_given() -> None:
    with pytest.raises(ConfigurationError, match="issuers"):
        checked(access_claims(), issuers=None)


def test_an_issuer_with_the_same_pool_id_names_the_arguments_to_set() -> None:
    issuer = f"http://localhost:9229/{ISSUER.rsplit('/', 1)[-1]}"
    with pytest.raises(IssuerMismatch, match=r"same pool id .*endpoint_url=.*serve --issuer.*issuer= .*issuers= "):
        checked(access_claims(iss=issuer), issuers=ISSUER)
    with pytest.raises(IssuerMismatch, match="check the user pool id"):
        checked(access_claims(iss="http://localhost:9229/eu-west-1_Other6789"), issuers=ISSUER)


def test_every_reason_has_its_error_class() -> None:
    with pytest.raises(
        TokenVerificationException,
        match=r"^token is from another issuer \(iss\): check the user pool id \(expected '.+', got 'x'\)$",
    ):
        checked(access_claims(iss="x"), issuers=ISSUER)
