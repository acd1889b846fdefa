"""Define each method once, as a flow, and get the method of ``Cognito`` and of ``AsyncCognito`` from it.

::

    class PasswordMethods(CognitoBase):
        @sync_method
        def change_password(self, previous: str, proposed: str) -> Flow[None]:   # a generator: the protocol
            yield from call_method(self, "check_token")
            yield from ask("ChangePassword", ...)

    Cognito.change_password        a plain method: runs the flow
    AsyncCognito.change_password = async_method(PasswordMethods.change_password)    a coroutine method: awaits arun

A program may replace one of our methods with its own, in a subclass, on the class or on the object. It expects that
our other methods call the replacement. :func:`call_method` therefore looks each method up when it is needed. If the
method is ours, its flow continues within the present one, and no second driver is started. If it is the program's, the
flow yields a request, and the driver calls the method. A method that is written by hand in both classes, because it
takes a lock between flows, is called by the driver as well.

Whether a method is ours is decided by the identity of the function. An attribute on the function would not do:
``functools.wraps``, which every instrumentation library uses, copies attributes to the wrapper, and the wrapper would
be bypassed.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import update_wrapper, wraps
from types import FunctionType, MethodType
from typing import Any, Concatenate, ParamSpec, TypeVar, cast, overload

from ..driver import arun, run
from ..protocol import CallMethod, Flow

__all__ = ["async_method", "by_hand", "call_method", "flow_of", "is_ours", "sync_method", "written_twice"]

P = ParamSpec("P")
S = TypeVar("S")
T = TypeVar("T")
C = TypeVar("C", bound=Callable[..., Any])

# Our methods, and the flow of each. The value is None if the method is written by hand in both classes.
_OURS: dict[Callable[..., Any], Callable[..., Flow[Any]] | None] = {}


def sync_method(flow: Callable[Concatenate[S, P], Flow[T]]) -> Callable[Concatenate[S, P], T]:
    """Return a plain method with the parameters of the generator method *flow*. It returns the flow's result."""
    _show_result(flow)

    @wraps(flow)
    def method(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
        result: T = run(flow(self, *args, **kwargs), self._sender, observer=self._service_time)
        return result

    _OURS[method] = flow
    return method


@overload
def async_method(method: Callable[Concatenate[Any, P], T]) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]: ...
@overload
def async_method(
    method: Callable[Concatenate[Any, P], object], result: type[T]
) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]: ...
def async_method(
    method: Callable[Concatenate[Any, P], Any], result: type[Any] | None = None
) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, Any]]:
    """Return a coroutine method with the same flow as *method*, which :func:`sync_method` has made.

    If the flow returns objects of another class on ``AsyncCognito``, *result* is the type that it returns there.
    """
    from ..offload import in_thread  # imported only here: the synchronous methods do not need it

    flow = flow_of(method)

    @wraps(flow if result is None else _returning(flow, result))
    async def coroutine_method(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> Any:
        return await arun(flow(self, *args, **kwargs), self._sender, offload=in_thread, observer=self._service_time)

    _OURS[coroutine_method] = flow
    return coroutine_method


def by_hand(method: C) -> C:
    """Decorate the synchronous version of a method that is written by hand in both classes."""
    _OURS[method] = None
    return method


def written_twice(method: Callable[..., Any]) -> Callable[[C], C]:
    """Decorate the async version of *method* if both are written by hand. Its docstring becomes that of *method*."""

    def decorate(coroutine_method: C) -> C:
        coroutine_method.__doc__ = method.__doc__
        return by_hand(coroutine_method)

    return decorate


def is_ours(cognito: object, *names: str) -> bool:
    """Return whether all methods *names* of *cognito* are ours. One that a program has replaced is not."""
    return all(_function_of(getattr(cognito, name, None)) in _OURS for name in names)


def flow_of(method: Callable[..., Any]) -> Callable[..., Flow[Any]]:
    """Return the generator function behind a method of either class.

    Raises:
        LookupError: *method* is written by hand in both classes, or it is not ours.
    """
    flow = _OURS[method]
    if flow is None:
        raise LookupError(f"{method.__qualname__} is written by hand: it has no flow")
    return flow


def call_method(cognito: object, name: str, /, *arguments: Any, **keywords: Any) -> Flow[Any]:
    """Return a flow that runs the method *name* of *cognito*: ``result = yield from call_method(...)``.

    If the method is ours, it is the method's own flow. If a program has replaced the method, or it is written by hand,
    the driver calls it.
    """
    method = getattr(cognito, name)
    flow = _OURS.get(_function_of(method))
    if flow is None or method.__self__ is not cognito:
        return _call_replacement(lambda: method(*arguments, **keywords))
    return flow(cognito, *arguments, **keywords)


def _call_replacement(call: Callable[[], Any]) -> Flow[Any]:
    return (yield CallMethod(call))


def _function_of(method: object) -> Any:
    # A mock that replaces a method is not a bound method, so it has no function.
    return method.__func__ if isinstance(method, MethodType) else None


def _show_result(flow: Callable[..., Any]) -> None:
    """Annotate *flow* with the type of its result, which is what callers of the method get.

    ``help()`` and ``inspect.signature`` follow ``__wrapped__`` from the method to the flow. They should show ``None``
    and not ``Flow[None]``. (Annotations are strings here because of ``from __future__ import annotations``.)
    """
    annotation = flow.__annotations__["return"]
    flow.__annotations__["return"] = annotation.removeprefix("Flow[").removesuffix("]")


def _returning(flow: Callable[..., Any], result: type[Any]) -> Callable[..., Flow[Any]]:
    """Return a copy of *flow* whose annotation for the result is *result*."""
    function = cast(FunctionType, flow)
    copy: Any = FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__)
    update_wrapper(copy, flow)
    copy.__kwdefaults__ = function.__kwdefaults__
    copy.__annotations__ = {**function.__annotations__, "return": result}
    del copy.__wrapped__  # else the signature would be that of the flow
    return cast("Callable[..., Flow[Any]]", copy)
