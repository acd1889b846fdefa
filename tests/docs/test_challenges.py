"""The page on challenges lists every challenge, with what it needs."""

from __future__ import annotations

import re
from pathlib import Path

from srpcore.flows.challenge import NEEDS

PAGE = (Path(__file__).parents[2] / "docs" / "challenges.md").read_text("utf-8")


def test_the_page_has_every_challenge_with_what_it_needs() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| [^|]+ \| `([a-z_]+)` \|", PAGE, re.MULTILINE)
    assert dict(rows) == {name: needs for name, (needs, _) in NEEDS.items()}
    assert len(rows) == len(NEEDS)
