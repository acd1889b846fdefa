"""Temporary credentials from a container's endpoint, and from the instance metadata service of EC2.

Only version 2 of the instance metadata service is used: a session token is fetched first, with a PUT. Version 1 answers
a plain GET, so it gives the credentials to anybody who can make the machine fetch a URL.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from srpcore.clock import monotonic_clock
from srpcore.exceptions.base import ConfigurationError, TransportError
from srpcore.exceptions.context import without_context
from srpcore.pool import check_endpoint, is_loopback

from ..attempts import Attempt
from ..deadline import current_deadline
from ..http_connection import open_connection, send_request
from ..tls import shared_tls
from ..urls import origin_and_target
from .refreshing import Temporary
from .values import Credentials

__all__ = ["container_url", "fetch_from_container", "fetch_from_instance", "instance_endpoint"]

CONTAINER_SECONDS = 2.0
INSTANCE_SECONDS = 1.0
"""The seconds for connecting, and for each silence of the server after that. Both are those of botocore."""

_LIMIT = 2**16
_RELATIVE, _FULL = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"
_TOKEN, _TOKEN_FILE = "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
_ENDPOINT = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
_CONTAINER_HOSTS = ("localhost", "169.254.170.2", "169.254.170.23", "fd00:ec2::23")
_ROLES = "/latest/meta-data/iam/security-credentials/"


def container_url() -> str | None:
    """Return the URL of the container's credentials, or None if the environment does not name one.

    Raises:
        ConfigurationError: it is not a URL, or it is plain http to a host other than this machine and the addresses
            that AWS uses for containers.
    """
    relative, full = os.environ.get(_RELATIVE), os.environ.get(_FULL)
    url = f"http://169.254.170.2{relative}" if relative else full
    if not url:
        return None
    parts = urlsplit(url) if re.fullmatch(r"[!-~]+", url, re.ASCII) else urlsplit("")
    _check_url(f"{parts.scheme}://{parts.netloc}", _RELATIVE if relative else _FULL)
    if parts.scheme != "https" and parts.hostname not in _CONTAINER_HOSTS and not is_loopback(parts.hostname or ""):
        raise ConfigurationError(
            f"{_FULL} names {parts.hostname}: use https; plain http is allowed to this machine only, "
            f"and to {', '.join(_CONTAINER_HOSTS[1:])}"
        )
    return url


def fetch_from_container() -> Temporary:
    """Return the credentials of the container's endpoint.

    The request has the authorization token that the environment names, if it names one.

    Raises:
        ConfigurationError: the URL or the token cannot be used.
        TransportError: the endpoint did not answer, or answered without credentials.
    """
    url = container_url()
    if url is None:
        raise ConfigurationError(f"neither {_RELATIVE} nor {_FULL} is set")
    token = _authorization()
    headers = {"Accept": "application/json"} | ({} if token is None else {"Authorization": token})
    return _temporary(_request("GET", url, headers, CONTAINER_SECONDS), urlsplit(url).hostname or "")


def instance_endpoint() -> str | None:
    """Return the URL of the instance metadata service, or None if ``AWS_EC2_METADATA_DISABLED`` is true.

    Raises:
        ConfigurationError: ``AWS_EC2_METADATA_SERVICE_ENDPOINT`` is not a URL.
    """
    if os.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        return None
    mode = os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "").lower()
    own = "http://[fd00:ec2::254]" if mode == "ipv6" else "http://169.254.169.254"
    return _check_url(os.environ.get(_ENDPOINT) or own, _ENDPOINT)


def fetch_from_instance() -> Temporary:
    """Return the credentials of the instance's role, from the instance metadata service (IMDSv2).

    If the service gives no session token, the search ends: version 1 is never used.

    Raises:
        ConfigurationError: the service is disabled, or its URL cannot be used.
        TransportError: the service did not answer, or answered without credentials.
    """
    endpoint = instance_endpoint()
    if endpoint is None:
        raise ConfigurationError("AWS_EC2_METADATA_DISABLED is true")
    lifetime = {"x-aws-ec2-metadata-token-ttl-seconds": "21600"}
    token = _request("PUT", f"{endpoint}/latest/api/token", lifetime, INSTANCE_SECONDS)
    session = {"x-aws-ec2-metadata-token": _header(token, "the session token")}
    roles = _request("GET", f"{endpoint}{_ROLES}", session, INSTANCE_SECONDS).split()
    # The name becomes a part of the next URL, so it must match IAM's pattern for the names of roles.
    if not roles or not re.fullmatch(rb"[A-Za-z0-9_+=,.@-]{1,64}", roles[0]):
        message = "the instance metadata service returned no role: attach one to the instance"
        raise TransportError(message, reason="credentials")
    document = _request("GET", f"{endpoint}{_ROLES}{roles[0].decode()}", session, INSTANCE_SECONDS)
    return _temporary(document, urlsplit(endpoint).hostname or "")


def _check_url(url: str, variable: str) -> str:
    try:
        return check_endpoint(url, allow_http=True)
    except ConfigurationError:
        raise ConfigurationError(f"{variable} does not give a URL of the form http://host[:port][/path]") from None


@without_context
def _authorization() -> str | None:
    file, token = os.environ.get(_TOKEN_FILE), os.environ.get(_TOKEN)
    if file:
        try:
            # Read each time, because the token is replaced while the program runs.
            token = Path(file).read_text(encoding="ascii")
        except (OSError, ValueError):
            raise ConfigurationError(f"the file that {_TOKEN_FILE} names cannot be read") from None
    if token and not re.fullmatch(r"[ -~]+", token, re.ASCII):
        raise ConfigurationError(f"the token of {_TOKEN_FILE if file else _TOKEN} must be printable ASCII")
    return token or None


def _header(value: bytes, what: str) -> str:
    if not re.fullmatch(rb"[!-~]+", value):
        message = f"{what} of the instance metadata service must be printable ASCII"
        raise TransportError(message, reason="credentials")
    return value.decode()


def _request(method: str, url: str, headers: Mapping[str, str], seconds: float) -> bytes:
    # Never through a proxy: the endpoints are on this machine or its link, and the answers are secrets.
    origin, target = origin_and_target(url)
    tls = shared_tls(None) if origin.scheme == "https" else None
    attempt = Attempt(min(monotonic_clock() + seconds, current_deadline.get()), repeatable=True)
    connection = open_connection(origin, attempt, proxy=None, tls=tls, timeout=seconds)
    try:
        answer = send_request(connection, attempt, origin, method, target, headers, None, timeout=seconds, limit=_LIMIT)
    finally:
        connection.close()
    if answer.status != 200:
        message = f"HTTP {answer.status} from {origin.host} to {method} {urlsplit(url).path}"
        raise TransportError(message, reason="credentials")
    return answer.body


@without_context
def _temporary(body: bytes, host: str) -> Temporary:
    try:
        document = cast(dict[str, Any], json.loads(body))
        credentials = Credentials(document["AccessKeyId"], document["SecretAccessKey"], document["Token"])
        expires = datetime.fromisoformat(document["Expiration"])
        if expires.tzinfo is None:
            expires = expires.replace(tzinfo=timezone.utc)
        return Temporary(credentials, expires.timestamp())
    except (ValueError, TypeError, LookupError, OverflowError, RecursionError):
        # Without the exception's message, which may quote the credentials. (ConfigurationError is a ValueError.)
        raise TransportError(
            f"the answer of {host} is not a JSON document with AccessKeyId, SecretAccessKey, Token and Expiration",
            reason="credentials",
        ) from None
