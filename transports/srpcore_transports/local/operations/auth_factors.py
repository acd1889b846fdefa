"""The operations that list the factors with which a user can log in."""

from __future__ import annotations

from typing import Any

from ..api.parameters import Parameters, string
from ..auth import choice, mfa
from ..auth.token_verification import verify_access_token
from ..model.pools import PoolRecord
from ..model.users import User
from ..storage import directory
from ..storage.state import State

__all__ = ["OPERATIONS"]


def get_user_auth_factors(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer GetUserAuthFactors."""
    grant = verify_access_token(state, string(parameters, "AccessToken"))
    return _factors(grant.pool, grant.user)


def admin_get_user_auth_factors(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer AdminGetUserAuthFactors."""
    return _factors(*directory.pool_and_user(state, parameters))


def _factors(pool: PoolRecord, user: User) -> dict[str, Any]:
    return {
        "Username": user.username,
        **mfa.settings_of(user),
        "ConfiguredUserAuthFactors": choice.configured(pool, user),
    }


OPERATIONS = {
    "GetUserAuthFactors": get_user_auth_factors,
    "AdminGetUserAuthFactors": admin_get_user_auth_factors,
}
