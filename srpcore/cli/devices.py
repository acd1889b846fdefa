"""``srpcore devices`` and ``srpcore passkeys``: what the user who is logged in has registered."""

from __future__ import annotations

import argparse

from ..users import cognito_to_dict
from .output import as_json, note, print_json, print_table
from .session import fresh_login
from .settings import settings_of

__all__ = ["forget", "list_devices", "list_passkeys"]


def list_devices(arguments: argparse.Namespace) -> int:
    """List the remembered devices.

    Raises:
        SrpcoreError: nobody is logged in, or the service refused the request.
    """
    with fresh_login(settings_of(arguments)) as user:
        devices = [
            {
                "key": device.get("DeviceKey"),
                "name": cognito_to_dict(device.get("DeviceAttributes", [])).get("device_name"),
                "created": device.get("DeviceCreateDate"),
                "last_login": device.get("DeviceLastAuthenticatedDate"),
            }
            for device in user.list_devices()
        ]
    if as_json(arguments):
        print_json(devices)
    else:
        print_table(("KEY", "NAME", "CREATED", "LAST LOGIN"), [[*device.values()] for device in devices])
    return 0


def forget(arguments: argparse.Namespace) -> int:
    """Forget a device.

    Raises:
        SrpcoreError: nobody is logged in, or the service does not know the device.
    """
    with fresh_login(settings_of(arguments)) as user:
        user.client.forget_device(AccessToken=user.tokens.access_token, DeviceKey=arguments.key)
    note(f"The device {arguments.key} was forgotten.")
    return 0


def list_passkeys(arguments: argparse.Namespace) -> int:
    """List the passkeys.

    Raises:
        SrpcoreError: nobody is logged in, or the service refused the request.
    """
    with fresh_login(settings_of(arguments)) as user:
        passkeys = [
            {
                "id": credential.get("CredentialId"),
                "name": credential.get("FriendlyCredentialName"),
                "relying_party": credential.get("RelyingPartyId"),
                "created": credential.get("CreatedAt"),
            }
            for credential in user.list_web_authn_credentials()
        ]
    if as_json(arguments):
        print_json(passkeys)
    else:
        print_table(("ID", "NAME", "RELYING PARTY", "CREATED"), [[*passkey.values()] for passkey in passkeys])
    return 0
