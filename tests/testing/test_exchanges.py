"""Whole exchanges, groups and keys: honest ones agree, hostile values are unsafe, and the numbers are what they should be."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis.errors import NoSuchExample

from srpcore.crypto import cognito, srp
from srpcore.crypto.groups import RFC5054_GROUPS, Group
from srpcore.exceptions import TokenVerificationException, UnsafeServerValue
from srpcore.testing import (
    CognitoExchange,
    DeviceIdentity,
    HostileClient,
    HostileServer,
    JwkCase,
    SrpExchange,
    UserIdentity,
    cognito_exchanges,
    hostile_clients,
    hostile_servers,
    identities,
    jwk_cases,
    near_miss_passwords,
    rfc5054_groups,
    safe_prime_groups,
    salt_texts,
    salts,
    small_groups,
    srp_exchanges,
)
from srpcore.testing.known_answers import RFC5054_APPENDIX_B, appendix_b_exchange
from srpcore.tokens import parse_key
from support import vectors
from testing.finding import gives


@pytest.mark.parametrize("group", safe_prime_groups(), ids=lambda group: str(group.N))
def test_the_generator_of_a_small_group_reaches_every_number(group: Group) -> None:
    assert {pow(group.g, n, group.N) for n in range(group.N - 1)} == set(range(1, group.N))


def test_small_groups_have_every_safe_prime_below_the_limit() -> None:
    assert [group.N for group in safe_prime_groups(60)] == [5, 7, 11, 23, 47, 59]


@given(small_groups())
def test_the_modulus_of_a_small_group_is_a_safe_prime(group: Group) -> None:
    for n in (group.N, (group.N - 1) // 2):
        assert all(n % divisor for divisor in range(2, int(n**0.5) + 1))
    assert 1 not in {pow(group.g, power, group.N) for power in (2, (group.N - 1) // 2)}


def test_small_groups_have_one_two_and_three_bytes() -> None:
    for length in (1, 2, 3):
        gives(small_groups().map(lambda group: group.length), length.__eq__)


def test_groups_of_the_rfc_are_limited_by_their_size() -> None:
    for group in RFC5054_GROUPS.values():
        gives(rfc5054_groups(), group.__eq__)
    with pytest.raises(NoSuchExample):
        gives(rfc5054_groups(4096), lambda group: group == RFC5054_GROUPS[6144])


def test_an_exchange_has_the_numbers_of_the_rfc() -> None:
    exchange = appendix_b_exchange()
    actual = {name: getattr(exchange, name) for name in "xuvABS"} | {"k": exchange.parameters.k}
    assert actual == {name: RFC5054_APPENDIX_B[name] for name in actual}


def test_the_example_of_the_rfc_is_that_of_the_vectors() -> None:
    document = vectors.load("rfc5054/appendix_b.json")
    assert {name: int(document[name], 16) for name in "kxuabvABS"} == {
        name: RFC5054_APPENDIX_B[name] for name in "kxuabvABS"
    }


def ends(exchange: SrpExchange) -> tuple[srp.Client, srp.Server]:
    p = exchange.parameters
    client = srp.Client(p, exchange.identity, exchange.password, srp.client_pair(p.group, exchange.a))
    pair = srp.server_pair(p.group, p.k, exchange.v, exchange.b)
    return client, srp.Server(p, exchange.identity, exchange.salt, exchange.v, pair)


@given(srp_exchanges())
@settings(max_examples=20)
def test_an_honest_exchange_succeeds(exchange: SrpExchange) -> None:
    client, server = ends(exchange)
    key, proof = server.verify(client.A, client.prove(exchange.salt, server.B))
    assert (key, proof) == (exchange.K, exchange.M2)
    assert client.verify(proof) == key


@given(hostile_servers())
@settings(max_examples=20)
def test_our_client_refuses_hostile_servers(hostile: HostileServer) -> None:
    with pytest.raises(UnsafeServerValue):
        ends(hostile.exchange)[0].prove(hostile.exchange.salt, hostile.B)


@given(hostile_clients())
@settings(max_examples=20)
def test_our_server_refuses_hostile_clients(hostile: HostileClient) -> None:
    with pytest.raises(UnsafeServerValue):
        ends(hostile.exchange)[1].verify(hostile.A, hostile.proof)


def test_a_hostile_client_logs_in_where_a_is_not_checked() -> None:
    def is_accepted(hostile: HostileClient) -> bool:
        exchange, p = hostile.exchange, hostile.exchange.parameters
        key = p.session_key(pow(hostile.A, exchange.b, p.group.N))  # S is 0, whatever v is
        return hostile.proof == p.client_proof(exchange.identity, exchange.salt, abs(hostile.A), exchange.B, key)

    gives(hostile_clients(), lambda hostile: hostile.A % hostile.exchange.group.N == 0 and is_accepted(hostile))


@given(cognito_exchanges())
@settings(max_examples=20)
def test_client_and_service_agree_in_a_cognito_exchange(exchange: CognitoExchange) -> None:
    x = cognito.private_key(exchange.identity.hashed, exchange.password, exchange.salt)
    assert cognito.client_key(cognito.client_pair(exchange.a), exchange.pair.public, x) == exchange.key
    challenge = exchange.challenge()
    assert int(challenge.salt, 16) == exchange.salt
    assert exchange.answer() == exchange.answer(challenge)


def test_cognito_exchanges_are_of_users_and_devices_and_have_negative_salts() -> None:
    gives(cognito_exchanges(), lambda exchange: isinstance(exchange.identity, UserIdentity))
    gives(cognito_exchanges(), lambda exchange: isinstance(exchange.identity, DeviceIdentity))
    gives(cognito_exchanges(), lambda exchange: exchange.salt < 0)


@given(salts(signed=False), salt_texts(signed=False), cognito_exchanges(signed_salts=False))
@settings(max_examples=50)
def test_salts_are_not_negative_if_they_are_unsigned(salt: int, text: tuple[str, int], login: CognitoExchange) -> None:
    assert min(salt, text[1], login.salt) >= 0
    assert not text[0].startswith("-")


@given(identities())
def test_an_identity_begins_with_the_suffix_of_a_pool(identity: str) -> None:
    assert identity[:9] in ("AbCd12345", "000000000", "aaaaaaaaa")


@pytest.mark.parametrize(
    ("password", "near"),
    [
        ("Caf\u00e9", "caf\u00e9"),
        ("Caf\u00e9", "Cafe\u0301"),
        ("Cafe\u0301", "Caf\u00e9"),
        ("\ufb01ne", "fine"),
        (" a ", "a"),
        ("a\0b", "a"),
        ("a", "a "),
        ("p" * 100, "p" * 72),
    ],
)
def test_near_miss_passwords_include_each_kind_of_mistake(password: str, near: str) -> None:
    found = near_miss_passwords(password)
    assert near in found
    assert password not in found
    assert len(set(found)) == len(found)


@given(jwk_cases())
@settings(max_examples=200)
def test_the_verdict_of_each_key_is_that_of_our_parser(case: JwkCase) -> None:
    try:
        parse_key(case.jwk)
    except TokenVerificationException:
        assert not case.accepted, case.change
    else:
        assert case.accepted, case.change


def test_keys_are_accepted_and_refused() -> None:
    gives(jwk_cases(), lambda case: case.accepted)
    gives(jwk_cases(), lambda case: not case.accepted)
