"""Find the programs of the operating system that the tests in this folder drive."""

from __future__ import annotations

import shutil

import pytest

__all__ = ["program"]


def program(name: str, package: str) -> str:
    """Return the path of the program *name*, or fail the test and name the Debian *package* that has it."""
    path = shutil.which(name)
    if path is None:
        pytest.fail(f"{name} is not installed: apt-get install {package}", pytrace=False)
    return path
