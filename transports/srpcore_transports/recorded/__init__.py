"""Recorded fakes: record calls to the service in a readable file without secrets, and replay them.

.. code-block:: python

    with RecordingTransport(HttpsTransport("eu-west-1"), "log_in.json") as transport:
        Cognito(pool_id, client_id, username="alice", transport=transport).authenticate(password)

    with ReplayTransport("log_in.json") as transport:
        Cognito(pool_id, client_id, username="alice", transport=transport).authenticate("any password")

Both work with ``Cognito`` and ``AsyncCognito``. :mod:`srpcore_transports.pytest_plugin` has a fixture for tests. Replay
needs PyJWT, which signs the tokens (extra ``srpcore[local]``).
"""

from __future__ import annotations

from .errors import CassetteError, SecretInCassette, UnmatchedCall, UnusedCalls
from .faults import FETCH, AsyncFaultTransport, Fault, FaultTransport
from .recording import AsyncRecordingTransport, RecordingTransport
from .replay import Mode, ReplayTransport

__all__ = [
    "FETCH",
    "AsyncFaultTransport",
    "AsyncRecordingTransport",
    "CassetteError",
    "Fault",
    "FaultTransport",
    "Mode",
    "RecordingTransport",
    "ReplayTransport",
    "SecretInCassette",
    "UnmatchedCall",
    "UnusedCalls",
]
