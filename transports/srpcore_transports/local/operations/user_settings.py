"""Operations on the second factors of a user that do not belong to a login.

AdminDeleteSoftwareToken lets a user who has lost the phone set up another one. AdminSetUserSettings and SetUserSettings
are the predecessors of the operations on MFA preferences, and know only SMS.
"""

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


def admin_delete_software_token(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer AdminDeleteSoftwareToken; it is not an error if the user does not have one."""
    _, user = directory.pool_and_user(state, parameters)
    user.totp_secret = user.totp_pending = None
    user.totp_name = ""
    user.enabled_mfa.discard("SOFTWARE_TOKEN_MFA")
    if user.preferred_mfa == "SOFTWARE_TOKEN_MFA":
        user.preferred_mfa = None
    user.modified = state.clock()
    return {}


def admin_set_user_settings(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer AdminSetUserSettings."""
    return _set_sms(*directory.pool_and_user(state, parameters), parameters)


def set_user_settings(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer SetUserSettings."""
    holder = verify_access_token(state, string(parameters, "AccessToken"))
    return _set_sms(holder.pool, holder.user, parameters)


def _set_sms(pool: PoolRecord, user: User, parameters: Parameters) -> dict[str, Any]:
    options: list[dict[str, Any]] = parameters["MFAOptions"]
    if not all(option == _SMS for option in options):
        raise invalid_parameter(
            "MFAOptions may only contain the DeliveryMedium SMS with the AttributeName phone_number."
        )
    return mfa.set_preference(pool, user, {"SMSMfaSettings": {"Enabled": bool(options)}})


OPERATIONS = {
    "AdminDeleteSoftwareToken": admin_delete_software_token,
    "AdminSetUserSettings": admin_set_user_settings,
    "SetUserSettings": set_user_settings,
}
