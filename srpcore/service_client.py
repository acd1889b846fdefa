"""``Cognito.client``: every operation of the service as a method, on any transport, in boto3's manner."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from .drive import arun, run
from .exceptions import service
from .exceptions.base import ConfigurationError, UnsafeServerValue
from .flows import ask
from .wire import AsyncTransport, Document, Flow, Transport

__all__ = ["AsyncServiceClient", "ServiceClient", "operation_name"]

# The API's names that capitalise more than a word's first letter.
_ACRONYMS = {"mfa": "MFA", "ui": "UI", "csv": "CSV"}
_EXCEPTIONS = {"get_user_pool_mfa_config": "GetUserPoolMfaConfig", "set_user_pool_mfa_config": "SetUserPoolMfaConfig"}


def operation_name(method: str) -> str:
    """Return the API's name of the boto3-style *method*: ``initiate_auth`` is ``InitiateAuth``."""
    if method in _EXCEPTIONS:
        return _EXCEPTIONS[method]
    return "".join(_ACRONYMS.get(word, word.capitalize()) for word in method.split("_"))


class _Client:
    """What both clients have: the operations by name, the error classes, the region."""

    def __init__(self, region: str) -> None:
        self.meta = ClientMeta(region)
        self.exceptions = ClientExceptions()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if not re.fullmatch(r"[a-z]+(_[a-z]+)+", name, re.ASCII):
            raise AttributeError(name)
        operation = operation_name(name)

        def call(**parameters: Any) -> Any:
            return self._drive(ask(operation, parameters))

        call.__name__ = name
        return call

    def _drive(self, flow: Flow[Document]) -> Any:
        raise NotImplementedError

    def can_paginate(self, method: str) -> bool:
        """Say whether *method* answers in pages."""
        return method in _PAGED


class ServiceClient(_Client):
    """The service's operations as methods that take the API's parameters and return its document.

    ``client.list_devices(AccessToken=...)`` sends ListDevices. An error document is raised as a ``ServiceError``.
    """

    def __init__(self, transport: Transport, region: str) -> None:
        super().__init__(region)
        self.transport = transport

    def _drive(self, flow: Flow[Document]) -> Document:
        return run(flow, self.transport)

    def get_paginator(self, method: str) -> Paginator:
        """Return an object whose ``paginate(**parameters)`` yields the pages of *method*.

        Raises:
            ConfigurationError: the method does not answer in pages.
        """
        if method not in _PAGED:
            raise ConfigurationError(f"{method} does not answer in pages: call it as a method")
        return Paginator(getattr(self, method), _PAGED[method])

    def close(self) -> None:
        """Release what the transport holds."""
        self.transport.close()


class AsyncServiceClient(_Client):
    """The service's operations as coroutine methods: ``await client.list_devices(AccessToken=...)``."""

    def __init__(self, transport: AsyncTransport, region: str) -> None:
        super().__init__(region)
        self.transport = transport

    def _drive(self, flow: Flow[Document]) -> Coroutine[Any, Any, Document]:
        return arun(flow, self.transport)

    async def close(self) -> None:
        """Release what the transport holds."""
        await self.transport.close()


class ClientMeta:
    """``client.meta``: the region that the client speaks to."""

    def __init__(self, region_name: str) -> None:
        self.region_name = region_name


class ClientExceptions:
    """``client.exceptions``: the error classes by the names of the service model."""

    ClientError = service.ServiceError

    def __getattr__(self, name: str) -> type[service.ServiceError]:
        found = getattr(service, name, None)
        if isinstance(found, type) and issubclass(found, service.ServiceError):
            return found
        raise AttributeError(name)


class Paginator:
    """The pages of one operation: the token of each answer goes into the next request."""

    def __init__(self, method: Callable[..., Document], token: str) -> None:
        self._method = method
        self._token = token

    def paginate(self, **parameters: Any) -> Iterator[Document]:
        """Yield page after page, until an answer has no token.

        Raises:
            UnsafeServerValue: an answer has the token of its own request: the pages would have no end.
        """
        while True:
            page = self._method(**parameters)
            yield page
            token = page.get(self._token)
            if not token:
                return
            if token == parameters.get(self._token):
                raise UnsafeServerValue(f"the service sent the same {self._token} twice: the pages would have no end")
            parameters = {**parameters, self._token: token}


_PAGED: dict[str, str] = {
    **dict.fromkeys(
        ("admin_list_devices", "list_devices", "list_user_import_jobs", "list_users"),
        "PaginationToken",
    ),
    **dict.fromkeys(
        (
            "admin_list_groups_for_user",
            "admin_list_user_auth_events",
            "admin_list_user_sessions",
            "list_groups",
            "list_identity_providers",
            "list_resource_servers",
            "list_terms",
            "list_user_pool_client_secrets",
            "list_user_pool_clients",
            "list_user_pool_replicas",
            "list_user_pools",
            "list_user_sessions",
            "list_users_in_group",
            "list_web_authn_credentials",
        ),
        "NextToken",
    ),
}
