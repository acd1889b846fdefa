"""The user whom a request without a login names, and what is answered if there is no such user."""

from __future__ import annotations

from collections.abc import Sequence

from ..api.errors import user_not_found
from ..api.parameters import Parameters, optional_string, string
from ..model.addresses import MEDIUMS
from ..model.attributes import looks_like
from ..model.pools import AppClient, PoolRecord
from ..model.users import User
from ..storage import directory
from ..storage.state import State
from . import client_secret, codes

__all__ = ["check_hash_and_find_user", "find_user", "refuse_unknown", "simulated_delivery"]


def check_hash_and_find_user(
    state: State, client: AppClient, pool: PoolRecord, parameters: Parameters
) -> tuple[str, User | None]:
    """Check ``SecretHash``, and return the user name of the request and its user.

    If the user does not exist and the client hides that, the user is None. The caller must then answer as if the user
    existed.

    Raises:
        Refusal: the hash is wrong, or the user does not exist and the client does not hide that.
    """
    username = string(parameters, "Username")
    user = find_user(state, pool, username)
    names = [username] if user is None else [username, user.username]
    client_secret.check_hash(client, optional_string(parameters, "SecretHash"), *names)
    if user is None:
        refuse_unknown(client)
    return username, user


def refuse_unknown(client: AppClient) -> None:
    """Raise the refusal of a user who does not exist, unless *client* hides that.

    Raises:
        Refusal: *client* does not hide it.
    """
    if not client.hides_users:
        # Sources: https://github.com/aws-amplify/aws-sdk-ios/issues/4837 (ForgotPassword) and
        # https://github.com/massif-press/compcon/issues/2351 (ConfirmForgotPassword).
        raise user_not_found("Username/client id combination not found.")


def find_user(state: State, pool: PoolRecord, username: str) -> User | None:
    """Return the user with this name, or None.

    Unlike ``directory.find`` it also finds an unconfirmed user by an alias that is not verified yet.
    """
    return directory.find(state, pool, username) or _find_unconfirmed(state, pool, username)


def _find_unconfirmed(state: State, pool: PoolRecord, username: str) -> User | None:
    # An alias normally identifies a user only after it is verified. The code that verifies it must be entered first, so
    # until then an unconfirmed user can be found by it.
    aliases = [alias for alias in pool.names("AliasAttributes") if alias != "preferred_username"]
    for alias in aliases:
        for user in state.users.having(pool, alias, username):
            if user.status == "UNCONFIRMED" and user.attributes.get(alias) == username:
                return user
    return None


def simulated_delivery(pool: PoolRecord, username: str, allowed: Sequence[str]) -> dict[str, str]:
    """Return CodeDeliveryDetails for a user who does not exist, as if a code was sent.

    Args:
        allowed: the attributes to which the pool sends such a code; empty if it sends none.
    """
    order = ("phone_number", "email") if looks_like("phone_number", username) else ("email", "phone_number")
    attribute = next((name for name in order if name in allowed), order[0])
    return {
        "Destination": codes.masked(attribute, codes.fake_address(pool, username, attribute)),
        "DeliveryMedium": MEDIUMS[attribute],
        "AttributeName": attribute,
    }
