"""Store logins in a table of Amazon DynamoDB, for web back ends on many machines (extra ``srpcore[dynamodb]``).

The partition key of the table is the string ``id``. Each login has one item, and one more while it is locked::

    id: <SHA-256 of the key>          version (S), login (B), expires_at (N, if logins expire)
    id: <SHA-256 of the key>#lease    owner (S), lease_until (N), expires_at (N)

``expires_at`` is a time in seconds since the epoch, for DynamoDB's Time to Live. :mod:`srpcore.store.leases` describes
the lease and the version.

DynamoDB does not compare with a clock of its own: the end of a lease is compared with the clock of the process that
waits. So a lease is taken over only *clock_skew* seconds after its end. If two clocks differ by more, two processes can
use one refresh token at the same time. What is stored stays correct even then, because a save compares versions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol, TypeAlias, cast

from ..clock import system_clock
from ..exceptions.base import ConfigurationError
from ..exceptions.store import StoreCorrupt, StoreError
from .base import LOCK_TIMEOUT
from .leases import LEASE, LeaseStore, check_seconds
from .sealing import EncryptionKeys

if TYPE_CHECKING:
    from botocore.client import BaseClient

__all__ = ["DynamoDBStore"]

CLOCK_SKEW = 10.0
"""Seconds by which the clocks of two machines may differ. Those of AWS differ by much less than one."""

_LEFT_OVER = 86400.0
"""Seconds after its end when DynamoDB may delete a lease that was not released."""

_Attribute: TypeAlias = Mapping[str, object]
"""A value of an item with its type, for example ``{"S": "text"}``."""


class _Client(Protocol):
    def get_item(self, **arguments: object) -> Mapping[str, object]: ...

    def put_item(self, **arguments: object) -> Mapping[str, object]: ...

    def delete_item(self, **arguments: object) -> Mapping[str, object]: ...


class DynamoDBStore(LeaseStore):
    """A store that keeps logins in a table of Amazon DynamoDB, for any number of machines.

    Any thread may use the store, because a client of boto3 may be used by any thread. A ``Table`` of boto3 may not.
    ``AsyncCognito`` calls the store in threads.

    The program needs the permissions ``dynamodb:GetItem``, ``dynamodb:PutItem`` and ``dynamodb:DeleteItem``.

    Args:
        client: ``boto3.client("dynamodb")``, with any settings.
        table_name: the name of a table whose partition key is the string ``id``, without a sort key.
        encryption_key: 32 random bytes, for example from ``os.urandom(32)``. The logins are encrypted with them
            (AES-256-GCM). To change the key, give a list: the first key encrypts, all of them decrypt. With None the
            store does not encrypt the logins; DynamoDB encrypts its disks in any case.
        lease: seconds, at least 1, after which the lock of a process that was killed ends. It must be longer than a
            refresh can take: more than five times the ``total_timeout`` of the transport.
        lock_timeout: seconds to wait for a lock.
        expire_after: seconds after which a login expires that was not saved again. Choose at least the life of the
            app client's refresh tokens. Devices expire too. With None nothing expires. Turn on the table's Time to
            Live for the attribute ``expires_at``, so that DynamoDB deletes what has expired.
        clock_skew: seconds by which the clocks of two machines may differ.

    Raises:
        ConfigurationError: an argument is not valid, or the package ``cryptography`` is not installed.
    """

    def __init__(
        self,
        client: BaseClient,
        table_name: str,
        *,
        encryption_key: EncryptionKeys,
        lease: float = LEASE,
        lock_timeout: float = LOCK_TIMEOUT,
        expire_after: float | None = None,
        clock_skew: float = CLOCK_SKEW,
    ) -> None:
        super().__init__(encryption_key, lease=lease, lock_timeout=lock_timeout, expire_after=expire_after)
        if not callable(getattr(client, "put_item", None)) or hasattr(client, "table_name"):
            raise ConfigurationError(f'client must be boto3.client("dynamodb"), not {type(client).__name__}')
        if not isinstance(table_name, str) or not table_name:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError(f"invalid table_name {table_name!r}: use the name of a table")
        self._client = cast(_Client, client)
        self._table_name = table_name
        self._clock_skew = check_seconds("clock_skew", clock_skew, 0, 3600)

    def __repr__(self) -> str:
        return f"DynamoDBStore({self._table_name!r})"

    def _acquire(self, name: str, owner: str) -> str | None:
        now = system_clock()
        until = now + self._lease
        item = {
            "id": {"S": f"{name}#lease"},
            "owner": {"S": owner},
            "lease_until": _number(until),
            "expires_at": _number(until + _LEFT_OVER),
        }
        condition = _condition(
            "attribute_not_exists(#id) OR #owner = :owner OR #lease_until < :past",
            owner={"S": owner},
            past=_number(now - self._clock_skew),
        )
        acquired = self._send("lock", self._client.put_item, Item=item, **condition) is not None
        return self._read(name)[0] if acquired else None

    def _release(self, name: str, owner: str) -> None:
        condition = _condition("#owner = :owner", owner={"S": owner})
        self._send("unlock", self._client.delete_item, Key={"id": {"S": f"{name}#lease"}}, **condition)

    def _read(self, name: str) -> tuple[str, bytes | None]:
        answer = self._send("read", self._client.get_item, Key={"id": {"S": name}}, ConsistentRead=True) or {}
        item = cast("Mapping[str, _Attribute] | None", answer.get("Item"))
        if item is None:
            return "", None
        version, record = item.get("version", {}).get("S"), item.get("login", {}).get("B")
        if not isinstance(version, str) or not isinstance(record, bytes):
            raise StoreCorrupt(
                "the stored record is not a login (it was not written by this store): delete it, and log in again"
            )
        # DynamoDB deletes an expired item up to several days later.
        return version, None if _has_expired(item) else record

    def _write(self, name: str, record: bytes | None, version: str, expected: str | None) -> bool:
        condition = {} if expected is None else _version_condition(expected, None if record is None else version)
        if record is None:
            return self._send("delete", self._client.delete_item, Key={"id": {"S": name}}, **condition) is not None
        item: dict[str, _Attribute] = {"id": {"S": name}, "version": {"S": version}, "login": {"B": record}}
        if self._expire_after is not None:
            item["expires_at"] = _number(system_clock() + self._expire_after)
        return self._send("write", self._client.put_item, Item=item, **condition) is not None

    def _send(
        self, verb: str, method: Callable[..., Mapping[str, object]], **arguments: object
    ) -> Mapping[str, object] | None:
        """Return the answer, or None if the condition of the request is not fulfilled."""
        try:
            return method(TableName=self._table_name, **arguments)
        except Exception as error:  # botocore raises many classes of errors, which have no common one
            if _error_code(error) == "ConditionalCheckFailedException":
                return None
            raise StoreError(
                f"DynamoDB could not {verb} the stored login in the table {self._table_name!r} "
                f"({type(error).__name__}): {error}"
            ) from error


def _version_condition(expected: str, new: str | None) -> dict[str, object]:
    """Return the condition that the item has the version *expected*, or is already as the request makes it."""
    absent = "attribute_not_exists(#id)"
    if new is None:
        return _condition(f"#version = :old OR {absent}", old={"S": expected}) if expected else _condition(absent)
    if expected:
        return _condition("#version = :old OR #version = :new", old={"S": expected}, new={"S": new})
    return _condition(f"{absent} OR #version = :new", new={"S": new})


def _condition(expression: str, **values: _Attribute) -> dict[str, object]:
    """Return the arguments for a condition, in which ``#name`` is an attribute and ``:name`` is one of *values*.

    A plain name in an expression may be a reserved word, of which DynamoDB has more than 500.
    """
    condition: dict[str, object] = {
        "ConditionExpression": expression,
        "ExpressionAttributeNames": {f"#{name}": name for name in re.findall(r"#(\w+)", expression)},
    }
    if values:
        condition["ExpressionAttributeValues"] = {f":{name}": value for name, value in values.items()}
    return condition


def _number(value: float) -> _Attribute:
    return {"N": f"{value:.3f}"}


def _has_expired(item: Mapping[str, _Attribute]) -> bool:
    number = item.get("expires_at", {}).get("N")
    return isinstance(number, str) and float(number) <= system_clock()


def _error_code(error: Exception) -> object:
    response = getattr(error, "response", None)
    return cast("Mapping[str, Mapping[str, object]]", response).get("Error", {}).get("Code") if response else None
