"""A real browser: a page of another origin logs in with amazon-cognito-identity-js, and a foreign page reads nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from srpcore_transports.local import LocalServer, UserPool
from support.loopback import LoopbackServer, Request, answer
from support.users import PASSWORD

from .browser import Browser, browser

pytestmark = pytest.mark.system

NODE = Path(os.environ.get("SRPCORE_NODE", Path(__file__).parents[2] / ".node"))
SCRIPT = NODE / "node_modules/amazon-cognito-identity-js/dist/amazon-cognito-identity.min.js"

LOG_IN = """async (endpoint, UserPoolId, ClientId, Username, Password) => {
    const {CognitoUserPool, CognitoUser, AuthenticationDetails} = AmazonCognitoIdentity;
    const Pool = new CognitoUserPool({UserPoolId, ClientId, endpoint});
    const user = new CognitoUser({Username, Pool});
    const log_in = password => new Promise(resolve => user.authenticateUser(
        new AuthenticationDetails({Username, Password: password}),
        {onSuccess: session => resolve(session.getAccessToken().payload.iss), onFailure: error => resolve(error.code)}));
    return [await log_in("wrong"), await log_in(Password)];
}"""

CALL = """async url => {
    const headers = {"X-Amz-Target": "AWSCognitoIdentityProviderService.GetUser", "Content-Type": "application/x-amz-json-1.1"};
    try {
        const response = await fetch(url, {method: "POST", headers, body: '{"AccessToken": "a.b.c"}'});
        return [response.status, ...["x-amzn-ErrorType", "x-amzn-RequestId", "Date"].map(name => !!response.headers.get(name))];
    } catch (error) {
        return error.name;
    }
}"""

KEYS = "async url => { try { return (await fetch(url)).status; } catch (error) { return error.name; } }"

# A frame whose origin is "null", as that of a file. Chromium keeps pages of other computers from loopback by itself.
IN_SANDBOX = """(code, url) => new Promise(resolve => {
    addEventListener("message", event => resolve(event.data), {once: true});
    const frame = document.createElement("iframe");
    frame.sandbox = "allow-scripts";
    frame.srcdoc = `<script>(${code})("${url}").then(found => parent.postMessage(found, "*"))</scr` + "ipt>";
    document.body.append(frame);
})"""


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("chromium")) as chromium:
        yield chromium


@pytest.fixture(scope="module")
def pool() -> UserPool:
    pool = UserPool()
    pool.add_user("alice", password=PASSWORD)
    return pool


@pytest.fixture(scope="module")
def server(pool: UserPool) -> Iterator[LocalServer]:
    with pool.serve() as server:
        yield server


def site(request: Request, _: object) -> bytes:
    if request.target == "/script.js":
        return answer(SCRIPT.read_bytes(), Content_Type="text/javascript")
    return answer(b'<title>app</title><script src="/script.js"></script>', Content_Type="text/html")


def test_a_page_on_this_computer_logs_in(chromium: Browser, pool: UserPool, server: LocalServer) -> None:
    url = server.url.replace("127.0.0.1", "localhost")
    with LoopbackServer(site) as app:
        chromium.open(f"http://localhost:{app.port}/")
        found = chromium.run(LOG_IN, f"{url}/", pool.user_pool_id, pool.client_id, "alice", PASSWORD)
        assert found == ["NotAuthorizedException", f"{url}/{pool.user_pool_id}"]
        assert chromium.run(CALL, server.url) == [400, True, True, True]
        assert chromium.run(KEYS, f"{server.url}/{pool.user_pool_id}/.well-known/jwks.json") == 200


def test_a_foreign_page_reads_nothing(chromium: Browser, pool: UserPool, server: LocalServer) -> None:
    with LoopbackServer(site) as app:
        chromium.open(f"http://localhost:{app.port}/")
        assert chromium.run(IN_SANDBOX, CALL, server.url) == "TypeError"
        assert chromium.run(IN_SANDBOX, KEYS, f"{server.url}/{pool.user_pool_id}/.well-known/jwks.json") == "TypeError"
