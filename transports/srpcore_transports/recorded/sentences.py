"""Redact error messages: the service's own words stay, and what they quote becomes a placeholder."""

from __future__ import annotations

import re

from .placeholders import Placeholders
from .vocabulary import MESSAGE_WORDS

__all__ = ["is_harmless", "redact_sentence"]

_PUNCTUATION = ".,:;!?'\"()[]{}"
_SHORTEST = 4


def is_harmless(text: str) -> bool:
    """Return whether every word of *text* is one that the service uses in its messages."""
    return all(_is_known(word) for word in text.split())


def _is_known(word: str) -> bool:
    bare = word.strip(_PUNCTUATION).lower()
    return not bare or bare in MESSAGE_WORDS


def redact_sentence(text: str, placeholders: Placeholders) -> str:
    """Return *text* with placeholders for values that were seen before, and for each sequence of unknown words.

    A sentence of known words is not changed, even if a user is called ``password``, because programs compare messages.
    """
    if is_harmless(text):
        return text
    known = placeholders.values()
    quoted = sorted(
        (value for value in known if len(value) >= _SHORTEST and not is_harmless(value)), key=len, reverse=True
    )
    if not quoted:
        return _redact_words(text, placeholders)
    pattern = re.compile(rf"(?<!\w)({'|'.join(map(re.escape, quoted))})(?!\w)")
    pieces = pattern.split(text)
    # The pattern has one group, so every second piece is a value.
    return "".join(
        known[piece] if index % 2 else _redact_words(piece, placeholders) for index, piece in enumerate(pieces)
    )


def _redact_words(text: str, placeholders: Placeholders) -> str:
    words = re.split(r"(\s+)", text)
    redacted, run = "", ""
    for index in range(0, len(words), 2):
        gap = words[index - 1] if index else ""
        if _is_known(words[index]):
            redacted, run = redacted + _hidden(run, placeholders) + gap + words[index], ""
        elif run:
            run += gap + words[index]
        else:
            redacted, run = redacted + gap, words[index]
    return redacted + _hidden(run, placeholders)


def _hidden(run: str, placeholders: Placeholders) -> str:
    bare = run.strip(_PUNCTUATION)
    if not bare:
        return run
    before, after = run[: run.index(bare)], run[run.index(bare) + len(bare) :]
    return f"{before}{placeholders.of(bare, 'Text')}{after}"
