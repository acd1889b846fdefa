"""Colours and signs of the command line, and control characters in strings."""

from __future__ import annotations

import io

import pytest

from srpcore.text import Style, printable


class Stream(io.TextIOWrapper):
    def __init__(self, encoding: str, terminal: bool) -> None:
        super().__init__(io.BytesIO(), encoding=encoding)
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@pytest.mark.parametrize(
    ("settings", "terminal", "colours"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": "0"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"TERM": "dumb"}, True, False),
    ],
)
def test_colours_are_used_only_at_a_terminal(
    settings: dict[str, str], terminal: bool, colours: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with Stream("utf-8", terminal) as stream:
        painted = Style(stream).paint("text", "bold", "green")
    assert painted == ("\x1b[1;32mtext\x1b[0m" if colours else "text")


@pytest.mark.parametrize(("encoding", "tick"), [("utf-8", "✓"), ("ascii", "+"), ("latin-1", "+")])
def test_signs_are_ascii_if_the_encoding_has_no_others(encoding: str, tick: str) -> None:
    with Stream(encoding, False) as stream:
        assert Style(stream).sign("tick") == tick


def test_printable_replaces_control_characters() -> None:
    assert printable("Åse: 12\x1b[2J\r\n\x00\u202e ") == "Åse: 12?[2J  ?? "
