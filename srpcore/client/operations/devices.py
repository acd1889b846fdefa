"""The user's present device: confirm it, mark it as remembered, forget it."""

from __future__ import annotations

from ...crypto.device import Device
from ...exceptions.base import ConfigurationError
from ...flows import devices, require_string
from ...protocol import Flow
from ..base import CognitoBase
from ..persistence import SharedPersistence
from ..sync_async import call_method, sync_method

__all__ = ["DeviceMethods"]


class SharedDevices(SharedPersistence):
    """Access to the object's device."""

    def _require_device(self) -> Device:
        if self.device is None:
            raise ConfigurationError("no device: call confirm_device after a login, or give one to the constructor")
        return self.device


class DeviceMethods(SharedDevices, CognitoBase):
    """Confirm this device, so that later logins can prove that they come from it."""

    @sync_method
    def confirm_device(self, device_name: str | None = None, *, remember: bool = True) -> Flow[Device]:
        """Confirm the new device that the last login got, set it as ``device`` and return it.

        Store the returned device as safely as a password, and give it to the constructor the next time.

        Args:
            device_name: the name to show to the user in a list of devices; the name of this computer by default.
            remember: whether to remember the device, if the pool lets the user decide.

        Raises:
            ConfigurationError: the last login got no new device; nothing was sent.
            AccessTokenRequired: the object has no access token; nothing was sent.
            UnsafeServerValue: the last login got a device without a key; nothing was sent.
            ServiceError: the service refused the request.
            StoreError: the device was confirmed, but could not be stored.
            TransportError: the service did not answer.
        """
        metadata = self.new_device_metadata
        if metadata is None:
            raise ConfigurationError(
                "no new device: the last login came from a known device, or the pool does not track devices"
            )
        access_token = self._require_access_token()
        key, group_key = require_string(metadata, "DeviceKey"), require_string(metadata, "DeviceGroupKey")
        reply, device = yield from devices.confirm_device(access_token, key, group_key, name=device_name)
        self.device, self.new_device_metadata = device, None
        yield from self._save_device()
        if reply.get("UserConfirmationNecessary") and remember:
            yield from call_method(self, "update_device_status", True)
        return device

    @sync_method
    def update_device_status(self, remembered: bool) -> Flow[None]:
        """Mark ``device`` as remembered, or as not remembered.

        Raises:
            AccessTokenRequired: the object has no access token; nothing was sent.
            ConfigurationError: the object has no device; nothing was sent.
            ServiceError: the service refused the request.
            TransportError: the service did not answer.
        """
        access_token, key = self._require_access_token(), self._require_device().key
        yield from devices.update_device_status(access_token, key, remembered=remembered)

    @sync_method
    def forget_device(self) -> Flow[None]:
        """Delete ``device`` from the service, and drop it here and in the store.

        Raises:
            AccessTokenRequired: the object has no access token; nothing was sent.
            ConfigurationError: the object has no device; nothing was sent.
            ServiceError: the service refused the request.
            StoreError: the device was deleted, but could not be removed from the store.
            TransportError: the service did not answer.
        """
        access_token, key = self._require_access_token(), self._require_device().key
        yield from devices.forget_device(access_token, key)
        self.device = None
        yield from self._save_device()
