"""AWS Signature Version 4, without I/O. A client signs with these functions, and a server verifies with them.

The algorithm is the AWS documentation's, "Create a signed AWS API request" (AWS Identity and Access Management User
Guide, reference_sigv-create-signed-request), for every service but S3: paths are normalised and encoded once more.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from hashlib import blake2b, sha256
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_to_bytes, urlsplit

from srpcore.exceptions.base import ConfigurationError

from .urls import host_of

if TYPE_CHECKING:
    from .credentials import Credentials

__all__ = [
    "ALGORITHM",
    "canonical_path",
    "canonical_query",
    "canonical_request",
    "credential_scope",
    "payload_hash",
    "sign",
    "signature",
    "signing_key",
    "string_to_sign",
]

ALGORITHM = "AWS4-HMAC-SHA256"

# Proxies and HTTP libraries change or remove these headers, which would break a signature that covers them.
_NOT_SIGNED = frozenset(
    """
    authorization baggage connection expect keep-alive proxy-authenticate proxy-authorization te traceparent tracestate
    trailer transfer-encoding upgrade user-agent x-amzn-trace-id
    """.split()
)

# Derived keys. The dictionary's key is a keyed digest of the inputs, so that no secret access key is kept in memory.
_DERIVED: dict[bytes, bytes] = {}
_DERIVED_AT_MOST = 16
_DIGEST_KEY = os.urandom(32)


def sign(
    *,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    credentials: Credentials,
    region: str,
    service: str,
    time: datetime,
) -> dict[str, str]:
    """Return the headers that sign a request: ``X-Amz-Date``, ``Authorization`` and, with a token, its header.

    Args:
        method: the HTTP method.
        url: the URL.
        headers: the headers to sign. Those that proxies change, such as ``User-Agent``, are left out. If ``Host`` is
            missing, the host of *url* is signed, and must then be sent.
        body: the body.
        credentials: what to sign with.
        region: the AWS region.
        service: the name of the service in signatures, such as ``cognito-idp``.
        time: the current time, an aware datetime.

    Raises:
        ConfigurationError: *time* has no time zone.
    """
    if time.tzinfo is None:
        raise ConfigurationError("the time of a signature must be a datetime with a time zone")
    timestamp = time.astimezone(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    added = {"X-Amz-Date": timestamp}
    if credentials.session_token is not None:
        added["X-Amz-Security-Token"] = credentials.session_token
    parts = urlsplit(url)
    covered = {name.lower(): value for name, value in headers.items() if name.lower() not in _NOT_SIGNED}
    covered.setdefault("host", host_of(url))
    covered.update((name.lower(), value) for name, value in added.items())
    canonical = canonical_request(method, parts.path, parts.query, covered, covered, payload_hash(body))
    scope = credential_scope(timestamp[:8], region, service)
    key = signing_key(credentials.secret_access_key, timestamp[:8], region, service)
    added["Authorization"] = (
        f"{ALGORITHM} Credential={credentials.access_key_id}/{scope}, SignedHeaders={';'.join(sorted(covered))}, "
        f"Signature={signature(key, string_to_sign(timestamp, scope, canonical))}"
    )
    return added


def payload_hash(body: bytes) -> str:
    """Return the SHA-256 of *body* in lower-case hexadecimal, the last line of a canonical request."""
    return sha256(body).hexdigest()


def canonical_request(
    method: str, path: str, query: str, headers: Mapping[str, str], signed_headers: Iterable[str], payload_hash: str
) -> str:
    """Return the canonical form of a request ("Create a canonical request").

    Args:
        method: the HTTP method.
        path: the path as on the request line.
        query: the query as on the request line.
        headers: the headers; the case of their names does not matter. The values of a header that was sent more than
            once must be joined by commas (RFC 9110, section 5.3).
        signed_headers: the names of the headers to sign. One that is absent counts as empty.
        payload_hash: the result of :func:`payload_hash`.
    """
    values = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
    names = sorted({name.lower() for name in signed_headers})
    lines = [f"{name}:{values.get(name, '')}" for name in names]
    return "\n".join([method, canonical_path(path), canonical_query(query), *lines, "", ";".join(names), payload_hash])


def canonical_path(path: str) -> str:
    """Return *path* without empty, ``.`` and ``..`` segments, percent-encoded once more.

    The segments are removed as in RFC 3986, section 5.2.4, with two differences, which the AWS clients have: repeated
    slashes become one, and a final ``.`` or ``..`` is removed together with its slash.
    """
    segments: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del segments[-1:]
        elif segment not in ("", "."):
            segments.append(segment)
    trailing = "/" if segments and path.endswith("/") else ""
    return quote("/" + "/".join(segments) + trailing, safe="/~")


def canonical_query(query: str) -> str:
    """Return the parameters of *query*, each percent-encoded in full and sorted by name, then by value."""
    pairs = [parameter.partition("=") for parameter in query.split("&") if parameter]
    encoded = sorted((_encode(name), _encode(value)) for name, _, value in pairs)
    return "&".join(f"{name}={value}" for name, value in encoded)


def _encode(value: str) -> str:
    # Decoded first, because the value may be encoded partly, or with lower-case hexadecimal digits.
    return quote(unquote_to_bytes(value), safe="~")


def credential_scope(date: str, region: str, service: str) -> str:
    """Return the scope of a signing key: one day (``yyyymmdd``, UTC), one region and one service."""
    return f"{date}/{region}/{service}/aws4_request"


def string_to_sign(timestamp: str, scope: str, canonical_request: str) -> str:
    """Return the string to sign ("Create a string to sign"); *timestamp* is ``yyyymmddThhmmssZ``."""
    return "\n".join([ALGORITHM, timestamp, scope, sha256(canonical_request.encode("utf-8")).hexdigest()])


def signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    """Return the key of one day, region and service, derived from the secret access key by four HMAC-SHA-256.

    ``HMAC(HMAC(HMAC(HMAC("AWS4" || secret, date), region), service), "aws4_request")`` ("Calculate the signature").
    The last few keys are kept in memory, under a digest from which the secret cannot be computed.
    """
    identity = blake2b(f"{date}/{region}/{service}/{secret}".encode(), key=_DIGEST_KEY, digest_size=32).digest()
    key = _DERIVED.get(identity)
    if key is None:
        key = f"AWS4{secret}".encode()
        for part in (date, region, service, "aws4_request"):
            key = hmac.digest(key, part.encode("utf-8"), "sha256")
        if len(_DERIVED) >= _DERIVED_AT_MOST:
            _DERIVED.clear()
        _DERIVED[identity] = key
    return key


def signature(key: bytes, string_to_sign: str) -> str:
    """Return the HMAC-SHA-256 of the string to sign in lower-case hexadecimal; compare it in constant time."""
    return hmac.digest(key, string_to_sign.encode("utf-8"), "sha256").hex()
