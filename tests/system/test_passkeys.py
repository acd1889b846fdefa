"""A real browser registers a passkey with the local pool and logs in with it.

It checks our options and makes our credentials without sharing any code with this project.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

import srpcore
from srpcore import exceptions
from srpcore.protocol import Operation
from srpcore_transports.local import LocalUserPool
from support.loopback import LoopbackServer, answer
from support.users import PASSWORD

from .browser import Browser, browser

pytestmark = pytest.mark.system

SETTINGS: dict[str, Any] = {
    "Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "WEB_AUTHN"]}},
    "WebAuthnConfiguration": {"RelyingPartyId": "localhost", "UserVerification": "required"},
}

CREATE = """async options => (await navigator.credentials.create(
    {publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options)})).toJSON()"""
GET = """async options => (await navigator.credentials.get(
    {publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options)})).toJSON()"""


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("chromium")) as chromium:
        yield chromium


@pytest.fixture
def page(chromium: Browser) -> Iterator[Browser]:
    """A browser that shows a page of http://localhost, the relying party, and has an empty fingerprint reader."""
    reader = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
    }
    with LoopbackServer(lambda request, _: answer(b"<title>passkeys</title>", Content_Type="text/html")) as site:
        chromium.open(f"http://localhost:{site.port}/")
        with chromium.authenticator(**reader):
            yield chromium


@pytest.fixture
def pool() -> Iterator[LocalUserPool]:
    with LocalUserPool(pool_settings=SETTINGS) as pool:
        yield pool


@pytest.fixture
def user(pool: LocalUserPool) -> srpcore.Cognito:
    """A user who is logged in by password and has no passkey yet."""
    named = {"UserPoolId": pool.user_pool_id, "Username": "zoë"}
    pool.call(Operation("AdminCreateUser", {**named, "MessageAction": "SUPPRESS"}))
    pool.call(Operation("AdminSetUserPassword", {**named, "Password": PASSWORD, "Permanent": True}))
    user = facade(pool)
    user.authenticate(PASSWORD)
    return user


def facade(pool: LocalUserPool) -> srpcore.Cognito:
    return srpcore.Cognito(pool.user_pool_id, pool.client_id, username="zoë", transport=pool)


def register(page: Browser, user: srpcore.Cognito) -> None:
    user.complete_web_authn_registration(page.run(CREATE, user.start_web_authn_registration()))


def start_log_in(page: Browser, pool: LocalUserPool) -> tuple[srpcore.Cognito, Any, dict[str, Any]]:
    """Return a new facade, its login that waits for a credential, and the credential that the browser makes for it."""
    user = facade(pool)
    step = user.sign_in(auth_flow="USER_AUTH", preferred="WEB_AUTHN")
    assert step.challenge is not None
    assert step.needs == "credential"
    credential = page.run(GET, json.loads(step.challenge.parameters["CREDENTIAL_REQUEST_OPTIONS"]))
    return user, step, credential


def test_passkey_of_a_browser_is_registered_and_logs_in(
    page: Browser, pool: LocalUserPool, user: srpcore.Cognito
) -> None:
    register(page, user)
    (described,) = user.list_web_authn_credentials()
    assert described["RelyingPartyId"] == "localhost"
    for _ in range(2):  # the second time with a higher signature counter
        again, step, credential = start_log_in(page, pool)
        assert credential["id"] == described["CredentialId"]
        assert step.answer(credential=credential).done
        assert again.access_claims is not None
        assert again.access_claims["username"] == "zoë"


def test_browser_does_not_register_a_second_passkey_for_the_user(page: Browser, user: srpcore.Cognito) -> None:
    """It recognises the first one in excludeCredentials."""
    register(page, user)
    with pytest.raises(AssertionError, match="InvalidStateError"):
        page.run(CREATE, user.start_web_authn_registration())


@pytest.mark.parametrize("member", ["signature", "authenticatorData", "clientDataJSON"])
def test_changed_credential_of_a_browser_is_refused(
    page: Browser, pool: LocalUserPool, user: srpcore.Cognito, member: str
) -> None:
    register(page, user)
    again, step, credential = start_log_in(page, pool)
    value = bytearray(base64.urlsafe_b64decode(credential["response"][member] + "=="))
    if member == "clientDataJSON":
        value += b" "  # it is still JSON with the same members
    else:
        value[-1] ^= 1  # the signature's last bit, or the counter's
    changed = base64.urlsafe_b64encode(value).decode().rstrip("=")
    with pytest.raises(exceptions.NotAuthorizedException, match="signature does not match the public key"):
        step.answer(credential={**credential, "response": {**credential["response"], member: changed}})
    assert again.access_token is None


def test_answer_to_another_challenge_is_refused(page: Browser, pool: LocalUserPool, user: srpcore.Cognito) -> None:
    register(page, user)
    _, _, earlier = start_log_in(page, pool)
    again, step, _ = start_log_in(page, pool)
    with pytest.raises(exceptions.ServiceError, match="challenge"):
        step.answer(credential=earlier)
    assert again.access_token is None
