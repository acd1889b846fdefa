"""What is public: the names in the `__all__` of the documented packages and modules, and their functions and methods."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType
from typing import Any

import srpcore
import support.sites  # noqa: F401 - Django wants its settings before rest_framework is imported

PACKAGES = [
    "srpcore",
    *(f"srpcore.{name}" for name in srpcore._PUBLIC_MODULES),
    "srpcore_transports.botocore",
    "srpcore_transports.credentials",
    "srpcore_transports.https",
    "srpcore_transports.httpx",
    "srpcore_transports.local",
    "srpcore_transports.opentelemetry",
    "srpcore_transports.recorded",
]
"""The documented packages and modules. A module that is in the `__all__` of one of them is documented too."""

# From a module whose other names are internal.
NAMES: dict[str, list[str]] = {
    "srpcore.client.operations.streams": ["AsyncStream", "Stream"],
    "srpcore.paginator": ["PageIterator", "Paginator"],
    "srpcore.service_client": ["AsyncServiceClient", "ServiceClient"],
    "srpcore_transports.deadline": ["time_limit"],
    "srpcore_transports.events": ["OnRequest", "OnResponse", "RequestEvent", "ResponseEvent"],
    "srpcore_transports.options": ["TransportOptions"],
}


def exports() -> dict[str, list[str]]:
    """Return the public names of each documented module, by the name of the module."""
    found = dict(NAMES)
    waiting = list(PACKAGES)
    while waiting:
        module_name = waiting.pop()
        module = importlib.import_module(module_name)
        found[module_name] = []
        for name in module.__all__:
            if isinstance(getattr(module, name), ModuleType):
                waiting.append(f"{module_name}.{name}")
            else:
                found[module_name].append(name)
    return found


def objects() -> dict[str, Any]:
    """Return the public classes, functions and values, each by one name even if several modules export it."""
    return {identity(module, name): member(module, name) for module, names in exports().items() for name in names}


def member(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)


def identity(module: str, name: str) -> str:
    """Return the path at which the object is defined, or the path of the name if the object does not know it."""
    value = member(module, name)
    if isinstance(value, (type, FunctionType)):
        return f"{value.__module__}.{value.__qualname__}"
    return f"{module}.{name}"


def functions() -> dict[str, Callable[..., Any]]:
    """Return the public functions, methods, properties and constructors of this project, by their paths."""
    found: dict[str, Callable[..., Any]] = {}
    for value in objects().values():
        for function in [value] if inspect.isfunction(value) else methods(value) if inspect.isclass(value) else []:
            found[f"{function.__module__}.{function.__qualname__}"] = function
    return found


def methods(cls: type) -> Iterator[Callable[..., Any]]:
    """Yield the public methods, property getters and special methods of *cls* that this project defines."""
    for name in dir(cls):
        value: Any = inspect.getattr_static(cls, name)
        if isinstance(value, (staticmethod, classmethod)):
            value = value.__func__
        elif isinstance(value, property):
            value = value.fget
        private = name.startswith("_") and not name.startswith("__")
        if inspect.isfunction(value) and value.__module__.startswith("srpcore") and not private:
            yield value
