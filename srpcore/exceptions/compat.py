"""Exceptions that are also exceptions of botocore or requests, while that package is loaded.

Programs that were written for boto3 or pycognito catch botocore's classes, and for the fetch of a key set those of
requests. Both are optional dependencies, so an exception of ours cannot simply derive from them. Instead, the class is
chosen when an exception is made::

    NotAuthorizedException(response, "InitiateAuth")
        Compatible.__new__
            botocore.exceptions is in sys.modules  -> an instance of a class that derives from NotAuthorizedException
                                                      and from ClientError, and has the name NotAuthorizedException
            it is not                              -> an instance of NotAuthorizedException

An exception is made when it is raised, so botocore may also be imported later than this package. ``copy`` and
``pickle`` store the plain class, and choose again when they make the copy.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar, Final, Self, cast

from .._values import Value

__all__ = ["COUNTERPARTS", "REASONS", "Compatible", "Counterpart", "combined", "loaded"]


class Counterpart(Value):
    """The classes of other packages that one of our exceptions also is."""

    __slots__ = ("botocore", "kwargs", "requests")

    botocore: str
    """The name of the class in ``botocore.exceptions``."""
    kwargs: tuple[str, ...]
    """The names of botocore's constructor arguments, which are the keys of its attribute ``kwargs``."""
    requests: str
    """The name of the class in ``requests.exceptions``, for the fetch of a key set."""

    def __init__(self, botocore: str, kwargs: tuple[str, ...] = (), requests: str = "") -> None:
        self._set(botocore=botocore, kwargs=kwargs, requests=requests)


COUNTERPARTS: Final[Mapping[str, Counterpart]] = {
    # ServiceError
    "service": Counterpart("ClientError"),
    # InvalidRequest
    "request": Counterpart("ParamValidationError", ("report",)),
    # TransportError, by its attribute `reason`
    "connect": Counterpart("EndpointConnectionError", ("endpoint_url", "error"), "ConnectionError"),
    "proxy": Counterpart("ProxyConnectionError", ("proxy_url", "error"), "ProxyError"),
    "tls": Counterpart("SSLError", ("endpoint_url", "error"), "SSLError"),
    "closed": Counterpart("ConnectionClosedError", ("endpoint_url", "error"), "ConnectionError"),
    "answer": Counterpart("HTTPClientError", ("error",), "ConnectionError"),
    "document": Counterpart("HTTPClientError", ("error",), "JSONDecodeError"),
    "credentials": Counterpart("CredentialRetrievalError", ("provider", "error_msg")),
    # TransportTimeout, by its attribute `reason`
    "connect timeout": Counterpart("ConnectTimeoutError", ("endpoint_url", "error"), "ConnectTimeout"),
    "read timeout": Counterpart("ReadTimeoutError", ("endpoint_url", "error"), "ReadTimeout"),
}

REASONS: Final = tuple(name for name in COUNTERPARTS if name not in ("service", "request"))
"""The values of ``TransportError.reason``."""


class Compatible(Exception):
    """The base of our exceptions that are also exceptions of another package while that package is loaded."""

    _plain: ClassVar[type[Compatible] | None] = None
    _counterpart: ClassVar[str] = ""
    """The key in COUNTERPARTS if the arguments of the exception do not decide."""

    def __new__(cls, *args: Any, **keywords: Any) -> Self:
        """Make the exception, of the class that :meth:`_class_for` chooses."""
        made = cls._class_for(*args, **keywords)
        # Use the __new__ that the class inherits: a class that derives from OSError needs OSError.__new__.
        return super(Compatible, made).__new__(made)

    @classmethod
    def _class_for(cls, *_: Any, **__: Any) -> type[Self]:
        """Return the class of the exception that is made with these arguments."""
        return combined(cls, cls._counterpart)

    def _class_arguments(self) -> dict[str, Any]:
        """Return the keyword arguments of the constructor on which :meth:`_class_for` depends."""
        return {}

    def _botocore_kwargs(self, name: str) -> dict[str, str]:
        """Return botocore's attribute ``kwargs`` of the counterpart *name*."""
        url = str(getattr(self, "url", ""))
        values = {"endpoint_url": url, "proxy_url": url, "provider": "srpcore"}
        return {keyword: values.get(keyword, str(self)) for keyword in COUNTERPARTS[name].kwargs}

    def __reduce__(self) -> tuple[Any, ...]:
        # pickle finds a class by its name, and a class from combined() is not stored under a name.
        return _copied, (self.plain_class(), self.args, self._class_arguments()), vars(self)

    @classmethod
    def plain_class(cls) -> type[Self]:
        """Return our class without the bases that :func:`combined` added. pickle can find it by name."""
        return cast("type[Self]", vars(cls).get("_plain") or cls)


def _copied(cls: type[Compatible], args: tuple[Any, ...], keywords: dict[str, Any]) -> Compatible:
    copied = cls.__new__(cls, **keywords)
    copied.args = args
    return copied


def loaded(module: str, name: str) -> type[Exception] | None:
    """Return the class *name* of *module* if that module is loaded, else None."""
    # The attribute is missing while another thread is still importing the module. In a test the module may be None.
    found: type[Exception] | None = getattr(sys.modules.get(module), name, None) if name else None
    return found


def combined(
    cls: type[Compatible],
    counterpart: str,
    *,
    fetching: bool = False,
    raised: type[Exception] | None = None,
    name: str = "",
) -> type[Any]:
    """Return a subclass of *cls* and of its loaded counterparts, or *cls* itself if it needs no other class.

    Args:
        cls: the class of ours.
        counterpart: the key in COUNTERPARTS.
        fetching: whether a key set was being fetched, so that the class of requests counts too.
        raised: the exception class of the client under the transport.
        name: the ``__name__`` of the class, if it is not that of *cls*.
    """
    found = COUNTERPARTS[counterpart]
    botocore = raised or loaded("botocore.exceptions", found.botocore)
    requests = loaded("requests.exceptions", found.requests) if fetching else None
    bases = tuple(base for base in (botocore, requests) if base is not None and not issubclass(cls, base))
    if not bases and name in ("", cls.__name__):
        return cls
    return _make_class((cls, *bases), name or cls.__name__, counterpart)


@lru_cache(maxsize=256)  # limited, because every botocore session makes its own exception classes
def _make_class(bases: tuple[type[Compatible], *tuple[type[Exception], ...]], name: str, counterpart: str) -> type:
    cls = bases[0]
    namespace: dict[str, Any] = {
        "__doc__": cls.__doc__,
        "__module__": cls.__module__,
        "__qualname__": cls.__qualname__,
        "_plain": cls.plain_class(),
    }
    # The constructors of the other classes are not called. These are the attributes that they would set.
    if COUNTERPARTS[counterpart].kwargs:
        namespace["kwargs"] = property(lambda error: error._botocore_kwargs(counterpart))
    names = {f"{base.__module__}.{base.__name__}" for other in bases[1:] for base in other.__mro__}
    if names & {"botocore.exceptions.HTTPClientError", "requests.exceptions.RequestException"}:
        namespace |= {"request": None, "response": None}
    return type(name, bases, namespace)
