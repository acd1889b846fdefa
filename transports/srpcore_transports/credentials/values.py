"""One set of AWS credentials, and the environment that may hold one."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from srpcore.exceptions.base import ConfigurationError

__all__ = ["Credentials", "CredentialsProvider", "from_environment"]

# What may stand in a header and in a credential scope. A line end copied along with a key is the usual mistake.
_PRINTABLE = re.compile(r"[!-~]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Credentials:
    """One set of AWS credentials; ``session_token`` comes with temporary ones only. The repr shows no secret."""

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
                    f"{name} must be text of printable ASCII without spaces: look for a line end at its end"
                )


CredentialsProvider = Callable[[], Credentials]
"""What gives the credentials to sign with now; safe to share between threads."""


def from_environment(environ: Mapping[str, str] = os.environ) -> Credentials | None:
    """Return the credentials that the usual variables of *environ* hold, or None where they hold none.

    The variables are ``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY`` and ``AWS_SESSION_TOKEN``, whose older name
    ``AWS_SECURITY_TOKEN`` goes first, as in botocore; an empty one counts as absent, as for the AWS command line.

    Raises:
        ConfigurationError: half of the pair is missing, or a value cannot be a credential.
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
