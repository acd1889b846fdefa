"""The states of a login and the moves between them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from srpcore.client.login_state import (
    Account,
    AdminChallenge,
    LoggedIn,
    LoggedOut,
    LoggingIn,
    answering,
    challenged,
    forgotten,
    named,
    obtained,
    restored,
    settled,
    started,
)

ALICE, BOB = Account("pool/client/alice", "alice-sub", "REFRESH_TOKEN_AUTH"), Account("pool/client/bob", "bob-sub")
NAMES = st.none() | st.sampled_from(["a", "b"])
ACCOUNTS = st.builds(Account, NAMES, NAMES, NAMES)
SETTLED = st.builds(LoggedOut, ACCOUNTS) | st.builds(LoggedIn, ACCOUNTS)
ADMIN = st.none() | st.builds(AdminChallenge, st.fixed_dictionaries({"Session": NAMES}))
STATES = SETTLED | st.builds(LoggingIn, ACCOUNTS, SETTLED, ADMIN)


CHALLENGE = {"ChallengeName": "SMS_MFA", "Session": "s"}


def test_a_login_from_the_first_request_to_the_tokens() -> None:
    state = started(LoggedOut(), "pool/client/alice")
    assert state == LoggingIn(Account("pool/client/alice"), LoggedOut())
    assert obtained(named(state, "alice-sub")) == LoggedIn(Account("pool/client/alice", "alice-sub"))


@given(state=STATES, key=NAMES)
def test_a_login_that_fails_returns_to_the_state_before_it(
    state: LoggedOut | LoggingIn | LoggedIn, key: str | None
) -> None:
    assert settled(started(state, key)) == settled(state)
    assert settled(named(started(state, key), "another")) == settled(state)
    assert settled(answering(state, key)) == settled(state)


@given(state=STATES, key=NAMES)
def test_a_new_login_forgets_the_user_before(state: LoggedOut | LoggingIn | LoggedIn, key: str | None) -> None:
    begun = started(state, key)
    assert begun.account == Account(key)
    assert begun.admin is None


def test_an_answer_continues_the_challenged_login() -> None:
    state = challenged(named(started(LoggedIn(ALICE), "pool/client/bob"), "bob-sub"), CHALLENGE)
    assert answering(state, None) == state
    assert answering(state, "pool/client/bob") == state
    assert answering(LoggedIn(ALICE), "pool/client/bob") == LoggingIn(Account("pool/client/bob"), LoggedIn(ALICE))


@given(state=SETTLED)
def test_a_refresh_keeps_the_user(state: LoggedOut | LoggedIn) -> None:
    assert obtained(state) == LoggedIn(state.account)


def test_a_login_without_a_username_keeps_the_store_key_of_the_tokens_before() -> None:
    assert obtained(started(LoggedIn(ALICE), None)).account.key == ALICE.key
    assert obtained(started(LoggedIn(ALICE), BOB.key)).account.key == BOB.key


@given(state=STATES)
def test_dropping_the_tokens_ends_every_login_and_keeps_the_username(state: LoggedOut | LoggingIn | LoggedIn) -> None:
    assert forgotten(state) == LoggedOut(settled(state).account)


def test_only_a_login_under_way_has_a_challenge() -> None:
    assert challenged(LoggedIn(ALICE), CHALLENGE) == LoggedIn(ALICE)
    state = challenged(started(LoggedOut(), None), CHALLENGE)
    assert isinstance(state, LoggingIn)
    assert state.admin is not None
    assert state.admin.session == "s"
    assert challenged(state, None) == started(LoggedOut(), None)


def test_a_reply_with_tokens_is_not_kept_in_the_state() -> None:
    state = challenged(started(LoggedOut(), None), {"AuthenticationResult": {"RefreshToken": "the-refresh-token"}})
    assert state == started(LoggedOut(), None)


@given(state=STATES, account=ACCOUNTS, tokens=st.booleans())
def test_fields_missing_in_the_store_are_taken_from_the_state_before(
    state: LoggedOut | LoggingIn | LoggedIn, account: Account, tokens: bool
) -> None:
    found = restored(state, account, tokens=tokens)
    assert isinstance(found, LoggedIn if tokens else LoggedOut)
    for name in ("key", "username", "refresh_way"):
        new, old = getattr(account, name), getattr(settled(state).account, name)
        assert getattr(found.account, name) == (new if new is not None else old)


def test_a_repr_does_not_show_the_session() -> None:
    reply = {"ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": "the-secret-session"}
    state = challenged(started(LoggedOut(), None), reply)
    assert "NEW_PASSWORD_REQUIRED" in repr(state)
    assert "the-secret-session" not in repr(state)
