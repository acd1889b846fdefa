"""Every framework over a real socket: the responses follow RFC 6750 and show nothing of the token."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from srpcore.frameworks import bearer
from support import minting
from support.key_server import OTHER_ISSUER, Keys, mint
from support.loopback import answer as response
from support.minting import KID, access_claims, id_claims
from support.sites import SITES, Site, running, sub_of

pytestmark = pytest.mark.slow  # for `make check`, which runs at every save

SUB = access_claims()["sub"]
INVALID = 'Bearer error="invalid_token", error_description="'
INSUFFICIENT = 'Bearer error="insufficient_scope", error_description="'


@pytest.fixture(scope="module", params=SITES)
def keys_and_site(request: pytest.FixtureRequest) -> Iterator[tuple[Keys, Site]]:
    with running(request.param) as both:
        yield both


@pytest.fixture
def site(keys_and_site: tuple[Keys, Site]) -> Site:
    return keys_and_site[1]


@pytest.fixture(params=SITES)
def lone(request: pytest.FixtureRequest) -> Iterator[tuple[Keys, Site]]:
    """A site whose verifier has no keys yet."""
    with running(request.param) as both:
        yield both


def test_the_claims_of_a_valid_token_arrive_and_keys_are_fetched_once(keys_and_site: tuple[Keys, Site]) -> None:
    keys, site = keys_and_site
    for _ in range(3):
        assert sub_of(site.bearer("me", mint())) == SUB
    assert keys.count == 1


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "bEaReR"])
def test_the_scheme_may_have_any_case(site: Site, scheme: str) -> None:
    assert sub_of(site.ask("me", f"{scheme} {mint()}")) == SUB


def test_more_spaces_after_the_scheme_are_allowed_by_the_grammar(site: Site) -> None:
    assert sub_of(site.ask("me", f"Bearer   {mint()}")) == SUB


@pytest.mark.parametrize("authorization", [[], [""], ["Basic YWxpY2U6c2VjcmV0"], ["Bearertoken"], ["Digest a=b"]])
def test_without_a_bearer_token_the_challenge_has_no_error(site: Site, authorization: list[str]) -> None:
    answer = site.ask("me", *authorization)
    assert (answer.status, answer.challenges) == (401, ["Bearer"])


MALFORMED: list[list[str | bytes]] = [
    ["Bearer"],
    ["Bearer "],
    ["Bearer {} {}"],
    ["Bearer {},{}"],
    ["Bearer {}, Bearer {}"],
    ["Bearer {}", "Bearer {}"],
    ["Bearer {}", "Basic YWxpY2U6c2VjcmV0"],
    ["Bearer \xff\xfe".encode("latin-1")],
    ["Bearer tökén".encode()],
    [b'Bearer x"\\, error="none'],
    ["Bearer {}=x"],
    ["Bearer not-a-token"],
    ["Bearer ..."],
]


@pytest.mark.parametrize("authorization", MALFORMED, ids=repr)
def test_a_header_without_exactly_one_token_is_refused(site: Site, authorization: list[str | bytes]) -> None:
    token = mint()
    values = [value.replace("{}", token) if isinstance(value, str) else value for value in authorization]
    answer = site.ask("me", *values)
    assert answer.status == 401
    assert answer.challenges == [f'{INVALID}the token is malformed"']


def test_a_token_after_another_scheme_is_refused(site: Site) -> None:
    answer = site.ask("me", "Basic YWxpY2U6c2VjcmV0", f"Bearer {mint()}")
    assert answer.status == 401


@pytest.mark.parametrize(
    ("token", "fact"),
    [
        (lambda: mint(access_claims(exp=1)), "the token has expired"),
        (lambda: mint(access_claims(nbf=2**40)), "the token is not valid yet"),
        (lambda: mint(access_claims(client_id="stranger")), "the token was issued to another app client"),
        (lambda: mint(access_claims(iss=OTHER_ISSUER), "other"), "the token is from another issuer"),
        (lambda: mint(id_claims()), "the token is of the wrong kind"),
        (lambda: mint(access_claims(exp="soon")), "a claim of the token is missing or malformed"),
        (lambda: mint(kid='x"\r\nSet-Cookie: a=b'), "the token is signed with an unknown key"),
        (lambda: mint(name="other", kid=KID), "the token's signature is invalid"),
        (lambda: of_another_algorithm(), "the token is not signed with RS256, or requires an extension"),
    ],
)
def test_the_answer_to_a_bad_token_names_only_the_kind_of_error(
    site: Site, token: Any, fact: str, caplog: pytest.LogCaptureFixture
) -> None:
    minted = token()
    with caplog.at_level(logging.DEBUG):
        answer = site.bearer("me", minted)
    assert (answer.status, answer.challenges) == (401, [f'{INVALID}{fact}"'])
    tell_tales = [*minted.split("."), "alice", "stranger", "us-east-1", "Set-Cookie", SUB]
    assert [text for text in tell_tales if text and (text in answer.text or text in caplog.text)] == []


def of_another_algorithm() -> str:
    return minting.sign(f"{minting.segment({'kid': KID, 'alg': 'none'})}.{minting.segment(access_claims())}")


def test_the_body_shows_no_more_than_the_header(site: Site) -> None:
    answer = site.bearer("me", mint(access_claims(exp=1)))
    body = answer.body.decode().lower()
    assert "expired" in body
    assert "got" not in body
    assert "expected" not in body
    assert [value for name, value in answer.headers if name.lower() == "content-type"]


def test_a_huge_token_is_refused(site: Site) -> None:
    # Servers have limits of their own for headers; what comes through is refused by the verifier.
    answer = site.bearer("me", "A" * 30_000 + "." + "A" * 30_000 + ".AAAA")
    assert answer.status in (400, 401, 431)
    assert "AAAA" not in answer.text


@pytest.mark.parametrize("scope", ["orders/read", "orders/write.", "", "ORDERS/WRITE"])
def test_the_challenge_names_the_missing_scope(site: Site, scope: str) -> None:
    answer = site.bearer("write", mint(access_claims(scope=scope)))
    assert answer.status == 403
    wanted = 'the token lacks a required scope", scope="orders/write orders/admin"'
    assert answer.challenges == [f"{INSUFFICIENT}{wanted}"]


@pytest.mark.parametrize("scope", ["orders/write", "openid orders/admin"])
def test_one_of_the_scopes_is_enough(site: Site, scope: str) -> None:
    assert sub_of(site.bearer("write", mint(access_claims(scope=scope)))) == SUB


@pytest.mark.parametrize("groups", [None, ["users"], []])
def test_the_challenge_does_not_name_the_required_groups(site: Site, groups: list[str] | None) -> None:
    claims = access_claims() if groups is None else access_claims(**{"cognito:groups": groups})
    answer = site.bearer("admins", mint(claims))
    assert answer.status == 403
    assert answer.challenges == [f'{INSUFFICIENT}the user is not in any of the required groups"']


def test_a_user_in_the_group_is_accepted(site: Site) -> None:
    assert sub_of(site.bearer("admins", mint(access_claims(**{"cognito:groups": ["users", "admins"]})))) == SUB


def test_a_route_may_require_less_than_the_verifier(site: Site) -> None:
    assert sub_of(site.bearer("anybody", mint(access_claims(client_id="another")))) == SUB


def test_an_expired_token_without_the_scope_is_an_invalid_token(site: Site) -> None:
    assert site.bearer("write", mint(access_claims(exp=1, scope=""))).status == 401


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST", "PUT", "DELETE"])
def test_every_method_of_the_route_needs_a_token(site: Site, method: str) -> None:
    answer = site.ask("me", method=method)
    assert answer.status in (401, 405) or (method == "OPTIONS" and answer.status == 200)
    assert b"sub" not in answer.body


def test_head_needs_the_token_too(site: Site) -> None:
    assert site.bearer("me", mint(), method="HEAD").status == 200
    assert site.ask("me", method="HEAD").status == 401


def test_missing_keys_are_503_until_they_can_be_fetched(lone: tuple[Keys, Site]) -> None:
    keys, site = lone
    keys.instead = lambda: response(b"", 500)
    for authorization in (f"Bearer {mint()}", f"Bearer {mint(access_claims(exp=1))}"):
        answer = site.ask("me", authorization)
        assert (answer.status, answer.challenges) == (503, [])
        assert b"try again later" in answer.body
        assert str(keys.server.port) not in answer.text
    assert site.ask("me").status == 401
    keys.instead = None
    keys.clock.now += 120
    assert sub_of(site.bearer("me", mint())) == SUB


def test_every_class_of_refusal_is_tested() -> None:
    from srpcore import exceptions

    classes = {getattr(exceptions, name) for name in exceptions.tokens.__all__}
    assert set(bearer._DESCRIPTIONS) == classes
