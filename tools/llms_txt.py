"""Write llms.txt into the site: the list of its pages, for language models (https://llmstxt.org).

mkdocs calls the functions of this module (``hooks`` in mkdocs.yml). The list is made from the navigation, and each page
is named with its first sentence. The addresses are relative, because nobody knows where the site will be.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Protocol


class Page(Protocol):
    """The part of mkdocs' page that is used here."""

    title: str
    url: str
    is_page: bool
    markdown: str | None
    children: list[Page] | None


class Navigation(Protocol):
    """The part of mkdocs' navigation that is used here."""

    items: list[Page]


_navigations: list[Navigation] = []


def on_nav(nav: Navigation, **_: object) -> None:
    """Keep the navigation. mkdocs calls this before the pages are read."""
    _navigations[:] = [nav]


def on_post_build(config: dict[str, str]) -> None:
    """Write the file. mkdocs calls this at the end."""
    lines = [f"# {config['site_name']}", "", f"> {config['site_description']}"]
    for item in _navigations[0].items:
        if item.is_page:
            lines += ["", _line(item)]
        else:
            lines += ["", f"## {item.title}", "", *(_line(page) for page in item.children or () if page.is_page)]
    Path(config["site_dir"], "llms.txt").write_text("\n".join(lines) + "\n", "utf-8")


def _line(page: Page) -> str:
    return f"- [{page.title}]({page.url}): {_first_sentence(page.markdown or '')}".rstrip(": ")


def _first_sentence(markdown: str) -> str:
    """Return the first sentence of the first paragraph that is text, without markup."""
    for paragraph in re.sub(r"^```.*?^```", "", markdown, flags=re.DOTALL | re.MULTILINE).split("\n\n"):
        text = " ".join(paragraph.split())
        if text and (text[0].isalnum() or text[0] == "`"):
            plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text).replace("`", "")
            return re.split(r"(?<=[.:]) ", plain)[0]
    return ""
