"""Write HTTP/1.1 requests as bytes (RFC 9112). No I/O."""

from __future__ import annotations

from collections.abc import Mapping

from .http_response import TOKEN, VALUE

__all__ = ["encode_request"]

_TARGET = bytes(range(0x21, 0x7F))


def encode_request(method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
    """Return a whole request. ``Content-Length`` is added if there is a body, or if *method* expects one.

    Args:
        method: the method.
        target: the path and query, the whole URL for a proxy, or host and port for CONNECT.
        headers: the headers, with ``Host`` (RFC 9112, section 3.2).
        body: the body, or None.

    Raises:
        ValueError: an argument contains a character that HTTP does not allow there, or is not in Latin-1.
    """
    fields = dict(headers)
    if body is not None or method in ("POST", "PUT", "PATCH"):
        fields["Content-Length"] = str(len(body or b""))
    lines = [b"%b %b HTTP/1.1" % (_checked(method, TOKEN), _checked(target, _TARGET))]
    lines += [b"%b: %b" % (_checked(name, TOKEN), _checked(value, VALUE)) for name, value in fields.items()]
    return b"\r\n".join([*lines, b"", body or b""])


def _checked(text: str, allowed: bytes) -> bytes:
    encoded = text.encode("latin-1")
    # A value with a line break in it would become two headers. Only a value may be empty.
    if encoded.translate(None, allowed) or (not encoded and allowed is not VALUE):
        raise ValueError("not allowed in HTTP")
    return encoded
