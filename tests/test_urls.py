"""URLs are taken apart as urllib.parse does it, but plain ones without importing it."""

from __future__ import annotations

from urllib.parse import urlsplit

from hypothesis import example, given
from hypothesis import strategies as st

from srpcore._urls import split_url

NAMES = ("scheme", "netloc", "hostname", "port", "path", "query")
# Any text, and texts of the characters that matter in a URL.
URLS = st.text() | st.lists(
    st.sampled_from(["http", "https", "HTTPS", "://", "/", ":", "//", "?", "#", "@", "[", "]", "a", "A.b", "%41", "1"])
    | st.sampled_from(
        ["443", "65535", "65536", "0", "00", "0080", "-1", "٣", "ß", " ", "\t", "\n", "\\", "~", ".", ";"]
    )
).map("".join)


def split_by(function: object, url: str) -> list[object] | None:
    """Return the parts, or None if *url* is invalid."""
    assert callable(function)
    try:
        parts = function(url)
        return [getattr(parts, name) for name in NAMES]
    except ValueError:
        return None


@given(URLS | URLS.map("https://".__add__) | URLS.map("http://localhost:".__add__))
@example("https://localhost:1/")
@example("https://localhost:65535/a:b/c")
@example("https://localhost:65536")
@example("https://localhost:")
@example("https://:1")
@example("https:///path")
@example("https://HOST.example/PATH")
@example("ftp://host/")
@example("//host/")
@example("https://[::1]:443/")
@example("https://user@host/")
@example("https://host:1:2/")
@example("https://host:000443/")
@example("HTTPS://host")
def test_the_parts_are_those_of_urllib(url: str) -> None:
    assert split_by(split_url, url) == split_by(urlsplit, url)
