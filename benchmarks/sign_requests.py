"""What does it cost to sign one request with AWS Signature Version 4, beside the peers and the bare hashes?

    python benchmarks/sign_requests.py [--rounds 8]

Every contestant signs the same POST of AdminGetUser, with its content type, target and host. The signing key of the day
is cached if the contestant can do that. Before anything is timed, every signature is compared with botocore's.

- srpcore: ``sigv4.Signer.sign()`` with the computer's clock; a transport has a signer for its credentials;
- srpcore, in a transport: ``RequestSigner.signed()``, which returns all headers of the request;
- srpcore, a function: ``sigv4.sign()``, which keeps the signing key only;
- botocore: ``SigV4Auth.add_auth()`` with a new ``AWSRequest``, as for each call of boto3;
- awscrt: ``aws_sign_request()`` with a new ``HttpRequest``;
- the floor: the two SHA-256 and the HMAC, with the cached key, and one format string for each of the canonical request,
  the string to sign and the Authorization header. The time is formatted beforehand.

Results go to the screen, to ``benchmarks/results/sign_requests.json`` and ``.md``, and for pyperf to ``pyperf/``.
"""

from __future__ import annotations

import hmac
import re
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from functools import partial
from hashlib import sha256
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TypeAlias

import _perf
from _perf import Aim, Prepare, Results, processor_time
from _rounds import chart, publish, table, versions
from srpcore.protocol import Operation
from srpcore_transports import sigv4
from srpcore_transports.credentials import Credentials
from srpcore_transports.endpoint import Endpoint
from srpcore_transports.signing import RequestSigner

Sign: TypeAlias = Callable[[], str]  # signs the request, and returns the Authorization header

FLOOR, OURS = "floor", "srpcore"
REGION, SERVICE, HOST = "eu-west-1", "cognito-idp", "cognito-idp.eu-west-1.amazonaws.com"
URL = f"https://{HOST}/"
KEY_ID, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
HEADERS = {
    "Content-Type": "application/x-amz-json-1.1",
    "X-Amz-Target": "AWSCognitoIdentityProviderService.AdminGetUser",
    "Host": HOST,
}
BODY = b'{"UserPoolId":"eu-west-1_AbCd12345","Username":"alice@example.com"}'
SIGNED = "content-type;host;x-amz-date;x-amz-target"


def floor() -> Sign:
    stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/{REGION}/{SERVICE}/aws4_request"
    key = sigv4.signing_key(SECRET, stamp[:8], REGION, SERVICE)
    content_type, target = HEADERS["Content-Type"], HEADERS["X-Amz-Target"]

    def sign() -> str:
        canonical = (
            f"POST\n/\n\ncontent-type:{content_type}\nhost:{HOST}\nx-amz-date:{stamp}\nx-amz-target:{target}\n\n"
            f"{SIGNED}\n{sha256(BODY).hexdigest()}"
        )
        to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
        signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
        return f"AWS4-HMAC-SHA256 Credential={KEY_ID}/{scope}, SignedHeaders={SIGNED}, Signature={signature}"

    return sign


def srpcore() -> Sign:
    credentials = Credentials(KEY_ID, SECRET)
    signer = sigv4.Signer(method="POST", url=URL, credentials=credentials, region=REGION, service=SERVICE)
    return lambda: signer.sign(HEADERS, BODY, time.time())["Authorization"]


def in_transport() -> Sign:
    endpoint = Endpoint(REGION, None, use_fips=False, use_dualstack=False, allow_http=False)
    signer = RequestSigner(endpoint, Credentials(KEY_ID, SECRET))
    operation = Operation("AdminGetUser", {}, signed=True)
    return lambda: signer.signed(operation, HEADERS, BODY, float("inf"))["Authorization"]


def srpcore_function() -> Sign:
    credentials = Credentials(KEY_ID, SECRET)

    def sign() -> str:
        now = datetime.now(timezone.utc)
        where = {"method": "POST", "url": URL, "region": REGION, "service": SERVICE}
        return sigv4.sign(**where, headers=HEADERS, body=BODY, credentials=credentials, time=now)["Authorization"]

    return sign


def botocore() -> Sign:
    auth, request_module = import_module("botocore.auth"), import_module("botocore.awsrequest")
    credentials = import_module("botocore.credentials").Credentials(KEY_ID, SECRET)
    signer = auth.SigV4Auth(credentials, SERVICE, REGION)

    def sign() -> str:
        request = request_module.AWSRequest("POST", URL, headers=HEADERS, data=BODY)
        signer.add_auth(request)
        return str(request.headers["Authorization"])

    return sign


def awscrt() -> Sign:
    auth, http, io = (import_module(f"awscrt.{name}") for name in ("auth", "http", "io"))
    provider = auth.AwsCredentialsProvider.new_static(KEY_ID, SECRET)

    def sign() -> str:
        request = http.HttpRequest("POST", "/", http.HttpHeaders(list(HEADERS.items())), io.InputStream(_stream()))
        config = auth.AwsSigningConfig(
            algorithm=auth.AwsSigningAlgorithm.V4,
            signature_type=auth.AwsSignatureType.HTTP_REQUEST_HEADERS,
            credentials_provider=provider,
            region=REGION,
            service=SERVICE,
        )
        auth.aws_sign_request(request, config).result()
        return str(request.headers.get("Authorization"))

    return sign


def _stream() -> Any:
    return import_module("io").BytesIO(BODY)


def makers() -> dict[str, Callable[[], Sign]]:
    found = {
        FLOOR: floor,
        OURS: srpcore,
        "srpcore, in a transport": in_transport,
        "srpcore, a function": srpcore_function,
    }
    peers = {"botocore": botocore, "awscrt": awscrt}
    return found | {name: peer for name, peer in peers.items() if find_spec(name) is not None}


def contestants(_data: object = None) -> Mapping[str, Prepare]:
    return {name: partial(_time_function, maker) for name, maker in makers().items()}


def _time_function(maker: Callable[[], Sign]) -> _perf.TimeFunction:
    return processor_time(maker())


def must_sign_alike() -> None:
    """Stop if a contestant makes another signature than the others, in the same second."""
    for _ in range(5):
        second = int(time.time())
        signatures = {name: re.findall(r"Signature=(\w+)", maker()()) for name, maker in makers().items()}
        if int(time.time()) == second:
            break
    if len({tuple(found) for found in signatures.values()}) != 1:
        sys.exit(f"the contestants sign differently: {signatures}")


def aims(results: Results) -> list[Aim]:
    return [Aim("srpcore / bare hashes with a cached key", _perf.ratio(results, OURS, FLOOR), at_most=1.3)]


def as_rows(results: Results) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "median_us": round(_perf.median(results, name) * 1e6, 2),
            "fastest_us": round(_perf.fastest(results, name) * 1e6, 2),
            "ratio_to_floor": round(_perf.ratio(results, name, FLOOR), 2),
        }
        for name in results
    ]


def main() -> int:
    if _perf.is_worker():
        _perf.work(contestants)
        return 0
    chosen = _perf.options("Measure the signature of a request.", rounds=8)
    must_sign_alike()
    results = _perf.measure(__file__, makers(), chosen)
    rows, found, used = as_rows(results), aims(results), versions("botocore", "awscrt")
    lines = [
        "# Signing one request",
        "",
        f"Medians of {chosen.rounds} rounds in one run, taken in turn, processor time of all threads.",
        "Made by `python benchmarks/sign_requests.py`.",
        "",
        *table(("", "median, µs", "fastest, µs", "ratio to the floor"), (row.values() for row in rows)),
        *chart({row["name"]: row["median_us"] for row in rows}, "µs"),
        *_perf.aims_as_markdown(found),
    ]
    _perf.save(chosen.results, "sign_requests", results)
    facts = {"rounds": chosen.rounds, "machine": _perf.machine(results), "results": rows}
    publish(chosen.results, "sign_requests", lines, used, **facts, aims=[aim.as_dict() for aim in found])
    return 0


if __name__ == "__main__":
    sys.exit(main())
