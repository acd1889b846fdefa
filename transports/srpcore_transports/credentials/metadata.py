"""Temporary credentials from the endpoint of a container, and from the instance metadata service, version 2 only."""

from __future__ import annotations

import json
import os
import re
import ssl
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from srpcore.exceptions.base import ConfigurationError, TransportError
from srpcore.pool import check_endpoint, is_loopback

from ..attempts import Attempt
from ..deadline import deadline_in
from ..http_connection import open_connection, send_request
from ..urls import origin_and_target
from .refreshing import Temporary
from .values import Credentials

__all__ = ["container_url", "fetch_from_container", "fetch_from_instance", "instance_endpoint"]

CONTAINER_SECONDS = 2.0
INSTANCE_SECONDS = 1.0
"""How long connecting, and each silence after that, may last; both as in botocore."""

_LIMIT = 2**16
_RELATIVE, _FULL = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"
_TOKEN, _TOKEN_FILE = "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
_ENDPOINT = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
_CONTAINER_HOSTS = ("localhost", "169.254.170.2", "169.254.170.23", "fd00:ec2::23")
_ROLES = "/latest/meta-data/iam/security-credentials/"


def container_url() -> str | None:
    """Return the URL that a container's environment gives for its credentials, or None where it gives none.

    Raises:
        ConfigurationError: it is no URL, or plain http to a host that is neither this machine nor known to be its own.
    """
    relative, full = os.environ.get(_RELATIVE), os.environ.get(_FULL)
    url = f"http://169.254.170.2{relative}" if relative else full
    if not url:
        return None
    parts = urlsplit(url) if re.fullmatch(r"[!-~]+", url, re.ASCII) else urlsplit("")
    _checked(f"{parts.scheme}://{parts.netloc}", _RELATIVE if relative else _FULL)
    if parts.scheme != "https" and parts.hostname not in _CONTAINER_HOSTS and not is_loopback(parts.hostname or ""):
        raise ConfigurationError(
            f"{_FULL} names {parts.hostname}: without https it may be this machine, {', '.join(_CONTAINER_HOSTS[1:])}"
        )
    return url


def fetch_from_container() -> Temporary:
    """Ask the container's endpoint for credentials, with its authorization token where the environment has one.

    Raises:
        ConfigurationError: the URL or the token cannot be used.
        TransportError: no credentials were had.
    """
    url = container_url()
    if url is None:
        raise ConfigurationError(f"neither {_RELATIVE} nor {_FULL} is set")
    token = _authorization()
    headers = {"Accept": "application/json"} | ({} if token is None else {"Authorization": token})
    return _temporary(_request("GET", url, headers, CONTAINER_SECONDS), urlsplit(url).hostname or "")


def instance_endpoint() -> str | None:
    """Return the URL of the instance metadata service, or None where ``AWS_EC2_METADATA_DISABLED`` is true.

    Raises:
        ConfigurationError: ``AWS_EC2_METADATA_SERVICE_ENDPOINT`` is no URL.
    """
    if os.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        return None
    mode = os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "").lower()
    own = "http://[fd00:ec2::254]" if mode == "ipv6" else "http://169.254.169.254"
    return _checked(os.environ.get(_ENDPOINT) or own, _ENDPOINT)


def fetch_from_instance() -> Temporary:
    """Ask the instance metadata service for the credentials of the instance's role, in a session (IMDSv2).

    Without a session token nothing more is asked: version 1 answers whoever can make the machine fetch a URL.

    Raises:
        ConfigurationError: the service is disabled, or its URL cannot be used.
        TransportError: no credentials were had.
    """
    endpoint = instance_endpoint()
    if endpoint is None:
        raise ConfigurationError("AWS_EC2_METADATA_DISABLED is true")
    lifetime = {"x-aws-ec2-metadata-token-ttl-seconds": "21600"}
    token = _request("PUT", f"{endpoint}/latest/api/token", lifetime, INSTANCE_SECONDS)
    session = {"x-aws-ec2-metadata-token": _header(token, "the session token")}
    roles = _request("GET", f"{endpoint}{_ROLES}", session, INSTANCE_SECONDS).split()
    # IAM's pattern for the name of a role; it becomes a part of the next URL.
    if not roles or not re.fullmatch(rb"[A-Za-z0-9_+=,.@-]{1,64}", roles[0]):
        raise TransportError("the instance metadata service names no role")
    document = _request("GET", f"{endpoint}{_ROLES}{roles[0].decode()}", session, INSTANCE_SECONDS)
    return _temporary(document, urlsplit(endpoint).hostname or "")


def _checked(url: str, variable: str) -> str:
    try:
        return check_endpoint(url, allow_http=True)
    except ConfigurationError:
        raise ConfigurationError(f"{variable} does not give a URL of the form http://host[:port][/path]") from None


def _authorization() -> str | None:
    file, token = os.environ.get(_TOKEN_FILE), os.environ.get(_TOKEN)
    if file:
        try:
            # It is read each time: the token is replaced while the program runs.
            token = Path(file).read_text(encoding="ascii")
        except (OSError, ValueError):
            raise ConfigurationError(f"the file that {_TOKEN_FILE} names cannot be read") from None
    if token and not re.fullmatch(r"[ -~]+", token, re.ASCII):
        raise ConfigurationError(f"the token of {_TOKEN_FILE if file else _TOKEN} cannot stand in a header")
    return token or None


def _header(value: bytes, what: str) -> str:
    if not re.fullmatch(rb"[!-~]+", value):
        raise TransportError(f"{what} of the instance metadata service cannot stand in a header")
    return value.decode()


def _request(method: str, url: str, headers: Mapping[str, str], seconds: float) -> bytes:
    # Never through a proxy: these endpoints are this machine's own, and their answers are secrets.
    origin, target = origin_and_target(url)
    context = ssl.create_default_context() if origin.scheme == "https" else None
    attempt = Attempt(deadline_in(seconds), repeatable=True)
    connection = open_connection(origin, attempt, proxy=None, context=context, session=None, timeout=seconds)
    try:
        answer = send_request(
            connection, attempt, origin.host, method, target, headers, None, timeout=seconds, limit=_LIMIT
        )
    finally:
        connection.close()
    if answer.status != 200:
        raise TransportError(f"HTTP {answer.status} from {origin.host} to {method} {urlsplit(url).path}")
    return answer.body


def _temporary(body: bytes, host: str) -> Temporary:
    try:
        document = cast(dict[str, Any], json.loads(body))
        credentials = Credentials(document["AccessKeyId"], document["SecretAccessKey"], document["Token"])
        expires = datetime.fromisoformat(document["Expiration"])
        if expires.tzinfo is None:
            expires = expires.replace(tzinfo=timezone.utc)
        return Temporary(credentials, expires.timestamp())
    except (ValueError, TypeError, LookupError, OverflowError, RecursionError):
        # Not its text: that may quote what came. ConfigurationError is a ValueError.
        raise TransportError(
            f"the answer of {host} is no JSON document with AccessKeyId, SecretAccessKey, Token and Expiration"
        ) from None
