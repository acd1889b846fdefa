"""A real browser shows the page of a served pool, and what happens while it is open."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from srpcore.protocol import Operation
from srpcore_transports.local import LocalServer, UserPool
from support.loopback import LoopbackServer, answer
from support.users import PASSWORD

from .browser import Browser, browser

pytestmark = pytest.mark.system

TEXT = "async selector => document.querySelector(selector).innerText"
WAIT = """(selector, words) => new Promise((resolve, reject) => {
    const end = Date.now() + 30000;
    const look = () => {
        const element = document.querySelector(selector);
        if (element && element.innerText.includes(words)) resolve(element.innerText);
        else if (Date.now() > end) reject(new Error(`"${words}" did not appear in ${selector}`));
        else setTimeout(look, 50);
    };
    look();
})"""
DOM = "async () => document.documentElement.outerHTML"
FETCH = "async url => { try { return (await fetch(url)).status; } catch (error) { return error.name; } }"
FRAME = """url => new Promise(resolve => {
    const frame = document.createElement("iframe");
    frame.onload = () => { try { resolve(frame.contentDocument === null); } catch { resolve(true); } };
    frame.src = url;
    document.body.append(frame);
})"""


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("chromium")) as chromium:
        yield chromium


@pytest.fixture
def pool() -> UserPool:
    pool = UserPool(remember_devices=True, client_secret=False)
    pool.add_user("alice", email="alice@example.com")
    return pool


@pytest.fixture
def server(pool: UserPool) -> Iterator[LocalServer]:
    with pool.serve() as server:
        yield server


@pytest.fixture
def page(chromium: Browser, server: LocalServer) -> Iterator[Browser]:
    """A browser that shows the page, with a mark that a reload would remove."""
    chromium.open(f"{server.url}/")
    chromium.run(WAIT, "#status", "Live")
    chromium.run("async () => { window.mark = true; }")
    try:
        yield chromium
        assert chromium.run("async () => window.mark") is True
        assert chromium.console() == []  # no error, and nothing that the Content-Security-Policy has blocked
    finally:
        # Before the server ends: the page would report errors, and the next test would find them.
        chromium.open("about:blank")
        chromium.console()


def sign_up(pool: UserPool, name: str) -> None:
    email = [{"Name": "email", "Value": f"{name}@example.com"}]
    given = {"ClientId": pool.client_id, "Username": name, "Password": PASSWORD, "UserAttributes": email}
    pool.call(Operation("SignUp", given))


def press(page: Browser, key: str) -> None:
    code = {"Tab": 9, "Enter": 13}[key]
    text = {"text": "\r"} if key == "Enter" else {}
    for kind in ("keyDown", "keyUp"):
        page.devtools("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text)


def test_a_new_user_a_message_and_a_call_appear_without_a_reload(page: Browser, pool: UserPool) -> None:
    assert "bob" not in page.run(TEXT, "body")
    sign_up(pool, "bob")
    assert pool.outbox.latest("bob").code in page.run(WAIT, "#messages", "bob@example.com")
    assert "UNCONFIRMED" in page.run(WAIT, "#pools", "bob")
    assert "SignUp" in page.run(WAIT, "#calls", "bob")
    pool.call(Operation("AdminConfirmSignUp", {"UserPoolId": pool.user_pool_id, "Username": "bob"}))
    page.run(WAIT, "#pools li:first-child", "CONFIRMED")
    pool.call(Operation("AdminDeleteUser", {"UserPoolId": pool.user_pool_id, "Username": "bob"}))
    page.run(WAIT, "#pools h3", "1 user")
    assert "bob" not in page.run(TEXT, "#pools")


def test_markup_in_a_name_is_shown_as_text(page: Browser, pool: UserPool) -> None:
    name = "<img/src=x/onerror=window.mark=false>"
    pool.add_user(name, name="<script>window.mark=false</script>")
    page.run(WAIT, "#pools", name)
    page.run("async () => { for (const found of document.querySelectorAll('details')) found.open = true; }")
    page.run(WAIT, "#pools", "<script>window.mark=false</script>")
    assert page.run("async () => document.images.length + document.scripts.length") == 1


def test_it_is_used_with_the_keyboard_and_keeps_its_place_while_it_changes(page: Browser, pool: UserPool) -> None:
    focused = "async () => document.activeElement.innerText"
    press(page, "Tab")
    assert page.run(focused) == "Pause"
    press(page, "Tab")
    assert "alice" in page.run(focused)
    press(page, "Enter")
    page.run(WAIT, "#pools details[open]", "alice@example.com")
    pool.add_user("bob")
    page.run(WAIT, "#pools li:first-child", "bob")
    given = {"UserPoolId": pool.user_pool_id, "Username": "alice"}
    pool.call(
        Operation("AdminUpdateUserAttributes", {**given, "UserAttributes": [{"Name": "name", "Value": "Alice L"}]})
    )
    assert "alice@example.com" in page.run(WAIT, "#pools details[open]", "Alice L")
    assert "alice" in page.run(focused)


def test_it_pauses_and_goes_on(page: Browser, pool: UserPool) -> None:
    press(page, "Tab")
    press(page, "Enter")
    page.run(WAIT, "#status", "Paused")
    pool.add_user("bob")
    time.sleep(1.5)  # it would have fetched the user by now
    assert "bob" not in page.run(TEXT, "#pools")
    press(page, "Enter")
    page.run(WAIT, "#pools", "bob")
    page.run(WAIT, "#status", "Live")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_and_can_be_read_in_light_and_dark(page: Browser, pool: UserPool, scheme: str) -> None:
    name = "aNameWithoutAPlaceToBreakIt" * 4
    sign_up(pool, name)
    pool.add_user("bob", name=name, groups=name)
    page.run(WAIT, "#messages", name)
    page.devtools("Emulation.setDeviceMetricsOverride", width=360, height=640, deviceScaleFactor=1, mobile=True)
    # Without motion, because new items have another colour for a moment.
    media = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}
    page.devtools("Emulation.setEmulatedMedia", features=[{"name": k, "value": v} for k, v in media.items()])
    try:
        page.run("async () => { for (const found of document.querySelectorAll('details')) found.open = true; }")
        assert page.run("async () => document.documentElement.scrollWidth") == 360
        assert least_contrast(page) >= 4.5  # WCAG 2.2, level AA
    finally:
        page.devtools("Emulation.clearDeviceMetricsOverride")
        page.devtools("Emulation.setEmulatedMedia", features=[])


def least_contrast(page: Browser) -> float:
    """Return the least contrast of a text to what is behind it, by the formula of WCAG 2.2."""
    found: float = page.run(
        """async () => {
        const parse = color => color.match(/[\\d.]+/g).map(Number);
        const light = color => [0.2126, 0.7152, 0.0722].reduce((sum, weight, i) => {
            const part = color[i] / 255;
            return sum + weight * (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        }, 0);
        const behind = element => {
            const color = parse(getComputedStyle(element).backgroundColor);
            return color.length === 3 || color[3] > 0 ? color : behind(element.parentElement);
        };
        const shown = [...document.body.querySelectorAll("*")].filter(element =>
            element.innerText && [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim()));
        return Math.min(...shown.filter(element => element.checkVisibility()).map(element => {
            const [a, b] = [light(parse(getComputedStyle(element).color)), light(behind(element))];
            return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        }));
    }"""
    )
    return found


def test_it_says_that_the_server_has_ended(page: Browser, server: LocalServer) -> None:
    server.close()
    page.run(WAIT, "#status", "No answer from the server")
    page.run("async () => document.getElementById('pause').click()")
    page.run(WAIT, "#status", "Paused")
    page.console()  # the browser logs each request that fails


def test_no_secret_is_in_the_page(page: Browser, pool: UserPool) -> None:
    provider: dict[str, Any] = {"client_id": "x", "client_secret": "marker-of-the-provider", "authorize_scopes": "a"}
    named = {"UserPoolId": pool.user_pool_id, "ProviderName": "Google", "ProviderType": "Google"}
    pool.call(Operation("CreateIdentityProvider", {**named, "ProviderDetails": provider}))
    made = pool.call(
        Operation(
            "CreateUserPoolClient",
            {"UserPoolId": pool.user_pool_id, "ClientName": "with-a-secret", "GenerateSecret": True},
        )
    ).document["UserPoolClient"]
    given = {"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": pool.client_id}
    tokens = pool.call(
        Operation("InitiateAuth", {**given, "AuthParameters": {"USERNAME": "alice", "PASSWORD": "Correct-Horse-1"}})
    ).document["AuthenticationResult"]
    totp = pool.call(Operation("AssociateSoftwareToken", {"AccessToken": tokens["AccessToken"]})).document
    page.run(WAIT, "#calls", "AssociateSoftwareToken")
    page.run(WAIT, "#pools", "2 app clients")
    shown = page.run(DOM)
    assert made["ClientId"] in shown
    secrets = [tokens[name] for name in ("AccessToken", "IdToken", "RefreshToken")]
    secrets += [made["ClientSecret"], totp["SecretCode"], provider["client_secret"], "Correct-Horse-1"]
    assert not [secret for secret in secrets if secret in shown]


def test_a_page_of_another_origin_reads_nothing(chromium: Browser, server: LocalServer) -> None:
    url = server.url.replace("127.0.0.1", "localhost")
    with LoopbackServer(lambda *_: answer(b"<title>app</title>", Content_Type="text/html")) as app:
        chromium.open(f"http://localhost:{app.port}/")
        assert chromium.run(FETCH, f"{url}/nothing") == 404  # what the other paths allow
        assert chromium.run(FETCH, f"{url}/_srpcore/page") == "TypeError"
        assert chromium.run(FETCH, f"{url}/") == "TypeError"
        assert chromium.run(FRAME, f"{url}/") is True
        assert "frame-ancestors" in "".join(chromium.console())
