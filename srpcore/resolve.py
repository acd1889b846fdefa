"""The one line of the core that reaches a transport: by name, when it is first needed."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from .exceptions.base import ConfigurationError
from .wire import Transport

__all__ = ["make_transport", "transport_module"]

_CLASSES = {"https": "HttpsTransport", "botocore": "BotocoreTransport"}


def transport_module(name: str) -> Any:
    """Return the module ``srpcore_transports.<name>``.

    Raises:
        ConfigurationError: the module needs a package that is not installed.
    """
    try:
        return import_module(f"srpcore_transports.{name}")
    except ModuleNotFoundError as error:
        extra = name.split(".", 1)[0]
        raise ConfigurationError(f"{error.name} is not installed: pip install 'srpcore[{extra}]'") from error


def make_transport(name: str | None, **arguments: Any) -> Transport:
    """Return the transport *name* (``https`` or ``botocore``); None is ``SRPCORE_TRANSPORT``, else ``https``.

    Raises:
        ConfigurationError: there is no transport of that name, or *arguments* do not suit it.
    """
    chosen = name or os.environ.get("SRPCORE_TRANSPORT") or "https"
    if chosen not in _CLASSES:
        raise ConfigurationError(f"there is no transport {chosen!r}: choose one of {', '.join(_CLASSES)}")
    transport: Transport = getattr(transport_module(chosen), _CLASSES[chosen])(**arguments)
    return transport
