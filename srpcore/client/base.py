"""The base class of ``Cognito``, which runs flows synchronously, and a map of the classes of this package.

A subject X (passwords, devices, ...) has two classes, and a third if both need the same helpers::

    SharedX        what both versions use; it does not run a flow
    XMethods       the methods of Cognito, each made from a flow by sync_method
    AsyncXMethods  the methods of AsyncCognito, each made from the same flow by async_method

    LoginMethods, SignInMethods ─► TokenMethods ─► RefreshMethods ─► KeyMethods ─► CognitoBase
    PreparationMethods ─► KeyMethods
    DirectoryMethods ─► ProfileMethods ─► CognitoBase
    all other XMethods ─► CognitoBase ─► CognitoAttributes (the constructor)

    SharedRefresh ─► SharedKeys ─► SharedPersistence
    SharedLogin, SharedSignIn, SharedDevices ─► SharedPersistence ─► CognitoAttributes
    SharedStreams ─► SharedDirectory ─► SharedProfile ─► CognitoAttributes
    SharedSignUp ─► CognitoAttributes

``Cognito`` inherits all XMethods, and ``AsyncCognito`` all AsyncXMethods, which form the same chains and end in
:class:`~srpcore.client.async_base.AsyncCognitoBase`. The classes of ``AsyncCognito`` are in the modules ``async_*``: a
program without an event loop does not import them. A chain is there because a method calls another: a login sets
tokens, which is done as in a refresh, which verifies them with the keys. The methods are inherited, instead of being
those of attributes such as ``user.devices``, because programs written for pycognito call, override and patch the
methods of ``Cognito`` itself.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, Self, TypeVar

from ..driver import run
from ..protocol import Flow, Operation, Reply, Transport
from ..resolve import (
    as_client,
    as_transport,
    botocore_transport,
    is_client_of,
    make_transport,
)
from .attributes import CognitoAttributes

__all__ = ["CognitoBase", "is_replaced"]

T = TypeVar("T")


class CognitoBase(CognitoAttributes):
    """The base of ``Cognito``: a method blocks until the reply has arrived."""

    _owns_transport: bool = False

    @cached_property
    def _transport(self) -> Transport:
        # The constructor sets the attribute. This is for an object that was made without the constructor.
        return _AtFirstUse(self._open_default_transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the connections, unless the transport was given to the constructor. A later call opens them again."""
        if self._owns_transport:
            self._transport.close()

    @property
    def client(self) -> Any:
        """Every operation of the service as a method, on any transport. On botocore it is botocore's own client."""
        return as_client(self._transport, self.user_pool_region, self.pool_domain_url, observer=self._service_time)

    @client.setter
    def client(self, client: Any) -> None:
        if is_client_of(self.__dict__.get("_transport"), client):
            return
        self.close()
        self._use_transport(as_transport(client, allow_http=self._allow_http))
        self._follow_endpoint(client)

    def switch_session(self, session: object) -> None:
        """Use a new ``cognito-idp`` client of *session*, which is a boto3 or botocore session, from now on."""
        self.close()
        self._open_transport(lambda: botocore_transport({}, session, allow_http=self._allow_http))
        self._assign_client()

    @property
    def _sender(self) -> Transport:
        """The transport that operations use: that of ``client`` if a subclass or a test has replaced our property."""
        if type(self).client is _CLIENT:
            return self._transport
        return as_transport(self.client, allow_http=self._allow_http)

    def _assign_client(self) -> None:
        if is_replaced(type(self), _CLIENT):
            self.client = _CLIENT.__get__(self)

    def _open_transport(self, make: Callable[[], Transport]) -> None:
        self._transport, self._owns_transport = make(), True
        if self.pool_domain_url is None:  # an AWS profile may set the endpoint of a botocore client
            self._follow_endpoint(self._transport)

    def _open_named_transport(self, name: str | None, **arguments: Any) -> None:
        self._open_transport(lambda: make_transport(name, **arguments))

    def _use_transport(self, transport: Any) -> None:
        self._transport, self._owns_transport = transport, False

    def _run(self, flow: Flow[T]) -> T:
        return run(flow, self._sender, observer=self._service_time)


# Kept here, because a test may replace the property on the class.
_CLIENT: Any = vars(CognitoBase)["client"]


def is_replaced(kind: type, ours: object) -> bool:
    """Return whether *kind* has another attribute ``client`` than *ours*, and one that can be set."""
    member = next(vars(base)["client"] for base in kind.__mro__ if "client" in vars(base))
    return member is not ours and getattr(member, "fset", ours) is not None


class _AtFirstUse:
    """A transport that *make* makes when it is first needed."""

    def __init__(self, make: Callable[[], Transport]) -> None:
        self._make = make

    @cached_property
    def _made(self) -> Transport:
        return self._make()

    @property
    def botocore_client(self) -> Any:
        """The botocore client of the transport, or None."""
        return getattr(self._made, "botocore_client", None)

    def call(self, operation: Operation) -> Reply:
        return self._made.call(operation)

    def fetch(self, url: str) -> bytes:
        return self._made.fetch(url)

    def prepare(self, *, connect: bool = True) -> None:
        from ..threaded import prepare_method  # imported only here: few programs call this

        method = prepare_method(self._made)
        if method is not None:
            method(connect=connect)

    def close(self) -> None:
        self._made.close()
