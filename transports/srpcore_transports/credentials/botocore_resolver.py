"""botocore's resolver, for what a profile may ask for and only a call of another service or a program can give."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from srpcore.exceptions.base import ConfigurationError, TransportError

from .values import Credentials

__all__ = ["BotocoreCredentials", "resolve_by_botocore"]


class BotocoreCredentials:
    """A provider over botocore's *credentials* (``boto3.Session().get_credentials()``), which refresh themselves."""

    def __init__(self, credentials: Any) -> None:
        self._credentials = credentials

    def __call__(self) -> Credentials:
        """Return what botocore has now.

        Raises:
            ConfigurationError: botocore could not get credentials.
            TransportError: botocore got no answer.
        """
        frozen = _asked(self._credentials.get_frozen_credentials)
        return Credentials(frozen.access_key, frozen.secret_key, frozen.token or None)


def resolve_by_botocore(region: str | None = None) -> BotocoreCredentials:
    """Return the provider that botocore finds by the variables and files; *region* counts where they name none.

    Its container and instance providers are left out: what they do is done here, and never by version 1.

    Raises:
        ModuleNotFoundError: botocore is not installed.
        ConfigurationError: botocore found no credentials, or could not use what it found.
        TransportError: botocore got no answer.
    """
    make_session = import_module("botocore.session").Session
    return BotocoreCredentials(_asked(lambda: _resolved(make_session(), region)))


def _resolved(session: Any, region: str | None) -> Any:
    # A role may name the instance as its source.
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


def _asked(question: Callable[[], Any]) -> Any:
    exceptions: Any = import_module("botocore.exceptions")
    try:
        return question()
    except (exceptions.ConnectionError, exceptions.HTTPClientError) as error:
        raise TransportError(f"botocore got no answer for AWS credentials ({type(error).__name__})") from None
    except exceptions.ClientError as error:
        refusal: Any = error
        raise _unusable(refusal.response["Error"]["Code"]) from None
    except Exception as error:  # noqa: BLE001 - their texts quote what a credential process or a file holds
        raise _unusable(type(error).__name__) from None


def _unusable(reason: str) -> ConfigurationError:
    return ConfigurationError(f"botocore could not get the AWS credentials ({reason}): try the aws command")
