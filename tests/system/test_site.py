"""The built documentation in a real browser: links, console, width of a phone, contrast in both themes, and search."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urldefrag, urljoin

import pytest

from .browser import Browser, browser

pytestmark = [pytest.mark.system, pytest.mark.timeout(1000)]

ROOT = Path(__file__).parents[2]
# Material for MkDocs prints an advertisement without it, which is not a warning about the documentation.
ENVIRONMENT = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}

# The contrast is that of WCAG 2.2, 1.4.3: 4.5, or 3 for large text. Transitions would show a colour on its way.
MEASURE = """async schemes => {
    const style = document.createElement("style");
    style.textContent = "* { transition: none !important }";
    document.head.append(style);

    const parse = color => {
        const parts = color.match(/^rgba?\\(([^)]+)\\)$/);
        if (!parts) throw new Error(`unknown form of a colour: ${color}`);
        const [red, green, blue, alpha = 1] = parts[1].split(/[\\s,\\/]+/).map(Number);
        return [red, green, blue, alpha];
    };
    const over = (front, back) => [0, 1, 2].map(i => front[i] * front[3] + back[i] * (1 - front[3])).concat(1);
    const luminance = color => color.slice(0, 3)
        .map(value => value / 255)
        .map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
        .reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i], 0);
    let backgrounds;
    const background = element => {
        if (element === null) return [255, 255, 255, 1];
        if (!backgrounds.has(element)) {
            const own = parse(getComputedStyle(element).backgroundColor);
            backgrounds.set(element, own[3] === 1 ? own : over(own, background(element.parentElement)));
        }
        return backgrounds.get(element);
    };
    const contrast = element => {
        const back = background(element);
        const text = over(parse(getComputedStyle(element).color), back);
        const [dark, light] = [luminance(text), luminance(back)].sort((one, other) => one - other);
        return (light + 0.05) / (dark + 0.05);
    };

    const elements = new Set();
    const nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (nodes.nextNode()) {
        const element = nodes.currentNode.parentElement;
        // The sign of a permanent link is decoration, which appears beside the pointer.
        if (nodes.currentNode.data.trim() && !element.closest("script, style, .headerlink") &&
            element.checkVisibility({visibilityProperty: true})) elements.add(element);
    }
    const faint = [];
    for (const scheme of schemes) {
        document.body.dataset.mdColorScheme = scheme;
        backgrounds = new Map();
        const seen = new Set();
        for (const element of elements) {
            const {fontSize, fontWeight} = getComputedStyle(element);
            const size = parseFloat(fontSize);
            const least = size >= 24 || (size >= 18.66 && fontWeight >= 700) ? 3 : 4.5;
            const ratio = contrast(element);
            const kind = `${scheme} ${element.localName}.${element.className}`;
            if (ratio < least && !seen.has(kind)) {
                seen.add(kind);
                faint.push(`${kind} ${element.textContent.trim().slice(0, 40)}: ${ratio.toFixed(2)}`);
            }
        }
    }
    return {faint, texts: elements.size, width: document.documentElement.scrollWidth};
}"""

SEARCH = """async words => {
    document.querySelector("#__search").click();
    const input = document.querySelector(".md-search__input");
    input.focus();
    input.value = words;
    while (true) {
        input.dispatchEvent(new KeyboardEvent("keyup"));
        const found = document.querySelectorAll(".md-search-result__link");
        if (found.length) return Array.from(found, link => new URL(link.href).pathname);
        await new Promise(resolve => setTimeout(resolve, 100));
    }
}"""


class Page(HTMLParser):
    """The anchors, the addresses and the images of an HTML page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.anchors = {""}
        self.addresses: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.anchors.add(attributes.get("id") or "")
        self.addresses += [value for name in ("href", "src") if (value := attributes.get(name))]
        if tag == "img":
            self.images.append(attributes)


class Site(NamedTuple):
    folder: Path
    port: int
    pages: dict[str, Page]

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/{name}"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """Build the site, once for all workers of pytest-xdist, and return its folder."""
    shared = tmp_path_factory.getbasetemp()
    if hasattr(request.config, "workerinput"):
        shared = shared.parent
    folder, built = shared / "site", shared / "site-is-built"
    with (shared / "site.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not built.exists():
            command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, env=ENVIRONMENT)
            assert done.returncode == 0, done.stderr
            built.touch()
    return folder


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[Site]:
    pages = {path.relative_to(folder).as_posix(): Page(path.read_text("utf-8")) for path in folder.rglob("*.html")}
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Site(folder, server.server_port, pages)
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("chromium")) as chromium:
        chromium.devtools("Emulation.setDeviceMetricsOverride", **PHONE)
        yield chromium


def test_links_of_the_site_lead_to_a_page_and_an_anchor(site: Site) -> None:
    broken: list[str] = []
    for name, page in site.pages.items():
        for address in page.addresses:
            target, anchor = urldefrag(urljoin(site.url(name), address))
            path = unquote(target.removeprefix(site.url("")))
            if not target.startswith(site.url("")):
                continue
            if not (site.folder / (path or "index.html")).is_file():
                broken.append(f"{name}: {address}")
            elif anchor and path in site.pages and unquote(anchor) not in site.pages[path].anchors:
                broken.append(f"{name}: {address} (no such anchor)")
    assert not broken


def test_images_of_the_site_have_a_description(site: Site) -> None:
    images = [(name, image) for name, page in site.pages.items() for image in page.images]
    assert images
    assert not [(name, image["src"]) for name, image in images if not image.get("alt")]


def test_pages_are_readable_on_a_phone_in_both_themes(site: Site, chromium: Browser) -> None:
    """A page is not wider than the screen (tables and code scroll by themselves), and its text is not faint."""
    faults: list[str] = []
    for name in sorted(site.pages):
        chromium.open(site.url(name))
        found = chromium.run(MEASURE, ["default", "slate"])
        assert found["texts"] > 10, name
        faults += [f"{name}: {text}" for text in found["faint"]]
        if found["width"] > PHONE["width"]:
            faults.append(f"{name} is {found['width']} pixels wide")
        faults += [f"{name}: {message}" for message in chromium.console()]
    assert not faults, "\n".join(faults)


def test_search_finds_the_pages_about_a_refresh_token(site: Site, chromium: Browser) -> None:
    chromium.open(site.url("index.html"))
    found = chromium.run(SEARCH, "refresh token")
    assert "/login.html" in found
