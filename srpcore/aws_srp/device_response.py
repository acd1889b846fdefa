"""What ``AWSSRP.confirm_device`` returns beside the device password."""

from __future__ import annotations

from ..protocol import JsonObject

__all__ = ["DeviceResponse"]


class DeviceResponse:
    """The service's answer to ConfirmDevice, with the three things of a ``requests`` response that programs read."""

    def __init__(self, document: JsonObject) -> None:
        self._document = document
        self.status_code: int = document.get("ResponseMetadata", {}).get("HTTPStatusCode", 200)
        self.ok = self.status_code < 400

    def json(self) -> JsonObject:
        """Return the answer's document."""
        return {key: value for key, value in self._document.items() if key != "ResponseMetadata"}

    def __repr__(self) -> str:
        return f"<Response [{self.status_code}]>"
