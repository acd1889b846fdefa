"""SetUserSettings and AdminSetUserSettings: the predecessors of SetUserMFAPreference, which know only SMS."""

from __future__ import annotations

from typing import Any

from ..api.errors import invalid_parameter
from ..api.parameters import Parameters, string
from ..auth.token_verification import verify_access_token
from ..model.addresses import MEDIUMS
from ..model.pools import PoolRecord
from ..model.users import User
from ..storage import directory
from ..storage.state import State
from . import mfa

__all__ = ["OPERATIONS"]

_SMS = {"DeliveryMedium": MEDIUMS["phone_number"], "AttributeName": "phone_number"}


def admin_set_user_settings(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer AdminSetUserSettings."""
    return _set_sms(*directory.pool_and_user(state, parameters), parameters)


def set_user_settings(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer SetUserSettings."""
    grant = verify_access_token(state, string(parameters, "AccessToken"))
    return _set_sms(grant.pool, grant.user, parameters)


def _set_sms(pool: PoolRecord, user: User, parameters: Parameters) -> dict[str, Any]:
    options: list[dict[str, Any]] = parameters["MFAOptions"]
    if not all(option == _SMS for option in options):
        raise invalid_parameter(
            "MFAOptions may only contain the DeliveryMedium SMS with the AttributeName phone_number."
        )
    return mfa.set_preference(pool, user, {"SMSMfaSettings": {"Enabled": bool(options)}})


OPERATIONS = {
    "AdminSetUserSettings": admin_set_user_settings,
    "SetUserSettings": set_user_settings,
}
