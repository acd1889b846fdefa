"""The device that the user is on: confirm it, have it remembered, forget it."""

from __future__ import annotations

from ...crypto.device import Device
from ...exceptions.base import ConfigurationError
from ...flows import devices
from ...protocol import Flow
from ..base import AsyncCognitoBase, CognitoBase
from ..persistence import PersistenceState
from ..sync_async import async_method, sync_method, through

__all__ = ["AsyncDeviceMethods", "DeviceMethods"]


class DeviceState(PersistenceState):
    """The device at hand."""

    def _require_device(self) -> Device:
        if self.device is None:
            raise ConfigurationError("there is no device: confirm one, or give it to the constructor")
        return self.device


class DeviceMethods(DeviceState, CognitoBase):
    """Remember this device, so that later log-ins prove it."""

    @sync_method
    def confirm_device(self, device_name: str | None = None, *, remember: bool = True) -> Flow[Device]:
        """Confirm the device that the last log-in named, keep it as ``device`` and return it.

        Keep it too (as safe as a password) and give it to the constructor the next time. Where the pool leaves it to
        the user whether a device is remembered, *remember* decides.

        Raises:
            ConfigurationError: the last log-in named no new device; nothing was sent.
            AccessTokenRequired: nobody is logged in; nothing was sent.
            ServiceError: the service refused.
        """
        metadata = self.new_device_metadata
        if metadata is None:
            raise ConfigurationError("the last log-in named no new device: it is known, or the pool keeps no devices")
        access_token = self._require_access_token()
        reply, device = yield from devices.confirm_device(
            access_token, metadata["DeviceKey"], metadata["DeviceGroupKey"], name=device_name
        )
        self.device, self.new_device_metadata = device, None
        yield from self._save_device()
        if reply.get("UserConfirmationNecessary") and remember:
            yield from through(self, "update_device_status", True)
        return device

    @sync_method
    def update_device_status(self, remembered: bool) -> Flow[None]:
        """Have the service remember ``device``, or not.

        Raises:
            ConfigurationError: there is no device; nothing was sent.
            ServiceError: the service refused.
        """
        access_token, key = self._require_access_token(), self._require_device().key
        yield from devices.update_device_status(access_token, key, remembered=remembered)

    @sync_method
    def forget_device(self) -> Flow[None]:
        """Make the service forget ``device``, and drop it.

        Raises:
            ConfigurationError: there is no device; nothing was sent.
            ServiceError: the service refused.
        """
        access_token, key = self._require_access_token(), self._require_device().key
        yield from devices.forget_device(access_token, key)
        self.device = None
        yield from self._save_device()


class AsyncDeviceMethods(DeviceState, AsyncCognitoBase):
    """Remember this device, so that later log-ins prove it, on an event loop."""

    confirm_device = async_method(DeviceMethods.confirm_device)
    update_device_status = async_method(DeviceMethods.update_device_status)
    forget_device = async_method(DeviceMethods.forget_device)
