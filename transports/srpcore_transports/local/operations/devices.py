"""The operations on devices: confirm, update, forget, read and list them.

A device gets its key at a login. ConfirmDevice then gives the pool the verifier of the device's password, and from then
on the device can prove that it knows the password (see ``device_challenge`` in ``auth/srp.py``).
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from srpcore.crypto import cognito

from ..api.errors import Refusal, invalid_parameter, not_found
from ..api.parameters import Parameters, mapping, optional_string, string
from ..auth.token_verification import verify_access_token
from ..model.users import DeviceRecord, User, Verifier
from ..storage import directory, pages
from ..storage.state import State

__all__ = ["OPERATIONS"]

_SALT_BYTES = 64


def confirm_device(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer ConfirmDevice: store the salt and the verifier of the device's password."""
    grant = verify_access_token(state, string(parameters, "AccessToken"))
    device = _device(grant.user, parameters)
    password = _verifier(mapping(parameters, "DeviceSecretVerifierConfig"))
    if device.confirmed:
        raise Refusal("DeviceKeyExistsException", "Device already exists")
    device.password = password
    device.name = optional_string(parameters, "DeviceName") or ""
    device.modified = state.clock()
    prompts = bool(grant.pool.section("DeviceConfiguration").get("DeviceOnlyRememberedOnUserPrompt"))
    device.remembered = not prompts
    return {"UserConfirmationNecessary": prompts}


def _verifier(config: dict[str, Any]) -> Verifier:
    # Both values are big-endian bytes. The salt is signed (two's complement), because the service has been seen to send
    # a negative SALT. The verifier is never negative, and some clients leave out the leading zero byte that two's
    # complement needs, so it is read as unsigned.
    salt = _decode_number(config, "Salt", signed=True)
    verifier = _decode_number(config, "PasswordVerifier", signed=False)
    # With the verifier 0 or 1 anybody could compute the session key without the password. The salt is only hashed, so
    # any value is safe, but its size is limited.
    if not 1 < verifier < cognito.GROUP.N or salt.bit_length() > 8 * _SALT_BYTES:
        raise invalid_parameter("Invalid device secret verifier config given.")
    return Verifier.of(salt, verifier)


def _decode_number(config: dict[str, Any], name: str, *, signed: bool) -> int:
    try:
        data = base64.b64decode(string(config, name).encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise invalid_parameter("Invalid device secret verifier config given.") from None
    return int.from_bytes(data, "big", signed=signed)


def update_device_status(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer UpdateDeviceStatus: set whether the device is remembered."""
    return _update(state, verify_access_token(state, string(parameters, "AccessToken")).user, parameters)


def admin_update_device_status(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer AdminUpdateDeviceStatus."""
    return _update(state, directory.pool_and_user(state, parameters)[1], parameters)


def _update(state: State, user: User, parameters: Parameters) -> dict[str, Any]:
    device = _device(user, parameters)
    status = optional_string(parameters, "DeviceRememberedStatus")
    if not device.confirmed:
        raise invalid_parameter("Device is not confirmed.")
    if status is not None:
        device.remembered = status == "remembered"
        device.modified = state.clock()
    return {}


def forget_device(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer ForgetDevice."""
    grant = verify_access_token(state, string(parameters, "AccessToken"))
    del grant.user.devices[_device(grant.user, parameters).key]
    return {}


def admin_forget_device(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer AdminForgetDevice."""
    user = directory.pool_and_user(state, parameters)[1]
    del user.devices[_device(user, parameters).key]
    return {}


def get_device(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer GetDevice."""
    grant = verify_access_token(state, string(parameters, "AccessToken"))
    return {"Device": _device_fields(_device(grant.user, parameters))}


def admin_get_device(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer AdminGetDevice."""
    user = directory.find(state, state.pool(string(parameters, "UserPoolId")), string(parameters, "Username"))
    # In the service model AdminGetDevice has no UserNotFoundException, unlike the other operations on devices.
    if user is None:
        raise not_found("User does not exist.")
    return {"Device": _device_fields(_device(user, parameters))}


def list_devices(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer ListDevices, with at most 60 devices per page."""
    grant = verify_access_token(state, string(parameters, "AccessToken"))
    return _list(state, grant.user, parameters)


def admin_list_devices(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer AdminListDevices, with at most 60 devices per page."""
    return _list(state, directory.pool_and_user(state, parameters)[1], parameters)


def _list(state: State, user: User, parameters: Parameters) -> dict[str, Any]:
    confirmed = [device for device in user.devices.values() if device.confirmed]
    page, following = pages.requested_page(state, parameters, confirmed, token="PaginationToken")
    return {"Devices": [_device_fields(device) for device in page], **following}


def _device(user: User, parameters: Parameters) -> DeviceRecord:
    device = user.devices.get(string(parameters, "DeviceKey"))
    if device is None:
        raise not_found("Device does not exist.")
    return device


def _device_fields(device: DeviceRecord) -> dict[str, Any]:
    values = {
        "device_status": "valid",
        "device_name": device.name,
        "dev:device_remembered_status": "remembered" if device.remembered else "not_remembered",
    }
    return {
        "DeviceKey": device.key,
        "DeviceAttributes": [{"Name": name, "Value": value} for name, value in values.items() if value],
        "DeviceCreateDate": device.created,
        "DeviceLastModifiedDate": device.modified,
        "DeviceLastAuthenticatedDate": device.authenticated,
    }


OPERATIONS = {
    "ConfirmDevice": confirm_device,
    "UpdateDeviceStatus": update_device_status,
    "ForgetDevice": forget_device,
    "GetDevice": get_device,
    "ListDevices": list_devices,
    "AdminListDevices": admin_list_devices,
    "AdminGetDevice": admin_get_device,
    "AdminForgetDevice": admin_forget_device,
    "AdminUpdateDeviceStatus": admin_update_device_status,
}
