"""``srpcore demo``: every step of the guided demo, in every encoding."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

import pytest

from srpcore import Cognito
from srpcore.crypto import modexp
from srpcore_transports.local import LocalUserPool
from srpcore_transports.local.cli import demo
from support.cli_processes import run

pytestmark = pytest.mark.slow

STEPS = [
    "open a pool",
    "sign up",
    "confirm",
    "wrong password",
    "log in",
    "verify the tokens",
    "enrol TOTP",
    "log in again",
    "remember the device",
    "log in by device",
    "refresh",
    "log out",
]


def test_every_step_is_printed_with_its_time() -> None:
    # Nothing of a developer's environment matters to it.
    settings = {
        "COGNITO_JWKS": '{"keys": []}',
        "AWS_ACCESS_KEY_ID": "half-of-them",
        "AWS_ENDPOINT_URL": "https://192.0.2.1",
        "AWS_REGION": "no region",
        "SRPCORE_TRANSPORT": "botocore",
    }
    result = run("demo", PYTHONIOENCODING="utf-8", **settings)
    assert (result.status, result.stderr) == (0, "")
    lines = [line for line in result.stdout.splitlines() if "✓" in line]
    assert [line[4:25].strip() for line in lines] == STEPS
    # Aligned, within a terminal of 80 columns, and without colours in a pipe.
    assert {len(line) for line in lines} == {78}
    assert all(re.search(r" \d+\.\d ms$", line) for line in lines)
    assert "\x1b" not in result.stdout
    assert "refused" in lines[3]
    assert re.search(r"12 steps in \d+\.\d ms", result.stdout)


def test_secrets_are_not_printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    story = demo._Demo()
    monkeypatch.setattr(demo, "_Demo", lambda: story)
    assert demo.demo() == 0
    shown = capsys.readouterr().out
    assert story.password not in shown
    assert story.totp_secret not in shown
    assert "eyJ" not in shown
    assert story.user.device is not None
    assert story.user.device.password not in shown


def test_ascii_signs_are_used_if_the_encoding_has_no_others() -> None:
    result = run("demo", PYTHONIOENCODING="ascii")
    assert (result.status, result.stderr) == (0, "")
    assert result.stdout.isascii()
    assert [line[4:25].strip() for line in result.stdout.splitlines() if line.startswith("  + ")] == STEPS


@pytest.mark.parametrize("engine", modexp.available())
def test_the_engine_is_printed(engine: str, capsys: pytest.CaptureFixture[str]) -> None:
    names = {"openssl": "OpenSSL, constant time", "gmpy2": "gmpy2, constant time", "python": "Python's pow"}
    modexp.select(engine)
    try:
        assert demo.demo() == 0
    finally:
        modexp.select(None)
    assert f"modular exponentiation by {names[engine]}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("settings", "step"),
    [
        ({"pool_settings": {"Policies": {"PasswordPolicy": {"MinimumLength": 99}}}}, "sign up"),
        ({"pool_settings": {"MfaConfiguration": "OFF"}}, "enrol TOTP"),
        ({"pool_settings": {}}, "remember the device"),
        ({"client_settings": {"ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"]}}, "wrong password"),
    ],
)
def test_a_step_that_fails_is_printed(
    settings: dict[str, object], step: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def pool(**given: object) -> LocalUserPool:
        return functools.partial(LocalUserPool, **{**given, **settings})()  # type: ignore[arg-type]

    monkeypatch.setattr(demo, "LocalUserPool", pool)
    assert demo.demo() == 1
    shown = capsys.readouterr()
    assert f"the step {step!r} failed: " in shown.err
    assert shown.out.rstrip().splitlines()[-1].endswith(f" {step}")
    assert "steps in" not in shown.out


@pytest.mark.parametrize(
    ("method", "instead", "step"),
    [
        ("authenticate", lambda *_: None, "wrong password"),
        ("set_user_mfa_preference", lambda *_: None, "log in again"),
        ("renew_access_token", lambda _: None, "refresh"),
    ],
)
def test_a_step_without_effect_is_a_failure(
    method: str,
    instead: Callable[..., None],
    step: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Cognito, method, instead)
    assert demo.demo() == 1
    assert f"the step {step!r} failed: " in capsys.readouterr().err
