"""Probes: what one is, the decorator that registers it, and what a story may expect of an answer."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

if TYPE_CHECKING:
    from .stage import Stage

__all__ = [
    "ALL",
    "UNSURE",
    "CannotRun",
    "Probe",
    "Refused",
    "Story",
    "answers_to",
    "api",
    "guide",
    "members",
    "probe",
    "refused",
    "tried",
]

T = TypeVar("T")
Story: TypeAlias = "Callable[[Stage], None]"

UNSURE = "unsure"
"""The source of a probe that no documentation and no captured answer settles."""


def api(name: str) -> str:
    """Return the address of a page of AWS's API reference, for example of ``CreateUserPool``."""
    return f"https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_{name}.html"


def guide(page: str) -> str:
    """Return the address of a page of AWS's developer guide."""
    return f"https://docs.aws.amazon.com/cognito/latest/developerguide/{page}.html"


@dataclass(frozen=True)
class Probe:
    """One probe.

    Attributes:
        name: ``<subject>.<name of the function>``.
        source: the address of the page that documents the expected answer, or of a captured answer.
        story: the function that makes the requests.
        question: what a recording of the real service would settle; empty unless the source is unsure.
        own_rule: the rule is the local pool's own, on purpose stricter than the service: other servers are not asked.
        about_http: the story is about HTTP: a pool in the same process is not asked.
        unsuitable_for: the beginnings of the names of targets that must not or cannot be asked, each with the reason.
    """

    name: str
    source: str
    story: Story = field(repr=False)
    question: str = ""
    own_rule: bool = False
    about_http: bool = False
    unsuitable_for: Mapping[str, str] = field(default_factory=dict[str, str])

    def why_not(self, target: str) -> str:
        """Return why the target of this name is not asked, or an empty string if it is."""
        if self.own_rule and not target.startswith("local"):
            return "a rule of the local pool only"
        if self.about_http and target == "local, in process":
            return "about HTTP"
        return next((why for name, why in self.unsuitable_for.items() if target.startswith(name)), "")


ALL: dict[str, Probe] = {}
"""All probes that were imported, by name."""


def probe(
    source: str,
    *,
    question: str = "",
    own_rule: bool = False,
    about_http: bool = False,
    unsuitable_for: Mapping[str, str] | None = None,
) -> Callable[[Story], Story]:
    """Register the decorated function as a probe of the subject that its module is named after.

    Args:
        source: a public address, or :data:`UNSURE` together with a *question*.
        question: see :class:`Probe`.
        own_rule: see :class:`Probe`.
        about_http: see :class:`Probe`.
        unsuitable_for: see :class:`Probe`.
    """
    if (source == UNSURE) != bool(question):
        raise ValueError("a probe has a question if, and only if, its source is UNSURE")

    def register(story: Story) -> Story:
        name = f"{story.__module__.rpartition('.')[2]}.{story.__name__}"
        if name in ALL:
            raise ValueError(f"two probes are named {name}")
        ALL[name] = Probe(name, source, story, question, own_rule, about_http, unsuitable_for or {})
        return story

    return register


class Refused(Exception):
    """The server answered with an error.

    Attributes:
        code: the name of the exception, without prefix and suffix.
        message: the server's words.
        status: the HTTP status.
    """

    def __init__(self, operation: str, code: str, message: str, status: int) -> None:
        super().__init__(f"{operation}: {code}: {message}")
        self.code, self.message, self.status = code, message, status


class CannotRun(Exception):
    """The target cannot take part in this story; the message has the reason."""


@contextlib.contextmanager
def refused(code: str, message: str = "") -> Generator[None]:
    """Expect that the block is refused with the exception *code*; *message* is a pattern for its message.

    Args:
        code: the name of the exception, or several, separated by ``|``.
        message: a regular expression, searched in the server's message.
    """
    error: Refused | None = None
    try:
        yield
    except Refused as caught:
        error = caught
    assert error is not None, f"accepted, but must be refused with {code}"
    assert error.code in code.split("|"), f"refused with {error.code} ({error.message!r}), not with {code}"
    assert re.search(message, error.message), f"the message is {error.message!r}, not {message!r}"


def tried(call: Callable[[], T]) -> T | Refused:
    """Return what *call* returns, or the error with which the server refused it."""
    try:
        return call()
    except Refused as error:
        return error


def answers_to(call: Callable[[int], object], count: int) -> list[str]:
    """Call *call* with 0, 1, ... *count* - 1, and return for each the refusal ("code: message") or "accepted"."""
    answers: list[str] = []
    for number in range(count):
        answer = tried(lambda: call(number))  # noqa: B023 - called at once
        answers.append(f"{answer.code}: {answer.message}" if isinstance(answer, Refused) else "accepted")
    return answers


def members(document: Mapping[str, Any], **expected: Any) -> None:
    """Check that *document* has each member of *expected*, with a value that fits.

    Args:
        expected: a type (or a tuple of types), a compiled pattern that matches the whole string, a dictionary whose
            members are checked in the same way, or the value itself.
    """
    for name, wanted in expected.items():
        assert name in document, f"{name} is missing"
        _check_member(name, document[name], wanted)


def _check_member(name: str, value: Any, wanted: Any) -> None:
    if isinstance(wanted, re.Pattern):
        assert isinstance(value, str), f"{name} is {value!r}, not a string"
        assert wanted.fullmatch(value), f"{name} is {value!r}, which does not match {wanted.pattern!r}"
    elif isinstance(wanted, (type, tuple)):
        assert isinstance(value, wanted), f"{name} is {value!r}, not of type {wanted}"
        assert wanted is bool or wanted == (int, float) or not isinstance(value, bool), f"{name} is a boolean"
    elif isinstance(wanted, Mapping) and isinstance(value, Mapping):
        members(value, **wanted)
    else:
        assert value == wanted, f"{name} is {value!r}, not {wanted!r}"
