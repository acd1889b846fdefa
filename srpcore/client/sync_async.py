"""One definition for ``Cognito`` and ``AsyncCognito``: each method is written once, as a flow, and driven two ways.

::

    class PasswordMethods(CognitoBase):
        @sync_method
        def change_password(self, previous: str, proposed: str) -> Flow[None]:   # a generator: the protocol
            yield from through(self, "check_token")
            yield from ask("ChangePassword", ...)

    Cognito.change_password        a plain method: runs the flow
    AsyncCognito.change_password = async_method(PasswordMethods.change_password)      a coroutine method: awaits it

A program may put a method of its own in place of one of ours, in a subclass, on the class or on the object, and
expects that our other methods call it. :func:`through` therefore looks each method up when it is needed. If it is
ours, its flow continues within the present one: no second driver is started. If it is the program's, the driver is
asked to call it.

Whether a method is ours is decided by the identity of the function. An attribute on the function would not do:
``functools.wraps``, which every instrumentation library uses, copies attributes to the wrapper, and the wrapper would
be bypassed.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from types import MethodType
from typing import Any, Concatenate, ParamSpec, TypeVar

from ..protocol import CallMethod, Flow

__all__ = ["async_method", "flow_of", "is_ours", "sync_method", "through", "written_twice"]

P = ParamSpec("P")
S = TypeVar("S")
T = TypeVar("T")
C = TypeVar("C", bound=Callable[..., Any])

# The functions that are ours, and the flow of each; None if the function is written by hand in both classes.
_OURS: dict[Callable[..., Any], Callable[..., Flow[Any]] | None] = {}


def sync_method(flow: Callable[Concatenate[S, P], Flow[T]]) -> Callable[Concatenate[S, P], T]:
    """Make the generator method *flow* a plain method, with the same parameters, that returns the flow's result."""
    _show_result(flow)

    @wraps(flow)
    def method(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
        result: T = self._run(flow(self, *args, **kwargs))
        return result

    _OURS[method] = flow
    return method


def async_method(method: Callable[Concatenate[Any, P], T]) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]:
    """Return the coroutine method with the same flow as *method*, which :func:`sync_method` has made."""
    flow = flow_of(method)

    @wraps(flow)
    async def coroutine_method(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
        result: T = await self._run(flow(self, *args, **kwargs))
        return result

    _OURS[coroutine_method] = flow
    return coroutine_method


def written_twice(method: Callable[..., Any]) -> Callable[[C], C]:
    """Decorate the coroutine version, written by hand, of *method*, which is written by hand as well."""

    def decorate(coroutine_method: C) -> C:
        coroutine_method.__doc__ = method.__doc__
        _OURS[method] = _OURS[coroutine_method] = None
        return coroutine_method

    return decorate


def is_ours(cognito: object, name: str) -> bool:
    """Return whether the method *name* is ours, and not one that a program has put in its place."""
    return _function_of(getattr(cognito, name, None)) in _OURS


def flow_of(method: Callable[..., Any]) -> Callable[..., Flow[Any]]:
    """Return the generator function behind a method of either class."""
    flow = _OURS[method]
    if flow is None:
        raise LookupError(f"{method.__qualname__} is written by hand: it has no flow")
    return flow


def through(cognito: object, name: str, /, *arguments: Any) -> Flow[Any]:
    """Go on with the flow of the method *name*; ask the driver to call the method if it is not ours."""
    method = getattr(cognito, name)
    flow = _OURS.get(_function_of(method))
    if flow is None or method.__self__ is not cognito:
        return (yield CallMethod(lambda: method(*arguments)))
    return (yield from flow(cognito, *arguments))


def _function_of(method: object) -> Any:
    # Of a bound method only: a mock that stands in for a method has no function.
    return method.__func__ if isinstance(method, MethodType) else None


def _show_result(flow: Callable[..., Any]) -> None:
    """Annotate *flow* with its result's type: what ``help()`` and ``inspect.signature`` show of the method.

    Both follow ``__wrapped__`` to the flow. Its callers get the result, not a generator, so ``Flow[None]`` is shown as
    ``None``. (Annotations are strings here: see ``from __future__ import annotations``.)
    """
    annotation = flow.__annotations__["return"]
    flow.__annotations__["return"] = annotation.removeprefix("Flow[").removesuffix("]")
