"""The default chain: where AWS credentials are looked for if the program gives none.

The order is that of botocore's ``create_credential_resolver``::

    AWS_ACCESS_KEY_ID, ...       the environment variables, read again at every call
    a role, web identity, SSO    of the profile; resolved by botocore
    keys                         in the credentials file
    a login, a process           of the profile; resolved by botocore
    keys                         in the configuration file
    the container's endpoint     if the environment names one
    instance metadata            version 2, unless it is disabled

The first source that has credentials is kept, and used again until it is refreshed.
"""

from __future__ import annotations

import os

from srpcore._fork import ForkSafeLock, forget_in_snapshot
from srpcore.exceptions.base import ConfigurationError, TransportError, TransportTimeout

from .botocore_resolver import resolve_by_botocore
from .metadata import container_url, fetch_from_container, fetch_from_instance, instance_endpoint
from .profiles import Profile, load_profile, static_keys
from .refreshing import RefreshingCredentials
from .values import Credentials, CredentialsProvider, from_environment

__all__ = ["DefaultCredentials"]

_OTHER_VARIABLES = (
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
_INCOMPLETE = ("source_profile", "credential_source", "sso_session", "sso_start_url")


class DefaultCredentials:
    """A provider of this machine's credentials: from environment variables, files, container or instance metadata.

    The module's documentation lists the order. Nothing is looked for before the first call. Temporary credentials are
    refreshed before they expire. A role, a web identity, SSO, a login or a credential process needs botocore.

    Args:
        region: the region for botocore's own calls if neither the variables nor the files name one.
    """

    def __init__(self, region: str | None = None) -> None:
        self._region = region
        self._lock = ForkSafeLock()
        self._found: CredentialsProvider | None = None
        forget_in_snapshot(self, DefaultCredentials._forget)

    def __call__(self) -> Credentials:
        """Return the current credentials.

        Raises:
            ConfigurationError: no credentials were found, or they cannot be used.
            TransportError: the source of the credentials did not answer, or answered without credentials.
        """
        keys = from_environment()
        if keys is not None:
            return keys
        with self._lock.lock:
            if self._found is None:
                self._found = self._find()
            found = self._found
        return found()

    def _forget(self) -> None:
        """Forget the source that was found: botocore keeps the temporary credentials of a role in it."""
        with self._lock.lock:
            self._found = None

    def _find(self) -> CredentialsProvider:
        profile = load_profile()
        looked_at = ["AWS_ACCESS_KEY_ID (not set)", f"profile {profile.name!r} of {profile.looked_at}"]
        found = self._from_profile(profile, looked_at)
        if found is None and container_url() is not None:
            found = RefreshingCredentials(fetch_from_container)
        looked_at += [f"{name} (not set)" for name in _OTHER_VARIABLES]
        return found or _from_instance(looked_at)

    def _from_profile(self, profile: Profile, looked_at: list[str]) -> CredentialsProvider | None:
        required = _role_settings(profile)
        keys = None if required else static_keys(profile.shared, profile.name)
        if keys is None:
            required = required or _login_settings(profile)
            if required:
                return self._from_botocore(required, looked_at)
            keys = static_keys(profile.config, profile.name)
        if keys is None:
            found = [name for name in _INCOMPLETE if name in profile.settings]
            looked_at[-1] += f": {', '.join(found)} is not enough" if found else ""
            return None
        return _StaticCredentials(keys)

    def _from_botocore(self, required: str, looked_at: list[str]) -> CredentialsProvider:
        try:
            return resolve_by_botocore(self._region)
        except ModuleNotFoundError:
            raise ConfigurationError(
                f"{required} cannot be used without botocore: pip install 'srpcore[botocore]' "
                f"(looked at {'; '.join(looked_at)})"
            ) from None


class _StaticCredentials:
    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def __call__(self) -> Credentials:
        return self._credentials


def _role_settings(profile: Profile) -> str | None:
    """Return the names of the settings that take precedence over keys in the credentials file, or None."""
    settings = profile.settings
    if "role_arn" in settings and "web_identity_token_file" not in settings:
        return _named(profile, "role_arn", "source_profile", "credential_source")
    if "AWS_WEB_IDENTITY_TOKEN_FILE" in os.environ:
        if os.environ["AWS_WEB_IDENTITY_TOKEN_FILE"]:
            return "AWS_WEB_IDENTITY_TOKEN_FILE"
    elif settings.get("web_identity_token_file"):
        return _named(profile, "web_identity_token_file", "role_arn")
    if "sso_account_id" in settings or "sso_role_name" in settings:
        return _named(profile, "sso_session", "sso_start_url", "sso_account_id", "sso_role_name")
    return None


def _login_settings(profile: Profile) -> str | None:
    """Return the names of the settings that take precedence over keys in the configuration file, or None."""
    names = ("login_session", "credential_process")
    return _named(profile, *names) if any(name in profile.settings for name in names) else None


def _named(profile: Profile, *names: str) -> str:
    return f"{', '.join(name for name in names if name in profile.settings)} of profile {profile.name!r}"


def _from_instance(looked_at: list[str]) -> CredentialsProvider:
    endpoint = instance_endpoint()
    if endpoint is None:
        looked_at.append("instance metadata (AWS_EC2_METADATA_DISABLED)")
    else:
        provider = RefreshingCredentials(fetch_from_instance)
        try:
            provider()
        except TransportError as error:
            hop = ": in a container, its hop limit must be 2" if isinstance(error, TransportTimeout) else ""
            looked_at.append(f"instance metadata at {endpoint} ({error}{hop})")
        else:
            return provider
    raise ConfigurationError(
        f"there are no AWS credentials: looked at {'; '.join(looked_at)}: "
        "give credentials, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    )
