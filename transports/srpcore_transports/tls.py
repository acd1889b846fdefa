"""The TLS settings of the transports."""

from __future__ import annotations

import os
import ssl

from srpcore.exceptions.base import ConfigurationError

__all__ = ["tls_context"]


def tls_context(ca_bundle: str | os.PathLike[str] | None) -> ssl.SSLContext:
    """Return a context that verifies host name and certificate, with TLS 1.2 or newer.

    Args:
        ca_bundle: a PEM file with the trusted certificate authorities; None means those of the system.

    Raises:
        ConfigurationError: the file cannot be read, or contains no certificate.
    """
    try:
        context = ssl.create_default_context(cafile=ca_bundle)
    except OSError as error:
        # ssl.SSLError is an OSError: it is raised if the file exists and contains no certificate.
        raise ConfigurationError(
            f"the CA bundle cannot be read ({error.strerror}): give a PEM file in ca_bundle or AWS_CA_BUNDLE"
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context
