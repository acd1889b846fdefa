"""What all transports over HTTP have in common: their signature, and the properties that show their options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .options import TransportOptions

if TYPE_CHECKING:
    from inspect import Signature

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
    """The part of a transport over HTTP that does no I/O."""

    __signature__ = _FullSignature()

    def __init__(self, options: TransportOptions) -> None:
        self._endpoint = options.endpoint
        self._signer = options.signer
        self._limits = options.limits
        self._attempts = options.attempts
        self._ca_bundle = options.ca_bundle

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
