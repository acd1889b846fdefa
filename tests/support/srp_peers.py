"""Generic SRP-6a of this library and of others, as the law suites of ``srpcore.testing`` take it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import srp._pysrp as pysrp
import srptools

from srpcore.crypto import srp
from srpcore.crypto.groups import Group
from srpcore.testing import SrpClientSetup, SrpServerSetup


class RefusedError(Exception):
    """The other library refused a value without an exception."""


# This library.


def our_client(setup: SrpClientSetup) -> srp.Client:
    parameters = srp.Parameters(setup.group, setup.digest)
    return srp.Client(parameters, setup.identity, setup.password, srp.client_pair(setup.group, setup.a))


def our_server(setup: SrpServerSetup) -> srp.Server:
    parameters = srp.Parameters(setup.group, setup.digest)
    pair = srp.server_pair(setup.group, parameters.k, setup.verifier, setup.b)
    return srp.Server(parameters, setup.identity, setup.salt, setup.verifier, pair)


# srptools


def _context(group: Group, digest: str, identity: str, password: str | None) -> Any:
    def new_hash(data: bytes = b"") -> Any:
        return hashlib.new(digest, data)

    prime, generator = f"{group.N:x}", f"{group.g:x}"
    return srptools.SRPContext(
        identity, password, prime=prime, generator=generator, hash_func=new_hash, bits_random=256
    )


@dataclass
class _SrptoolsClient:
    session: Any

    @property
    def A(self) -> int:
        return int(self.session.public, 16)

    def prove(self, salt: bytes, B: int) -> bytes:
        self.session.process(f"{B:x}", salt)
        proof: bytes = self.session.key_proof_bin
        return proof

    def verify(self, server_proof: bytes) -> bytes:
        if not self.session.verify_proof(server_proof):
            raise RefusedError
        key: bytes = self.session.key_bin
        return key


@dataclass
class _SrptoolsServer:
    session: Any
    salt: bytes

    @property
    def B(self) -> int:
        return int(self.session.public, 16)

    def verify(self, A: int, client_proof: bytes) -> tuple[bytes, bytes]:
        self.session.process(f"{A:x}", self.salt)
        if not self.session.verify_proof(client_proof):
            raise RefusedError
        return self.session.key_bin, self.session.key_proof_hash_bin


def srptools_client(setup: SrpClientSetup) -> _SrptoolsClient:
    context = _context(setup.group, setup.digest, setup.identity, setup.password)
    return _SrptoolsClient(srptools.SRPClientSession(context, private=setup.a or ""))


def srptools_server(setup: SrpServerSetup) -> _SrptoolsServer:
    context = _context(setup.group, setup.digest, setup.identity, None)
    session = srptools.SRPServerSession(context, password_verifier=setup.verifier, private=setup.b or "")
    return _SrptoolsServer(session, setup.salt)


# srp, its implementation in Python


class PaddedGenerator(srp.Parameters):
    """The proofs of the package srp in its mode for RFC 5054: M1 contains H(PAD(g)) instead of H(g)."""

    def client_proof(self, identity: str, salt: bytes, A: int, B: int, key: bytes) -> bytes:
        hashes = zip(self.hash(self.pad(self.group.N)), self.hash(self.pad(self.group.g)), strict=True)
        mixed = bytes(one ^ other for one, other in hashes)
        parts = (self.hash(identity.encode()), salt, pysrp.long_to_bytes(A), pysrp.long_to_bytes(B), key)
        return self.hash(mixed, *parts)


@contextmanager
def rfc5054_mode() -> Iterator[None]:
    """Switch the package srp to the k and u of RFC 5054, for the whole process."""
    pysrp.rfc5054_enable()
    try:
        yield
    finally:
        pysrp.rfc5054_enable(False)


def _options(group: Group, digest: str) -> dict[str, Any]:
    algorithm = getattr(pysrp, digest.upper())
    return {"hash_alg": algorithm, "ng_type": pysrp.NG_CUSTOM, "n_hex": f"{group.N:x}", "g_hex": f"{group.g:x}"}


def _exponent(number: int | None) -> bytes | None:
    return None if number is None else number.to_bytes(256, "big")


@dataclass
class _PysrpClient:
    user: Any

    @property
    def A(self) -> int:
        return int.from_bytes(self.user.start_authentication()[1], "big")

    def prove(self, salt: bytes, B: int) -> bytes:
        proof: bytes | None = self.user.process_challenge(salt, _unsigned(B))
        if proof is None:
            raise RefusedError
        return proof

    def verify(self, server_proof: bytes) -> bytes:
        self.user.verify_session(server_proof)
        if not self.user.authenticated():
            raise RefusedError
        key: bytes = self.user.get_session_key()
        return key


@dataclass
class _PysrpServer:
    verifier: Any

    @property
    def B(self) -> int:
        return int.from_bytes(self.verifier.get_challenge()[1], "big")

    def verify(self, A: int, client_proof: bytes) -> tuple[bytes, bytes]:
        proof: bytes | None = self.verifier.verify_session(client_proof, _unsigned(A))
        if proof is None or not self.verifier.authenticated():
            raise RefusedError
        return self.verifier.get_session_key(), proof


def _unsigned(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8 or 1, "big")


def pysrp_client(setup: SrpClientSetup) -> _PysrpClient:
    options = _options(setup.group, setup.digest)
    return _PysrpClient(pysrp.User(setup.identity, setup.password, bytes_a=_exponent(setup.a), **options))


def pysrp_server(setup: SrpServerSetup) -> _PysrpServer:
    options = _options(setup.group, setup.digest)
    verifier = _unsigned(setup.verifier)
    made = pysrp.Verifier(setup.identity, setup.salt, verifier, bytes_b=_exponent(setup.b), **options)
    return _PysrpServer(made)
