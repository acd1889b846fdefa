"""Exceptions that are also exceptions of botocore, while botocore is loaded.

Programs that were written for boto3 or pycognito catch botocore's classes. botocore is an optional dependency, so an
exception of ours cannot simply derive from them. Instead, the class is chosen when an exception is made::

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
from functools import lru_cache
from typing import Any, ClassVar, Self, cast

__all__ = ["Compatible", "combined", "loaded"]


class Compatible(Exception):
    """The base of our exceptions that are also exceptions of another package while that package is loaded."""

    _plain: ClassVar[type[Compatible] | None] = None

    def __new__(cls, *args: Any, **keywords: Any) -> Self:
        """Make the exception, of the class that :meth:`_class_for` chooses."""
        made = cls._class_for(*args, **keywords)
        # BaseException.__new__ would refuse a class that derives from OSError, so take the one that the class inherits.
        return super(Compatible, made).__new__(made)

    @classmethod
    def _class_for(cls, *_: Any, **__: Any) -> type[Self]:
        """Return the class of the exception that is made with these arguments."""
        return cls

    @classmethod
    def _plain_class(cls) -> type[Self]:
        """Return the class that pickle can find by its name, which :func:`combined` has combined with others."""
        return cast("type[Self]", vars(cls).get("_plain") or cls)


def loaded(module: str, name: str) -> type[Exception] | None:
    """Return the class *name* of *module* if that module is loaded, else None."""
    # The attribute is missing while another thread is still importing the module. In a test the module may be None.
    found: type[Exception] | None = getattr(sys.modules.get(module), name, None)
    return found


def combined(cls: type[Compatible], *others: type[Exception] | None, name: str = "") -> type[Any]:
    """Return a subclass of *cls* and of *others* that looks like *cls*, or *cls* itself if it needs no other class.

    Args:
        cls: the class of ours.
        others: the classes of other packages; None stands for one that is not loaded.
        name: the ``__name__`` of the class, if it is not that of *cls*.
    """
    missing = tuple(other for other in others if other is not None and not issubclass(cls, other))
    if not missing and name in ("", cls.__name__):
        return cls
    return _make_class((cls, *missing), name or cls.__name__)


@lru_cache(maxsize=256)  # limited, because every botocore session makes its own exception classes
def _make_class(bases: tuple[type[Exception], ...], name: str) -> type[Exception]:
    cls = bases[0]
    namespace = {
        "__doc__": cls.__doc__,
        "__module__": cls.__module__,
        "__qualname__": cls.__qualname__,
        "_plain": vars(cls).get("_plain") or cls,
    }
    return type(name, bases, namespace)
