"""How fast is the local pool, beside other servers for tests, and with many users?

    python benchmarks/local_pool.py [--rounds 3] [--most 100000]

- Logins per second: by SRP and by password, in process, and over HTTP with 1, 8 and 64 clients, which are threads of
  this process that keep their connections. moto does not check SRP and cognito-local does not support it: they are
  measured with passwords only. The clients' arithmetic takes place on the same cores.
  The server's floor is what no server can leave out: three exponentiations with OpenSSL and two RSA signatures.
- Start-up: from the start of the process to the first answer, with the creation of a pool and an app client.
- Growth: CPU time of operations in a pool with 10 to 100,000 users, and the memory of a user.

ministack, moto and cognito-local are measured if they are installed. Measured by the clock: run it on a quiet machine.
Results go to the screen, and to ``benchmarks/results/local_pool.json`` and ``.md``.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import re
import secrets
import statistics
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from time import perf_counter
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

import _cognito_local
from _perf import Aim, aims_as_markdown
from _rounds import Timed, measure, parser_of, publish, table, versions
from srpcore.crypto import cognito
from srpcore.crypto.modexp import modexp
from srpcore.service_model import CONTENT_TYPE, TARGET_PREFIX
from srpcore_transports.local import LocalUserPool
from srpcore_transports.local.operations import dispatch

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tests"))

from counterparts import ministack, moto  # noqa: E402

PASSWORD = "Correct-Horse-1"
CLIENTS = (1, 8, 64)
FLOOR = "floor of a server, SRP, in process"
PART_OF_POOL = "srpcore, SRP, in process, without the client"
LOGINS = 64  # of all clients together in one measurement over HTTP
COUNTS = (10, 100, 1_000, 10_000, 100_000)
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


@dataclass(frozen=True)
class Pool:
    """A pool of a server, and its only user."""

    url: str
    pool_id: str
    client_id: str

    @property
    def suffix(self) -> str:
        return self.pool_id.partition("_")[2]


class Connection:
    """A kept connection to a server."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=600)

    def call(self, name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        headers = {"x-amz-target": TARGET_PREFIX + name, "content-type": CONTENT_TYPE}
        self._connection.request("POST", "/", json.dumps(parameters).encode(), headers)
        response = self._connection.getresponse()
        reply: dict[str, Any] = json.loads(response.read())
        if response.status != 200:
            raise RuntimeError(f"{name}: {reply}")
        return reply

    def close(self) -> None:
        self._connection.close()


class InProcess:
    """Calls of a pool in this process."""

    def __init__(self, pool: LocalUserPool) -> None:
        self._pool = pool

    def call(self, name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        response = dispatch.answer(self._pool._service, name, json.dumps(parameters).encode())
        reply: dict[str, Any] = json.loads(response.body)
        if response.status != 200:
            raise RuntimeError(f"{name}: {reply}")
        return reply


class PartOfPool(InProcess):
    """Calls of a pool in this process. ``seconds`` is how long they have taken, without the client's arithmetic."""

    seconds = 0.0

    def call(self, name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        start = perf_counter()
        try:
            return super().call(name, parameters)
        finally:
            self.seconds += perf_counter() - start


def by_password(server: Connection | InProcess, pool: Pool) -> None:
    values = {"USERNAME": "alice", "PASSWORD": PASSWORD}
    request = {"ClientId": pool.client_id, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": values}
    assert "AccessToken" in server.call("InitiateAuth", request)["AuthenticationResult"]


def by_srp(server: Connection | InProcess, pool: Pool) -> None:
    pair = cognito.client_pair()
    values = {"USERNAME": "alice", "SRP_A": f"{pair.public:x}"}
    request = {"ClientId": pool.client_id, "AuthFlow": "USER_SRP_AUTH", "AuthParameters": values}
    reply = server.call("InitiateAuth", request)
    given = reply["ChallengeParameters"]
    identity = pool.suffix + given["USER_ID_FOR_SRP"]
    x = cognito.private_key(identity, PASSWORD, int(given["SALT"], 16))
    key, block = cognito.client_key(pair, int(given["SRP_B"], 16), x), base64.b64decode(given["SECRET_BLOCK"])
    timestamp = cognito.format_timestamp(datetime.now(timezone.utc))
    answers = {
        "USERNAME": given["USER_ID_FOR_SRP"],
        "PASSWORD_CLAIM_SECRET_BLOCK": given["SECRET_BLOCK"],
        "PASSWORD_CLAIM_SIGNATURE": cognito.claim(key, identity, block, timestamp),
        "TIMESTAMP": timestamp,
    }
    request = {"ClientId": pool.client_id, "ChallengeName": "PASSWORD_VERIFIER", "ChallengeResponses": answers}
    if "Session" in reply:
        request["Session"] = reply["Session"]
    assert "AccessToken" in server.call("RespondToAuthChallenge", request)["AuthenticationResult"]


def in_process(pool: LocalUserPool, log_in: Callable[[InProcess, Pool], None], count: int) -> Timed:
    server, found = InProcess(pool), Pool("", pool.user_pool_id, pool.client_id)

    def run() -> float:
        start = perf_counter()
        for _ in range(count):
            log_in(server, found)
        return (perf_counter() - start) / count

    return run


def part_of_pool(pool: LocalUserPool, count: int) -> Timed:
    """Return a function that returns the seconds that the pool itself takes for a login by SRP."""
    found = Pool("", pool.user_pool_id, pool.client_id)

    def run() -> float:
        server = PartOfPool(pool)
        for _ in range(count):
            by_srp(server, found)
        return server.seconds / count

    return run


def floor(count: int) -> Timed:
    """Return a function that returns the seconds of the arithmetic of a login at the server."""
    key, modulus = rsa.generate_private_key(65537, 2048), cognito.GROUP.N
    verifier, message = secrets.randbelow(modulus), secrets.token_bytes(900)

    def run() -> float:
        start = perf_counter()
        for _ in range(count):
            for base in (cognito.GROUP.g, verifier, verifier):
                modexp(base, secrets.randbits(256), modulus)
            for _ in range(2):
                key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        return (perf_counter() - start) / count

    return run


def over_http(pool: Pool, log_in: Callable[[Connection, Pool], None], clients: int, count: int) -> Timed:
    """Return a function that returns the seconds of a login, if so many clients at once do *count* together."""
    each = max(1, count // clients)

    def run() -> float:
        errors: list[BaseException] = []
        ready = threading.Barrier(clients + 1)

        def client() -> None:
            connection = Connection(pool.url)
            try:
                ready.wait()
                for _ in range(each):
                    log_in(connection, pool)
            except BaseException as error:  # noqa: BLE001 - raised below
                errors.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=client) for _ in range(clients)]
        for thread in threads:
            thread.start()
        ready.wait()
        start = perf_counter()
        for thread in threads:
            thread.join()
        taken = perf_counter() - start
        if errors:
            raise errors[0]
        return taken / (each * clients)

    return run


@contextlib.contextmanager
def srpcore_server() -> Iterator[tuple[str, Pool]]:
    """Run ``srpcore serve`` in a process of its own; yield its URL and its pool."""
    command = [sys.executable, "-m", "srpcore", "serve", "--port", "0", "--json", "--user", "alice"]
    environment = {**os.environ, **KEYS, "SRPCORE_USER_PASSWORD": PASSWORD}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        try:
            started = json.loads(process.stdout.readline())
            yield started["url"], Pool(started["url"], started["user_pool_id"], started["client_id"])
        finally:
            process.terminate()


def fill(url: str) -> Pool:
    """Create a pool, an app client and the user in another server."""
    client = ministack.admin(url)
    pool_id = client.create_user_pool(PoolName="benchmark")["UserPool"]["Id"]
    flows = ["ALLOW_USER_SRP_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    made = client.create_user_pool_client(UserPoolId=pool_id, ClientName="benchmark", ExplicitAuthFlows=flows)
    client.admin_create_user(UserPoolId=pool_id, Username="alice", MessageAction="SUPPRESS")
    client.admin_set_user_password(UserPoolId=pool_id, Username="alice", Password=PASSWORD, Permanent=True)
    return Pool(url, pool_id, made["UserPoolClient"]["ClientId"])


@contextlib.contextmanager
def other_server(start: Callable[[], contextlib.AbstractContextManager[str]]) -> Iterator[tuple[str, Pool]]:
    with start() as url:
        yield url, fill(url)


def ministack_is_installed() -> bool:
    path = os.environ.get("SRPCORE_MINISTACK", ROOT / ".venv-ministack" / "bin" / "ministack")
    return Path(path).exists()


def servers() -> dict[str, tuple[Callable[[], contextlib.AbstractContextManager[tuple[str, Pool]]], tuple[str, ...]]]:
    """Return how to start each server, and the kinds of logins that it checks."""
    found: dict[str, Any] = {"srpcore": (srpcore_server, ("SRP", "password"))}
    if ministack_is_installed():
        found["ministack"] = (lambda: other_server(ministack.running), ("SRP", "password"))
    found["moto"] = (lambda: other_server(moto.running), ("password",))
    if _cognito_local.program() is not None:
        found["cognito-local"] = (lambda: other_server(_cognito_local.running), ("password",))
    return found


def start_up(rounds: int) -> dict[str, float]:
    """Return the median seconds from the start of each server to its first pool."""
    taken: dict[str, list[float]] = {name: [] for name in servers()}
    for _ in range(rounds):
        for name, (start, _) in servers().items():
            begin = perf_counter()
            with start():
                taken[name].append(perf_counter() - begin)
    return {name: statistics.median(times) for name, times in taken.items()}


def logins(rounds: int, count: int) -> dict[str, float]:
    """Return the logins per second of each contestant, doing *count*: medians of *rounds*, taken in turn."""
    ways: dict[str, Callable[[Any, Pool], None]] = {"SRP": by_srp, "password": by_password}
    with contextlib.ExitStack() as stack:
        contestants: dict[str, Timed] = {}
        pool = LocalUserPool()
        user = {"UserPoolId": pool.user_pool_id, "Username": "alice"}
        InProcess(pool).call("AdminCreateUser", {**user, "MessageAction": "SUPPRESS"})
        InProcess(pool).call("AdminSetUserPassword", {**user, "Password": PASSWORD, "Permanent": True})
        for kind, log_in in ways.items():
            contestants[f"srpcore, {kind}, in process"] = in_process(pool, log_in, max(1, count // 4))
        contestants[FLOOR] = floor(max(1, count // 4))
        contestants[PART_OF_POOL] = part_of_pool(pool, max(1, count // 4))
        for name, (start, kinds) in servers().items():
            _, served = stack.enter_context(start())
            for kind in kinds:
                for clients in CLIENTS:
                    what = f"{name}, {kind}, {clients} client{'s'[: clients > 1]}"
                    contestants[what] = over_http(served, ways[kind], clients, count)
        times = measure(contestants, rounds, warm_up=1)
    return {name: round(1 / statistics.median(values), 1) for name, values in times.items()}


def growth(most: int) -> list[dict[str, Any]]:
    """Return the figures of a pool with 10 to *most* users."""
    program = Path(__file__).with_name("_local_pool_growth.py")
    counts = [str(count) for count in COUNTS if count <= most]
    output = subprocess.run([sys.executable, str(program), *counts], capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in output.splitlines()]


def growth_table(grown: list[dict[str, Any]]) -> list[str]:
    names = list(grown[-1]["microseconds"])
    rows: list[list[object]] = [
        [name, *(round(one["microseconds"][name]) if name in one["microseconds"] else "" for one in grown)]
        for name in names
    ]
    rows.append(["memory of all users, MiB", *(one["users_mib"] for one in grown)])
    return table(("µs of CPU time, by users", *(f"{one['users']:,}" for one in grown)), rows)


def aims(per_second: Mapping[str, float], grown: list[dict[str, Any]]) -> list[Aim]:
    found = []
    if len(grown) > 1:
        first, last = grown[0]["microseconds"], grown[-1]["microseconds"]
        for name in first:
            # A first page of 10 users has as many users in each pool.
            found.append(Aim(f"{name}, most users / 10 users", last[name] / first[name], at_most=2))
    if grown[-1]["users"] == COUNTS[-1] and grown[-1]["users_mib"] is not None:
        found.append(Aim("memory of 100,000 users, MiB", grown[-1]["users_mib"], at_most=200))
    found.append(Aim("login by SRP at the pool / floor", per_second[FLOOR] / per_second[PART_OF_POOL], at_most=2))
    for name, most in per_second.items():
        peer = re.fullmatch(r"(?:ministack|moto|cognito-local)(, .*)", name)
        if peer is not None:
            found.append(
                Aim(f"logins per second, srpcore / {name}", per_second[f"srpcore{peer[1]}"] / most, at_least=1)
            )
    return found


def main() -> int:
    parser = parser_of("Measure the local pool.", rounds=3, most=COUNTS[-1])
    parser.add_argument("--quick", action="store_true", help="do as little as possible, to see whether it runs")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.rounds, chosen.most = 1, 100
    per_second = logins(chosen.rounds, 8 if chosen.quick else LOGINS)
    started = start_up(1 if chosen.quick else 3)
    grown = growth(chosen.most)
    found = aims(per_second, grown)
    lines = [
        "# The local pool",
        "",
        f"Medians of {chosen.rounds} rounds in one run, taken in turn, by the clock, on {os.cpu_count()} cores.",
        "Made by `python benchmarks/local_pool.py`.",
        "",
        *table(("logins", "per second"), per_second.items()),
        "",
        *table(("start-up", "ms"), ((name, round(1000 * seconds)) for name, seconds in started.items())),
        "",
        *growth_table(grown),
        "",
        *aims_as_markdown(found),
    ]
    publish(
        chosen.results,
        "local_pool",
        lines,
        versions("moto", "msgspec"),
        rounds=chosen.rounds,
        results=[{"name": name, "per_second": value} for name, value in per_second.items()],
        start_up_ms={name: round(1000 * seconds) for name, seconds in started.items()},
        growth=grown,
        aims=[aim.as_dict() for aim in found],
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
