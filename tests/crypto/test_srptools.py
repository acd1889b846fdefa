"""Generic SRP-6a with srptools on the other side.

srptools hashes what it has hashed before as an integer, and so without leading zero bytes: its H(I) and its
H(N) xor H(g). RFC 2945 knows no such thing. The names and groups here are ones where it makes no difference.
"""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from srpcore.crypto.groups import RFC5054_GROUPS
from srpcore.crypto.srp import Client, Parameters, ProofMismatch, Server
from srpcore.testing import other_passwords, passwords, usernames

srptools = pytest.importorskip("srptools")
pytestmark = pytest.mark.counterpart

SETTINGS = [(1024, "sha1"), (1024, "sha256"), (1536, "sha256"), (2048, "sha256"), (2048, "sha512"), (3072, "sha256")]
salts = st.binary(min_size=1, max_size=32)


def context(p: Parameters, identity: str, password: str | None) -> Any:
    def digest(data: bytes = b"") -> Any:
        return hashlib.new(p.digest, data)

    return srptools.SRPContext(
        identity, password, prime=f"{p.group.N:x}", generator=f"{p.group.g:x}", hash_func=digest, bits_random=256
    )


def is_plain(p: Parameters, identity: str) -> bool:
    mixed = p.hash_int(p.pad(p.group.N)) ^ p.hash_int(bytes([p.group.g]))
    size = hashlib.new(p.digest).digest_size
    return mixed.bit_length() > 8 * (size - 1) and p.hash(identity.encode())[0] != 0


@pytest.mark.parametrize(("bits", "digest"), SETTINGS)
@given(identity=usernames(), password=passwords(), salt=salts, data=st.data())
@settings(max_examples=15)
def test_our_client_agrees_with_the_server_of_srptools(
    bits: int, digest: str, identity: str, password: str, salt: bytes, data: st.DataObject
) -> None:
    p = Parameters(RFC5054_GROUPS[bits], digest)
    assume(is_plain(p, identity))
    theirs = context(p, identity, password)
    verifier = theirs.get_common_password_verifier(theirs.get_common_password_hash(salt))
    assert verifier == p.verifier(p.private_key(identity, password, salt))
    for typed in (password, data.draw(other_passwords(password))):
        server = srptools.SRPServerSession(context(p, identity, None), password_verifier=verifier)
        client = Client(p, identity, typed)
        proof = client.prove(salt, int(server.public, 16))
        server.process(f"{client.A:x}", salt.hex())
        assert server.verify_proof(proof) is (typed == password)
        if typed == password:
            assert client.verify(server.key_proof_hash_bin) == server.key_bin
        else:
            with pytest.raises(ProofMismatch):
                client.verify(server.key_proof_hash_bin)


@pytest.mark.parametrize(("bits", "digest"), SETTINGS)
@given(identity=usernames(), password=passwords(), salt=salts, data=st.data())
@settings(max_examples=15)
def test_our_server_agrees_with_the_client_of_srptools(
    bits: int, digest: str, identity: str, password: str, salt: bytes, data: st.DataObject
) -> None:
    p = Parameters(RFC5054_GROUPS[bits], digest)
    assume(is_plain(p, identity))
    server = Server(p, identity, salt, p.verifier(p.private_key(identity, password, salt)))
    for typed in (password, data.draw(other_passwords(password))):
        client = srptools.SRPClientSession(context(p, identity, typed))
        client.process(f"{server.B:x}", salt.hex())
        if typed == password:
            key, server_proof = server.verify(int(client.public, 16), client.key_proof_bin)
            assert key == client.key_bin
            assert client.verify_proof(server_proof)
        else:
            with pytest.raises(ProofMismatch):
                server.verify(int(client.public, 16), client.key_proof_bin)
