"""The calls of ``AWSSRP`` for a device: confirm, change the status, forget."""

from __future__ import annotations

from typing import Any

from ..driver import run
from ..flows import devices
from ..protocol import JsonObject
from ..resolve import as_transport
from .device_response import DeviceResponse

__all__ = ["DeviceCalls"]


class DeviceCalls:
    """What an AWSSRP does with a device after the log-in, over its ``client``."""

    client: Any
    access_token: str | None
    device_key: str | None
    device_group_key: str | None
    device_password: str | None
    device_name: str | None

    def confirm_device(self, tokens: JsonObject, device_name: str | None = None) -> tuple[DeviceResponse, str]:
        """Confirm the device that *tokens* (a reply with NewDeviceMetadata) names.

        Returns:
            the service's answer, and the device password: keep it with the two keys, as safe as a password.

        Raises:
            ServiceError: the service refused.
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
        """Mark the device as remembered or not, and return a line that says what the service answered.

        Raises:
            ServiceError: the service refused.
        """
        flow = devices.update_device_status(access_token, device_key, remembered=is_remembered)
        return self._device_line(run(flow, as_transport(self.client)), access_token, device_key)

    def forget_device(self, access_token: str, device_key: str) -> str:
        """Make the service forget the device, and return a line that says what the service answered.

        Raises:
            ServiceError: the service refused.
        """
        flow = devices.forget_device(access_token, device_key)
        return self._device_line(run(flow, as_transport(self.client)), access_token, device_key)

    def _device_line(self, reply: JsonObject, access_token: str, device_key: str) -> str:
        self.access_token, self.device_key = access_token, device_key
        response = DeviceResponse(reply)
        return f"{response} : {response.json()}"
