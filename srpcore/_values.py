"""The base of small immutable values, for the modules that are imported on the way to a login.

``@dataclass(frozen=True, slots=True)`` would do the same. But the module ``dataclasses`` imports ``inspect``, and each
decorator compiles source code when the module is imported. In a process that logs in once, for example a new AWS Lambda
environment, that took longer than the whole arithmetic of SRP.
"""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn, Self, TypeVar

__all__ = ["Value", "replace"]


class Value:
    """An immutable value that is compared, hashed, copied and pickled by its fields.

    A subclass annotates its fields in the order of the constructor's parameters, and names them in ``__slots__``. Its
    constructor passes them to :meth:`_set`. It has the fields of its base too. The fields in ``_hidden`` (secrets, or
    long values) are left out of the repr, also of a subclass::

        class Device(Value):
            __slots__ = ("key", "password")
            _hidden = frozenset({"password"})

            key: str
            password: str

            def __init__(self, key: str, password: str) -> None:
                self._set(key=key, password=password)
    """

    __slots__ = ()

    __match_args__: ClassVar[tuple[str, ...]] = ()
    _names: ClassVar[tuple[str, ...]] = ()
    _hidden: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        # A class of a program that derives from one of ours without slots has more attributes, but not more fields.
        if "__slots__" in vars(cls):
            slots = vars(cls)["__slots__"]
            own = [name for name in cls.__annotations__ if name in slots]
            cls._names = tuple(dict.fromkeys([*cls._names, *own]))
        cls._hidden = frozenset().union(*(vars(base).get("_hidden", ()) for base in cls.__mro__))
        setattr(cls, "__match_args__", cls._names)  # noqa: B010 - mypy refuses the assignment

    def _set(self, **fields: object) -> None:
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def _fields(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self._names}

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"cannot assign to {name!r}: {type(self).__name__} is immutable")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"cannot delete {name!r}: {type(self).__name__} is immutable")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self._names)

    def __hash__(self) -> int:
        return hash(tuple(self._fields().values()))

    def __repr__(self) -> str:
        shown = [f"{name}={value!r}" for name, value in self._fields().items() if name not in self._hidden]
        return f"{type(self).__qualname__}({', '.join(shown)})"

    def __getstate__(self) -> dict[str, Any]:
        return self._fields()

    def __setstate__(self, fields: dict[str, Any]) -> None:
        self._set(**fields)

    def __replace__(self, /, **changes: Any) -> Self:
        """Return a copy with *changes* to the fields. ``copy.replace`` of Python 3.13 calls this."""
        return type(self)(**{**self._fields(), **changes})


# After the class, because typing compiles a bound that is a string.
V = TypeVar("V", bound=Value)


def replace(value: V, /, **changes: Any) -> V:
    """Return a copy of *value* with *changes* to its fields."""
    return value.__replace__(**changes)
