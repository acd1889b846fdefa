"""AWS credentials: what signs the operations that need a signature, where they are looked for, and how they stay fresh.

A provider is whatever is called without arguments and returns the :class:`Credentials` to sign with now.
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
