"""The runner and what a story may expect: a wrong answer is found, and a right one that is listed as wrong, too."""

from __future__ import annotations

import re
from typing import Any

import pytest

from srpcore_transports.local import LocalUserPool

from .__main__ import main
from .probes import ALL, UNSURE, CannotRun, Probe, Refused, answers_to, members, probe, refused, tried
from .runner import Outcome, play, table
from .stage import Stage
from .targets import FAKE_KEYS, InProcess

pytestmark = pytest.mark.slow


def right(_: Stage) -> None:
    pass


def wrong(s: Stage) -> None:
    assert s.pool.describe()["MfaConfiguration"] == "ON"


def missing(s: Stage) -> None:
    assert s.pool.describe()["NoSuchMember"]


def not_accepted(s: Stage) -> None:
    s.call("DescribeUserPool", UserPoolId="us-east-1_000000000")


def mistaken(_: Stage) -> None:
    raise TypeError("a bug of the probe")


def unable(_: Stage) -> None:
    raise CannotRun("needs a mailbox")


@pytest.fixture
def stage() -> Stage:
    return Stage(InProcess(LocalUserPool(credentials=FAKE_KEYS)))


def probe_of(story: Any, **settings: Any) -> Probe:
    return Probe("test.story", "https://example.com", story, **settings)


@pytest.mark.parametrize(
    ("story", "listed", "outcome", "failed"),
    [
        (right, False, Outcome.RIGHT, False),
        (right, True, Outcome.REPAIRED, True),
        (wrong, False, Outcome.WRONG, True),
        (wrong, True, Outcome.EXPECTED, False),
        (missing, False, Outcome.WRONG, True),
        (not_accepted, False, Outcome.WRONG, True),
        (not_accepted, True, Outcome.EXPECTED, False),
        (unable, False, Outcome.NOT_RUN, False),
        (unable, True, Outcome.NOT_RUN, False),
    ],
)
def test_outcomes(stage: Stage, story: Any, listed: bool, outcome: Outcome, failed: bool) -> None:
    result = play(probe_of(story), stage, {"test.story": "the reason"} if listed else {})
    assert (result.outcome, result.failed) == (outcome, failed)


def test_bug_of_a_probe_is_not_an_expected_failure(stage: Stage) -> None:
    with pytest.raises(TypeError):
        play(probe_of(mistaken), stage, {"test.story": "the reason"})


def test_probe_that_a_target_is_not_asked(stage: Stage) -> None:
    result = play(probe_of(wrong, about_http=True), stage, {})
    assert (result.outcome, result.detail) == (Outcome.NOT_RUN, "about HTTP")
    assert probe_of(wrong, own_rule=True).why_not("ministack") == "a rule of the local pool only"
    assert probe_of(wrong, own_rule=True).why_not("local, over HTTP") == ""
    assert probe_of(wrong, unsuitable_for={"AWS": "costs money"}).why_not("AWS") == "costs money"


def test_table_names_the_probe_the_target_and_the_result(stage: Stage) -> None:
    results = [play(probe_of(story), stage, {}) for story in (right, wrong, not_accepted)]
    lines = table(results).splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("test.story  local, in process  wrong: assert ")
    assert "Refused: DescribeUserPool: ResourceNotFoundException: User pool us-east-1_000000000" in lines[1]
    assert len(table(results, everything=True).splitlines()) == 3


def test_pools_of_a_story_are_deleted_and_the_shared_one_stays(stage: Stage) -> None:
    def story(s: Stage) -> None:
        s.new_pool()
        assert s.pool.id
        s.new_pool(DeletionProtection="ACTIVE")

    play(probe_of(story), stage, {})
    assert list(stage.remaining) == [stage.pool.id]
    stage.close()
    with refused("ResourceNotFoundException"):
        stage.pool.describe()


def test_status_of_the_command_is_1_if_a_result_is_unexpected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ALL, "test.story", probe_of(wrong))
    assert main(["--target", "local", "--only", "test.story"]) == 1


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        ({"B": 1}, "B is missing"),
        ({"A": 2}, "A is 1, not 2"),
        ({"A": str}, "not of type"),
        ({"A": re.compile("1")}, "not a string"),
        ({"Name": re.compile("ali")}, "does not match"),
        ({"Flag": int}, "Flag is a boolean"),
        ({"Inner": {"Deep": "y"}}, "Deep is 'x', not 'y'"),
    ],
)
def test_members_finds_what_is_wrong(expected: dict[str, Any], words: str) -> None:
    document = {"A": 1, "Name": "alice", "Flag": True, "Inner": {"Deep": "x", "Other": 1}}
    members(document, A=int, Name=re.compile("a.*"), Flag=bool, Inner={"Deep": "x"})
    with pytest.raises(AssertionError, match=words):
        members(document, **expected)


def refuse(code: str, message: str) -> None:
    raise Refused("GetUser", code, message, 400)


def test_refused_compares_the_code_and_the_message() -> None:
    with refused("A|B", "^no"):
        refuse("B", "no user")
    with pytest.raises(AssertionError, match="the message is 'a user'"), refused("A", "^no"):
        refuse("A", "a user")
    with pytest.raises(AssertionError, match="refused with C"), refused("A|B"):
        refuse("C", "no")
    with pytest.raises(AssertionError, match="accepted"), refused("A"):
        pass


def test_answers_to_many_calls() -> None:
    assert answers_to(lambda number: refuse("A", "x") if number else None, 2) == ["accepted", "A: x"]
    assert isinstance(tried(lambda: refuse("A", "x")), Refused)


def test_probe_without_a_source_needs_a_question() -> None:
    for source, question in ((UNSURE, ""), ("https://example.com", "is it?")):
        with pytest.raises(ValueError, match="a question if, and only if"):
            probe(source, question=question)
