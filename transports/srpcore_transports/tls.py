"""The TLS settings of the transports."""

from __future__ import annotations

import os
import ssl

from srpcore.exceptions.base import ConfigurationError

from .environment import variable

__all__ = ["tls_context"]


def tls_context(ca_bundle: str | os.PathLike[str] | None) -> ssl.SSLContext:
    """Return a context that verifies host name and certificate, with TLS 1.2 or newer.

    Args:
        ca_bundle: a PEM file with the trusted certificate authorities. If it is None, the next of these counts, in
            botocore's order: ``ca_bundle`` of the AWS profile, ``REQUESTS_CA_BUNDLE``, the authorities of the system.

    Raises:
        ConfigurationError: the file cannot be read, or contains no certificate.
    """
    ca_bundle = ca_bundle or _profile_bundle() or variable("REQUESTS_CA_BUNDLE")
    try:
        context = ssl.create_default_context(cafile=ca_bundle)
    except OSError as error:
        # ssl.SSLError is an OSError: it is raised if the file exists and contains no certificate.
        raise ConfigurationError(
            f"the CA bundle {os.fspath(ca_bundle or '')!r} cannot be read ({error.strerror}): give a PEM file in "
            "ca_bundle or AWS_CA_BUNDLE"
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


def _profile_bundle() -> str | None:
    # The profile is read only if there is a file: importing the parser and the credentials takes longer than making the
    # context, and an AWS Lambda function would wait for that during a cold start.
    files = (("AWS_CONFIG_FILE", "~/.aws/config"), ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"))
    if not any(os.path.isfile(os.path.expanduser(os.environ.get(*file))) for file in files):  # noqa: PTH111, PTH113
        return None
    from .credentials.profiles import profile_setting

    return profile_setting("ca_bundle")
