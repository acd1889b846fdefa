"""Amplify in a real browser: a page of another origin signs a user up, logs in and out, and sets TOTP up."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from srpcore.crypto.totp import totp
from srpcore_transports.local import LocalServer, UserPool
from support.loopback import LoopbackServer, Request, answer
from support.users import PASSWORD

from .browser import Browser, browser

pytestmark = pytest.mark.system

NODE = Path(os.environ.get("SRPCORE_NODE", Path(__file__).parents[2] / ".node"))
# The package aws-amplify is not needed: it adds the other categories (storage, ...), and the last two lines of CONFIGURE.
EXPORTS = """
export { Amplify } from "@aws-amplify/core";
export * from "@aws-amplify/auth";
export { cognitoUserPoolsTokenProvider } from "@aws-amplify/auth/cognito";
"""

CONFIGURE = """async (userPoolId, userPoolClientId, userPoolEndpoint) => {
    const Auth = {Cognito: {userPoolId, userPoolClientId, userPoolEndpoint}};
    const {Amplify, cognitoUserPoolsTokenProvider: tokenProvider} = amplify;
    tokenProvider.setAuthConfig(Auth);
    Amplify.configure({Auth}, {Auth: {tokenProvider}});
}"""

SIGN_UP = """async (username, password, autoSignIn) => {
    const options = {autoSignIn, userAttributes: {email: `${username}@example.com`}};
    const {nextStep} = await amplify.signUp({username, password, options});
    return [nextStep.signUpStep, nextStep.codeDeliveryDetails.attributeName];
}"""

CONFIRM = """async (username, confirmationCode) => {
    const {nextStep} = await amplify.confirmSignUp({username, confirmationCode});
    const result = await amplify.autoSignIn();
    return [nextStep.signUpStep, result.nextStep.signInStep];
}"""

SIGN_IN = """async (username, password, authFlowType) => {
    const options = {authFlowType, preferredChallenge: authFlowType === "USER_AUTH" ? "PASSWORD_SRP" : undefined};
    try {
        return (await amplify.signIn({username, password, options})).nextStep.signInStep;
    } catch (error) {
        return error.name;
    }
}"""

ANSWER = "async challengeResponse => (await amplify.confirmSignIn({challengeResponse})).nextStep.signInStep"

SIGN_OUT = "async () => { await amplify.signOut(); return !!(await amplify.fetchAuthSession()).tokens; }"

# What is known of the user who is logged in; the tokens are fetched again if *forceRefresh* is true.
SESSION = """async forceRefresh => {
    const {tokens, userSub} = await amplify.fetchAuthSession({forceRefresh});
    const {username} = await amplify.getCurrentUser();
    const {email} = await amplify.fetchUserAttributes();
    return {username, email, userSub, access: tokens.accessToken.payload, id: tokens.idToken.payload};
}"""

SET_UP_TOTP = "async () => (await amplify.setUpTOTP()).sharedSecret"
VERIFY_TOTP = """async code => {
    await amplify.verifyTOTPSetup({code});
    await amplify.updateMFAPreference({totp: "PREFERRED"});
    return (await amplify.fetchMFAPreference()).preferred;
}"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The script with which an app's bundler would answer the page."""
    path = tmp_path_factory.mktemp("amplify") / "amplify.js"
    command = [str(NODE / "node_modules/.bin/esbuild"), "--bundle", "--format=iife", "--global-name=amplify"]
    command += [f"--outfile={path}", "--log-level=warning"]
    environment = {**os.environ, "NODE_PATH": str(NODE / "node_modules")}
    subprocess.run(command, input=EXPORTS.encode(), env=environment, timeout=300, check=True)
    return path


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("chromium")) as chromium:
        yield chromium


@pytest.fixture
def pool() -> UserPool:
    return UserPool()


@pytest.fixture
def server(pool: UserPool) -> Iterator[LocalServer]:
    with pool.serve() as server:
        yield server


@pytest.fixture
def url(server: LocalServer) -> str:
    return server.url.replace("127.0.0.1", "localhost")


@pytest.fixture
def app(chromium: Browser, bundle: Path, pool: UserPool, url: str) -> Iterator[Browser]:
    """A browser that shows an app of another origin than the pool, with Amplify."""

    def site(request: Request, _: object) -> bytes:
        if request.target == "/amplify.js":
            return answer(bundle.read_bytes(), Content_Type="text/javascript")
        return answer(b'<title>app</title><script src="/amplify.js"></script>', Content_Type="text/html")

    with LoopbackServer(site) as server:
        chromium.open(f"http://localhost:{server.port}/")
        chromium.run(CONFIGURE, pool.user_pool_id, pool.client_id, f"{url}/")
        yield chromium


def check_session(session: dict[str, Any], pool: UserPool, url: str, name: str) -> None:
    access, identity = session["access"], session["id"]
    assert access["iss"] == identity["iss"] == f"{url}/{pool.user_pool_id}"
    assert access["client_id"] == identity["aud"] == pool.client_id
    assert access["username"] == session["username"] == name
    assert identity["email"] == session["email"] == f"{name}@example.com"
    assert access["sub"] == session["userSub"]


# With USER_AUTH the code of the sign-up is the first factor. With SRP, Amplify keeps the password until the confirmation.
@pytest.mark.parametrize("kept", [{"authFlowType": "USER_AUTH"}, True], ids=["USER_AUTH", "SRP"])
def test_a_new_user_is_logged_in_after_the_confirmation(app: Browser, pool: UserPool, url: str, kept: object) -> None:
    assert app.run(SIGN_UP, "bob", PASSWORD, kept) == ["CONFIRM_SIGN_UP", "email"]
    assert app.run(CONFIRM, "bob", pool.outbox.latest("bob").code) == ["COMPLETE_AUTO_SIGN_IN", "DONE"]
    check_session(app.run(SESSION, False), pool, url, "bob")
    assert app.run(SIGN_OUT) is False


@pytest.mark.parametrize("flow", ["USER_SRP_AUTH", "USER_PASSWORD_AUTH", "USER_AUTH"])
def test_a_user_logs_in_and_out(app: Browser, pool: UserPool, url: str, flow: str) -> None:
    pool.add_user("alice", password=PASSWORD, email="alice@example.com")
    assert app.run(SIGN_IN, "alice", "wrong", flow) == "NotAuthorizedException"
    assert app.run(SIGN_IN, "alice", PASSWORD, flow) == "DONE"
    first = app.run(SESSION, False)
    check_session(first, pool, url, "alice")
    refreshed = app.run(SESSION, True)
    check_session(refreshed, pool, url, "alice")
    assert refreshed["access"]["jti"] != first["access"]["jti"]
    assert app.run(SIGN_OUT) is False


def test_a_user_sets_totp_up_and_logs_in_with_it(app: Browser, pool: UserPool) -> None:
    pool.add_user("alice", password=PASSWORD, email="alice@example.com")
    assert app.run(SIGN_IN, "alice", PASSWORD, "USER_SRP_AUTH") == "DONE"
    secret = app.run(SET_UP_TOTP)
    assert app.run(VERIFY_TOTP, totp(secret, time.time())) == "TOTP"
    assert app.run(SIGN_OUT) is False
    assert app.run(SIGN_IN, "alice", PASSWORD, "USER_SRP_AUTH") == "CONFIRM_SIGN_IN_WITH_TOTP_CODE"
    assert app.run(ANSWER, totp(secret, time.time() + 30)) == "DONE"
