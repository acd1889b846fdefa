"""A pytest setting and a fixture that choose the transport for the tests of a program.

If srpcore is installed, pytest loads this plugin automatically. It does nothing unless you use the setting, for all
tests:

.. code-block:: toml

    [tool.pytest.ini_options]  # in pyproject.toml; pytest.ini and tox.ini have the same setting
    srpcore_transport = "botocore"

or the fixture, for one test:

.. code-block:: python

    def test_log_in(srpcore_botocore):
        ...

Tools that replace botocore in tests (moto, ``botocore.stub.Stubber``, patches of ``boto3.client``) need the botocore
transport. The default transport never looks for such patches, because tracing libraries patch botocore in production.
"""

from __future__ import annotations

import os

import pytest

__all__ = ["srpcore_botocore"]

_VARIABLE = "SRPCORE_TRANSPORT"
_NAMES = ("https", "httpx", "botocore")
_SET = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the setting ``srpcore_transport``."""
    parser.addini("srpcore_transport", f"the transport of srpcore in this test run: {', '.join(_NAMES)}", default="")


def pytest_configure(config: pytest.Config) -> None:
    """Set the environment variable before test modules are imported. A variable that is already set is kept."""
    name = config.getini("srpcore_transport")
    if name and name not in _NAMES:
        raise pytest.UsageError(f"srpcore_transport is {name!r}: use {', '.join(_NAMES)}")
    config.stash[_SET] = bool(name) and _VARIABLE not in os.environ
    if config.stash[_SET]:
        os.environ[_VARIABLE] = name


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the environment variable, for a program that runs pytest within its own process."""
    if config.stash.get(_SET, False):
        os.environ.pop(_VARIABLE, None)


@pytest.fixture
def srpcore_botocore(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let objects that are made in this test use the botocore transport, so that moto, stubs and patches work."""
    monkeypatch.setenv(_VARIABLE, "botocore")
