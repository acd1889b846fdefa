"""``Cognito.client``: every operation of the service as a method, on any transport, as in a boto3 client."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .driver import Observer, arun, run
from .exceptions.base import ConfigurationError
from .exceptions.service import ServiceError
from .flows import ask
from .pool import default_endpoint
from .protocol import AsyncTransport, Flow, JsonObject, Transport, is_operation_name
from .service_model import BOTOCORE_VERSION, OPERATIONS, PAGES

if TYPE_CHECKING:
    from .paginator import Paginator

__all__ = ["AsyncServiceClient", "ServiceClient"]


class _Client(ABC):
    """The part that both clients share: the operations by name, the error classes, the region."""

    def __init__(self, transport: object, region: str, endpoint_url: str | None) -> None:
        url = getattr(transport, "endpoint_url", None)
        self.meta = ClientMeta(region, url if isinstance(url, str) else endpoint_url or default_endpoint(region))
        self.exceptions = ClientExceptions()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        operation = OPERATIONS.get(name)
        if operation is None:
            raise AttributeError(_unknown_attribute(self, name))

        def call(**parameters: Any) -> Any:
            return self._drive(ask(operation, parameters))

        call.__name__ = name
        call.__qualname__ = f"{type(self).__name__}.{name}"
        call.__doc__ = f"Send {operation} with the members of the request as keyword arguments; return the answer."
        return call

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *OPERATIONS})

    @abstractmethod
    def _drive(self, flow: Flow[JsonObject]) -> Any: ...

    def can_paginate(self, method: str) -> bool:
        """Return whether *method* replies in pages."""
        return OPERATIONS.get(method) in PAGES


class ServiceClient(_Client):
    """The operations of the service as methods. A method takes the members of the request and returns the reply.

    ``client.list_devices(AccessToken=...)`` sends ListDevices. If the service answers with an error, a ``ServiceError``
    is raised.
    """

    def __init__(
        self, transport: Transport, region: str, endpoint_url: str | None = None, *, observer: Observer | None = None
    ) -> None:
        super().__init__(transport, region, endpoint_url)
        self.transport = transport
        self._observer = observer

    def _drive(self, flow: Flow[JsonObject]) -> JsonObject:
        return run(flow, self.transport, observer=self._observer)

    def call(self, operation: str, /, *, signed: bool | None = None, **parameters: object) -> JsonObject:
        """Send any operation by the API's name for it, and return the answer's document.

        This also reaches operations that are newer than this library: ``client.call("NewOperation", UserPoolId=...)``.

        Args:
            operation: the name in the API reference, for example ``ListUsers``.
            signed: whether to sign the request with AWS credentials. By default the service model decides; an
                operation that it does not have is signed.
            parameters: the members of the request.

        Raises:
            ConfigurationError: *operation* is not a name of letters and digits. Nothing was sent.
            ServiceError: the service answered with an error.
            TransportError: the service did not answer.
        """
        return self._drive(_call(operation, parameters, signed))

    def get_paginator(self, method: str) -> Paginator:
        """Return an object whose ``paginate(**parameters)`` returns the pages of *method*, as botocore's does.

        Raises:
            ConfigurationError: the method does not reply in pages.
        """
        if not self.can_paginate(method):
            raise ConfigurationError(f"{method} does not reply in pages: call it as a method")
        from .paginator import Paginator  # imported only here, because a login does not need it

        return Paginator(getattr(self, method), PAGES[OPERATIONS[method]])

    def close(self) -> None:
        """Release the connections of the transport."""
        self.transport.close()


class AsyncServiceClient(_Client):
    """The service's operations as coroutine methods: ``await client.list_devices(AccessToken=...)``."""

    def __init__(
        self,
        transport: AsyncTransport,
        region: str,
        endpoint_url: str | None = None,
        *,
        observer: Observer | None = None,
    ) -> None:
        super().__init__(transport, region, endpoint_url)
        self.transport = transport
        self._observer = observer

    def _drive(self, flow: Flow[JsonObject]) -> Coroutine[Any, Any, JsonObject]:
        return arun(flow, self.transport, observer=self._observer)

    async def call(self, operation: str, /, *, signed: bool | None = None, **parameters: object) -> JsonObject:
        """Send any operation by the API's name for it: the async version of ``ServiceClient.call``.

        Raises:
            ConfigurationError: *operation* is not a name of letters and digits. Nothing was sent.
            ServiceError: the service answered with an error.
            TransportError: the service did not answer.
        """
        return await self._drive(_call(operation, parameters, signed))

    async def close(self) -> None:
        """Release the connections of the transport."""
        await self.transport.close()


class ClientMeta:
    """``client.meta``: the region and the URL that the client calls, and botocore's service model.

    Attributes:
        region_name: the AWS region.
        endpoint_url: the URL that operations are sent to.
        method_to_api_mapping: the API's name of each method.
    """

    method_to_api_mapping = OPERATIONS

    def __init__(self, region_name: str, endpoint_url: str) -> None:
        self.region_name = region_name
        self.endpoint_url = endpoint_url

    @property
    def service_model(self) -> Any:
        """The service model, an object of botocore. The attribute does not exist if botocore is not installed.

        Raises:
            AttributeError: botocore is not installed.
        """
        try:
            session = import_module("botocore.session")
        except ModuleNotFoundError:
            raise AttributeError("service_model needs botocore: pip install 'srpcore[botocore]'") from None
        return session.get_session().get_service_model("cognito-idp")


class ClientExceptions:
    """``client.exceptions``: the error classes by the names of the service model."""

    ClientError = ServiceError

    def __getattr__(self, name: str) -> type[ServiceError]:
        from .exceptions import service_exceptions  # importing it is slow

        if name in service_exceptions.__all__:
            found: type[ServiceError] = getattr(service_exceptions, name)
            return found
        hint = _closest(name, service_exceptions.__all__)
        raise AttributeError(
            f"the service model has no exception {name!r}{hint or '.'} "
            "If it is newer than this library, catch ServiceError and compare its code."
        )

    def from_code(self, code: str) -> type[ServiceError]:
        """Return the class for the error *code* of the service, or ``ClientError`` if the model does not have it."""
        from .exceptions import service_exceptions

        found: type[ServiceError] = getattr(service_exceptions, code, ServiceError)
        return found if code in service_exceptions.__all__ else ServiceError

    def __dir__(self) -> list[str]:
        from .exceptions import service_exceptions

        return sorted({*super().__dir__(), *service_exceptions.__all__})


def _call(operation: str, parameters: Mapping[str, object], signed: bool | None) -> Flow[JsonObject]:
    if not is_operation_name(operation):
        raise ConfigurationError(
            f"invalid operation name {operation!r}: use the API reference's name, for example 'ListUsers'"
        )
    return ask(operation, parameters, signed=signed)


def _unknown_attribute(client: _Client, name: str) -> str:
    message = f"{type(client).__name__!r} object has no attribute {name!r}"
    if name.startswith("_"):
        return message  # copy, pickle and inspect look such names up, and expect a plain AttributeError
    hint = _closest(name, dir(client)) or "."
    return f"{message}{hint} An operation newer than botocore {BOTOCORE_VERSION} is sent by call('OperationName', ...)"


def _closest(name: str, names: list[str]) -> str:
    from difflib import get_close_matches

    found = get_close_matches(name, [each for each in names if not each.startswith("_")], n=1)
    return f": did you mean {found[0]!r}?" if found else ""
