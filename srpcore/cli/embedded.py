"""``srpcore serve`` and ``srpcore demo``: the commands are in the package of the local user pool."""

from __future__ import annotations

import argparse

from ..resolve import transport_module

__all__ = ["demo", "serve"]


def serve(arguments: argparse.Namespace) -> int:
    """Serve a local user pool over HTTP, until Ctrl-C or SIGTERM.

    Raises:
        ConfigurationError: an option is invalid, or the extra ``local`` is not installed.
    """
    status: int = transport_module("local.cli.serve").serve(arguments)
    return status


def demo(_arguments: argparse.Namespace) -> int:
    """Run the guided demo.

    Raises:
        ConfigurationError: the extra ``local`` is not installed.
    """
    status: int = transport_module("local.cli.demo").demo()
    return status
