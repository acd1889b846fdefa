"""How much processor time do functions take in AWS Lambda's own runtime client: to start, at first, and later?

    python benchmarks/lambda_functions.py [--rounds 10]

Each contestant is a function that ``awslambdaric`` runs, over a Runtime API on this machine. In one round each is
started as a process of its own, in turn, and invoked six times. The function measures its own processor time:

- init: its module, up to the handler. In Lambda this is the init phase.
- first: the first invocation.
- warm: the median of the others.

An authorizer of an HTTP API verifies the signature, ``iss``, ``exp``, ``client_id`` and ``token_use`` of an access
token. It fetches the key set in its init phase, from a server on this machine. A login function logs a user in over SRP
and verifies both tokens. Its user pool is served over TLS by another process, and is trusted because of a CA bundle
that has the certificates of the system as well.

PyJWT and python-jose run in a plain handler, and PyJWT once more with the data classes of Powertools for AWS Lambda.
pycognito is given the key set, because it can fetch it from AWS only.

Results go to the screen, to ``benchmarks/results/lambda_functions.json`` and ``.md``, and for pyperf to ``pyperf/``.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any, NamedTuple

import _perf
from _perf import Aim
from _rounds import Times, chart, options, publish, table, versions
from _tokens import CLIENT, ISSUER, POOL, Minter
from cold_start import serving as serving_keys
from srpcore_transports.https import HttpsTransport
from warm_log_in import PASSWORD
from warm_log_in import serving as serving_pool

WARM = 5
PHASES = ("init", "first", "warm")

BEFORE = "from time import process_time; start = process_time(); import os\n"
AFTER = """
init = process_time() - start

def handler(event, context):
    before = process_time()
    result = handle(event, context)
    return {"cpu": process_time() - before, "init": init, "result": result}
"""

SRPCORE = f"""
from srpcore import TokenVerifier
from srpcore.frameworks.aws_lambda import HttpApiAuthorizer
verifier = TokenVerifier(
    "{POOL}", client_id="{CLIENT}", token_use="access", issuers="{ISSUER}", endpoint_url=os.environ["KEYS"], timeout=30
)
verifier.hydrate()
handle = HttpApiAuthorizer(verifier)
"""
HANDLE = f"""
def handle(event, context):
    try:
        claims = decode(event["headers"]["authorization"].removeprefix("Bearer "))
    except refused:
        return {{"isAuthorized": False}}
    if claims["client_id"] != "{CLIENT}" or claims["token_use"] != "access":
        return {{"isAuthorized": False}}
    return {{"isAuthorized": True, "context": {{"sub": claims["sub"]}}}}
"""
DECODE_WITH_PYJWT = f"""
import jwt
from jwt.exceptions import PyJWTError as refused
client = jwt.PyJWKClient(os.environ["KEYS"] + "/{POOL}/.well-known/jwks.json")
client.get_signing_keys()

def decode(token):
    key = client.get_signing_key_from_jwt(token)
    return jwt.decode(token, key, algorithms=["RS256"], issuer="{ISSUER}", options={{"require": ["exp", "iss"]}})
"""
PYJWT = DECODE_WITH_PYJWT + HANDLE
POWERTOOLS = f"""{DECODE_WITH_PYJWT}
from aws_lambda_powertools.utilities.data_classes import event_source
from aws_lambda_powertools.utilities.data_classes.api_gateway_authorizer_event import (
    APIGatewayAuthorizerEventV2, APIGatewayAuthorizerResponseV2
)

@event_source(data_class=APIGatewayAuthorizerEventV2)
def handle(event, context):
    try:
        claims = decode(event.headers["authorization"].removeprefix("Bearer "))
    except refused:
        return APIGatewayAuthorizerResponseV2().asdict()
    if claims["client_id"] != "{CLIENT}" or claims["token_use"] != "access":
        return APIGatewayAuthorizerResponseV2().asdict()
    return APIGatewayAuthorizerResponseV2(authorize=True, context={{"sub": claims["sub"]}}).asdict()
"""
PYTHON_JOSE = f"""
import json
from urllib.request import urlopen
from jose import jwt
from jose.exceptions import JOSEError as refused
with urlopen(os.environ["KEYS"] + "/{POOL}/.well-known/jwks.json") as response:
    keys = json.load(response)

def decode(token):
    return jwt.decode(token, keys, "RS256", {{"require_exp": True, "require_iss": True}}, issuer="{ISSUER}")
{HANDLE}"""

LOGIN = """
from srpcore import Cognito
from srpcore_transports.https import HttpsTransport
transport = HttpsTransport("eu-west-1", os.environ["POOL_URL"])
prepared = Cognito(os.environ["POOL"], os.environ["CLIENT"], transport=transport)
"""
HANDLE_LOGIN = f"""
def handle(event, context):
    user = Cognito(os.environ["POOL"], os.environ["CLIENT"], username="alice", transport=transport)
    user.pool_jwk = prepared.pool_jwk
    user.authenticate("{PASSWORD}")
    prepared.pool_jwk = user.pool_jwk
    return user.access_claims["username"]
"""
PREPARED = f"{LOGIN}prepared.prepare()\n{HANDLE_LOGIN}"
# pycognito's boto3 client is made in the init phase, and shared.
PYCOGNITO = f"""
import json, boto3, pycognito
client = boto3.client("cognito-idp", region_name="eu-west-1", endpoint_url=os.environ["POOL_URL"],
    aws_access_key_id="unused", aws_secret_access_key="unused")
keys = json.loads(os.environ["POOL_KEYS"])

def handle(event, context):
    user = pycognito.Cognito(os.environ["POOL"], os.environ["CLIENT"], username="alice", access_key="unused",
        secret_key="unused")
    user.client, user.pool_jwk = client, keys
    user.authenticate("{PASSWORD}")
    return user.access_claims["username"]
"""

# By name: the module that must be there, and the source.
AUTHORIZERS = {
    "srpcore, authorizer": ("srpcore", SRPCORE),
    "PyJWT, authorizer": ("jwt", PYJWT),
    "Powertools and PyJWT, authorizer": ("aws_lambda_powertools", POWERTOOLS),
    "python-jose, authorizer": ("jose", PYTHON_JOSE),
}
LOGINS = {
    "srpcore, login after prepare()": ("srpcore", PREPARED),
    "srpcore, login": ("srpcore", LOGIN + HANDLE_LOGIN),
    "pycognito, login": ("pycognito", PYCOGNITO),
}
AIMS = (
    ("first invocation of an authorizer / PyJWT", "srpcore, authorizer", "PyJWT, authorizer", "first", 1.0),
    (
        "init and first invocation of an authorizer / Powertools and PyJWT",
        "srpcore, authorizer",
        "Powertools and PyJWT, authorizer",
        "init and first",
        1.0,
    ),
    ("first login with prepare() / without", "srpcore, login after prepare()", "srpcore, login", "first", 0.2),
    ("init and first login / pycognito", "srpcore, login after prepare()", "pycognito, login", "init and first", 0.2),
)


class RuntimeApi:
    """A Runtime API on this machine, for one function at a time."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.address = f"127.0.0.1:{server.server_port}"
        self.events: Queue[Any] = Queue()
        self.results: Queue[Any] = Queue()

    def invoke(self, event: Any) -> dict[str, Any]:
        """Return what the function returns for *event*."""
        self.events.put(event)
        path, result = self.results.get(timeout=120)
        if not path.endswith("/response"):
            raise SystemExit(f"a function failed: {result}")
        return dict(result)


@contextmanager
def runtime_api() -> Iterator[RuntimeApi]:
    """Serve a Runtime API."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            event = api.events.get()
            self.answer(200, json.dumps(event).encode())

        def do_POST(self) -> None:
            api.results.put((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.answer(202, b"{}")

        def answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Type", "application/json")
            self.send_header("Lambda-Runtime-Aws-Request-Id", "1")
            self.send_header("Lambda-Runtime-Deadline-Ms", "9999999999999")
            self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:123456789012:function:f")
            self.send_header("Lambda-Runtime-Trace-Id", "Root=1")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            pass  # the function was ended while it waited for an event

    with Server(("127.0.0.1", 0), Handler) as server:
        api = RuntimeApi(server)
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield api
        finally:
            server.shutdown()
            thread.join()


class Contestant(NamedTuple):
    """A function, its environment, an event that it accepts, the result that shows this, and one that it refuses."""

    source: str
    environment: Mapping[str, str]
    event: Any
    accepts: Any
    refused: Any = None


def run_once(contestant: Contestant, folder: Path) -> dict[str, float]:
    """Return the processor time of the phases, in seconds, in a new process."""
    (folder / "function.py").write_text(f"{BEFORE}{contestant.source}{AFTER}", "utf-8")
    # What is compiled must be kept: a deployed function has it.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with runtime_api() as api:
        environment = {
            **inherited,
            **contestant.environment,
            "AWS_LAMBDA_RUNTIME_API": api.address,
            "AWS_LAMBDA_FUNCTION_NAME": "function",
            "PYTHONPATH": os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")])),
        }
        command = [sys.executable, "-m", "awslambdaric", "function.handler"]
        with subprocess.Popen(command, env=environment, cwd=folder, stdout=subprocess.DEVNULL) as process:
            try:
                results = [api.invoke(contestant.event) for _ in range(1 + WARM)]
                if contestant.refused is not None:
                    check(api.invoke(contestant.refused)["result"], {"isAuthorized": False})
            finally:
                process.kill()
                api.events.put(None)
    for result in results:
        check(result["result"], contestant.accepts)
    times = [result["cpu"] for result in results]
    return {"init": results[0]["init"], "first": times[0], "warm": statistics.median(times[1:])}


def check(result: Any, expected: Any) -> None:
    """Stop if the function did not do its work."""
    found = {"isAuthorized": result["isAuthorized"]} if isinstance(result, dict) else result
    if found != expected:
        raise SystemExit(f"a function returned {result}")


def contestants(keys: str, pool: tuple[str, str, str, str], minter: Minter) -> Iterator[tuple[str, Contestant]]:
    """Yield the name and the function of each contestant that is installed."""
    good, expired = ({"version": "2.0", "headers": {"authorization": f"Bearer {token}"}} for token in tokens(minter))
    for name, (module, source) in AUTHORIZERS.items():
        if find_spec(module) is not None:
            yield name, Contestant(source, {"KEYS": keys}, good, {"isAuthorized": True}, expired)
    url, pool_id, client, bundle = pool
    with HttpsTransport("eu-west-1", url, ca_bundle=bundle) as transport:
        pool_keys = transport.fetch(f"{url}/{pool_id}/.well-known/jwks.json").decode()
    environment = {"POOL_URL": url, "POOL": pool_id, "CLIENT": client, "AWS_CA_BUNDLE": bundle, "POOL_KEYS": pool_keys}
    for name, (module, source) in LOGINS.items():
        if find_spec(module) is not None:
            yield name, Contestant(source, environment, {}, "alice")


def tokens(minter: Minter) -> tuple[str, str]:
    """Return a token that is valid, and one that has expired."""
    return minter.token(), minter.token(exp=1)


def run_all(rounds: int) -> dict[str, Times]:
    """Return the processor times in seconds, by phase and contestant."""
    minter = Minter()
    times: dict[str, Times] = {phase: {} for phase in (*PHASES, "init and first")}
    with (
        serving_keys(json.dumps(minter.jwks).encode()) as keys,
        serving_pool() as pool,
        tempfile.TemporaryDirectory() as folder,
    ):
        functions = dict(contestants(keys, pool, minter))
        warm_up = int(rounds > 1)  # a round in which modules are compiled
        for number in range(rounds + warm_up):
            for name, function in functions.items():
                taken = run_once(function, Path(folder))
                if number >= warm_up:
                    taken["init and first"] = taken["init"] + taken["first"]
                    for phase, seconds in taken.items():
                        times[phase].setdefault(name, []).append(seconds)
    return times


def as_rows(times: dict[str, Times]) -> list[dict[str, Any]]:
    return [
        {"name": name} | {f"{phase}_ms": round(statistics.median(times[phase][name]) * 1000, 2) for phase in PHASES}
        for name in times["init"]
    ]


def in_pyperf(times: dict[str, Times]) -> _perf.Results:
    """Return the times as benchmarks of pyperf. pyperf cannot take them: each process gives all of its phases."""
    return _perf.from_values(
        {f"{name}, {phase}": seconds for phase, by_name in times.items() for name, seconds in by_name.items()}
    )


def aims_of(results: _perf.Results) -> list[Aim]:
    return [
        Aim(what, _perf.ratio(results, f"{ours}, {phase}", f"{theirs}, {phase}"), at_most=aim)
        for what, ours, theirs, phase, aim in AIMS
        if f"{theirs}, {phase}" in results
    ]


def as_markdown(rows: list[dict[str, Any]], found: list[Aim], absent: list[str], rounds: int) -> list[str]:
    return [
        "# Functions in AWS Lambda's runtime client",
        "",
        f"Processor time in milliseconds, medians of {rounds} rounds in one run, taken in turn, a new process each.",
        "Made by `python benchmarks/lambda_functions.py`, which explains what is measured.",
        "",
        *table(("", *PHASES), (row.values() for row in rows)),
        *chart({row["name"]: row["first_ms"] for row in rows}, "ms, first invocation"),
        *(f"- {name}: not installed here, left out." for name in absent),
        "",
        *_perf.aims_as_markdown(found),
    ]


def main() -> int:
    os.environ.pop("COGNITO_JWKS", None)
    chosen = options("Measure functions in AWS Lambda's runtime client.", rounds=10)
    times = run_all(chosen.rounds)
    results = in_pyperf(times)
    rows, found = as_rows(times), aims_of(results)
    absent = [name for name in (*AUTHORIZERS, *LOGINS) if name not in times["init"]]
    lines = as_markdown(rows, found, absent, chosen.rounds)
    used = versions(
        "awslambdaric", "aws-lambda-powertools", "PyJWT", "python-jose", "pycognito", "boto3", "cryptography"
    )
    _perf.save(chosen.results, "lambda_functions", results)
    facts = {"rounds": chosen.rounds, "machine": _perf.machine(results), "results": rows}
    publish(chosen.results, "lambda_functions", lines, used, **facts, aims=[aim.as_dict() for aim in found])
    return 0


if __name__ == "__main__":
    sys.exit(main())
