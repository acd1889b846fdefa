"""``srpcore serve``, ``srpcore pool`` and ``srpcore demo``: the commands are in the package of the local user pool."""

from __future__ import annotations

import argparse

from ..resolve import transport_module

__all__ = ["demo", "export_pool", "import_pool", "serve"]


def serve(arguments: argparse.Namespace) -> int:
    """Serve a local user pool over HTTP, until Ctrl-C or SIGTERM.

    Raises:
        ConfigurationError: an option is invalid, or the extra ``local`` is not installed.
    """
    status: int = transport_module("local.cli.serve").serve(arguments)
    return status


def export_pool(arguments: argparse.Namespace) -> int:
    """Write a pool of a state to a file.

    Raises:
        ConfigurationError: a file cannot be used, the pool does not exist, or the extra ``local`` is not installed.
    """
    status: int = transport_module("local.cli.pool_files").export_pool(arguments)
    return status


def import_pool(arguments: argparse.Namespace) -> int:
    """Add a pool from a file to a state.

    Raises:
        ConfigurationError: a file cannot be used, the pool exists, or the extra ``local`` is not installed.
    """
    status: int = transport_module("local.cli.pool_files").import_pool(arguments)
    return status


def demo(_arguments: argparse.Namespace) -> int:
    """Run the guided demo.

    Raises:
        ConfigurationError: the extra ``local`` is not installed.
    """
    status: int = transport_module("local.cli.demo").demo()
    return status
