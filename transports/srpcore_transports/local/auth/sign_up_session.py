"""The Sessions of SignUp and ConfirmSignUp, by which a new user logs in without the password.

    SignUp --> Session --> ConfirmSignUp --> Session --> InitiateAuth with the flow USER_AUTH --> the next step

The code that ConfirmSignUp has checked counts as the first factor. Only app clients with ALLOW_USER_AUTH get a Session.
"""

from __future__ import annotations

from ..api.errors import Refusal, invalid_session
from ..model.auth_sessions import AuthSession
from ..model.pools import AppClient, PoolRecord
from ..model.users import User
from ..storage.auth_sessions import SESSION_EXPIRED
from ..storage.state import State

__all__ = ["check_confirmed", "confirmed", "new", "put_back", "take"]

_UNCONFIRMED, _CONFIRMED = "SIGN_UP", "CONFIRMED_SIGN_UP"


def new(state: State, pool: PoolRecord, client: AppClient, user: User, typed: str) -> dict[str, str]:
    """Return the Session for the reply to SignUp, or an empty dictionary if the app client does not have USER_AUTH."""
    auth_session = _start(pool, client, user, typed)
    if auth_session is None:
        return {}
    challenge = _CONFIRMED if user.status == "CONFIRMED" else _UNCONFIRMED
    return {"Session": state.auth_sessions.open(auth_session, challenge)}


def _start(pool: PoolRecord, client: AppClient, user: User, typed: str) -> AuthSession | None:
    if "ALLOW_USER_AUTH" not in client.flows:
        return None
    return AuthSession(pool=pool, client=client, user=user, typed=typed)


def take(
    state: State, session: str | None, pool: PoolRecord, client: AppClient, user: User, typed: str
) -> AuthSession | None:
    """Return the AuthSession of the Session in a ConfirmSignUp request, or a new one if the request has no Session.

    Return None if the Session has expired, or the app client does not have USER_AUTH. An expired Session does not
    prevent the confirmation: it takes a while to read the message with the code.

    Raises:
        Refusal: the Session is unknown, or belongs to another user or app client.
    """
    if session is None:
        # Amplify sends no Session with ConfirmSignUp (@aws-amplify/auth 6.21.1), and logs in with that of the answer.
        return _start(pool, client, user, typed)
    try:
        return _take(state, session, client, user, _UNCONFIRMED)
    except Refusal as refusal:
        if refusal.message == SESSION_EXPIRED:
            return None
        raise


def put_back(state: State, session: str | None, auth_session: AuthSession | None) -> None:
    """Keep the Session of the request, if it had one, after a wrong code."""
    if session is not None and auth_session is not None:
        state.auth_sessions.put_back(session, auth_session)


def confirmed(state: State, auth_session: AuthSession | None) -> dict[str, str]:
    """Return the Session for the reply to ConfirmSignUp, or an empty dictionary if *auth_session* is None."""
    return {} if auth_session is None else {"Session": state.auth_sessions.open(auth_session, _CONFIRMED)}


def check_confirmed(state: State, session: str, client: AppClient, user: User | None) -> None:
    """Check that the Session of an InitiateAuth request belongs to a confirmed sign-up, and remove the Session.

    Raises:
        Refusal: it is not the Session of a confirmed sign-up of *user* with *client*.
    """
    _take(state, session, client, user, _CONFIRMED)


def _take(state: State, session: str, client: AppClient, user: User | None, challenge: str) -> AuthSession:
    auth_session = state.auth_sessions.take(session)
    if user is None or auth_session.user is not user or auth_session.client is not client:
        raise invalid_session()
    if challenge not in auth_session.challenges:
        raise invalid_session()
    return auth_session
