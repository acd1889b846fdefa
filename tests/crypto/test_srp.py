from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from srpcore.crypto import modexp, srp
from srpcore.crypto.groups import MODP_3072, RFC5054_GROUPS, Group
from srpcore.crypto.srp import Client, Ephemeral, Parameters, ProofMismatch, Server
from srpcore.exceptions.base import ConfigurationError, UnsafeServerValue
from srpcore.testing import (
    other_passwords,
    passwords,
    public_values,
    secret_exponents,
    texts_with_lone_surrogates,
    unsafe_public_values,
    usernames,
)
from support import vectors

# The larger groups differ in nothing but time.
parameters = st.builds(
    Parameters,
    st.sampled_from([RFC5054_GROUPS[1024], RFC5054_GROUPS[1536], RFC5054_GROUPS[2048], MODP_3072]),
    st.sampled_from(["sha1", "sha256", "sha384", "sha512", "sha3_256"]),
)
salts = st.sampled_from([b"", b"\0", b"\0\0salt", b"\xff" * 16]) | st.binary(max_size=32)
SOME = Parameters(RFC5054_GROUPS[1024], "sha256")


def server_for(p: Parameters, identity: str, password: str, salt: bytes, b: int | None = None) -> Server:
    verifier = p.verifier(p.private_key(identity, password, salt))
    return Server(p, identity, salt, verifier, srp.server_pair(p.group, p.k, verifier, b))


def client_for(p: Parameters, identity: str, password: str, a: int | None = None) -> Client:
    return Client(p, identity, password, srp.client_pair(p.group, a))


@pytest.fixture
def no_exponentiation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make any modular exponentiation fail the test: a refusal must come before it."""
    monkeypatch.setattr(srp, "modexp", _computed)


def _computed(*_: int) -> int:
    raise AssertionError("something was computed")


# RFC 5054, appendix B.


@pytest.mark.parametrize("engine", modexp.available())
def test_values_equal_those_of_rfc_5054_appendix_b(engine: str) -> None:
    modexp.select(engine)
    vector = vectors.load("rfc5054/appendix_b.json")
    a, b, k, x, u, v, A, B, S = (int(vector[name], 16) for name in "abkxuvABS")
    p = Parameters(RFC5054_GROUPS[1024], "sha1")
    assert (p.group.N, p.group.g) == (int(vector["N"], 16), int(vector["g"], 16))
    assert p.k == k
    assert p.private_key(vector["I"], vector["P"], bytes.fromhex(vector["s"])) == x
    assert p.verifier(x) == v
    client, server = srp.client_pair(p.group, a), srp.server_pair(p.group, k, v, b)
    assert (client.secret, client.public, server.secret, server.public) == (a, A, b, B)
    assert p.scrambling(A, B) == u
    assert srp.client_premaster(p.group, k, client, B, x, u) == S
    assert srp.server_premaster(p.group, server, A, v, u) == S


def test_both_sides_prove_the_key_of_appendix_b() -> None:
    vector = vectors.load("rfc5054/appendix_b.json")
    p = Parameters(RFC5054_GROUPS[1024], "sha1")
    salt = bytes.fromhex(vector["s"])
    client = client_for(p, vector["I"], vector["P"], int(vector["a"], 16))
    server = Server(
        p,
        vector["I"],
        salt,
        int(vector["v"], 16),
        srp.server_pair(p.group, p.k, int(vector["v"], 16), int(vector["b"], 16)),
    )
    assert (f"{client.A:x}", f"{server.B:x}") == (vector["A"], vector["B"])
    key, server_proof = server.verify(client.A, client.prove(salt, server.B))
    assert client.verify(server_proof) == key == hashlib.sha1(bytes.fromhex(vector["S"])).digest()


# Client and server, over every group and hash.


@given(parameters, usernames(), passwords(), salts, secret_exponents(), secret_exponents())
def test_client_and_server_agree_for_the_right_password(
    p: Parameters, identity: str, password: str, salt: bytes, a: int, b: int
) -> None:
    client = client_for(p, identity, password, a)
    server = server_for(p, identity, password, salt, b)
    key, server_proof = server.verify(client.A, client.prove(salt, server.B))
    assert client.verify(server_proof) == key
    assert len(key) == hashlib.new(p.digest).digest_size


@given(parameters, usernames(), passwords(), st.data(), salts, secret_exponents(), secret_exponents())
def test_client_and_server_never_agree_for_another_password(
    p: Parameters, identity: str, password: str, data: st.DataObject, salt: bytes, a: int, b: int
) -> None:
    assume((a, b) != (0, 0))  # then S is 1 on both sides, whatever the password
    client = client_for(p, identity, data.draw(other_passwords(password)), a)
    server = server_for(p, identity, password, salt, b)
    proof = client.prove(salt, server.B)
    with pytest.raises(ProofMismatch, match="its password does not match the verifier"):
        server.verify(client.A, proof)


@given(usernames(), passwords(), st.data(), salts)
def test_client_and_server_never_agree_for_another_name(
    identity: str, password: str, data: st.DataObject, salt: bytes
) -> None:
    client = client_for(SOME, data.draw(other_passwords(identity)), password)
    server = server_for(SOME, identity, password, salt)
    with pytest.raises(ProofMismatch):
        server.verify(client.A, client.prove(salt, server.B))


def test_a_client_answers_only_one_public_value() -> None:
    client, salt = Client(SOME, "alice", "password"), b"salt"
    first, second = (server_for(SOME, "alice", "password", salt).B for _ in range(2))
    assert client.prove(salt, first) == client.prove(salt, first)
    key = client.key
    with pytest.raises(UnsafeServerValue, match="a second B for the same A"):
        client.prove(salt, second)
    assert client.key == key


@pytest.mark.parametrize("bits", [3072, 4096, 6144, 8192])
def test_client_and_server_agree_in_the_larger_groups(bits: int) -> None:
    p = Parameters(RFC5054_GROUPS[bits], "sha256")
    client, server = client_for(p, "alice", "password123"), server_for(p, "alice", "password123", b"salt")
    key, server_proof = server.verify(client.A, client.prove(b"salt", server.B))
    assert client.verify(server_proof) == key


@given(salts, salts)
def test_client_and_server_never_agree_over_another_salt(one: bytes, other: bytes) -> None:
    assume(one != other)
    client, server = client_for(SOME, "alice", "password123"), server_for(SOME, "alice", "password123", one)
    with pytest.raises(ProofMismatch):
        server.verify(client.A, client.prove(other, server.B))


def test_the_client_refuses_a_server_without_the_verifier() -> None:
    client = client_for(SOME, "alice", "password123")
    server = server_for(SOME, "alice", "password123", b"salt")
    with pytest.raises(ProofMismatch, match="does not know the verifier"):
        client.verify(b"")  # before prove()
    _, server_proof = server.verify(client.A, client.prove(b"salt", server.B))
    for wrong in (b"", server_proof[:-1], server_proof + b"\0", bytes([server_proof[0] ^ 1]) + server_proof[1:]):
        with pytest.raises(ProofMismatch, match="does not know the verifier"):
            client.verify(wrong)
    assert client.verify(server_proof)


@pytest.mark.parametrize("change", [lambda proof: b"", lambda proof: proof[:-1], lambda proof: proof[::-1]])
def test_the_server_refuses_a_changed_proof(change: object) -> None:
    client, server = client_for(SOME, "alice", "password123"), server_for(SOME, "alice", "password123", b"salt")
    proof = client.prove(b"salt", server.B)
    assert callable(change)
    with pytest.raises(ProofMismatch):
        server.verify(client.A, change(proof))


# One-time pairs.


def test_pairs_are_fresh_and_of_256_bits() -> None:
    group = RFC5054_GROUPS[1024]
    pairs = [srp.client_pair(group) for _ in range(8)] + [srp.server_pair(group, 3, 4) for _ in range(8)]
    assert len({pair.secret for pair in pairs}) == len({pair.public for pair in pairs}) == 16
    # RFC 5054, sections 2.5.3 and 2.5.4: at least 256 bits.
    assert all(pair.secret.bit_length() >= 256 for pair in pairs)


def test_each_side_draws_its_own_pair() -> None:
    clients = [Client(SOME, "alice", "password123") for _ in range(2)]
    servers = [Server(SOME, "alice", b"salt", 4) for _ in range(2)]
    assert clients[0].A != clients[1].A
    assert servers[0].B != servers[1].B
    assert all(client.pair.secret.bit_length() >= 256 for client in clients)
    assert all(server.pair.secret.bit_length() >= 256 for server in servers)


# What is refused before anything is computed.


@given(st.data(), st.sampled_from(list(RFC5054_GROUPS.values())))
def test_an_unsafe_B_is_refused_before_the_password_is_used(data: st.DataObject, group: Group) -> None:
    client = Client(Parameters(group), "alice", "Secr3t!", Ephemeral(7, 7))
    B = data.draw(unsafe_public_values(group.N))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(srp, "modexp", _computed)
        patch.setattr(Parameters, "private_key", _computed)
        with pytest.raises(UnsafeServerValue, match="B must be between 1 and N-1"):
            client.prove(b"salt", B)
    assert client.key is None


@given(st.data(), st.sampled_from(list(RFC5054_GROUPS.values())))
def test_an_unsafe_A_is_refused_before_the_verifier_is_used(data: st.DataObject, group: Group) -> None:
    server = Server(Parameters(group), "alice", b"salt", 4, Ephemeral(7, 7))
    A = data.draw(unsafe_public_values(group.N))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(srp, "modexp", _computed)
        with pytest.raises(UnsafeServerValue, match="A must be between 1 and N-1"):
            server.verify(A, b"proof")


@pytest.mark.parametrize("multiple", [-1, 0, 1, 2, 7])
@pytest.mark.usefixtures("no_exponentiation")
def test_the_equations_refuse_multiples_of_N(multiple: int) -> None:
    group = RFC5054_GROUPS[1024]
    with pytest.raises(UnsafeServerValue, match="B must not be 0 modulo N"):
        srp.client_premaster(group, 3, Ephemeral(5, 5), multiple * group.N, 7, 11)
    with pytest.raises(UnsafeServerValue, match="A must not be 0 modulo N"):
        srp.server_premaster(group, Ephemeral(5, 5), multiple * group.N, 7, 11)


@given(public_values(RFC5054_GROUPS[1024].N))
def test_the_equations_refuse_u_of_0(value: int) -> None:
    group = RFC5054_GROUPS[1024]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(srp, "modexp", _computed)
        with pytest.raises(UnsafeServerValue, match="u must not be 0"):
            srp.client_premaster(group, 3, Ephemeral(5, 5), value, 7, 0)
        with pytest.raises(UnsafeServerValue, match="u must not be 0"):
            srp.server_premaster(group, Ephemeral(5, 5), value, 7, 0)


@given(texts_with_lone_surrogates())
def test_a_lone_surrogate_is_refused_and_leaves_the_client_as_it_was(text: str) -> None:
    for client in (client_for(SOME, "alice", text, 5), client_for(SOME, text, "password123", 5)):
        with pytest.raises(ConfigurationError, match=r"^(password|identity) contains a lone surrogate") as caught:
            client.prove(b"salt", 5)
        assert caught.value.__context__ is None
        assert client.key is None


@pytest.mark.parametrize("digest", ["", "sha257", "shake_128", "shake_256"])
def test_an_invalid_hash_is_refused(digest: str) -> None:
    with pytest.raises(ConfigurationError, match="unknown hash"):
        Parameters(digest=digest)


# What is never shown.


def test_a_repr_does_not_show_secrets() -> None:
    pair = Ephemeral(secret=0xDEADBEEF, public=0xC0FFEE)
    client = Client(SOME, "alice", "Secr3t!", pair)
    client.prove(b"salt", 5)
    server = Server(SOME, "alice", b"salt", 0xFEEDFACE, pair)
    assert client.key is not None
    shown = f"{pair!r} {client!r} {server!r} {replace(SOME)!r}"
    for secret in ("Secr3t!", str(0xDEADBEEF), str(0xFEEDFACE), repr(client.key), client.key.hex(), str(SOME.group.N)):
        assert secret not in shown
    assert str(0xC0FFEE) in repr(pair)
    assert "alice" in repr(client)
