"""One set of AWS credentials, and the environment variables that may contain one."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from srpcore.exceptions.base import ConfigurationError

__all__ = ["Credentials", "CredentialsProvider", "from_environment"]

# The characters that a header and a credential scope allow. The usual mistake is a line end copied with a key.
_PRINTABLE = re.compile(r"[!-~]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Credentials:
    """One set of AWS credentials. Only temporary ones have a ``session_token``. The repr does not show the secrets."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name in ("access_key_id", "secret_access_key", "session_token"):
            value = getattr(self, name)
            if value is None and name == "session_token":
                continue
            if not isinstance(value, str) or not _PRINTABLE.fullmatch(value):
                raise ConfigurationError(
                    f"{name} must be a string of printable ASCII without spaces: check whether it ends with a line end"
                )


CredentialsProvider = Callable[[], Credentials]
"""A callable that returns the current credentials. It must be safe to share between threads."""


def from_environment(environ: Mapping[str, str] = os.environ) -> Credentials | None:
    """Return the credentials in the environment variables *environ*, or None if they are not set.

    The variables are ``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY`` and ``AWS_SESSION_TOKEN``. As in botocore, the
    older name of the last one, ``AWS_SECURITY_TOKEN``, takes precedence. As in the AWS command line, an empty variable
    counts as absent.

    Raises:
        ConfigurationError: only one variable of the pair is set, or a value contains a character that is not allowed.
    """
    access_key_id = environ.get("AWS_ACCESS_KEY_ID") or None
    secret_access_key = environ.get("AWS_SECRET_ACCESS_KEY") or None
    if access_key_id is None and secret_access_key is None:
        return None
    if access_key_id is None:
        raise ConfigurationError("AWS_SECRET_ACCESS_KEY is set and AWS_ACCESS_KEY_ID is not: set both or neither")
    if secret_access_key is None:
        raise ConfigurationError("AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not: set both or neither")
    session_token = environ.get("AWS_SECURITY_TOKEN") or environ.get("AWS_SESSION_TOKEN") or None
    return Credentials(access_key_id, secret_access_key, session_token)
