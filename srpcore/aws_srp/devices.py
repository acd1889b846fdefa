"""The methods of ``AWSSRP`` for a device: confirm it, mark it as remembered or not, delete it."""

from __future__ import annotations

from typing import Any

from ..driver import run
from ..flows import devices
from ..protocol import JsonObject
from ..resolve import as_transport
from .device_response import DeviceResponse

__all__ = ["DeviceCalls"]


class DeviceCalls:
    """The methods for a device. They are called after a login, and use ``client``."""

    client: Any
    access_token: str | None
    device_key: str | None
    device_group_key: str | None
    device_password: str | None
    device_name: str | None

    def confirm_device(self, tokens: JsonObject, device_name: str | None = None) -> tuple[DeviceResponse, str]:
        """Confirm the new device that NewDeviceMetadata in *tokens*, the reply to the login, names.

        Returns:
            the service's reply, and the device password. Store it together with the two keys, as safely as a password.

        Raises:
            ServiceError: the service refused the request.
            TransportError: the service did not answer.
        """
        result = tokens["AuthenticationResult"]
        metadata = result["NewDeviceMetadata"]
        flow = devices.confirm_device(
            result["AccessToken"], metadata["DeviceKey"], metadata["DeviceGroupKey"], name=device_name
        )
        reply, device = run(flow, as_transport(self.client))
        self.access_token = result["AccessToken"]
        self.device_key, self.device_group_key, self.device_name = device.key, device.group_key, device_name
        self.device_password = device.password
        return DeviceResponse(reply), device.password

    def update_device_status(self, is_remembered: bool, access_token: str, device_key: str) -> str:
        """Mark the device as remembered or not, and return the service's reply as a string.

        Raises:
            ServiceError: the service refused the request.
            TransportError: the service did not answer.
        """
        flow = devices.update_device_status(access_token, device_key, remembered=is_remembered)
        return self._format_reply(run(flow, as_transport(self.client)), access_token, device_key)

    def forget_device(self, access_token: str, device_key: str) -> str:
        """Delete the device from the service, and return the service's reply as a string.

        Raises:
            ServiceError: the service refused the request.
            TransportError: the service did not answer.
        """
        flow = devices.forget_device(access_token, device_key)
        return self._format_reply(run(flow, as_transport(self.client)), access_token, device_key)

    def _format_reply(self, reply: JsonObject, access_token: str, device_key: str) -> str:
        self.access_token, self.device_key = access_token, device_key
        response = DeviceResponse(reply)
        return f"{response} : {response.json()}"
