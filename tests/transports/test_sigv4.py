"""Signature Version 4 against AWS's own vectors, and against botocore's signer."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from email.parser import HeaderParser
from hashlib import blake2b
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpcore.clock import monotonic_clock
from srpcore.exceptions import ConfigurationError
from srpcore.protocol import Operation
from srpcore_transports import sigv4
from srpcore_transports.credentials import Credentials
from srpcore_transports.endpoint import Endpoint
from srpcore_transports.signing import RequestSigner
from support.vectors import FOLDER

VECTORS = FOLDER / "aws-c-auth-v4"

# Paths that are not normalised: S3 alone signs so, and this module signs for the other services.
LEFT_OUT = {
    "get-relative-unnormalized",
    "get-relative-relative-unnormalized",
    "get-slash-dot-slash-unnormalized",
    "get-slash-pointless-dot-unnormalized",
    "get-slash-unnormalized",
    "get-slashes-unnormalized",
}


class Case:
    """One folder of the suite: the request, what signs it, and what must come out at each step."""

    def __init__(self, name: str) -> None:
        self.folder = VECTORS / name
        context = json.loads(self.text("context.json"))
        self.time = datetime.fromisoformat(context["timestamp"])
        self.region, self.service = context["region"], context["service"]
        keys = context["credentials"]
        self.token = keys.get("token")
        # A token that goes on after the signature is not the signer's to see.
        signed_token = None if context.get("omit_session_token") else self.token
        self.credentials = Credentials(keys["access_key_id"], keys["secret_access_key"], signed_token)
        head, _, body = self.text("request.txt").replace("\r\n", "\n").partition("\n\n")
        line, _, fields = head.partition("\n")
        self.method, target = line.split(" ", 1)
        self.target = target.rsplit(" ", 1)[0]
        self.body = body.encode("utf-8")
        self.headers: dict[str, str] = {}
        for field, value in HeaderParser().parsestr(fields).items():
            self.headers[field] = f"{self.headers[field]},{value}" if field in self.headers else value
        if context["sign_body"]:
            self.headers["x-amz-content-sha256"] = sigv4.payload_hash(self.body)

    def text(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    def sign(self) -> dict[str, str]:
        return sigv4.sign(
            method=self.method,
            url=f"https://{self.headers['Host']}{self.target}",
            headers=self.headers,
            body=self.body,
            credentials=self.credentials,
            region=self.region,
            service=self.service,
            time=self.time,
        )


def cases() -> list[str]:
    return sorted(folder.name for folder in VECTORS.iterdir() if folder.is_dir())


def test_every_vector_of_aws_is_read() -> None:
    assert len(cases()) == 38
    assert set(cases()) > LEFT_OUT


@pytest.mark.parametrize("name", [name for name in cases() if name not in LEFT_OUT])
def test_signatures_equal_the_vectors_of_aws(name: str) -> None:
    case = Case(name)
    added = case.sign()
    expected = HeaderParser().parsestr(case.text("header-signed-request.txt").split("\n", 1)[1])
    assert added["Authorization"] == expected["Authorization"]
    assert added["X-Amz-Date"] == expected["X-Amz-Date"]
    assert added.get("X-Amz-Security-Token") == case.credentials.session_token

    # The same, piece by piece, as a server would go about it.
    path, _, query = case.target.partition("?")
    names = added["Authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    headers = {**case.headers, **added}
    canonical = sigv4.canonical_request(
        case.method, path, query, headers, reversed(names), sigv4.payload_hash(case.body)
    )
    assert canonical == case.text("header-canonical-request.txt")
    scope = sigv4.credential_scope("20150830", case.region, case.service)
    to_sign = sigv4.string_to_sign(added["X-Amz-Date"], scope, canonical)
    assert to_sign == case.text("header-string-to-sign.txt")
    key = sigv4.signing_key(case.credentials.secret_access_key, "20150830", case.region, case.service)
    assert sigv4.signature(key, to_sign) == case.text("header-signature.txt")


@pytest.mark.parametrize("name", sorted(LEFT_OUT & set(cases())))
def test_only_vectors_with_unnormalised_paths_are_left_out(name: str) -> None:
    case = Case(name)
    assert json.loads(case.text("context.json"))["normalize"] is False
    added = case.sign()
    assert added["Authorization"] == Case(name.replace("unnormalized", "normalized")).sign()["Authorization"]


KEYS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=40)
UNRESERVED = "abcXYZ019-._~"
SEGMENTS = st.text(UNRESERVED, max_size=6) | st.sampled_from(["", ".", "..", "%20", "a%2Fb", "%E1%88%B4", "*"])
PATHS = st.lists(SEGMENTS, max_size=5).map(lambda segments: "/" + "/".join(segments))
WORDS = st.text(UNRESERVED, min_size=1, max_size=5) | st.sampled_from(["%20", "%2B", "%E1%88%B4", "a", "a-"])
QUERIES = st.lists(st.tuples(WORDS, st.just("") | WORDS), max_size=4).map(
    lambda pairs: "&".join(f"{name}={value}" for name, value in pairs)
)
HEADERS = st.dictionaries(
    st.sampled_from(
        ["Content-Type", "X-Amz-Target", "x-Other", "User-Agent", "Connection", "Zed", "TE", "Traceparent"]
    ),
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=12),
)
TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1)).flatmap(
    lambda naive: st.integers(-14, 14).map(lambda hours: naive.replace(tzinfo=timezone(timedelta(hours=hours))))
)
HOSTS = st.sampled_from(
    [
        "https://cognito-idp.eu-west-1.amazonaws.com",
        "https://Example.com:443",
        "https://example.com:8443",
        "http://127.0.0.1:80",
        "http://127.0.0.1:443",
        "https://[::1]:5000",
        "https://[::1]",
    ]
)
REGIONS = st.sampled_from(["eu-west-1", "us-gov-west-1", "cn-north-1"])


@given(
    method=st.sampled_from(["GET", "POST"]),
    url=st.builds(lambda *parts: "{}{}?{}".format(*parts), HOSTS, PATHS, QUERIES),
    headers=HEADERS,
    body=st.binary(max_size=64),
    keys=st.tuples(KEYS, KEYS, st.none() | KEYS),
    region=REGIONS,
    time=TIMES,
)
def test_signatures_equal_those_of_botocore(
    method: str,
    url: str,
    headers: dict[str, str],
    body: bytes,
    keys: tuple[str, str, str | None],
    region: str,
    time: datetime,
) -> None:
    added = sigv4.sign(
        method=method,
        url=url,
        headers=headers,
        body=body,
        credentials=Credentials(*keys),
        region=region,
        service="cognito-idp",
        time=time,
    )
    assert added == botocore_signs(method, url, headers, body, keys, region, time)


def botocore_signs(
    method: str,
    url: str,
    headers: dict[str, str],
    body: bytes,
    keys: tuple[str, str, str | None],
    region: str,
    time: datetime,
) -> dict[str, str]:
    auth = pytest.importorskip("botocore.auth")
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials as BotocoreCredentials

    utc = time.astimezone(timezone.utc)
    request: Any = AWSRequest(method, url, dict(headers), body)
    signer = auth.SigV4Auth(BotocoreCredentials(*keys), "cognito-idp", region)
    # What add_auth does, at a time of our own choosing: botocore takes the time from the clock.
    request.context["timestamp"] = utc.strftime("%Y%m%dT%H%M%SZ")
    signer._modify_request_before_signing(request)
    to_sign = signer.string_to_sign(request, signer.canonical_request(request))
    signer._inject_signature_to_request(request, signer.signature(to_sign, request))
    return {name: value for name, value in request.headers.items() if name not in headers}


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"^the time of a signature must be a datetime with a time zone$"):
        sigv4.sign(
            method="POST",
            url="https://example.com",
            headers={},
            body=b"",
            credentials=Credentials("AKIDEXAMPLE", "secret"),
            region="us-east-1",
            service="cognito-idp",
            time=datetime(2015, 8, 30),
        )


def test_paths_are_normalised_and_encoded_once_more() -> None:
    for path, canonical in (
        ("", "/"),
        ("/", "/"),
        ("//a///b", "/a/b"),
        ("/a/./b/../c/", "/a/c/"),
        ("/../a/..", "/"),
        ("/a/.", "/a"),
        ("/a/", "/a/"),
        ("/%20~é", "/%2520~%C3%A9"),
    ):
        assert sigv4.canonical_path(path) == canonical


def test_names_and_spaces_of_headers_are_normalised() -> None:
    canonical = sigv4.canonical_request(
        "GET", "/a b", "b=1&a", {"X-B": " b  c ", "HOST": "h"}, ["x-b", "Host", "X-B"], "p"
    )
    assert canonical == "GET\n/a%20b\na=&b=1\nhost:h\nx-b:b c\n\nhost;x-b\np"


def test_a_derived_key_is_kept_until_there_are_sixteen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sigv4, "_DERIVED", {})
    first = sigv4.signing_key("secret", "20150830", "us-east-1", "iam")
    assert sigv4.signing_key("secret", "20150830", "us-east-1", "iam") is first
    assert [len(identity) for identity in sigv4._DERIVED] == [32]
    for number in range(15):
        sigv4.signing_key("secret", str(number), "us-east-1", "iam")
    assert len(sigv4._DERIVED) == 16
    assert sigv4.signing_key("secret", "20150830", "us-east-1", "iam") is first
    sigv4.signing_key("secret", "15", "us-east-1", "iam")
    assert len(sigv4._DERIVED) == 1
    # The example of the AWS documentation, "Derive a signing key for Signature Version 4".
    key = sigv4.signing_key("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "20150830", "us-east-1", "iam")
    assert key.hex() == "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"


def test_the_query_may_come_in_any_encoding() -> None:
    assert sigv4.canonical_query("b=%2f%7e&&a=é") == sigv4.canonical_query("a=%C3%A9&b=%2F~") == "a=%C3%A9&b=%2F~"
    assert sigv4.canonical_query("a&b=") == "a=&b="


def test_an_absent_signed_header_is_empty() -> None:
    canonical = sigv4.canonical_request("GET", "/", "", {"Host": "h"}, ["Host", "x-missing"], "hash")
    assert canonical == "GET\n/\n\nhost:h\nx-missing:\n\nhost;x-missing\nhash"


def test_the_key_cache_is_bounded_and_contains_no_secret() -> None:
    for day in range(100):
        sigv4.signing_key("a-secret-access-key", f"{20150000 + day}", "us-east-1", "cognito-idp")
    assert 0 < len(sigv4._DERIVED) <= 16
    assert b"secret" not in repr(sigv4._DERIVED).encode()
    # Nor a digest with which somebody who reads this memory could try secrets.
    sigv4.signing_key("a-secret", "20150830", "us-east-1", "iam")
    plain = b"20150830/us-east-1/iam/a-secret"
    assert {blake2b(plain, digest_size=size).digest() for size in (32, 64)}.isdisjoint(sigv4._DERIVED)


@given(secrets=st.lists(KEYS, min_size=2, max_size=2, unique=True), day=st.integers(20000101, 20991231))
def test_every_secret_and_day_has_its_own_key(secrets: list[str], day: int) -> None:
    keys = {sigv4.signing_key(secret, str(date), "r", "s") for secret in secrets for date in (day, day + 1)}
    assert len(keys) == 4
    assert keys == {sigv4.signing_key(secret, str(date), "r", "s") for secret in secrets for date in (day, day + 1)}


def signed_again(signer: sigv4.Signer, headers: dict[str, str], body: bytes, now: float) -> tuple[Any, Any]:
    """Return what *signer*, which was used before, and a new call of sign() make of the same request."""
    fresh = sigv4.sign(
        method="POST",
        url="https://cognito-idp.us-east-1.amazonaws.com/",
        headers=headers,
        body=body,
        credentials=signer.credentials,
        region="us-east-1",
        service="cognito-idp",
        time=datetime.fromtimestamp(now, timezone.utc),
    )
    return signer.sign(headers, body, now), fresh


def make_signer(token: str | None = None) -> sigv4.Signer:
    return sigv4.Signer(
        method="POST",
        url="https://cognito-idp.us-east-1.amazonaws.com/",
        credentials=Credentials("AKIDEXAMPLE", "a-secret-access-key", token),
        region="us-east-1",
        service="cognito-idp",
    )


# Seconds that follow each other, the last second of a day and the first of the next, and a clock that is set back.
MOMENTS = (1440938160.0, 1440938160.999, 1440938161.0, 1440979199.9, 1440979200.0, 1440938160.5)


@pytest.mark.parametrize("token", [None, "session-token"])
def test_a_signer_that_was_used_before_signs_as_a_new_one(token: str | None) -> None:
    signer = make_signer(token)
    requests: list[tuple[dict[str, str], bytes]] = [
        ({"X-Amz-Target": "Service.GetUser"}, b"{}"),
        ({"X-Amz-Target": "Service.GetUser", "Host": "another.example"}, b"{}"),
        ({"X-Amz-Target": "Service.ListUsers"}, b'{"Limit": 1}'),
        ({"X-Another-Header": "Service.GetUser"}, b"{}"),
        ({"X-Amz-Date": "19990101T000000Z", "X-Amz-Security-Token": "old", "User-Agent": "a"}, b"{}"),
    ]
    signatures = set()
    for now in MOMENTS:
        for headers, body in requests:
            again, fresh = signed_again(signer, headers, body, now)
            assert again == fresh
            signatures.add(again["Authorization"])
    assert len(signatures) == len({int(now) for now in MOMENTS}) * len(requests)


def test_a_signer_does_not_keep_every_set_of_headers() -> None:
    signer = make_signer()
    for number in range(200):
        again, fresh = signed_again(signer, {"X-Amz-Target": f"Service.Operation{number}"}, b"", MOMENTS[0])
        assert again == fresh
    assert 0 < len(signer._forms) <= 64


def test_new_credentials_of_a_provider_sign_the_next_request() -> None:
    given = [Credentials("AKIDONE", "secret-one"), Credentials("AKIDTWO", "secret-two", "token")]
    current = [*given]
    endpoint = Endpoint("us-east-1", None, use_fips=False, use_dualstack=False, allow_http=False)
    signer = RequestSigner(endpoint, lambda: current[0])
    headers, body = signer.request(Operation("ListUsers", {"UserPoolId": "us-east-1_a"}))

    def signed() -> dict[str, str]:
        return signer.signed(Operation("ListUsers", {}), headers, body, monotonic_clock() + 60)

    assert "Credential=AKIDONE/" in signed()["Authorization"]
    del current[0]
    second = signed()
    assert "Credential=AKIDTWO/" in second["Authorization"]
    assert second["X-Amz-Security-Token"] == "token"
    assert signed()["User-Agent"] == headers["User-Agent"]
    assert "user-agent" not in second["Authorization"]
    signer._forget()
    assert signer._signer is None
    assert "Credential=AKIDTWO/" in signed()["Authorization"]
