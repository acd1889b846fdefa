"""Check the built documentation: each documented name has its anchor, and no page loads anything from another host.

No row of a table describes several parameters or exceptions, because such a row has no type and no default.

python tools/check_site.py build/site
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "reference"
DIRECTIVE = re.compile(r"^::: (?P<name>[\w.]+)$", re.MULTILINE)
STYLE_URL = re.compile(r"(?:url\(|@import)\s*['\"]?(?P<url>(?:https?:)?//[^'\")\s]+)")
# The first cell of a row: "a, b", or a tuple of exceptions.
SHARED_ROW = re.compile(r"<td>\s*<code>(?:\w+, |\(<)")
# The attributes that a browser loads, or a reader follows.
ATTRIBUTES = {"action", "content", "data", "href", "poster", "src", "srcset"}


class Page(HTMLParser):
    """The ids and the addresses of other hosts in an HTML page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.addresses: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        """Collect from one tag."""
        for name, value in attrs:
            if name == "id" and value:
                self.ids.add(value)
            if name in ATTRIBUTES and value and re.match(r"(https?:)?//", value):
                self.addresses.append(value)


def documented_names() -> Iterator[str]:
    """Yield the names in the directives of the reference pages."""
    for page in sorted(REFERENCE.glob("*.md")):
        yield from DIRECTIVE.findall(page.read_text("utf-8"))


def entries(name: str) -> Iterator[str]:
    """Yield *name* and, if it is a class, its public methods and properties that this project defines."""
    yield name
    package, _, attribute = name.rpartition(".")
    value = getattr(importlib.import_module(package), attribute, None) if package else None
    if not inspect.isclass(value):
        return  # a function, a value, or a module
    for method in dir(value):
        member = inspect.getattr_static(value, method)
        member = getattr(member, "__func__", getattr(member, "fget", member))
        if inspect.isfunction(member) and member.__module__.startswith("srpcore") and not method.startswith("_"):
            yield f"{name}.{method}"


def problems(site: Path) -> Iterator[str]:
    """Yield one line for each fault of the built *site*."""
    ids: set[str] = set()
    for path in sorted(site.rglob("*.html")):
        html = path.read_text("utf-8")
        page = Page(html)
        ids |= page.ids
        yield from (f"{path.relative_to(site)}: a row with several names: {row}" for row in SHARED_ROW.findall(html))
        yield from (f"{path.relative_to(site)} refers to another host: {address}" for address in page.addresses)
    for path in sorted(site.rglob("*.css")):
        for address in STYLE_URL.findall(path.read_text("utf-8")):
            yield f"{path.relative_to(site)} loads from another host: {address}"
    import_rest_framework()
    for name in documented_names():
        yield from (f"{entry} has no entry" for entry in entries(name) if entry not in ids)


def import_rest_framework() -> None:
    """Give Django the settings that rest_framework wants when it is imported."""
    settings = importlib.import_module("django.conf").settings
    settings.configure(INSTALLED_APPS=["rest_framework"])
    importlib.import_module("django").setup()


def main(arguments: list[str]) -> int:
    """Print the faults of the site in the folder that *arguments* name, and return the exit status."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    found = list(problems(Path(arguments[0])))
    print(
        "\n".join(found)
        or f"{arguments[0]}: all public names have entries of their own, and no page refers to another host"
    )
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
