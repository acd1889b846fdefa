"""HTTP requests for operations: the headers and the body, and the signature of operations that must be signed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from srpcore._fork import forget_in_snapshot
from srpcore._version import __version__
from srpcore.aws_json import encode
from srpcore.clock import system_clock
from srpcore.exceptions.base import ConfigurationError, TransportError
from srpcore.protocol import Operation

from .deadline import limit_until
from .endpoint import Endpoint
from .urls import host_of

if TYPE_CHECKING:
    from . import sigv4
    from .credentials import Credentials, CredentialsProvider

__all__ = ["USER_AGENT", "RequestSigner", "fetch_headers"]

USER_AGENT = f"srpcore/{__version__}"


def fetch_headers(url: str) -> dict[str, str]:
    """Return the headers of a GET of the document at *url*."""
    return {"Host": host_of(url), "Accept": "application/json", "User-Agent": USER_AGENT}


class RequestSigner:
    """Makes the requests of operations for one endpoint, and signs them.

    Args:
        endpoint: the endpoint that the operations are sent to.
        credentials: what to sign with; None means that they are looked for when the first operation must be signed.

    Raises:
        ConfigurationError: *credentials* are neither Credentials nor callable.
    """

    def __init__(self, endpoint: Endpoint, credentials: Credentials | CredentialsProvider | None) -> None:
        if credentials is not None and not _is_credentials(credentials) and not callable(credentials):
            raise ConfigurationError("credentials must be Credentials, or a provider that returns them when called")
        self._endpoint = endpoint
        self._credentials = credentials
        self._signer: sigv4.Signer | None = None
        forget_in_snapshot(self, RequestSigner._forget)

    def _forget(self) -> None:
        """Forget the signer: it has the credentials, which may be temporary."""
        self._signer = None

    def request(self, operation: Operation) -> tuple[dict[str, str], bytes]:
        """Return the headers and the body of the POST for *operation*, not yet signed.

        Raises:
            ConfigurationError: the operation cannot be encoded.
        """
        headers, body = encode(operation)
        return {**headers, "Host": host_of(self._endpoint.url), "User-Agent": USER_AGENT}, body

    def signed(self, operation: Operation, headers: Mapping[str, str], body: bytes, deadline: float) -> dict[str, str]:
        """Return *headers* with a signature of the current time. Call it only if *operation* must be signed.

        This may look for credentials, and so read files or wait for the network, until *deadline*, a reading of
        ``monotonic_clock()``.

        Raises:
            ConfigurationError: the credentials or the region are missing.
            TransportError: a source of credentials did not answer. The operation was not sent.
        """
        signer = self._signer
        # A provider may return other credentials each time, so it is always called.
        if signer is None or signer.credentials is not self._credentials:
            with limit_until(deadline):
                signer = self._signer_for(operation, self._current_credentials(operation))
        return {**headers, **signer.sign(headers, body, system_clock())}

    def _signer_for(self, operation: Operation, credentials: Credentials) -> sigv4.Signer:
        """Return the signer for *credentials*: the last one if they are the same."""
        signer = self._signer
        if signer is not None and signer.credentials is credentials:
            return signer
        if self._endpoint.region is None:
            raise ConfigurationError(f"{operation.name} must be signed for a region: give one, or set AWS_REGION")
        from . import sigv4  # imported only here: a login signs nothing

        signer = self._signer = sigv4.Signer(
            method="POST",
            url=self._endpoint.url,
            credentials=credentials,
            region=self._endpoint.region,
            service="cognito-idp",
        )
        return signer

    def _current_credentials(self, operation: Operation) -> Credentials:
        from .credentials import Credentials, DefaultCredentials

        if self._credentials is None:
            self._credentials = DefaultCredentials(self._endpoint.region)
        given = self._credentials
        try:
            credentials = given if isinstance(given, Credentials) else given()
        except ConfigurationError as error:
            raise ConfigurationError(f"{operation.name} must be signed, and {error}") from None
        except TransportError as error:
            # The flag is about the operation, which was not sent. Only the request for credentials may have arrived.
            error.may_have_arrived = False
            raise
        except StopIteration:
            # Attempts are run by generators and futures, in which a StopIteration becomes a RuntimeError or is lost.
            raise ConfigurationError(
                f"{operation.name} must be signed, and the provider of credentials has none: it raised StopIteration"
            ) from None
        if not isinstance(credentials, Credentials):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError(
                "the provider of credentials must return srpcore_transports.credentials.Credentials"
            )
        return credentials


def _is_credentials(value: object) -> bool:
    # Imported only if credentials were given: most programs sign nothing, and the package takes time to load.
    from .credentials import Credentials

    return isinstance(value, Credentials)
