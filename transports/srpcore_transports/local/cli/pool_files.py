"""``srpcore pool export`` and ``srpcore pool import``: a pool in a state as a JSON file, and back."""

from __future__ import annotations

import argparse
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from srpcore.clock import system_clock
from srpcore.exceptions.base import ConfigurationError

from ..api.errors import Refusal
from ..operations import pool_import
from ..storage import export
from ..storage.service import Service
from ..storage.state import State
from ..triggers.configuration import NO_TRIGGERS

__all__ = ["export_pool", "import_pool"]


def export_pool(arguments: argparse.Namespace) -> int:
    """Write a pool to a new file that only its owner can read, and return the exit status 0.

    Raises:
        ConfigurationError: a file cannot be used, or the pool does not exist.
    """
    if not Path(arguments.state).is_file():
        raise ConfigurationError(f"no state at {arguments.state}: check --state")
    with _opened(arguments.state) as service:
        try:
            document = State(service).run(
                lambda state: export.export_pool(state, _pool_id(state, arguments.user_pool_id))
            )
        except Refusal as error:
            raise ConfigurationError(f"cannot export: {error.message}") from None
    try:
        # O_EXCL: a file that exists may be readable by others.
        with open(arguments.file, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(document)
    except FileExistsError:
        raise ConfigurationError(f"{arguments.file} exists already: choose another name") from None
    except OSError as error:
        raise ConfigurationError(f"cannot write {arguments.file}: {error.strerror}") from None
    return 0


def _pool_id(state: State, given: str | None) -> str:
    if given is not None:
        return given
    for pool in state.pools.all(None):
        return pool.id
    raise ConfigurationError("the state has no pool")


def import_pool(arguments: argparse.Namespace) -> int:
    """Add a pool from a file to a state, print its id, and return the exit status 0.

    Raises:
        ConfigurationError: a file cannot be used, or the pool or one of its app clients exists already.
    """
    try:
        document = Path(arguments.file).read_bytes()
    except OSError as error:
        raise ConfigurationError(f"cannot read {arguments.file}: {error.strerror}") from None
    parsed = pool_import.parse(document)
    with _opened(arguments.state) as service:
        print(State(service).run(lambda state: export.import_pool(state, parsed, replace=arguments.replace)))
    return 0


@contextmanager
def _opened(path: str) -> Generator[Service]:
    service = Service.open("us-east-1", system_clock, None, NO_TRIGGERS, path)
    try:
        yield service
    finally:
        service.database.close()
