"""The databases that machines share: a real Redis server, and DynamoDB by moto; and the stores over them.

Processes that a test starts import this module too.
"""

from __future__ import annotations

import subprocess
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias, cast

import boto3
import redis
import redis.backoff
import redis.retry

from srpcore.store import DynamoDBStore, RedisStore

from .making import start

ENCRYPTION_KEY = bytes(range(32))
TABLE = "logins"
SharedStore: TypeAlias = RedisStore | DynamoDBStore

_TESTS = Path(__file__).parents[1]


class Database(ABC):
    """A database for the time of one test, and what a test does to it without a store."""

    kind: str
    where: str

    @abstractmethod
    def store(self, client: Any = None, **settings: Any) -> SharedStore:
        """Return a new store over the database, or over *client*."""

    @abstractmethod
    def client(self) -> Any:
        """Return a new client of the database."""

    @abstractmethod
    def records(self) -> dict[str, bytes]:
        """Return the whole content, leases too, by the names of the records."""

    @abstractmethod
    def replace(self, name: str, record: bytes) -> None:
        """Replace the login in the record *name*. Its version stays."""

    @abstractmethod
    def end_leases(self) -> None:
        """End all leases, as if their time were over."""

    def start(self, program: str, *arguments: object) -> subprocess.Popen[str]:
        """Start *program*, in which ``store(...)`` makes a store; *arguments* are its ``sys.argv[3:]``."""
        head = f"sys.path.append({str(_TESTS)!r})\nfrom store.shared import *\nfrom store.making import *\n"
        return start(f"{head}store = opened(*sys.argv[1:3]).store\n{program}", self.kind, self.where, *arguments)


class RedisDatabase(Database):
    """A database of Redis whose server listens on the socket *where*."""

    kind = "redis"

    def __init__(self, where: str) -> None:
        self.where = where

    def client(self) -> redis.Redis:
        no_retry = redis.retry.Retry(redis.backoff.NoBackoff(), 0)
        return redis.Redis(unix_socket_path=self.where, socket_timeout=60, retry=no_retry)

    def store(self, client: Any = None, **settings: Any) -> RedisStore:
        return RedisStore(client or self.client(), **{"encryption_key": ENCRYPTION_KEY, "lock_timeout": 30, **settings})

    def records(self) -> dict[str, bytes]:
        with self.client() as client:
            names = cast("list[bytes]", client.keys("*"))
            return {name.decode(): cast(bytes, client.get(name)) for name in names}

    def replace(self, name: str, record: bytes) -> None:
        from base64 import b64encode

        with self.client() as client:
            client.set(name, cast(bytes, client.get(name))[:33] + b64encode(record))

    def end_leases(self) -> None:
        with self.client() as client:
            for name in cast("list[bytes]", client.keys("*:lease")):
                client.delete(name)


class DynamoDatabase(Database):
    """A table of DynamoDB at the URL *where*, or in this process if that is empty."""

    kind = "dynamodb"

    def __init__(self, where: str) -> None:
        self.where = where

    def client(self) -> Any:
        return boto3.client(
            "dynamodb",
            region_name="eu-west-1",
            endpoint_url=self.where or None,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def store(self, client: Any = None, **settings: Any) -> DynamoDBStore:
        settings = {"encryption_key": ENCRYPTION_KEY, "lock_timeout": 30, "clock_skew": 0, **settings}
        return DynamoDBStore(client or self.client(), TABLE, **settings)

    def records(self) -> dict[str, bytes]:
        items = self.client().scan(TableName=TABLE)["Items"]
        return {item["id"]["S"]: item.get("login", {}).get("B", b"") for item in items}

    def replace(self, name: str, record: bytes) -> None:
        self.client().update_item(
            TableName=TABLE,
            Key={"id": {"S": name}},
            UpdateExpression="SET login = :login",
            ExpressionAttributeValues={":login": {"B": record}},
        )

    def end_leases(self) -> None:
        client = self.client()
        for name in self.records():
            if name.endswith("#lease"):
                client.delete_item(TableName=TABLE, Key={"id": {"S": name}})

    def make_table(self) -> None:
        """Make the table."""
        self.client().create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )

    def delete_table(self) -> None:
        """Delete the table: moto keeps it for the whole process."""
        self.client().delete_table(TableName=TABLE)


def opened(kind: str, where: str) -> Database:
    """Return the database that another process made."""
    return RedisDatabase(where) if kind == "redis" else DynamoDatabase(where)


@contextmanager
def redis_server(program: str, folder: Path) -> Iterator[str]:
    """Start the Redis server *program*, yield the path of its socket, and stop it."""
    socket = folder / "redis.sock"
    command = [program, "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        line = next((line for line in process.stdout if "ready to accept connections" in line), None)
        assert line, "the Redis server has ended"
        yield str(socket)
    finally:
        process.terminate()
        process.communicate(timeout=30)


@contextmanager
def dynamodb_server() -> Iterator[str]:
    """Serve moto's DynamoDB on a loopback port, yield the URL, and stop."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log(self, type: str, message: str, *args: object) -> None:
            pass

    # One request at a time: moto does not lock an item between the condition of a write and the write.
    application = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, application, threaded=False, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(30)
        server.server_close()
