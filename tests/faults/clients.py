"""Clients of a service that misbehaves, and the errors of their calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from srpcore import exceptions

from .catalogue import Fault
from .kinds import Client, Kind, Pool
from .serving import FaultyProxy, FaultyService

__all__ = ["client_of", "outcome_of"]


@contextmanager
def client_of(kind: Kind, pool: Pool, fault: Fault, options: dict[str, Any]) -> Iterator[tuple[FaultyService, Client]]:
    """Run a service and a client of *kind* with *options*, through a proxy if *fault* needs one."""
    with ExitStack() as stack:
        proxy = None
        if fault.proxied:
            proxy = stack.enter_context(FaultyProxy())
            patch = stack.enter_context(pytest.MonkeyPatch.context())
            patch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        service = stack.enter_context(FaultyService(pool.local, proxy))
        yield service, stack.enter_context(Client(kind, pool, service, **options))


def outcome_of(act: Callable[[], Any]) -> exceptions.SrpcoreError | None:
    """Return the error of srpcore that *act* raises, without its tracebacks, or None."""
    try:
        act()
    except exceptions.SrpcoreError as error:
        _let_go(error)
        return error
    return None


def _let_go(error: BaseException | None) -> None:
    # The frames of a traceback keep connections alive, which urllib3 closes only when they are freed.
    while error is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__
