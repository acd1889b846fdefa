"""The tests of an app: a real login with a second factor against an embedded user pool, without AWS.

``user_pool`` is a fixture of srpcore's pytest plugin. Run them with ``pytest test_fastapi_app.py``; they need
``pip install 'srpcore[testing]' fastapi httpx2``.
"""

import importlib
import time
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from srpcore import Cognito
from srpcore.crypto.totp import totp
from srpcore_transports.local import UserPool

PASSWORD = "Correct-Horse-1"


@pytest.fixture
def app(user_pool: UserPool, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The app, on the embedded pool."""
    with user_pool.serve() as server:
        monkeypatch.setenv("USER_POOL_ID", user_pool.user_pool_id)
        monkeypatch.setenv("CLIENT_ID", user_pool.client_id)
        monkeypatch.setenv("COGNITO_URL", server.url)
        yield importlib.reload(importlib.import_module("fastapi_app"))  # it reads the variables when it is imported


@pytest.fixture
def browser(app: Any) -> Iterator[TestClient]:
    with TestClient(app.app, base_url="https://shop.example") as browser:
        yield browser


def test_a_user_logs_in_and_out(browser: TestClient, user_pool: UserPool) -> None:
    user_pool.add_user("alice", password=PASSWORD)
    assert browser.get("/me").status_code == 401
    assert browser.post("/login", json={"username": "alice", "password": PASSWORD}).json() == {"username": "alice"}
    assert browser.get("/me").json() == {"username": "alice"}
    browser.post("/logout")
    assert browser.get("/me").status_code == 401


def test_a_wrong_password_is_refused(browser: TestClient, user_pool: UserPool) -> None:
    user_pool.add_user("alice", password=PASSWORD)
    assert browser.post("/login", json={"username": "alice", "password": "wrong"}).status_code == 401


def test_a_second_factor_is_asked_for_in_a_second_request(app: Any, browser: TestClient, user_pool: UserPool) -> None:
    user_pool.add_user("alice", password=PASSWORD)
    secret = set_up_authenticator_app(app, user_pool)
    first = browser.post("/login", json={"username": "alice", "password": PASSWORD})
    assert first.json() == {"needs": "code", "sent_to": None}
    assert browser.get("/me").status_code == 401
    assert browser.post("/answer", json={"code": "000000"}).status_code == 422
    used = browser.post("/answer", json={"code": totp(secret, time.time())})  # to set up the app
    assert (used.status_code, used.json()["detail"][:18]) == (422, "that code was used")
    assert browser.post("/answer", json={"code": ""}).status_code == 422
    code = totp(secret, time.time() + 30)  # each code is accepted once
    assert browser.post("/answer", json={"code": code}).json() == {"username": "alice"}
    assert browser.get("/me").json() == {"username": "alice"}
    assert browser.post("/answer", json={"code": code}).status_code == 401  # no login is unfinished


def test_a_temporary_password_is_replaced_in_a_second_request(browser: TestClient, user_pool: UserPool) -> None:
    with Cognito(user_pool.user_pool_id, user_pool.client_id, transport=user_pool) as administrator:
        administrator.admin_create_user("dora", "Temporary-1")
    first = browser.post("/login", json={"username": "dora", "password": "Temporary-1"})
    assert first.json() == {"needs": "new_password", "sent_to": None}
    other = browser.post("/answer", json={"code": "123456"})
    assert (other.status_code, other.json()["detail"]) == (422, "this step needs new_password")
    weak = browser.post("/answer", json={"new_password": "weak"})
    assert (weak.status_code, weak.json()["detail"][:23]) == (422, "choose another password")
    assert browser.post("/answer", json={"new_password": PASSWORD}).json() == {"username": "dora"}
    assert browser.get("/me").json() == {"username": "dora"}


def test_a_login_that_cannot_succeed_is_answered_with_a_reason(browser: TestClient, user_pool: UserPool) -> None:
    for empty in ({"username": "", "password": PASSWORD}, {"username": "alice", "password": ""}):
        assert browser.post("/login", json=empty).status_code == 422
    with Cognito(user_pool.user_pool_id, user_pool.client_id, transport=user_pool) as user:
        user.register("bob", PASSWORD)
    unconfirmed = browser.post("/login", json={"username": "bob", "password": PASSWORD})
    assert (unconfirmed.status_code, unconfirmed.json()["detail"]) == (403, "confirm your registration first")
    user_pool.add_user("carol", password=PASSWORD, email="carol@example.com", email_verified="true")
    with Cognito(user_pool.user_pool_id, user_pool.client_id, username="carol", transport=user_pool) as user:
        user.client.admin_reset_user_password(UserPoolId=user_pool.user_pool_id, Username="carol")
    refused = browser.post("/login", json={"username": "carol", "password": PASSWORD})
    assert (refused.status_code, refused.json()["detail"][-30:]) == (400, "PasswordResetRequiredException")


def test_a_service_that_cannot_be_reached_is_a_503(
    app: Any, browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "URL", "http://127.0.0.1:1")
    assert browser.post("/login", json={"username": "alice", "password": PASSWORD}).status_code == 503


def set_up_authenticator_app(app: Any, user_pool: UserPool) -> str:
    with Cognito(user_pool.user_pool_id, user_pool.client_id, username="alice", endpoint_url=app.URL) as user:
        user.authenticate(PASSWORD)
        secret = user.associate_software_token()
        assert user.verify_software_token(totp(secret, time.time()))
        user.set_user_mfa_preference(sms_mfa=None, software_token_mfa=True, preferred="SOFTWARE_TOKEN")
    return secret
