"""AWS credentials from the environment, and their reprs."""

from __future__ import annotations

import pytest

from srpcore.exceptions import ConfigurationError
from srpcore_transports.credentials import Credentials, from_environment

PAIR = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI"}


def test_credentials_are_a_pair_and_an_optional_token() -> None:
    assert from_environment(PAIR) == Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI")
    assert from_environment({**PAIR, "AWS_SESSION_TOKEN": "token=="}) == Credentials(
        "AKIDEXAMPLE", "wJalrXUtnFEMI", "token=="
    )


@pytest.mark.parametrize(
    "environ",
    [{}, {"AWS_SESSION_TOKEN": "alone"}, {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, {"HOME": "/"}],
)
def test_without_a_pair_there_are_no_credentials(environ: dict[str, str]) -> None:
    assert from_environment(environ) is None


def test_the_older_name_of_the_token_wins() -> None:
    environ = {**PAIR, "AWS_SECURITY_TOKEN": "older", "AWS_SESSION_TOKEN": "newer"}
    assert from_environment(environ) == Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI", "older")
    assert from_environment({**environ, "AWS_SECURITY_TOKEN": ""}) == Credentials(
        "AKIDEXAMPLE", "wJalrXUtnFEMI", "newer"
    )


def test_an_empty_token_counts_as_none() -> None:
    credentials = from_environment({**PAIR, "AWS_SESSION_TOKEN": ""})
    assert credentials is not None
    assert credentials.session_token is None


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in PAIR.items():
        monkeypatch.setenv(name, value)
    assert from_environment() == Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI")


@pytest.mark.parametrize("missing", sorted(PAIR))
@pytest.mark.parametrize("empty", [False, True])
def test_the_error_for_half_a_pair_names_the_missing_variable(missing: str, empty: bool) -> None:
    environ = {name: value for name, value in PAIR.items() if name != missing}
    with pytest.raises(ConfigurationError, match=f"{missing} is not") as caught:
        from_environment({**environ, missing: ""} if empty else environ)
    assert not any(value in str(caught.value) for value in PAIR.values())


@pytest.mark.parametrize("position", [0, 1, 2])
@pytest.mark.parametrize(
    "value", ["", "two words", "line-end\n", "line\r\nInjected: yes", "nön-ascii", "nul\0", b"bytes!", 77]
)
def test_values_that_a_header_cannot_carry_are_refused(position: int, value: object) -> None:
    values: list[object] = ["AKIDEXAMPLE", "secret", "token"]
    values[position] = value
    with pytest.raises(ConfigurationError) as caught:
        Credentials(*values)  # type: ignore[arg-type] # the wrong types are the point
    assert ("access_key_id", "secret_access_key", "session_token")[position] in str(caught.value)
    assert not value or repr(value).strip("'b") not in str(caught.value)


@pytest.mark.parametrize("position", [0, 1])
def test_the_pair_is_not_optional(position: int) -> None:
    values: list[str | None] = ["AKIDEXAMPLE", "secret"]
    values[position] = None
    with pytest.raises(ConfigurationError):
        Credentials(*values)  # type: ignore[arg-type] # the wrong types are the point


def test_the_repr_does_not_show_secrets() -> None:
    assert repr(Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI", "token")) == "Credentials(access_key_id='AKIDEXAMPLE')"
