"""Options of the test run, and the counterparts that several test modules need."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from functools import cache

import botocore.session
import pytest
from hypothesis import HealthCheck, settings

from srpcore_transports.local.model import signing
from support.loopback import write_bundle
from support.no_skips import pytest_addoption, pytest_make_collect_report, pytest_runtest_makereport
from support.rsa_keys import next_key

# The modules and the 14,000 tests that pytest collects live until the end of the run. A full garbage collection looks at all
# of them in 0.2 s, again and again during the collection of the tests and in each test that calls gc.collect().
gc.disable()


def pytest_collection_finish() -> None:
    """Leave all that exists when the tests begin out of the garbage collections to come."""
    gc.freeze()
    gc.enable()


# Hooks: pytest finds them by their names in this module.
__all__ = ["pytest_addoption", "pytest_make_collect_report", "pytest_runtest_makereport"]

# Hypothesis' own time limits are off: on a busy machine they fail tests of correct code. @settings of a test replaces the
# members that it names. If the environment has CI, Hypothesis itself chooses the same examples at each run: a change is not
# refused then for a fault that was there before.
settings.register_profile("srpcore", max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("srpcore")


@pytest.fixture(autouse=True, scope="session")
def no_credentials_of_this_machine() -> Iterator[None]:
    """Keep the developer's AWS keys, files and instance out of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        yield


@pytest.fixture(autouse=True, scope="session")
def few_authorities(no_credentials_of_this_machine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Trust one certificate authority by default: the system's file has about 145, and parsing it takes 20 ms each time.

    No test reaches a server outside this machine.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_CA_BUNDLE", write_bundle(tmp_path_factory.mktemp("authority")))
        yield


@pytest.fixture(autouse=True, scope="session")
def few_signing_keys() -> Iterator[None]:
    """Give the local pools of this process a few keys in turn, instead of one that is generated for each pool."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signing, "generate", next_key)
        yield


@pytest.fixture(autouse=True, scope="session")
def one_service_model() -> Iterator[None]:
    """Let every botocore session of this process read the service models once: each client takes 0.1 s otherwise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", cache(botocore.session.create_loader))
        yield


@pytest.fixture(autouse=True)
def no_collection_within_deep_recursion(request: pytest.FixtureRequest) -> Iterator[None]:
    """Keep the collector from running within a parser at the recursion limit, where no finalizer can run.

    An object of an earlier test that is finalized there fails with a RecursionError, which is nobody's fault.
    """
    parameters = getattr(request.node, "callspec", None)
    values = [] if parameters is None else list(parameters.params.values())
    deep = any(isinstance(value, (str, bytes)) and len(value) > 10_000 for value in values)
    if not deep and "deep" not in request.node.name:
        yield
        return
    gc.collect()
    gc.disable()
    yield
    gc.enable()
