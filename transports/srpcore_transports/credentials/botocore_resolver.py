"""Credentials that only botocore can resolve.

A profile may demand a role, a web identity, SSO, a login session or a credential process. These need a call to another
AWS service, or a child process, which is botocore's work.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from srpcore.exceptions.base import ConfigurationError, TransportError
from srpcore.exceptions.context import without_context

from .values import Credentials

__all__ = ["BotocoreCredentials", "resolve_by_botocore"]


class BotocoreCredentials:
    """A provider over *credentials* of botocore (``boto3.Session().get_credentials()``), which refresh themselves."""

    def __init__(self, credentials: object) -> None:
        self._credentials: Any = credentials

    def __call__(self) -> Credentials:
        """Return the current credentials of botocore.

        Raises:
            ConfigurationError: botocore could not get credentials.
            TransportError: a service that botocore called did not answer.
        """
        frozen = _translate_errors(self._credentials.get_frozen_credentials)
        return Credentials(frozen.access_key, frozen.secret_key, frozen.token or None)


def resolve_by_botocore(region: str | None = None) -> BotocoreCredentials:
    """Return the provider that botocore finds in the environment variables and files.

    botocore's own providers for containers and instances are removed: :mod:`.metadata` does their work, and never uses
    version 1 of the instance metadata service.

    Args:
        region: the region for botocore's calls if neither the variables nor the files name one.

    Raises:
        ModuleNotFoundError: botocore is not installed.
        ConfigurationError: botocore found no credentials, or could not use what it found.
        TransportError: a service that botocore called did not answer.
    """
    make_session = import_module("botocore.session").Session
    return BotocoreCredentials(_translate_errors(lambda: _resolved(make_session(), region)))


def _resolved(session: Any, region: str | None) -> Any:
    # A role may have the instance's credentials as its source, and botocore would fetch those with version 1.
    session.set_config_variable("ec2_metadata_v1_disabled", True)
    if region is not None and session.get_config_variable("region") is None:
        session.set_config_variable("region", region)
    resolver = session.get_component("credential_provider")
    resolver.remove("container-role")
    resolver.remove("iam-role")
    found = resolver.load_credentials()
    if found is None:
        raise LookupError
    return found


@without_context
def _translate_errors(function: Callable[[], Any]) -> Any:
    exceptions: Any = import_module("botocore.exceptions")
    try:
        return function()
    except (exceptions.ConnectionError, exceptions.HTTPClientError) as error:
        message = f"botocore got no answer for AWS credentials ({type(error).__name__})"
        raise TransportError(message, reason="credentials") from None
    except exceptions.ClientError as error:
        refusal: Any = error
        raise _unusable(refusal.response["Error"]["Code"]) from None
    except Exception as error:  # noqa: BLE001 - the messages quote the output of credential processes and lines of files
        raise _unusable(type(error).__name__) from None


def _unusable(reason: str) -> ConfigurationError:
    return ConfigurationError(f"botocore could not get the AWS credentials ({reason}): try the aws command")
