"""AWS Signature Version 4, without I/O. A client signs with these functions, and a server verifies with them.

The algorithm is the AWS documentation's, "Create a signed AWS API request" (AWS Identity and Access Management User
Guide, reference_sigv-create-signed-request), for every service but S3: paths are normalised and encoded once more.
"""

from __future__ import annotations

import hmac
import os
import time as _time
from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import blake2b, sha256
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_to_bytes, urlsplit

from srpcore._fork import forget_in_snapshot
from srpcore.exceptions.base import ConfigurationError

from .urls import host_of

if TYPE_CHECKING:
    from .credentials import Credentials

__all__ = [
    "ALGORITHM",
    "Signer",
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
# More than a program usually has operations that must be signed: a form is about 300 characters.
_FORMS_AT_MOST = 64
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
    signer = Signer(method=method, url=url, credentials=credentials, region=region, service=service)
    return signer.sign(headers, body, time.timestamp())


class Signer:
    """Signs the requests of one client to one URL. What stays the same from one request to the next is computed once.

    Only the body, a few headers and the time differ between the requests of a client. So a signer keeps

    - for the current second: the timestamp, the start of the string to sign, and the signing key of the day;
    - for each set of headers: the canonical request without the time and without the hash of the body.

    The rest is two SHA-256 and one HMAC. Threads may share a signer: what it keeps is replaced as a whole, so at worst
    two threads compute the same.

    Args:
        method: the HTTP method.
        url: the URL.
        credentials: what to sign with.
        region: the AWS region.
        service: the name of the service in signatures.
    """

    def __init__(self, *, method: str, url: str, credentials: Credentials, region: str, service: str) -> None:
        self.credentials = credentials
        self._method = method
        self._url = url
        self._region = region
        self._service = service
        self._token = {} if credentials.session_token is None else {"X-Amz-Security-Token": credentials.session_token}
        self._second = (-1, "", "", b"", "")
        self._forms: dict[tuple[str, ...], tuple[str, str, str]] = {}

    def sign(self, headers: Mapping[str, str], body: bytes, now: float) -> dict[str, str]:
        """Return the headers that sign a request, as :func:`sign` does.

        Args:
            headers: the headers to sign, as for :func:`sign`.
            body: the body.
            now: the current time, in seconds since the epoch.
        """
        second, timestamp, start, key, credential = self._second
        if second != now // 1:
            second, timestamp, start, key, credential = self._second = self._at(int(now // 1))
        given = (*headers, *headers.values())
        before, after, signed_headers = self._forms.get(given) or self._form(given, headers)
        canonical = f"{before}{timestamp}{after}{sha256(body).hexdigest()}"
        to_sign = f"{start}{sha256(canonical.encode()).hexdigest()}"
        signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
        added = {"X-Amz-Date": timestamp, "Authorization": f"{credential}{signed_headers}, Signature={signature}"}
        return added | self._token if self._token else added

    def _at(self, second: int) -> tuple[int, str, str, bytes, str]:
        """Return *second*, its timestamp, the start of the string to sign, the key of the day, and the credential."""
        timestamp = _time.strftime("%Y%m%dT%H%M%SZ", _time.gmtime(second))
        scope = credential_scope(timestamp[:8], self._region, self._service)
        key = signing_key(self.credentials.secret_access_key, timestamp[:8], self._region, self._service)
        credential = f"{ALGORITHM} Credential={self.credentials.access_key_id}/{scope}, SignedHeaders="
        return second, timestamp, f"{ALGORITHM}\n{timestamp}\n{scope}\n", key, credential

    def _form(self, given: tuple[str, ...], headers: Mapping[str, str]) -> tuple[str, str, str]:
        """Return the canonical request before and after its X-Amz-Date, without the hash, and the signed names."""
        parts = urlsplit(self._url)
        covered = {name.lower(): value for name, value in headers.items() if name.lower() not in _NOT_SIGNED}
        covered.setdefault("host", host_of(self._url))
        covered.update((name.lower(), value) for name, value in self._token.items())
        covered["x-amz-date"] = ""
        canonical = canonical_request(self._method, parts.path, parts.query, covered, covered, "")
        # A value cannot contain this line: its blanks and line ends were replaced by spaces.
        before, _, after = canonical.partition("\nx-amz-date:\n")
        form = (f"{before}\nx-amz-date:", f"\n{after}", ";".join(sorted(covered)))
        if len(self._forms) >= _FORMS_AT_MOST:
            self._forms.clear()
        self._forms[given] = form
        return form


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


# A derived key signs requests for a day, like the secret itself.
forget_in_snapshot(signing_key, lambda _: _DERIVED.clear())


def signature(key: bytes, string_to_sign: str) -> str:
    """Return the HMAC-SHA-256 of the string to sign in lower-case hexadecimal; compare it in constant time."""
    return hmac.digest(key, string_to_sign.encode("utf-8"), "sha256").hex()
