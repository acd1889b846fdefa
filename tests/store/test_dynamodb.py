"""What only the DynamoDB store does: its items, the clocks of the machines, and which clients it accepts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from srpcore.exceptions import ConfigurationError, StoreConflict, StoreCorrupt, StoreError, StoreLocked
from srpcore.store import DynamoDBStore, Login, dynamodb

from .making import KEY, LOGIN, NOT_A_LOGIN, OTHER

if TYPE_CHECKING:
    from .shared import DynamoDatabase

pytestmark = pytest.mark.counterpart

NOW = 1_800_000_000.0


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """A function that sets the clock of this machine."""

    def set_to(time: float) -> None:
        monkeypatch.setattr(dynamodb, "system_clock", lambda: time)

    set_to(NOW)
    return set_to


def items(database: DynamoDatabase) -> dict[str, dict[str, Any]]:
    found = database.client().scan(TableName="logins")["Items"]
    return {"lease" if item["id"]["S"].endswith("#lease") else "login": item for item in found}


def test_items_have_the_documented_attributes(
    dynamodb_database: DynamoDatabase, set_clock: Callable[[float], None]
) -> None:
    store = dynamodb_database.store(lease=100, expire_after=1000)
    with store.lock(KEY):
        store.save(KEY, LOGIN)
        found = items(dynamodb_database)
    assert sorted(found["login"]) == ["expires_at", "id", "login", "version"]
    assert sorted(found["lease"]) == ["expires_at", "id", "lease_until", "owner"]
    assert float(found["login"]["expires_at"]["N"]) == NOW + 1000
    assert float(found["lease"]["lease_until"]["N"]) == NOW + 100
    assert float(found["lease"]["expires_at"]["N"]) == NOW + 100 + 86400
    assert [*items(dynamodb_database)] == ["login"]
    dynamodb_database.store().save(KEY, LOGIN)
    assert "expires_at" not in items(dynamodb_database)["login"]
    assert repr(store) == "DynamoDBStore('logins')"


@pytest.mark.parametrize("skew", [0, 10])
def test_a_lease_is_taken_over_only_when_it_has_ended_by_every_clock_within_the_skew(
    dynamodb_database: DynamoDatabase, set_clock: Callable[[float], None], skew: float
) -> None:
    first = dynamodb_database.store(lease=100, clock_skew=skew)
    second = dynamodb_database.store(lock_timeout=0, clock_skew=skew)
    lock = first.lock(KEY)
    lock.__enter__()
    for time in (NOW - 3600, NOW, NOW + 99, NOW + 100 + skew):
        set_clock(time)
        with pytest.raises(StoreLocked):
            second.lock(KEY).__enter__()
    set_clock(NOW + 100 + skew + 0.01)
    with second.lock(KEY):
        second.save(KEY, OTHER)
        with pytest.raises(StoreConflict):
            first.save(KEY, LOGIN)
        lock.__exit__(None, None, None)
        with pytest.raises(StoreLocked):
            dynamodb_database.store(lock_timeout=0).lock(KEY).__enter__()
    assert second.load(KEY) == OTHER


def test_clocks_that_differ_by_more_than_the_skew_cannot_overwrite_a_newer_login(
    dynamodb_database: DynamoDatabase, set_clock: Callable[[float], None]
) -> None:
    first, second = dynamodb_database.store(lease=100), dynamodb_database.store(lock_timeout=0)
    with first.lock(KEY):
        set_clock(NOW + 3600)
        with second.lock(KEY):  # both believe that they have the lock
            second.save(KEY, OTHER)
            with pytest.raises(StoreConflict):
                first.save(KEY, LOGIN)
    assert second.load(KEY) == OTHER


def test_an_expired_login_is_not_loaded_although_dynamodb_still_has_it(
    dynamodb_database: DynamoDatabase, set_clock: Callable[[float], None]
) -> None:
    store = dynamodb_database.store(expire_after=1000)
    store.save(KEY, LOGIN)
    set_clock(NOW + 999)
    assert store.load(KEY) == LOGIN
    set_clock(NOW + 1000)
    with store.lock(KEY):
        assert store.load(KEY) is None
        store.save(KEY, OTHER)
        assert store.load(KEY) == OTHER


@pytest.mark.parametrize("attribute", ["version", "login"])
@pytest.mark.parametrize("value", [None, {"N": "5"}, {"S": ""}, {"B": b""}])
def test_an_item_that_was_not_written_by_the_store_is_reported_and_can_be_replaced(
    dynamodb_database: DynamoDatabase, attribute: str, value: dict[str, Any] | None
) -> None:
    store = dynamodb_database.store()
    store.save(KEY, LOGIN)
    item = items(dynamodb_database)["login"]
    del item[attribute]
    item |= {} if value is None else {attribute: value}
    dynamodb_database.client().put_item(TableName="logins", Item=item)
    if (attribute, value) == ("version", {"S": ""}):
        assert store.load(KEY) == LOGIN
    else:
        with pytest.raises(StoreCorrupt) as caught:
            store.load(KEY)
        if (attribute, value) != ("login", {"B": b""}):  # that one cannot be decrypted
            assert str(caught.value) == NOT_A_LOGIN
    store.save(KEY, OTHER)
    assert store.load(KEY) == OTHER


def test_a_table_that_does_not_exist_is_named(dynamodb_database: DynamoDatabase) -> None:
    store = DynamoDBStore(dynamodb_database.client(), "nowhere", encryption_key=None)
    with pytest.raises(StoreError, match=r"could not read the stored login in the table 'nowhere' .*ResourceNotFound"):
        store.load(KEY)


def test_reads_are_consistent(dynamodb_database: DynamoDatabase) -> None:
    class Watched:
        def __init__(self, real: Any) -> None:
            self.put_item, self.delete_item, self._real = real.put_item, real.delete_item, real

        def get_item(self, **arguments: Any) -> Any:
            assert arguments["ConsistentRead"] is True
            return self._real.get_item(**arguments)

    store = dynamodb_database.store(Watched(dynamodb_database.client()))
    with store.lock(KEY):
        store.save(KEY, Login())
        assert store.load(KEY) == Login()


def test_a_client_that_the_store_cannot_use_is_refused(dynamodb_database: DynamoDatabase) -> None:
    import boto3

    table = boto3.resource("dynamodb", region_name="eu-west-1").Table("logins")
    wrong: list[Any] = [table, None, "logins", boto3]
    for client in wrong:
        with pytest.raises(ConfigurationError) as caught:
            DynamoDBStore(client, "logins", encryption_key=None)
        assert str(caught.value) == f'client must be boto3.client("dynamodb"), not {type(client).__name__}'
    names: list[Any] = ["", None, table]
    for name in names:
        with pytest.raises(ConfigurationError) as caught:
            DynamoDBStore(dynamodb_database.client(), name, encryption_key=None)
        assert str(caught.value) == f"invalid table_name {name!r}: use the name of a table"
    for skew in (-1, 3601, float("nan"), None, "1", True):
        with pytest.raises(
            ConfigurationError, match=f"^invalid clock_skew {skew!r}: use a number of seconds from 0 to 3600$"
        ):
            dynamodb_database.store(clock_skew=skew)
    for skew in (0, 3600):
        dynamodb_database.store(clock_skew=skew)
