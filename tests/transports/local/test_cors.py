"""Host names and web pages: who may send requests to the server, and who may read its responses."""

from __future__ import annotations

import http.client
from collections.abc import Iterator

import pytest

from srpcore_transports.local import LocalServer, UserPool
from srpcore_transports.local.http.hosts import AllowedHosts

pytestmark = pytest.mark.slow  # for `make check`, which runs at every save

TARGET = "AWSCognitoIdentityProviderService.InitiateAuth"
PAGE = "http://localhost:3000"


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    with UserPool().serve() as server:
        yield server


def send(server: LocalServer, method: str, path: str = "/", **headers: str) -> tuple[int, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", int(server.url.rpartition(":")[2]), timeout=10)
    try:
        connection.request(method, path, b"{}", {name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        response.read()
        return response.status, {name.lower(): value for name, value in response.getheaders()}
    finally:
        connection.close()


def preflight(server: LocalServer, origin: str, requested: str = "content-type,x-amz-target") -> dict[str, str]:
    status, headers = send(
        server,
        "OPTIONS",
        Origin=origin,
        Access_Control_Request_Method="POST",
        Access_Control_Request_Headers=requested,
    )
    assert status == 204
    assert "content-length" not in headers
    return headers


def test_a_preflight_of_a_page_on_this_computer_is_accepted(server: LocalServer) -> None:
    # Amplify sends these headers.
    requested = "amz-sdk-invocation-id, amz-sdk-request,cache-control,content-type,x-amz-target,x-amz-user-agent"
    headers = preflight(server, PAGE, requested)
    assert headers["access-control-allow-origin"] == PAGE
    assert headers["access-control-allow-methods"] == "GET, OPTIONS, POST"
    assert headers["access-control-allow-headers"] == requested
    assert int(headers["access-control-max-age"]) > 0
    assert headers["vary"] == "Origin"


def test_a_preflight_of_another_page_is_refused(server: LocalServer) -> None:
    headers = preflight(server, "https://evil.example")
    assert not [name for name in headers if name.startswith("access-control")]


def test_a_preflight_cannot_add_a_header(server: LocalServer) -> None:
    assert "access-control-allow-headers" not in preflight(server, PAGE, "a, b: c")
    assert "access-control-allow-headers" not in preflight(server, PAGE, "*")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/", 400), ("POST", "/elsewhere", 400), ("GET", "/elsewhere", 404), ("PUT", "/", 405)],
)
def test_every_response_can_be_read_by_a_page_on_this_computer(
    server: LocalServer, method: str, path: str, status: int
) -> None:
    answered, headers = send(server, method, path, Origin=PAGE, X_Amz_Target=TARGET)
    assert answered == status
    assert headers["access-control-allow-origin"] == PAGE
    exposed = headers["access-control-expose-headers"].lower().split(", ")
    assert {"x-amzn-requestid", "x-amzn-errortype", "date"} <= {*exposed}
    assert "access-control-allow-credentials" not in headers


def test_a_key_set_can_be_read_by_a_page_on_this_computer() -> None:
    with UserPool() as pool, pool.serve() as server:
        path = f"/{pool.user_pool_id}/.well-known/jwks.json"
        status, headers = send(server, "GET", path, Origin=PAGE)
        assert (status, headers["access-control-allow-origin"]) == (200, PAGE)
        status, headers = send(server, "GET", path, Origin="https://evil.example")
        assert "access-control-allow-origin" not in headers
        assert headers["vary"] == "Origin"


def test_the_refusal_of_a_body_can_be_read_by_a_page_on_this_computer(server: LocalServer) -> None:
    status, headers = send(server, "POST", Origin=PAGE, Content_Length="2000000")
    assert (status, headers["access-control-allow-origin"]) == (413, PAGE)


def test_an_admin_operation_of_a_page_still_needs_a_signature(server: LocalServer) -> None:
    status, headers = send(server, "POST", Origin=PAGE, X_Amz_Target=TARGET.replace("InitiateAuth", "ListUsers"))
    assert (status, headers["x-amzn-errortype"]) == (403, "MissingAuthenticationTokenException:")


def test_a_page_that_rebinds_its_name_is_refused(server: LocalServer) -> None:
    headers = {"Host": "evil.example:80", "Origin": "http://evil.example:80"}
    for method in ("POST", "OPTIONS", "PUT"):
        status, answered = send(server, method, X_Amz_Target=TARGET, **headers)
        assert (status, answered["x-amzn-errortype"]) == (403, "ForbiddenException:")
    assert send(server, "GET", **headers)[0] == 404


def test_named_hosts_are_accepted() -> None:
    with UserPool() as pool, pool.serve(allowed_hosts=["Host.Docker.internal"]) as server:
        status, headers = send(
            server, "POST", X_Amz_Target=TARGET, Host="host.docker.internal:9229", Origin="https://host.docker.internal"
        )
        assert status == 400
        assert headers["access-control-allow-origin"] == "https://host.docker.internal"
        assert send(server, "POST", X_Amz_Target=TARGET, Host="docker.internal")[0] == 403
    with UserPool() as pool, pool.serve(allowed_hosts="*") as server:
        status, headers = send(server, "POST", X_Amz_Target=TARGET, Host="evil.example", Origin="https://app.example")
        assert (status, headers["access-control-allow-origin"]) == (400, "https://app.example")


LOOPBACK = ["localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "[::1]", "app.localhost"]
FOREIGN = ["evil.example", "localhost.evil.example", "evillocalhost", "127.0.0.1.evil.example", "128.0.0.1", "[::2]"]
MALFORMED = [
    "",
    "[",
    "[::1",
    "::1",
    "a b",
    "a/b",
    "a@localhost",
    "localhost:",
    "localhost:x",
    "localhost:123456",
    "a,b",
]


@pytest.mark.parametrize("name", LOOPBACK)
def test_loopback_names_are_accepted_everywhere(name: str) -> None:
    for hosts in (AllowedHosts("127.0.0.1"), AllowedHosts("::1"), AllowedHosts("localhost"), AllowedHosts("0.0.0.0")):
        for host in (name, f"{name}:80"):
            assert hosts.accept_host(host)
            assert hosts.accept_origin(f"http://{host}", "localhost")
            assert hosts.accept_origin(f"https://{host}", "a.example")


@pytest.mark.parametrize("name", FOREIGN)
def test_other_names_are_accepted_if_the_server_is_not_on_loopback(name: str) -> None:
    assert not AllowedHosts("127.0.0.1").accept_host(name)
    for address in ("0.0.0.0", "::", "192.0.2.1"):
        assert AllowedHosts(address).accept_host(f"{name}:80")
        assert not AllowedHosts(address).accept_origin(f"http://{name}", "a.example")
        # A page of the same host, for example http://192.0.2.1:3000.
        assert AllowedHosts(address).accept_origin(f"http://{name}:3000", f"{name}:9229")


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_name_is_refused_everywhere(name: str) -> None:
    for hosts in (AllowedHosts("127.0.0.1"), AllowedHosts("0.0.0.0"), AllowedHosts("127.0.0.1", ["*", name])):
        assert not hosts.accept_host(name)
        assert not hosts.accept_origin(f"http://{name}", name)


@pytest.mark.parametrize(
    "origin", ["null", "", "localhost", "file://localhost", "http://localhost/", "http://u@localhost"]
)
def test_an_origin_that_is_not_of_a_web_page_is_refused(origin: str) -> None:
    for hosts in (AllowedHosts("127.0.0.1"), AllowedHosts("0.0.0.0", ["*"])):
        assert not hosts.accept_origin(origin, "localhost")
