"""What all transports over HTTP have in common: their signature, and the properties that show their options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .options import TransportOptions
from .tls import SharedTls, ca_bundle_path, shared_tls
from .trust_anchors import roots_of

if TYPE_CHECKING:
    from inspect import Signature
    from os import PathLike

__all__ = ["HttpTransport"]


class _FullSignature:
    """The signature of a transport's class, with the options by name instead of ``**options``.

    ``inspect.signature`` and ``help`` read this attribute. It is computed only when it is read, because ``inspect``
    takes several milliseconds to load, which a cold start of an AWS Lambda function would wait for.
    """

    def __get__(self, instance: object, owner: type[Any]) -> Signature:
        from inspect import Parameter, signature

        own = list(signature(owner.__init__).parameters.values())[1:]
        shared = list(signature(TransportOptions).parameters.values())
        keywords = [p for p in [*own, *shared] if p.kind is Parameter.KEYWORD_ONLY]
        return signature(TransportOptions).replace(
            parameters=[*(p for p in shared if p.kind is Parameter.POSITIONAL_OR_KEYWORD), *keywords],
            return_annotation=owner.__name__,
        )


class HttpTransport:
    """The part of a transport over HTTP that sends nothing."""

    __signature__ = _FullSignature()

    def __init__(self, options: TransportOptions) -> None:
        self._endpoint = options.endpoint
        self._signer = options.signer
        self._limits = options.limits
        self._attempts = options.attempts
        self._given_ca_bundle = options.ca_bundle
        self._whole_ca_bundle = options.whole_ca_bundle
        self._ca_bundle_found: tuple[str | PathLike[str] | None] | None = None

    @property
    def _ca_bundle(self) -> str | PathLike[str] | None:
        """The file with the trusted certificate authorities. It is looked for once, before the first connection."""
        if self._ca_bundle_found is None:
            self._ca_bundle_found = (ca_bundle_path(self._given_ca_bundle),)
        return self._ca_bundle_found[0]

    def _roots(self, host: str) -> frozenset[str] | None:
        """Return the fingerprints of the authorities to load first for a connection to *host*; None: all of them."""
        return None if self._whole_ca_bundle else roots_of(host)

    def _tls(self, host: str | None = None) -> SharedTls:
        """Return the SSL context for a new connection to *host*, and the sessions of earlier ones.

        Args:
            host: a host name. Default: the endpoint's.
        """
        return shared_tls(self._ca_bundle, self._roots(self._endpoint.host if host is None else host))

    @property
    def region(self) -> str | None:
        """The region that signatures are made for; None if only an endpoint is known."""
        return self._endpoint.region

    @property
    def endpoint_url(self) -> str:
        """The URL that operations are sent to, without a slash at the end."""
        return self._endpoint.url

    @property
    def allow_http(self) -> bool:
        """Whether plain http to other machines is accepted."""
        return self._endpoint.allow_http

    def __repr__(self) -> str:
        return f"{type(self).__name__}(region={self.region!r}, endpoint_url={self.endpoint_url!r})"
