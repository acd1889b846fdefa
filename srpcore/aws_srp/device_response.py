"""The response object that ``AWSSRP.confirm_device`` returns together with the device password."""

from __future__ import annotations

from ..protocol import JsonObject

__all__ = ["DeviceResponse"]


class DeviceResponse:
    """The service's reply to ConfirmDevice, in the form of a ``requests`` response.

    pycognito returns such a response. Programs read these three members of it.
    """

    def __init__(self, document: JsonObject) -> None:
        self._document = document
        self.status_code: int = document.get("ResponseMetadata", {}).get("HTTPStatusCode", 200)
        self.ok = self.status_code < 400

    def json(self) -> JsonObject:
        """Return the document of the reply."""
        return {key: value for key, value in self._document.items() if key != "ResponseMetadata"}

    def __repr__(self) -> str:
        return f"<Response [{self.status_code}]>"
