"""The options that all HTTP transports have in common, checked once, when the transport is made."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from srpcore._values import Value
from srpcore.pool import switch

from .attempts import Attempts
from .endpoint import Endpoint
from .environment import variable
from .events import OnRequest, OnResponse
from .signing import RequestSigner
from .validation import seconds, whole_number

if TYPE_CHECKING:
    from .credentials import Credentials, CredentialsProvider

__all__ = ["MAX_RESPONSE_SIZE", "Limits", "TransportOptions"]

MAX_RESPONSE_SIZE = 10 * 2**20
"""The default limit of a response in bytes. A page of 60 users fits, even if every attribute has its maximal length."""


class Limits(Value):
    """The limits of one request: seconds to connect, seconds of silence while reading, bytes of the response body."""

    __slots__ = ("connect", "read", "size")

    connect: float
    read: float
    size: int

    def __init__(self, connect: float, read: float, size: int) -> None:
        self._set(connect=connect, read=read, size=size)


class TransportOptions:
    """The checked options of one HTTP transport.

    Args:
        region: the AWS region. Default: ``AWS_REGION``, ``AWS_DEFAULT_REGION``, or the region of the AWS profile.
        endpoint_url: where operations are sent. Default: ``AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER``,
            ``AWS_ENDPOINT_URL``, or the region's own endpoint.
        credentials: credentials for the operations that must be signed, or a provider: a function that returns
            Credentials. Default: :class:`~srpcore_transports.credentials.DefaultCredentials`, which looks them up at
            the first such call.
        use_fips: use the endpoint that is validated by FIPS 140. Default: ``AWS_USE_FIPS_ENDPOINT``.
        use_dualstack: use the endpoint that is reachable over IPv6 too. Default: ``AWS_USE_DUALSTACK_ENDPOINT``.
        timeout: the seconds for *connect_timeout* and *read_timeout* if they are not given.
        connect_timeout: the seconds for connecting, with the TLS handshake.
        read_timeout: the seconds that the server may be silent after that.
        total_timeout: the seconds for one call in total, with all retries and pauses. A name lookup cannot be limited.
        max_attempts: how often one call may be sent in total; see :mod:`srpcore_transports.retries`.
        ca_bundle: a PEM file with the trusted certificate authorities. Default, in botocore's order: ``AWS_CA_BUNDLE``,
            ``ca_bundle`` of the AWS profile, ``REQUESTS_CA_BUNDLE``. Without these, the authorities of the system are
            trusted (or those that OpenSSL's ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` name), never those of certifi.
        whole_ca_bundle: load all authorities of the bundle before the first connection. Otherwise, only Amazon's root
            certificates in the bundle are loaded for a connection to one of AWS's endpoints, which takes less time; if
            they do not verify the server, the others are loaded, and a second connection is made. Both ways trust the
            same authorities. Behind a proxy that inspects TLS, True saves one connection in each process. Default: the
            environment variable ``SRPCORE_WHOLE_CA_BUNDLE`` (``true``, ``1``, ``yes`` or ``on``), else False.
        max_response_size: the largest accepted response body in bytes.
        allow_http: accept plain http to other machines than this one, for example to an emulator in another container.
            Passwords are then readable on the network. Default: the environment variable ``SRPCORE_ALLOW_HTTP``
            (``true``, ``1``, ``yes`` or ``on``).
        on_request: called before each attempt; see :mod:`srpcore_transports.events`.
        on_response: called after each attempt.

    Raises:
        ConfigurationError: an argument or an environment variable cannot be used, or there is neither a region nor an
            endpoint.
    """

    __slots__ = ("attempts", "ca_bundle", "endpoint", "limits", "signer", "whole_ca_bundle")

    def __init__(
        self,
        region: str | None = None,
        endpoint_url: str | None = None,
        credentials: Credentials | CredentialsProvider | None = None,
        *,
        use_fips: bool | None = None,
        use_dualstack: bool | None = None,
        timeout: float = 30.0,
        connect_timeout: float | None = None,
        read_timeout: float | None = None,
        total_timeout: float = 60.0,
        max_attempts: int = 3,
        ca_bundle: str | os.PathLike[str] | None = None,
        whole_ca_bundle: bool | None = None,
        max_response_size: int = MAX_RESPONSE_SIZE,
        allow_http: bool | None = None,
        on_request: OnRequest | None = None,
        on_response: OnResponse | None = None,
    ) -> None:
        self.endpoint = Endpoint(
            region, endpoint_url, use_fips=use_fips, use_dualstack=use_dualstack, allow_http=allow_http
        )
        self.signer = RequestSigner(self.endpoint, credentials)
        self.limits = Limits(
            seconds("connect_timeout", timeout if connect_timeout is None else connect_timeout),
            seconds("read_timeout", timeout if read_timeout is None else read_timeout),
            whole_number("max_response_size", max_response_size, at_least=1),
        )
        self.attempts = Attempts(
            max_attempts=max_attempts,
            total_timeout=seconds("total_timeout", total_timeout),
            on_request=on_request,
            on_response=on_response,
        )
        self.ca_bundle = ca_bundle or variable("AWS_CA_BUNDLE")
        self.whole_ca_bundle = switch("whole_ca_bundle", whole_ca_bundle, "SRPCORE_WHOLE_CA_BUNDLE")
