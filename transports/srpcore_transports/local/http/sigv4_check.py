"""Verify the SigV4 signature of a request ("AWS Signature Version 4 for API requests")."""

from __future__ import annotations

import re
from datetime import datetime, timezone

from srpcore.exceptions.base import ConfigurationError
from srpcore.pool import default_endpoint

from ... import sigv4
from ...credentials import Credentials
from ..api.errors import Refusal
from ..model.secret_values import equal
from .request_reader import Request

__all__ = ["SIGNATURE_OPTIONAL", "verify"]

SERVICE = "cognito-idp"
_SKEW = 300
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256\s+Credential=(?P<key>[^/,\s]+)/(?P<date>\d{8})/(?P<region>[^/,\s]+)/(?P<service>[^/,\s]+)/aws4_request"
    r",\s*SignedHeaders=(?P<headers>[^,\s]+),\s*Signature=(?P<signature>[0-9a-f]{64})",
    re.ASCII,
)
_NO_KEYS = (
    "This pool was started without AWS keys: restart srpcore serve with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
)
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)


SIGNATURE_OPTIONAL = frozenset({"GetDerivedToken"})
"""Operations that accept the secret of an app client instead of a signature."""


def verify(request: Request, credentials: Credentials | None, now: float) -> str:
    """Check that *request* was signed with *credentials* within five minutes of *now*, and return the region.

    Args:
        credentials: None refuses every signature.
        now: the current time, in seconds since the epoch.

    Raises:
        Refusal: the signature is missing, malformed, expired or wrong, or was made for another service.
    """
    authorization = request.headers.get("authorization")
    if not authorization:
        raise Refusal("MissingAuthenticationTokenException", "Missing Authentication Token", 403)
    match = _AUTHORIZATION.fullmatch(authorization.strip())
    if match is None:
        raise Refusal("IncompleteSignatureException", "The Authorization header is not a SigV4 signature.", 403)
    if credentials is None:
        raise Refusal("UnrecognizedClientException", _NO_KEYS)
    if not equal(match["key"], credentials.access_key_id) or not _session_token_matches(request, credentials):
        raise Refusal("UnrecognizedClientException", "The security token included in the request is invalid.")
    timestamp = _checked_timestamp(request, match["date"], now)
    if not _is_region(match["region"]) or match["service"] != SERVICE:
        raise _invalid_signature(f"Credential should be scoped to a valid region and to the service {SERVICE}.")
    _check_signature(request, credentials, match, timestamp)
    return match["region"]


def _is_region(name: str) -> bool:
    try:
        default_endpoint(name)
    except ConfigurationError:
        return False
    return True


def _checked_timestamp(request: Request, date: str, now: float) -> str:
    timestamp = request.headers.get("x-amz-date", "")
    try:
        time = datetime.strptime(timestamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    except ValueError:
        raise Refusal("IncompleteSignatureException", "X-Amz-Date is missing or malformed.", 403) from None
    if timestamp[:8] != date:
        raise _invalid_signature("Date in Credential scope does not match YYYYMMDD from X-Amz-Date.")
    if abs(time.timestamp() - now) > _SKEW:
        raise _invalid_signature("Signature expired: X-Amz-Date is more than five minutes off.")
    return timestamp


def _check_signature(request: Request, keys: Credentials, match: re.Match[str], timestamp: str) -> None:
    signed = match["headers"].split(";")
    needed = {"host", "x-amz-date"} | {"x-amz-target", "x-amz-security-token"} & set(request.headers)
    if not needed <= set(signed):
        raise _invalid_signature("Host and the X-Amz- headers must be signed.")
    date, region = match["date"], match["region"]
    canonical = sigv4.canonical_request(
        request.method, request.path, request.query, request.headers, signed, sigv4.payload_hash(request.body)
    )
    text = sigv4.string_to_sign(timestamp, sigv4.credential_scope(date, region, SERVICE), canonical)
    key = sigv4.signing_key(keys.secret_access_key, date, region, SERVICE)
    if not equal(match["signature"], sigv4.signature(key, text)):
        raise _invalid_signature(_MISMATCH)


def _session_token_matches(request: Request, credentials: Credentials) -> bool:
    return equal(request.headers.get("x-amz-security-token", ""), credentials.session_token or "")


def _invalid_signature(message: str) -> Refusal:
    return Refusal("InvalidSignatureException", message, 403)
