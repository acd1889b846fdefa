"""What an implementation of SRP-6a has to offer to the laws: a client and a server of one exchange."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from ..crypto.groups import Group

__all__ = ["NewSrpClient", "NewSrpServer", "SrpClient", "SrpClientSetup", "SrpServer", "SrpServerSetup"]


@dataclass(frozen=True)
class SrpClientSetup:
    """What a client is made from. *digest* is the name of the hash in :mod:`hashlib`.

    *a* is the secret exponent to use, or None for a new random one.
    """

    group: Group
    digest: str
    identity: str
    password: str
    a: int | None


@dataclass(frozen=True)
class SrpServerSetup:
    """What a server is made from. *digest* is the name of the hash in :mod:`hashlib`.

    *b* is the secret exponent to use, or None for a new random one.
    """

    group: Group
    digest: str
    identity: str
    salt: bytes
    verifier: int
    b: int | None


class SrpClient(Protocol):
    """A client in one exchange."""

    @property
    def A(self) -> int:
        """The public value."""
        ...

    def prove(self, salt: bytes, B: int, /) -> bytes:
        """Return the proof M1; raise any exception to refuse *B*."""
        ...

    def verify(self, server_proof: bytes, /) -> bytes:
        """Return the session key K if *server_proof* is M2; raise any exception to refuse it."""
        ...


class SrpServer(Protocol):
    """A server in one exchange."""

    @property
    def B(self) -> int:
        """The public value."""
        ...

    def verify(self, A: int, client_proof: bytes, /) -> tuple[bytes, bytes]:
        """Return ``(K, M2)`` if *client_proof* is M1; raise any exception to refuse *A* or *client_proof*."""
        ...


NewSrpClient: TypeAlias = Callable[[SrpClientSetup], SrpClient]
"""A function that makes a client for one exchange."""

NewSrpServer: TypeAlias = Callable[[SrpServerSetup], SrpServer]
"""A function that makes a server for one exchange."""
