"""The service as seen from here: where it is, how an operation is written for it and signed, what its answer says."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from srpcore._version import __version__
from srpcore.aws_json import encode
from srpcore.clock import system_clock
from srpcore.exceptions.base import ConfigurationError, TransportError
from srpcore.pool import check_endpoint, configured_endpoint, default_endpoint
from srpcore.protocol import Operation

from . import sigv4

if TYPE_CHECKING:
    from .credentials import Credentials, CredentialsProvider

__all__ = [
    "MAX_RESPONSE_SIZE",
    "USER_AGENT",
    "Limits",
    "Service",
    "document",
    "limits",
    "refuse_redirect",
    "seconds",
    "variable",
    "whole_number",
]

MAX_RESPONSE_SIZE = 10 * 2**20
"""The default bound of a response in bytes: sixty users with every attribute at its longest fit in."""

USER_AGENT = f"srpcore/{__version__}"


class Limits(NamedTuple):
    """The bounds of one exchange, in seconds and bytes."""

    connect: float
    read: float
    size: int


class Service:
    """One endpoint of Cognito user pools; *region*, *endpoint_url* and the rest are as HttpsTransport explains them.

    Raises:
        ConfigurationError: an argument or a variable cannot be used, or neither region nor endpoint is known.
    """

    def __init__(
        self,
        region: str | None,
        endpoint_url: str | None,
        credentials: Credentials | CredentialsProvider | None,
        *,
        use_fips: bool | None,
        use_dualstack: bool | None,
        allow_http: bool,
    ) -> None:
        self.region = region or variable("AWS_REGION", "AWS_DEFAULT_REGION") or _profile_region()
        given = endpoint_url or configured_endpoint()
        if given and (use_fips or use_dualstack):
            raise ConfigurationError("an endpoint URL is taken as it is: use_fips and use_dualstack cannot change it")
        endpoint = given or _regional_endpoint(self.region, use_fips, use_dualstack)
        self._allow_http = allow_http
        self.endpoint_url = check_endpoint(endpoint, allow_http=allow_http)
        _sendable(self.endpoint_url)
        self.host = urlsplit(self.endpoint_url).hostname or ""
        self._credentials = credentials
        if credentials is not None and not _is_credentials(credentials) and not callable(credentials):
            raise ConfigurationError("credentials must be Credentials, or a provider that returns them when called")

    def request(self, operation: Operation) -> tuple[dict[str, str], bytes]:
        """Return the headers and the body of the POST that *operation* is, not yet signed.

        Raises:
            ConfigurationError: the operation cannot be encoded.
        """
        headers, body = encode(operation)
        return {**headers, "Host": sigv4.host_of(self.endpoint_url), "User-Agent": USER_AGENT}, body

    def signed(self, operation: Operation, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
        """Return *headers* with a signature of this moment, where *operation* must be signed.

        It may ask for credentials, and so read files or wait for the network.

        Raises:
            ConfigurationError: the operation must be signed and there is nothing to sign with.
            TransportError: who has the credentials did not answer; nothing was sent.
        """
        if not operation.signed:
            return {**headers}
        credentials = self._current_credentials(operation)
        if self.region is None:
            raise ConfigurationError(f"{operation.name} must be signed for a region: give one, or set AWS_REGION")
        signature = sigv4.sign(
            method="POST",
            url=self.endpoint_url,
            # The agent is no matter for the signature: a proxy may change it.
            headers={name: value for name, value in headers.items() if name != "User-Agent"},
            body=body,
            credentials=credentials,
            region=self.region,
            service="cognito-idp",
            time=datetime.fromtimestamp(system_clock(), timezone.utc),
        )
        return {**headers, **signature}

    def fetchable(self, url: str) -> str:
        """Return the host of *url*, of which a document may be fetched: https, or http to this machine.

        Raises:
            ConfigurationError: *url* cannot be fetched safely.
        """
        parts = urlsplit(url)
        check_endpoint(f"{parts.scheme}://{parts.netloc}", allow_http=self._allow_http)
        _sendable(url)
        return parts.hostname or ""

    def _current_credentials(self, operation: Operation) -> Credentials:
        from .credentials import Credentials, DefaultCredentials

        if self._credentials is None:
            self._credentials = DefaultCredentials(self.region)
        given = self._credentials
        try:
            credentials = given if isinstance(given, Credentials) else given()
        except ConfigurationError as error:
            raise ConfigurationError(f"{operation.name} must be signed, and {error}") from None
        except TransportError as error:
            error.may_have_arrived = False  # what may have arrived is the question for credentials
            raise
        except StopIteration:
            # Calls are carried out by generators, and no future takes it either: there it is a RuntimeError, or lost.
            raise ConfigurationError(
                f"{operation.name} must be signed, and the provider of credentials has none: it raised StopIteration"
            ) from None
        if not isinstance(credentials, Credentials):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError(
                "the provider of credentials must return srpcore_transports.credentials.Credentials"
            )
        return credentials


def document(status: int, headers: Mapping[str, str], body: bytes, host: str) -> bytes:
    """Return *body*, the answer to a GET, if its *status* is 200.

    Raises:
        TransportError: it is another.
    """
    if status == 200:
        return body
    raise TransportError(
        f"HTTP {status} from {host} where a document was expected",
        transient=status in (429, 500, 502, 503, 504),
        status=status,
        retry_after=headers.get("retry-after", ""),
    )


def refuse_redirect(status: int, host: str) -> None:
    """Refuse an answer that sends the request elsewhere.

    Raises:
        TransportError: *status* is a redirect.
    """
    if 300 <= status < 400:
        raise TransportError(f"HTTP {status} from {host}: a redirect, which is not followed: give the final address")


def limits(timeout: float, connect_timeout: float | None, read_timeout: float | None, max_response_size: int) -> Limits:
    """Return the bounds that the arguments of a transport set; *timeout* counts where another is not given.

    Raises:
        ConfigurationError: an argument cannot be used.
    """
    return Limits(
        seconds("connect_timeout", timeout if connect_timeout is None else connect_timeout),
        seconds("read_timeout", timeout if read_timeout is None else read_timeout),
        whole_number("max_response_size", max_response_size, at_least=1),
    )


def whole_number(name: str, value: int, *, at_least: int) -> int:
    """Return *value*, if it is a whole number that is not too small.

    Raises:
        ConfigurationError: it is not.
    """
    if type(value) is not int or value < at_least:
        raise ConfigurationError(f"{name} must be a whole number, {at_least} or more")
    return value


def seconds(name: str, value: float) -> float:
    """Return *value* as a float, if it is a positive number of seconds.

    Raises:
        ConfigurationError: it is not.
    """
    # A text that holds a number is refused as well; bool is an int, and nobody means it.
    if type(value) not in (int, float) or not (math.isfinite(value) and value > 0):
        raise ConfigurationError(f"{name} must be a positive number of seconds")
    return float(value)


def variable(*names: str) -> str | None:
    """Return the first environment variable of *names* that is set and not empty."""
    return next((os.environ[name] for name in names if os.environ.get(name)), None)


# The package of the credentials is loaded when it is needed: who logs in or fetches keys signs nothing.
def _profile_region() -> str | None:
    from .credentials import profile_region

    return profile_region()


def _is_credentials(value: object) -> bool:
    from .credentials import Credentials

    return isinstance(value, Credentials)


def _regional_endpoint(region: str | None, use_fips: bool | None, use_dualstack: bool | None) -> str:
    if not region:
        raise ConfigurationError("neither region nor endpoint is known: give a region, or set AWS_REGION")
    return default_endpoint(
        region,
        use_fips=_flag("AWS_USE_FIPS_ENDPOINT") if use_fips is None else use_fips,
        use_dualstack=_flag("AWS_USE_DUALSTACK_ENDPOINT") if use_dualstack is None else use_dualstack,
    )


def _flag(name: str) -> bool:
    return os.environ.get(name, "").lower() == "true"


def _sendable(url: str) -> None:
    if not re.fullmatch(r"[!-~]+", url, re.ASCII):
        raise ConfigurationError("a URL holds a space or a character outside ASCII: percent-encode it")
