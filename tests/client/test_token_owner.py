"""The user that tokens belong to: usernames that change, logins of other users, and programs that share a store."""

from __future__ import annotations

import asyncio
import json
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import srpcore
from srpcore import Challenge, exceptions
from srpcore.crypto.totp import totp
from srpcore.protocol import Operation, Reply
from srpcore.store import FileStore, Login, MemoryStore
from support.users import NEW_PASSWORD, PASSWORD
from support.world import World, enrol, error


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    world = make_world()
    world.create("alice")
    world.create("bob")
    return world


def name_of(user: srpcore.Cognito) -> Any:
    assert user.access_claims is not None
    return user.access_claims["username"]


def test_tokens_are_stored_under_the_name_of_their_user(world: World) -> None:
    store = MemoryStore()
    admin = world.user("alice", store=store)
    admin.authenticate(PASSWORD)
    admin.admin_create_user("carol", "Temporary-1", {"MessageAction": "SUPPRESS"})
    assert admin.username == "carol"
    admin.renew_access_token()
    assert world.user("carol", store=store).restore() is False
    alice = world.user("alice", store=store)
    assert alice.restore() is True
    alice.verify_tokens()
    assert name_of(alice) == "alice"


def test_tokens_of_another_user_are_not_adopted(world: World) -> None:
    store = MemoryStore()
    world.user("bob", store=store).authenticate(PASSWORD)
    alice = world.user("alice", store=store)
    alice.authenticate(PASSWORD)
    alice.username = "bob"
    alice.renew_access_token()
    assert name_of(alice) == "alice"


def test_login_of_another_user_is_not_resumed(world: World) -> None:
    world.create("mallory")
    secret_step = Challenge("SMS_MFA", "session", {}, "mallory").to_json()
    with pytest.raises(exceptions.ConfigurationError, match="another user"):
        world.user("alice").resume_sign_in(secret_step)
    assert world.user("mallory").resume_sign_in(secret_step).needs == "code"


@pytest.mark.parametrize("method", ["authenticate", "sign_in", "admin_authenticate"])
def test_a_login_belongs_to_the_given_user_not_to_the_user_before(world: World, method: str) -> None:
    user = world.user("alice")
    user.authenticate(PASSWORD)
    user.username = "bob"
    getattr(user, method)(PASSWORD)
    assert name_of(user) == "bob"


def test_tokens_of_two_users_are_refused_as_a_pair(world: World) -> None:
    alice, bob = world.user("alice"), world.user("bob")
    alice.authenticate(PASSWORD)
    bob.authenticate(PASSWORD)
    mixed = world.user(None, id_token=alice.id_token, access_token=bob.access_token)
    with pytest.raises(exceptions.SubjectMismatch):
        mixed.verify_tokens()
    before = dict(vars(alice))
    result = {"AccessToken": bob.access_token, "IdToken": alice.id_token, "TokenType": "Bearer"}
    world.wire.instead = lambda operation: Reply({"AuthenticationResult": result})
    with pytest.raises(exceptions.SubjectMismatch):
        alice.renew_access_token()
    assert (alice.access_token, alice.access_claims) == (before["access_token"], before["access_claims"])


@pytest.mark.parametrize("auth_flow", ["USER_SRP_AUTH", "CUSTOM_AUTH", "USER_AUTH"])
@pytest.mark.parametrize("preferred", ["EMAIL_OTP", "WEB_AUTHN", "SMS_OTP"])
def test_a_password_that_the_challenge_does_not_need_is_not_sent(world: World, auth_flow: str, preferred: str) -> None:
    with pytest.raises(exceptions.SrpcoreError):
        world.user("alice").sign_in(PASSWORD, auth_flow=auth_flow, preferred=preferred).answer(code="x" * 9)
    assert PASSWORD not in repr([dict(operation.parameters) for operation in world.wire.operations])


def test_the_traceback_of_an_invalid_challenge_does_not_show_the_session() -> None:
    text = '{"session": "' + "-".join(["the", "secret", "session"]) + '", '
    with pytest.raises(exceptions.ConfigurationError) as caught:
        Challenge.from_json(text)
    # A JSONDecodeError holds the whole text in ``doc``.
    assert not hasattr(caught.value.__context__, "doc")
    assert "the-secret-session" not in "".join(traceback.format_exception(caught.value))


def test_device_confirmed_by_another_program_is_used(make_world: Callable[..., World]) -> None:
    world = make_world(remember_devices=True)
    world.create("alice")
    store = MemoryStore()
    first = world.user("alice", store=store)
    first.authenticate(PASSWORD)
    second = world.user("alice", store=store)
    second.restore()
    device = first.confirm_device()
    second.renew_access_token()
    assert second.device == device


def test_refresh_before_the_device_is_confirmed_drops_nothing(make_world: Callable[..., World]) -> None:
    world = make_world(remember_devices=True)
    world.create("alice")
    store = MemoryStore()
    user = world.user("alice", store=store)
    user.authenticate(PASSWORD)
    with pytest.raises(exceptions.InvalidRefreshToken):
        user.renew_access_token()
    assert user.refresh_token
    user.confirm_device()
    user.renew_access_token()


def test_rotated_refresh_token_outlives_a_failed_verification(make_world: Callable[..., World]) -> None:
    world = make_world(client_settings={"RefreshTokenRotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0}})
    world.create("alice")
    store = MemoryStore()
    user = world.user("alice", store=store)
    user.authenticate(PASSWORD)
    spent, access_token = user.refresh_token, user.access_token
    keys = user.pool_jwk
    # The pool has rotated its keys, and the key set cannot be had.
    user.pool_jwk = {"keys": [{**key, "kid": "old"} for key in dict(keys or {})["keys"]]}
    with pytest.raises(exceptions.UnknownKey):
        user.renew_access_token()
    assert user.access_token == access_token
    assert user.refresh_token != spent
    other = world.user("alice", store=store)
    other.restore()
    assert other.refresh_token == user.refresh_token
    user.pool_jwk = keys
    user.renew_access_token()


@pytest.mark.parametrize("how", ["sign_in", "password", "admin"])
def test_stale_device_is_forgotten_by_every_log_in(make_world: Callable[..., World], how: str) -> None:
    world = make_world(remember_devices=True)
    world.create("alice")
    store = MemoryStore()
    user = world.user("alice", store=store)
    user.authenticate(PASSWORD)
    device = user.confirm_device()
    world.user("alice", access_token=user.access_token, device=device).forget_device()
    fresh = world.user("alice", store=store)
    if how == "admin":
        fresh.admin_authenticate(PASSWORD)
    else:
        fresh.sign_in(PASSWORD, auth_flow="USER_SRP_AUTH" if how == "sign_in" else "USER_PASSWORD_AUTH")
    assert fresh.access_token
    assert fresh.device is None
    again = world.user("alice", store=store)
    again.restore()
    assert again.device is None


def test_old_keys_stay_in_use_while_the_key_set_cannot_be_fetched(world: World) -> None:
    user = world.user("alice")
    user.authenticate(PASSWORD)
    token = user.access_token
    assert token is not None
    world.clock.ahead += 61
    fetched: list[str] = []

    def outage(url: str) -> bytes:
        fetched.append(url)
        raise exceptions.TransportError("no answer")

    world.wire.fetch = outage  # type: ignore[method-assign]
    for expected in (exceptions.TransportError, exceptions.UnknownKey, exceptions.UnknownKey):
        with pytest.raises(expected):
            user.get_key("another")
        user.verify_token(token, "access_token", "access")
    assert len(fetched) == 1


def test_revoking_an_older_login_keeps_the_newer_one_of_another_program(world: World) -> None:
    store = MemoryStore()
    first, second = world.user("alice", store=store), world.user("alice", store=store)
    first.authenticate(PASSWORD)
    second.authenticate(PASSWORD)
    first.revoke_token()
    third = world.user("alice", store=store)
    assert third.restore() is True
    third.renew_access_token()


def test_files_of_other_programs_in_the_folder_are_kept(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "logins"
    folder.mkdir(mode=0o700)
    (folder / "thesis.tmp").write_text("years of work", encoding="utf-8")
    (folder / "folder.tmp").mkdir()
    world.user("alice", store=FileStore(folder)).authenticate(PASSWORD)
    assert (folder / "thesis.tmp").read_text(encoding="utf-8") == "years of work"
    assert (folder / "folder.tmp").is_dir()


def test_a_log_in_may_be_cancelled_twice(world: World) -> None:
    async def story() -> None:
        for delay in (0.0, 0.001, 0.003, 0.006):
            task = asyncio.ensure_future(world.async_user("alice").authenticate(PASSWORD))
            await asyncio.sleep(delay)
            task.cancel()
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(story())


@pytest.mark.parametrize("code", [None, "", " "])
def test_an_empty_code_is_not_sent(world: World, code: Any) -> None:
    user = world.user("alice")
    user.mfa_tokens = {"Session": "session"}
    with pytest.raises(exceptions.ConfigurationError, match="code"):
        user.respond_to_sms_mfa_challenge(code)
    assert world.wire.operations == []


def test_code_that_is_a_number_keeps_its_zeros(world: World) -> None:
    user = world.user("alice")
    user.mfa_tokens = {"Session": "session"}
    with pytest.raises(exceptions.ServiceError):
        user.respond_to_software_token_mfa_challenge(42)
    (operation,) = world.wire.operations
    assert operation.parameters["ChallengeResponses"]["SOFTWARE_TOKEN_MFA_CODE"] == "000042"


@pytest.mark.parametrize(
    "answer",
    [{"code": 123456}, {"code": b"123456"}, {"code": ["1"]}],
    ids=str,
)
def test_answers_of_the_wrong_type_are_refused_before_anything_is_sent(world: World, answer: dict[str, Any]) -> None:
    step = world.user(None).resume_sign_in(Challenge("SMS_MFA", "session", {}, "alice").to_json())
    with pytest.raises(exceptions.ConfigurationError):
        step.answer(**answer)
    assert world.wire.operations == []


@pytest.mark.parametrize("attributes", [{"a": [1]}, {1: "a"}, {"a": None}], ids=str)
def test_attributes_of_the_wrong_type_are_refused_before_anything_is_sent(world: World, attributes: Any) -> None:
    step = world.user(None).resume_sign_in(Challenge("NEW_PASSWORD_REQUIRED", "session", {}, "alice").to_json())
    with pytest.raises(exceptions.ConfigurationError):
        step.answer(new_password=NEW_PASSWORD, attributes=attributes)
    assert world.wire.operations == []


@pytest.mark.parametrize("arguments", [{"auth_flow": None}, {"client_metadata": 5}], ids=str)
def test_sign_in_refuses_what_it_cannot_use(world: World, arguments: dict[str, Any]) -> None:
    with pytest.raises(exceptions.ConfigurationError):
        world.user("alice").sign_in(PASSWORD, **arguments)
    assert world.wire.operations == []


@pytest.mark.parametrize("keys", [{"keys": 5}, {"keys": ["x"]}, {}, {"keys": None}], ids=str)
def test_invalid_key_set_of_the_environment_is_an_error(
    world: World, monkeypatch: pytest.MonkeyPatch, keys: Any
) -> None:
    monkeypatch.setenv("COGNITO_JWKS", json.dumps(keys))
    with pytest.raises(exceptions.ConfigurationError, match="COGNITO_JWKS"):
        world.user("alice").get_keys()


@pytest.mark.parametrize("method", ["save", "delete"])
def test_a_user_object_without_a_username_is_neither_saved_nor_deleted(world: World, method: str) -> None:
    user = world.user("alice")
    nobody = user.get_user_obj(attribute_list=[{"Name": "email", "Value": "x@example.com"}])
    with pytest.raises(exceptions.ConfigurationError, match="no username"):
        getattr(nobody, method)(admin=True)
    assert world.wire.operations == []


def test_new_password_in_an_admin_login_is_answered_by_the_admin_operation(world: World) -> None:
    world.create("carol", permanent=False)
    user = world.user("carol")
    world.wire.clear()
    with pytest.raises(exceptions.ForceChangePasswordException):
        user.admin_authenticate(PASSWORD)
    user.new_password_challenge(PASSWORD, NEW_PASSWORD)
    assert world.wire.names == [
        "AdminInitiateAuth:ADMIN_NO_SRP_AUTH",
        "AdminRespondToAuthChallenge:NEW_PASSWORD_REQUIRED",
    ]
    assert name_of(user) == "carol"


def test_a_throttled_refresh_does_not_drop_the_tokens_of_another_program(world: World) -> None:
    store = MemoryStore()
    user = world.user("alice", store=store)
    user.authenticate(PASSWORD)
    world.wire.instead = lambda operation: error("TooManyRequestsException")
    with pytest.raises(exceptions.TooManyRequestsException):
        user.renew_access_token()
    world.wire.instead = lambda operation: None
    other = world.user("alice", store=store)
    assert other.restore() is True
    other.renew_access_token()


def test_totp_is_asked_for_after_a_new_password_in_an_admin_login(world: World) -> None:
    secret = enrol(world)
    of_alice = {"UserPoolId": world.pool.user_pool_id, "Username": "alice"}
    world.pool.call(Operation("AdminSetUserPassword", {**of_alice, "Password": PASSWORD, "Permanent": False}))
    user = world.user("alice")
    world.wire.clear()
    with pytest.raises(exceptions.ForceChangePasswordException):
        user.admin_authenticate(PASSWORD)
    with pytest.raises(exceptions.SoftwareTokenMFAChallengeException):
        user.new_password_challenge(PASSWORD, NEW_PASSWORD)
    user.respond_to_software_token_mfa_challenge(totp(secret, world.clock()))
    assert [name.split(":")[0] for name in world.wire.names] == [
        "AdminInitiateAuth",
        *["AdminRespondToAuthChallenge"] * 2,
    ]


def test_a_login_of_a_second_user_is_stored_under_the_second_name(world: World) -> None:
    store = MemoryStore()
    user = world.user("alice", store=store)
    user.authenticate(PASSWORD)
    user.username = "bob"
    user.authenticate(PASSWORD)
    user.renew_access_token()
    for name in ("alice", "bob"):
        restored = world.user(name, store=store)
        assert restored.restore() is True
        restored.verify_tokens()
        assert name_of(restored) == name


def test_a_refused_login_does_not_change_the_owner_of_the_stored_login(world: World) -> None:
    store = MemoryStore()
    user = world.user("alice", store=store)
    user.authenticate(PASSWORD)
    user.username = "bob"
    with pytest.raises(exceptions.WrongPassword):
        user.authenticate("wrong")
    user.renew_access_token()
    assert world.user("bob", store=store).restore() is False
    alice = world.user("alice", store=store)
    assert alice.restore() is True
    assert alice.refresh_token == user.refresh_token


def test_a_task_that_started_with_an_older_token_does_not_refresh_again(world: World) -> None:
    async def story() -> None:
        user = world.async_user("alice")
        await user.authenticate(PASSWORD)
        seen = user._refreshes
        await user.renew_access_token()
        world.wire.clear()
        await user._refresh_once(seen)
        assert world.wire.operations == []

    asyncio.run(story())


def test_stale_device_is_forgotten_if_an_answer_finds_it(make_world: Callable[..., World]) -> None:
    world = make_world(remember_devices=True)
    world.create("alice")
    store = MemoryStore()
    user = world.user("alice", store=store)
    user.authenticate(PASSWORD)
    user.confirm_device()
    step = user.resume_sign_in(Challenge("SMS_MFA", "session", {}, "alice").to_json())
    world.wire.instead = lambda operation: error("ResourceNotFoundException", "Device does not exist.")
    with pytest.raises(exceptions.ResourceNotFoundException):
        step.answer(code="123456")
    assert user.device is None
    other = world.user("alice", store=store)
    other.restore()
    assert other.device is None


def test_preferred_challenge_is_sent_only_with_user_auth(world: World) -> None:
    with pytest.raises(exceptions.ConfigurationError, match="USER_AUTH"):
        world.user("alice").sign_in(PASSWORD, preferred="EMAIL_OTP")
    assert world.wire.operations == []


@pytest.mark.parametrize("kind", ["in process", "https"])
@pytest.mark.parametrize("value", [None, 123456, b"123456", ["123456"]], ids=str)
def test_values_that_are_not_strings_are_not_sent(make_world: Callable[..., World], kind: str, value: Any) -> None:
    world = make_world(kind=kind)
    user = world.user("alice", access_token="token")
    calls: list[Callable[[], object]] = [
        lambda: user.confirm_sign_up(value),
        lambda: user.confirm_forgot_password(value, PASSWORD),
        lambda: user.admin_create_user(value),
        lambda: user.admin_disable_user(value),
        lambda: user.admin_add_user_to_group("alice", value),
        lambda: user.admin_add_user_to_group(value, "staff"),
        lambda: user.resend_confirmation_code(value),
        lambda: user.client.get_user(AccessToken=value),
    ]
    for call in calls:
        with pytest.raises(exceptions.ConfigurationError) as caught:
            call()
        assert "123456" not in str(caught.value)
    assert user.username == "alice"


class FailsOnce(MemoryStore):
    """A store whose next write fails if ``fails`` is set, as on a full disk."""

    fails = False

    def save(self, key: str, login: Login) -> None:
        if self.fails:
            self.fails = False
            raise exceptions.StoreError("no space left")
        super().save(key, login)


@pytest.mark.parametrize("ahead", [0, 3700])
def test_failed_write_does_not_bring_the_spent_refresh_token_back(make_world: Callable[..., World], ahead: int) -> None:
    world = make_world(client_settings={"RefreshTokenRotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0}})
    world.create("alice")
    store = FailsOnce()
    user = world.user("alice", store=store)
    user.authenticate(PASSWORD)
    store.fails = True
    with pytest.raises(exceptions.StoreError):
        user.renew_access_token()
    rotated = user.refresh_token
    world.clock.ahead += ahead
    user.renew_access_token()
    assert user.refresh_token not in (None, rotated)
    other = world.user("alice", store=store)
    other.restore()
    assert other.refresh_token == user.refresh_token


def test_failed_write_at_login_does_not_bring_the_login_before_back(world: World) -> None:
    store = FailsOnce()
    world.user("alice", store=store).authenticate(PASSWORD)
    user = world.user("alice", store=store)
    store.fails = True
    with pytest.raises(exceptions.StoreError):
        user.authenticate(PASSWORD)
    obtained = user.refresh_token
    user.renew_access_token()
    assert user.refresh_token == obtained


def test_a_fetched_key_set_does_not_count_as_given(world: World) -> None:
    class Watching(srpcore.Cognito):
        """Verifies in the middle of each assignment of ``pool_jwk``, as another thread might."""

        def __setattr__(self, name: str, value: Any) -> None:
            super().__setattr__(name, value)
            if name == "pool_jwk" and value is not None:
                self._present_key_cache(self.user_pool_url)

    user = world.user("alice", cls=Watching)
    user.authenticate(PASSWORD)
    assert len(world.wire.fetched) == 1
    world.clock.ahead += 3 * 86400
    with pytest.raises(exceptions.TokenExpired):
        user.verify_token(str(user.access_token), "access_token", "access")
    assert len(world.wire.fetched) == 2


def test_a_loop_that_was_closed_during_a_refresh_does_not_block_the_next_loop(world: World) -> None:
    user = world.async_user("alice")
    asyncio.run(user.authenticate(PASSWORD))
    loop = asyncio.new_event_loop()
    never = loop.create_future()
    user._refresh_task = never
    loop.close()

    async def refresh() -> None:
        await user.renew_access_token()
        await user.close()

    before = user.access_token
    asyncio.run(asyncio.wait_for(refresh(), 20))
    assert user.access_token != before


def test_key_set_taken_from_an_object_with_another_endpoint_counts_as_given(world: World) -> None:
    user = world.user("alice")
    user.authenticate(PASSWORD)
    other = world.user("alice", endpoint_url="https://keys.example")
    other.pool_jwk = user.pool_jwk
    world.wire.clear()
    assert other.get_keys() == user.get_keys()
    assert world.wire.fetched == []
