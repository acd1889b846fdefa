"""Every probe against the local pool. A probe that is listed as wrong must fail: repair it, then remove its line."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest

from srpcore_transports.local import LocalUserPool
from support.reply_shapes import differences

from . import (
    subjects,  # noqa: F401 - registers the probes
)
from .differences import MINISTACK, WRONG_TODAY
from .probes import ALL, UNSURE
from .runner import Outcome, play
from .stage import Stage
from .targets import FAKE_KEYS, Boto3Target, InProcess, served_pool

pytestmark = pytest.mark.slow

TARGETS = ("local, in process", "local, over HTTP", "local, over HTTP, by boto3")


class Checked(InProcess):
    """A local pool whose answers are compared with the output shapes of botocore's service model."""

    model = botocore.session.get_session().get_service_model("cognito-idp")

    def send(self, operation: str, body: bytes) -> tuple[int, dict[str, Any]]:
        status, answer = super().send(operation, body)
        if status == 200:
            shape = self.model.operation_model(operation).output_shape
            assert list(differences(shape, answer, operation)) == [] if shape is not None else answer == {}
        return status, answer


def is_played(target: str, name: str) -> bool:
    # boto3 would refuse what the other stories send. Its share is what Terraform and CDK call.
    return not ALL[name].why_not(target) and ("boto3" not in target or name.startswith("infrastructure."))


PLAYED = [
    pytest.param(target, name, id=f"{target}: {name}") for target in TARGETS for name in ALL if is_played(target, name)
]


@pytest.fixture(scope="module")
def stages() -> Iterator[dict[str, Stage]]:
    in_process = Checked(LocalUserPool(credentials=FAKE_KEYS))
    with served_pool() as over_http, contextlib.closing(Boto3Target(over_http)) as by_boto3:
        stages = {target.name: Stage(target) for target in (in_process, over_http, by_boto3)}
        yield stages
        for stage in stages.values():
            stage.close()


@pytest.mark.parametrize(("target", "name"), PLAYED)
def test_probe(stages: dict[str, Stage], target: str, name: str) -> None:
    if name in WRONG_TODAY:
        # A strict xfail. The mark would format a long traceback for each of them.
        result = play(ALL[name], stages[target], WRONG_TODAY)
        if result.outcome is Outcome.REPAIRED:
            pytest.fail(f"{name} is right now: remove its line from WRONG_TODAY in differences.py", pytrace=False)
        pytest.xfail(WRONG_TODAY[name])
    with stages[target].play() as stage:
        ALL[name].story(stage)


@pytest.mark.parametrize("listed", [WRONG_TODAY, MINISTACK])
def test_listed_differences_are_of_probes_and_have_a_reason(listed: dict[str, str]) -> None:
    assert listed.keys() <= ALL.keys()
    assert all(reason.strip() for reason in listed.values())


def test_every_probe_has_a_public_source_or_a_question() -> None:
    def is_public(source: str) -> Any:
        return source.startswith("https://") or source == UNSURE

    assert [name for name, probe in ALL.items() if not is_public(probe.source)] == []
    assert [name for name, probe in ALL.items() if (probe.source == UNSURE) != bool(probe.question)] == []
