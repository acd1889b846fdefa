"""``srpcore completion``: print a script for the completion of a shell."""

from __future__ import annotations

import argparse

from ..exceptions.base import ConfigurationError
from .parser import make_parser

__all__ = ["completion"]


def completion(arguments: argparse.Namespace) -> int:
    """Print the script.

    Raises:
        ConfigurationError: shtab is not installed.
    """
    try:
        import shtab
    except ImportError:
        raise ConfigurationError("shtab is not installed: pip install 'srpcore[cli]'") from None
    print(shtab.complete(make_parser(), shell=arguments.shell))
    return 0
