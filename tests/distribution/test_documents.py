"""README works where only README is shown, such as on a package index, and the documents name commands that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ["CHANGELOG.md", "CONTRIBUTING.md", "README.md", "RELEASING.md", "SECURITY.md"]


def prose(document: str) -> str:
    """Return the contents of *document* without its blocks of code."""
    return re.sub(r"```.*?```", "", (ROOT / document).read_text("utf-8"), flags=re.DOTALL)


def anchors(document: str) -> set[str]:
    """Return the anchors of the headings in *document*, as Markdown renderers derive them."""
    headings = re.findall(r"^#+ (.+)$", prose(document), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_readme_links_only_to_its_own_headings_or_to_absolute_addresses() -> None:
    links = re.findall(r"\]\(([^)\s]+)|^\[[^\]]+\]: *(\S+)|(?:href|src)=\"([^\"]+)", prose("README.md"), re.MULTILINE)
    targets = {target for link in links for target in link if target}
    relative = {target for target in targets if not re.match(r"https?://|mailto:|#", target)}
    assert relative == set()
    assert {target[1:] for target in targets if target.startswith("#")} <= anchors("README.md")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_files_that_documents_name_exist(document: str) -> None:
    path = r"`((?:\.ci|benchmarks|docs|requirements|srpcore|tests|tools|transports)/[\w./-]*|[A-Z]+\.md)`"
    missing = [name for name in re.findall(path, prose(document)) if not (ROOT / name).exists()]
    # The tests of the wheel run without the packages' sources.
    assert [name for name in missing if (ROOT / name.partition("/")[0]).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_make_targets_that_documents_name_exist(document: str) -> None:
    rules = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", rules, re.MULTILINE))
    assert "demo" in targets
    named = set(re.findall(r"\bmake ([a-z-]+)\b", " ".join(re.findall(r"`[^`]+`", prose(document)))))
    assert named <= targets
