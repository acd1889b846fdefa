"""Copies of a process: reset what must start again in a forked child, and forget what must not be in a snapshot.

``fork()`` copies a held lock, but not the thread that would release it, so the child would wait forever. A lock that is
held while something slow happens (a request, a file, a key being computed) is therefore a :class:`ForkSafeLock`. What
else must start afresh in a child (an answer that another thread waits for, say) is registered with
:func:`reset_in_child`.

AWS Lambda SnapStart copies a process in another way. It saves the whole memory after the init phase, and starts every
execution environment from that snapshot, perhaps weeks later, and many at the same time::

    init phase ──► before_snapshot ──► snapshot ──┬─► after_restore ──► requests
                                                  ├─► after_restore ──► requests
                                                  └─► ...

Connections are dead then, temporary credentials have expired, and a secret that is used once (an SRP pair, a TLS
session) would be used by every environment. What holds one of these registers :func:`forget_in_snapshot`. Locks are not
reset: the threads that hold them are in the snapshot too, and go on.

Nothing else needs a hook. Ages of keys and credentials are measured with the wall clock, which is right after a
restore. Random numbers are from :func:`os.urandom`, that is from the kernel, which gets new entropy in each restored
machine. The generator inside OpenSSL, which makes the keys of TLS connections, is in the memory of the process, so it
is seeded again.
"""

from __future__ import annotations

import os
import sys
from _thread import allocate_lock  # threading.Lock is another name of it, but a login does not need that module
from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

__all__ = ["ForkSafeLock", "forget_in_snapshot", "reset_in_child"]

T = TypeVar("T")


def reset_in_child(thing: T, reset: Callable[[T], None]) -> None:
    """Have ``reset(thing)`` called in each forked child, as long as *thing* lives; no other thread runs then."""
    _RESETS[thing] = reset


def forget_in_snapshot(thing: T, forget: Callable[[T], object]) -> None:
    """Have ``forget(thing)`` called before a snapshot is made, and again after each restore, as long as *thing* lives.

    It is called a second time because a hook of the program that runs after ours, but before the snapshot, may log in.
    Outside of SnapStart this does nothing.
    """
    if _SNAPSHOTS:
        _FORGETTING[thing] = forget


class ForkSafeLock:
    """A lock that a forked child finds free. Use it as ``with thing.lock: ...``. It is not re-entrant.

    ``lock`` is a plain lock of the interpreter, which the child replaces with a new one. This class has no __enter__,
    for two reasons. A Ctrl-C could arrive within it, after the lock was acquired and before the block began. And a
    thread that forks within a block leaves it in the child too, by releasing the lock that it holds: the old one.
    """

    __slots__ = ("__weakref__", "lock")

    def __init__(self) -> None:
        self.lock = allocate_lock()
        reset_in_child(self, ForkSafeLock._reset)

    def _reset(self) -> None:
        self.lock = allocate_lock()

    def __reduce__(self) -> tuple[type[ForkSafeLock], tuple[()]]:
        # A copy protects other data, so it has a lock of its own.
        return ForkSafeLock, ()


_RESETS: WeakKeyDictionary[Any, Callable[[Any], object]] = WeakKeyDictionary()
_FORGETTING: WeakKeyDictionary[Any, Callable[[Any], object]] = WeakKeyDictionary()
_SNAPSHOTS = os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start"


def _call_all(functions: WeakKeyDictionary[Any, Callable[[Any], object]]) -> None:
    """Call each function with its object. One that fails does not keep the others from being called.

    Raises:
        BaseException: the first error, after all functions were called.
    """
    first: BaseException | None = None
    for thing, function in list(functions.items()):
        try:
            function(thing)
        except BaseException as error:  # noqa: BLE001 - raised below
            if first is None:
                first = error
    if first is not None:
        raise first


def _reset_all() -> None:
    _call_all(_RESETS)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_all)


def _before_snapshot() -> None:
    _call_all(_FORGETTING)


def _after_restore() -> None:
    # First, so that it is done even if a function below fails.
    ssl = sys.modules.get("ssl")
    if ssl is not None:
        # OpenSSL reseeds its generator from the operating system, and adds this. It notices a fork, but not a restore.
        ssl.RAND_add(os.urandom(32), 32.0)
    _call_all(_FORGETTING)


def _register_snapshot_hooks() -> None:
    from importlib import import_module

    try:
        hooks = import_module("snapshot_restore_py")
    except ModuleNotFoundError:
        return  # a runtime without the library calls no hooks
    hooks.register_before_snapshot(_before_snapshot)
    hooks.register_after_restore(_after_restore)


if _SNAPSHOTS:
    _register_snapshot_hooks()
