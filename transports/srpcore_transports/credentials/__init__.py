"""AWS credentials for the operations that must be signed: where they are looked for, and how they are refreshed.

A provider is a callable without arguments that returns the current :class:`Credentials`.
"""

from __future__ import annotations

from .botocore_resolver import BotocoreCredentials
from .chain import DefaultCredentials
from .profiles import profile_region
from .refreshing import RefreshingCredentials, Temporary
from .values import Credentials, CredentialsProvider, from_environment

__all__ = [
    "BotocoreCredentials",
    "Credentials",
    "CredentialsProvider",
    "DefaultCredentials",
    "RefreshingCredentials",
    "Temporary",
    "from_environment",
    "profile_region",
]
