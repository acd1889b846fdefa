"""The options that the HTTP transports share: one definition, and signatures that show all of it."""

from __future__ import annotations

import inspect
import math
import subprocess
import sys

import pytest

from srpcore.exceptions import ConfigurationError
from srpcore_transports.deadline import time_limit
from srpcore_transports.https import HttpsTransport
from srpcore_transports.httpx import AsyncHttpxTransport, HttpxTransport
from srpcore_transports.options import TransportOptions
from srpcore_transports.transport_arguments import TransportArguments

pytestmark = pytest.mark.usefixtures("bare_environment", "no_leaks")

KINDS = [HttpsTransport, HttpxTransport, AsyncHttpxTransport]


def keyword_only(function: object) -> set[str]:
    parameters = inspect.signature(function).parameters  # type: ignore[arg-type]
    return {name for name, parameter in parameters.items() if parameter.kind is parameter.KEYWORD_ONLY}


def test_the_typed_arguments_are_exactly_the_options() -> None:
    assert {*TransportArguments.__annotations__} == keyword_only(TransportOptions)


@pytest.mark.parametrize("kind", KINDS)
def test_the_signature_of_a_transport_shows_every_option_with_its_default(kind: type) -> None:
    parameters = inspect.signature(kind).parameters
    assert list(parameters)[:3] == ["region", "endpoint_url", "credentials"]
    assert keyword_only(TransportOptions) < keyword_only(kind)
    assert parameters["timeout"].default == 30.0
    assert not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())


def test_the_signature_of_a_transport_shows_its_own_arguments() -> None:
    own = {kind: keyword_only(kind) - keyword_only(TransportOptions) for kind in KINDS}
    assert own == {
        HttpsTransport: {"max_idle_connections"},
        HttpxTransport: {"client", "max_connections"},
        AsyncHttpxTransport: {"client", "max_connections"},
    }


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_option_is_refused(kind: type) -> None:
    with pytest.raises(TypeError, match="max_atempts"):
        kind("eu-west-1", max_atempts=1)


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, True, "5", None])
@pytest.mark.parametrize("name", ["timeout", "total_timeout"])
def test_a_timeout_must_be_a_positive_number(name: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match="must be a positive number of seconds"):
        HttpsTransport("eu-west-1", **{name: value})  # type: ignore[arg-type]


def test_a_time_limit_may_be_infinite() -> None:
    with time_limit(math.inf):
        pass


def test_making_the_default_transport_loads_no_dataclasses_and_no_inspect() -> None:
    program = (
        "import sys; from srpcore_transports.https import HttpsTransport; HttpsTransport(region='eu-west-1'); "
        "print(sorted({'dataclasses', 'inspect', 'asyncio'} & {*sys.modules}))"
    )
    paths = f"import sys; sys.path[:0] = {[path for path in sys.path if path]!r}; "
    output = subprocess.run([sys.executable, "-I", "-S", "-c", paths + program], capture_output=True, check=True)
    assert output.stdout.decode().strip() == "[]"
