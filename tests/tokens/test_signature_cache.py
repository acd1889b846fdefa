"""The signature cache saves work and never changes a result."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpcore import AsyncTokenVerifier, TokenVerifier
from srpcore.exceptions import (
    AccessTokenHashMismatch,
    AudienceMismatch,
    ConfigurationError,
    GroupMismatch,
    InvalidSignature,
    IssuerMismatch,
    MalformedToken,
    ScopeMismatch,
    TokenExpired,
    TokenNotYetValid,
    TokenUseMismatch,
    TokenVerificationException,
    UnknownKey,
)
from srpcore.tokens import rsa
from srpcore.tokens.signature_cache import MAX_CACHED_LENGTH
from support.clock import Clock
from support.key_server import NEWER_ISSUER, OTHER_ISSUER, OTHER_POOL, POOL, mint, on_an_event_loop
from support.minting import CLIENT, KID, NOW, access_claims, id_claims, jwk


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The signatures that were verified, in order."""
    signatures: list[bytes] = []

    original = rsa.PublicKey.verify

    def verify(key: rsa.PublicKey, message: bytes, signature: bytes) -> None:
        signatures.append(signature)
        original(key, message, signature)

    monkeypatch.setattr(rsa.PublicKey, "verify", verify)
    return signatures


def make(cache_size: int = 8, *, pools: Any = POOL, names: tuple[str, ...] = (KID,), **changes: Any) -> TokenVerifier:
    made = TokenVerifier(
        pools,
        **{"client_id": CLIENT, "token_use": "access", "cache_size": cache_size, "clock": Clock(float(NOW)), **changes},
    )
    made.load_jwks({"keys": [jwk(name) for name in names]}, user_pool_id=POOL)
    return made


def test_a_signature_is_verified_once(verified: list[bytes]) -> None:
    token, remembering = mint(), make()
    assert remembering.verify(token) == remembering.verify(token) == access_claims()
    assert len(verified) == 1
    forgetful = make(0)
    assert forgetful.verify(token) == forgetful.verify(token)
    assert len(verified) == 3


@on_an_event_loop
async def test_a_signature_is_verified_once_on_an_event_loop() -> None:
    async with AsyncTokenVerifier(POOL, client_id=CLIENT, token_use="access", cache_size=1) as remembering:
        remembering.load_jwks({"keys": [jwk()]})
        assert await remembering.verify(mint()) == await remembering.verify(mint())
        with pytest.raises(AudienceMismatch):
            await remembering.verify(mint(), client_id="another")


REFUSED: list[tuple[dict[str, Any], type[Exception]]] = [
    ({"client_id": "another"}, AudienceMismatch),
    ({"client_id": ["another", "third"]}, AudienceMismatch),
    ({"token_use": "id"}, TokenUseMismatch),
    ({"groups": "staff"}, GroupMismatch),
    ({"scope": "orders/read"}, ScopeMismatch),
    ({"issuers": NEWER_ISSUER}, IssuerMismatch),
    ({"access_token": "another"}, AccessTokenHashMismatch),
    ({"client_id": []}, ConfigurationError),
]


@pytest.mark.parametrize(("demand", "error"), REFUSED)
def test_a_cached_token_is_refused_if_the_requirements_differ(
    demand: dict[str, Any], error: type[Exception], verified: list[bytes]
) -> None:
    token = mint(access_claims(at_hash="x" * 22, **{"cognito:groups": ["admin"]}))
    remembering = make()
    remembering.verify(token)
    with pytest.raises(error):
        remembering.verify(token, **demand)
    assert remembering.verify(token)
    assert len(verified) == 1


def test_a_cached_token_expires() -> None:
    clock = Clock(float(NOW))
    remembering = make(clock=clock)
    token = mint(access_claims(exp=NOW + 10, nbf=NOW))
    remembering.verify(token)
    clock.now = NOW + 10
    with pytest.raises(TokenExpired):
        remembering.verify(token)
    assert remembering.verify(token, leeway=1)
    clock.now = NOW - 1
    with pytest.raises(TokenNotYetValid):
        remembering.verify(token)


def test_the_custom_check_runs_each_time() -> None:
    revoked: set[str] = set()

    def check(claims: Any) -> None:
        if claims["jti"] in revoked:
            raise PermissionError("revoked")

    remembering = make(custom_check=check)
    remembering.verify(mint())
    revoked.add(access_claims()["jti"])
    with pytest.raises(PermissionError):
        remembering.verify(mint())


def test_a_changed_token_is_not_taken_from_the_cache(verified: list[bytes]) -> None:
    token, remembering = mint(), make()
    remembering.verify(token)
    header, payload, signature = token.split(".")
    for changed in (
        f"{header}.{payload}.{signature[:-8]}AAAAAAAA",
        f"{header}.{payload}.{mint(name='forger', kid=KID).split('.')[2]}",
        f"{header}.{mint(access_claims(username='mallory')).split('.')[1]}.{signature}",
    ):
        with pytest.raises(InvalidSignature):
            remembering.verify(changed)
    with pytest.raises(MalformedToken):
        remembering.verify(token + "=")
    assert len(verified) == 4


def test_a_cached_signature_is_dropped_with_its_key(verified: list[bytes]) -> None:
    remembering = make(names=(KID, "second"))
    tokens = [mint(), mint(name="second")]
    for token in tokens * 2:
        remembering.verify(token)
    assert len(verified) == 2
    # The issuer withdraws one; the other's verdict stays, though its key was parsed anew.
    remembering.load_jwks({"keys": [jwk("second")]})
    with pytest.raises(UnknownKey):
        remembering.verify(tokens[0])
    assert remembering.verify(tokens[1])
    assert len(verified) == 2
    assert len(verdicts(remembering)) == 1
    # It comes back: nothing is left of the first verdict.
    remembering.load_jwks({"keys": [jwk(), jwk("second")]})
    assert remembering.verify(tokens[0])
    assert len(verified) == 3


def test_a_new_key_with_an_old_id_does_not_use_the_cache_of_the_old_key() -> None:
    remembering = make()
    token = mint()
    remembering.verify(token)
    remembering.load_jwks({"keys": [jwk("other", kid=KID)]})
    with pytest.raises(InvalidSignature):
        remembering.verify(token)
    assert len(verdicts(remembering)) == 0


MINE = mint()


def test_pools_do_not_share_cached_signatures(verified: list[bytes]) -> None:
    remembering = make(pools=[POOL, OTHER_POOL])
    remembering.load_jwks({"keys": [jwk("other")]}, user_pool_id=OTHER_POOL)
    theirs = mint(access_claims(iss=OTHER_ISSUER), "other")
    for _ in range(2):
        assert remembering.verify(MINE)["iss"] != remembering.verify(theirs)["iss"]
    assert len(verified) == 2
    remembering.load_jwks({"keys": [jwk("third")]}, user_pool_id=OTHER_POOL)
    with pytest.raises(UnknownKey):
        remembering.verify(theirs)
    assert remembering.verify(MINE)
    assert len(verified) == 2
    assert remembering.verify(mint(access_claims(iss=OTHER_ISSUER), "third"))
    assert len(verdicts(remembering)) == 2  # mine and the third: theirs is gone


def test_changing_the_returned_claims_does_not_change_the_cache(verified: list[bytes]) -> None:
    claims = access_claims(**{"cognito:groups": ["staff"], "address": {"lines": ["a", {"b": [1]}]}})
    token, remembering = mint(claims), make()
    for _ in range(3):
        mine: Any = remembering.verify(token)
        assert mine == claims
        mine["cognito:groups"].append("admin")
        mine["address"]["lines"][1]["b"].append(2)
        mine["client_id"] = "another"
        del mine["exp"]
    with pytest.raises(GroupMismatch):
        remembering.verify(token, groups="admin")
    assert len(verified) == 1


def test_a_custom_check_cannot_change_the_cache() -> None:
    def check(claims: Any) -> None:
        claims["cognito:groups"] = ["admin"]

    remembering = make(custom_check=check)
    remembering.verify(mint())
    with pytest.raises(GroupMismatch):
        remembering.verify(mint(), groups="admin")


def test_the_least_recently_used_token_is_dropped(verified: list[bytes]) -> None:
    remembering = make(2)
    first, second, third = (mint(access_claims(jti=jti)) for jti in ("1", "2", "3"))
    for token in (first, second, first, third):
        remembering.verify(token)
    assert len(verified) == 3
    assert len(verdicts(remembering)) == 2
    remembering.verify(first)
    remembering.verify(third)
    assert len(verified) == 3
    remembering.verify(second)
    assert len(verified) == 4


def test_only_accepted_tokens_are_cached() -> None:
    remembering = make()
    for refused in (access_claims(exp=NOW), access_claims(client_id="another"), id_claims()):
        with pytest.raises(TokenVerificationException):
            remembering.verify(mint(refused))
    with pytest.raises(InvalidSignature):
        remembering.verify(mint(name="forger", kid=KID))
    assert len(verdicts(remembering)) == 0


@pytest.mark.parametrize(("length", "remembered"), [(0, True), (1, False)])
def test_a_very_long_token_is_not_cached(length: int, remembered: bool, verified: list[bytes]) -> None:
    def token(filler: int) -> str:
        return mint(access_claims(filler="x" * filler))

    # Three octets make four characters.
    filler = (MAX_CACHED_LENGTH - len(token(0))) // 4 * 3
    while len(token(filler)) < MAX_CACHED_LENGTH + length:
        filler += 1
    while len(token(filler)) > MAX_CACHED_LENGTH + 2 * length:
        filler -= 1
    remembering = make()
    remembering.verify(token(filler))
    remembering.verify(token(filler))
    assert (len(verified) == 1) is remembered


class TwoFaced(str):
    """A text that shows another face to whoever encodes it."""

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return b"***"


def test_a_subclass_of_str_is_verified_each_time(verified: list[bytes]) -> None:
    remembering, token = make(), mint()
    assert remembering.verify(TwoFaced(token)) == access_claims()
    with pytest.raises(MalformedToken):
        remembering.verify(TwoFaced("forged"))
    remembering.verify(token)
    assert len(verified) == 2


def test_a_token_that_is_not_ascii_is_refused() -> None:
    with pytest.raises(MalformedToken, match="not ASCII"):
        make().verify("\u00e9.a.b")


@pytest.mark.parametrize("size", [-1, 1.0, True, "1", None])
def test_an_invalid_cache_size_is_refused(size: Any) -> None:
    with pytest.raises(ConfigurationError, match="cache_size"):
        TokenVerifier(POOL, client_id=CLIENT, token_use="access", cache_size=size)


TOKENS = [
    mint(),
    mint(access_claims(client_id="another", scope="orders/read")),
    mint(access_claims(exp=NOW + 5, **{"cognito:groups": ["staff"]})),
    mint(id_claims(at_hash="x")),
    mint(name="second"),
    mint(name="forger", kid=KID),
    mint()[:-1],
]
DEMANDS: list[dict[str, Any]] = [
    {},
    {"client_id": None},
    {"client_id": "another"},
    {"token_use": "id"},
    {"token_use": None, "access_token": "x"},
    {"groups": ["staff"]},
    {"scope": ["orders/read"], "client_id": None},
    {"leeway": 10},
]
STEPS = st.one_of(
    st.tuples(st.sampled_from(TOKENS), st.sampled_from(DEMANDS)),
    st.sampled_from([(KID,), (KID, "second"), ("second",)]),
    st.integers(-1, 6),
)


@given(size=st.integers(1, 3), steps=st.lists(STEPS, min_size=1, max_size=20))
def test_results_are_equal_with_and_without_the_cache(size: int, steps: list[Any]) -> None:
    """One verifier that remembers and one that does not give the same answers, whatever comes in whatever order."""
    clock = Clock(float(NOW))
    both = [make(size, clock=clock), make(0, clock=clock)]
    for step in steps:
        if isinstance(step, int):
            clock.now = NOW + step
        elif isinstance(step[0], str) and isinstance(step[-1], str):
            for each in both:
                each.load_jwks({"keys": [jwk(name) for name in step]})
        else:
            assert answer(both[0], step[0], **step[1]) == answer(both[1], step[0], **step[1])
        assert len(verdicts(both[0])) <= size


def test_threads_can_share_a_cache() -> None:
    remembering = make(3)
    expected = [answer(make(0), token, token_use=None) for token in TOKENS]

    def work(seed: int) -> None:
        for i in range(120):
            number = (seed + i * 7) % len(TOKENS)
            assert answer(remembering, TOKENS[number], token_use=None) == expected[number]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert len(verdicts(remembering)) <= 3


def test_an_error_has_the_claims_only_if_they_are_asked_for() -> None:
    claims = access_claims(client_id="another", email="alice@example.com")
    for asked in (False, True):
        with pytest.raises(AudienceMismatch) as raised:
            make(claims_in_errors=asked).verify(mint(claims))
        assert raised.value.claims == (claims if asked else None)
        assert "alice" not in str(raised.value) + repr(raised.value)
    with pytest.raises(InvalidSignature) as forged:
        make(claims_in_errors=True).verify(mint(claims, name="forger", kid=KID))
    assert forged.value.claims is None


@on_an_event_loop
async def test_the_asynchronous_verifier_awaits_a_custom_check() -> None:
    seen: list[Any] = []

    async def check(claims: Any) -> Any:
        seen.append(claims["username"])
        if claims["username"] == "mallory":
            raise PermissionError("not she")
        return True if claims["username"] == "wrong" else None

    async with AsyncTokenVerifier(POOL, client_id=CLIENT, token_use="access", custom_check=check) as awaiting:
        awaiting.load_jwks({"keys": [jwk()]})
        assert await awaiting.verify(mint()) == access_claims()
        with pytest.raises(PermissionError):
            await awaiting.verify(mint(access_claims(username="mallory")))
        with pytest.raises(ConfigurationError, match="returned a value"):
            await awaiting.verify(mint(access_claims(username="wrong")))
        assert await awaiting.verify(mint(access_claims(username="plain")), custom_check=lambda claims: None)
    assert seen == ["alice", "mallory", "wrong"]
    with pytest.raises(ConfigurationError, match="must not be a coroutine function"):
        make().verify(mint(), custom_check=check)


def answer(verifier: TokenVerifier, token: str, **demand: Any) -> Any:
    """Return the claims, or the kind of the error and what it says."""
    try:
        return verifier.verify(token, **demand)
    except TokenVerificationException as error:
        return type(error), str(error)


def verdicts(remembering: TokenVerifier) -> Any:
    return remembering._signature_cache or ()
