"""Send the token of a logged-in user with HTTP requests: for requests, httpx and aiohttp, one module each.

Each module imports only its own library, and ``import srpcore`` imports none of them.

Theory of operation
===================

All three do the same::

    refresh the tokens if they have expired
    send the request with Authorization: Bearer <token>
    is the answer 401, and can the request be sent again?
        yes: did another thread or task refresh the tokens meanwhile?
                 no: refresh them, once for all threads and tasks that wait
             send the request once more, with the present token
        no:  return the answer

A server may answer 401 although the token has not expired, for example because the user has logged out everywhere. Then
the refresh fails, and its error is raised: the user must log in again.

The token is as secret as a password for an hour, so it must not reach another server. If ``origins`` is given, only
requests to these get it. A redirect to another origin never gets it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    from . import aiohttp, httpx, requests

# The public modules. They are imported lazily, because each needs its library.
__all__ = ["aiohttp", "httpx", "requests"]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> ModuleType:
        if name in __all__:
            return import_module(f"{__name__}.{name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
