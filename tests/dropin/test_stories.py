"""The longer stories that the documentation tells, each from its beginning to its end, on every way to the pool."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

import srpcore
from srpcore import exceptions
from srpcore.crypto.totp import totp
from support.users import OTHER_PASSWORD, PASSWORD
from support.world import Wire

from .stage import WAYS, Stage

pytestmark = pytest.mark.slow


def wired(stage: Stage) -> Wire:
    """Put a wire that keeps what is asked between the stage's users and the pool."""
    wire = Wire(stage.pool)
    stage.arguments["transport"] = wire
    return wire


def test_registration(stage: Stage) -> None:
    user = stage.user()
    user.set_base_attributes(email="alice@example.com", given_name="Alice")
    answer = user.register("alice", PASSWORD, client_metadata={"from": "web"})
    assert (answer["UserConfirmed"], answer["CodeDeliveryDetails"]["AttributeName"]) == (False, "email")
    assert "ResponseMetadata" not in answer
    assert (user.username, user.password, user.email, user.given_name) == (
        "alice",
        PASSWORD,
        "alice@example.com",
        "Alice",
    )
    with pytest.raises(exceptions.UserNotConfirmedException):
        user.authenticate(PASSWORD)
    first = stage.code()
    user.resend_confirmation_code("alice")
    with pytest.raises(exceptions.CodeMismatchException):
        user.confirm_sign_up("not-the-code")
    assert stage.code() != first or len(stage.pool.outbox.messages) == 2
    user.confirm_sign_up(stage.code())
    user.authenticate(PASSWORD)
    found = user.get_user()
    assert (found.username, found.given_name, found.email, found.email_verified) == (
        "alice",
        "Alice",
        "alice@example.com",
        True,
    )
    assert (found.sub, found.access_token) == (user.access_claims["sub"], user.access_token)


def test_confirmation_by_another_object(stage: Stage) -> None:
    stage.user().register("alice", PASSWORD)
    with pytest.raises(exceptions.ServiceError):
        stage.user().confirm_sign_up("000000", "alice")
    stage.user().admin_confirm_sign_up("alice")
    stage.user("alice").authenticate(PASSWORD)


def test_user_whom_an_administrator_created(stage: Stage) -> None:
    administrator = stage.user()
    answer = administrator.admin_create_user("bob", email="bob@example.com", email_verified=True)
    assert (answer["User"]["UserStatus"], administrator.username) == ("FORCE_CHANGE_PASSWORD", "bob")
    temporary = stage.code("bob")
    bob = stage.user("bob")
    with pytest.raises(srpcore.ForceChangePasswordException):
        bob.authenticate(temporary)
    assert bob.access_token is None
    with pytest.raises(exceptions.InvalidPasswordException):
        bob.new_password_challenge(temporary, "short")
    bob.new_password_challenge(temporary, OTHER_PASSWORD)
    bob.verify_tokens()
    assert bob.get_user().email_verified is True
    with pytest.raises(exceptions.NotAuthorizedException):
        bob.authenticate(temporary)
    bob.authenticate(OTHER_PASSWORD)


def test_forgotten_password(stage: Stage) -> None:
    user = stage.signed_up(email="alice@example.com", email_verified="true")
    user.initiate_forgot_password(client_metadata={"from": "web"})
    with pytest.raises(exceptions.CodeMismatchException):
        user.confirm_forgot_password("not-the-code", OTHER_PASSWORD)
    user.authenticate(PASSWORD)
    user.confirm_forgot_password(stage.code(), OTHER_PASSWORD)
    assert user.password == OTHER_PASSWORD
    with pytest.raises(exceptions.NotAuthorizedException):
        user.authenticate(PASSWORD)
    user.authenticate(OTHER_PASSWORD)


def test_password_that_an_administrator_resets(stage: Stage) -> None:
    user = stage.signed_up(email="alice@example.com", email_verified="true")
    stage.user().admin_reset_password("alice", {"by": "admin"})
    with pytest.raises(exceptions.PasswordResetRequiredException):
        user.authenticate(PASSWORD)
    user.confirm_forgot_password(stage.code(), OTHER_PASSWORD)
    user.authenticate(OTHER_PASSWORD)


def test_change_of_email_with_verification(stage: Stage) -> None:
    user = stage.signed_up(email="old@example.com", email_verified="true")
    user.authenticate(PASSWORD)
    user.update_profile({"email": "new@example.com"})
    user.send_verification()
    assert stage.pool.outbox.latest("alice").destination == "new@example.com"
    with pytest.raises(exceptions.CodeMismatchException):
        user.validate_verification("not-the-code")
    answer = user.validate_verification(stage.code(), "email")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert (user.get_user().email, user.get_user().email_verified) == ("new@example.com", True)


def test_secure_change_of_password(stage: Stage) -> None:
    user = stage.signed_up()
    user.authenticate(PASSWORD)
    with pytest.raises(exceptions.NotAuthorizedException):
        user.change_password("Wrong-Horse-1", OTHER_PASSWORD)
    with pytest.raises(exceptions.InvalidPasswordException):
        user.change_password(PASSWORD, "short")
    assert not hasattr(user, "password")
    user.change_password(PASSWORD, OTHER_PASSWORD)
    assert user.password == OTHER_PASSWORD
    stage.user("alice").authenticate(OTHER_PASSWORD)


def test_groups(stage: Stage) -> None:
    administrator = stage.signed_up()
    client = administrator.client
    for name in ("readers", "writers"):
        client.create_group(UserPoolId=stage.pool.user_pool_id, GroupName=name, Precedence=len(name))
    group = administrator.get_group("readers")
    assert (group.group_name, group.precedence, repr(group)) == ("readers", 7, "<GroupObj: readers>")
    assert group.creation_date.tzinfo is not None
    administrator.admin_add_user_to_group("alice", "readers")
    administrator.admin_add_user_to_group("alice", "writers")
    administrator.admin_remove_user_from_group("alice", "readers")
    assert administrator.admin_list_groups_for_user("alice") == ["writers"]
    administrator.authenticate(PASSWORD)
    assert list(administrator.access_claims["cognito:groups"]) == ["writers"]
    with pytest.raises(exceptions.ResourceNotFoundException):
        administrator.get_group("nobody")


def test_get_groups_reads_every_page(on_stage: Callable[..., Stage]) -> None:
    stage = on_stage()
    wire = wired(stage)
    names = [f"group-{number:03}" for number in range(125)]
    for name in names:
        stage.admin("CreateGroup", GroupName=name)
    assert sorted(group.group_name for group in stage.user().get_groups()) == names
    assert len(wire.operations) > 2


def test_get_users_reads_every_page_and_maps_attributes(on_stage: Callable[..., Stage]) -> None:
    stage = on_stage()
    for number in range(61):
        stage.create(f"user-{number:02}", name=f"Name {number}")
    attr_map = {"name": "full_name"}
    found = stage.user().get_users(attr_map=attr_map)
    assert sorted(user.full_name for user in found) == sorted(f"Name {number}" for number in range(61))
    assert {user.username for user in found} == {f"user-{number:02}" for number in range(61)}
    assert attr_map == {"name": "full_name"}


def test_classes_of_ones_own(on_stage: Callable[..., Stage]) -> None:
    """`user_class`, `group_class` are what is made of the service's answers."""

    class Person(srpcore.UserObj):
        pass

    class Team(srpcore.GroupObj):
        pass

    stage = on_stage()
    stage.create()
    stage.admin("CreateGroup", GroupName="readers")

    class Own(srpcore.Cognito):
        user_class = Person
        group_class = Team

    own = Own(stage.pool.user_pool_id, stage.pool.client_id, username="alice", transport=stage.pool)
    assert [
        type(one) for one in (own.admin_get_user(), *own.get_users(), own.get_group("readers"), *own.get_groups())
    ] == [
        Person,
        Person,
        Team,
        Team,
    ]


def test_save_and_delete_as_an_administrator_act_on_that_user(stage: Stage) -> None:
    """`UserObj.save/delete(admin=True)` act on that user."""
    for name in ("alice", "bob", "carol"):
        stage.create(name, name=name)
    alice = stage.user("alice")
    alice.authenticate(PASSWORD)
    bob = next(user for user in alice.get_users() if user.username == "bob")
    bob.name = "Robert"
    bob.save(admin=True)
    assert (stage.user("bob").admin_get_user().name, alice.admin_get_user().name) == ("Robert", "alice")
    bob.delete(admin=True)
    assert sorted(user.username for user in alice.get_users()) == ["alice", "carol"]
    own = alice.admin_get_user()
    own.name = "Alicia"
    own.save(admin=True)
    assert alice.get_user().name == "Alicia"
    own.delete(admin=True)
    assert [user.username for user in stage.user().get_users()] == ["carol"]


def test_save_and_delete_refuse_anyone_but_the_user_logged_in(stage: Stage) -> None:
    """... and without `admin` refuse any user but the one logged in."""
    for name in ("alice", "bob"):
        stage.create(name, name=name)
    alice = stage.user("alice")
    alice.authenticate(PASSWORD)
    bob = next(user for user in alice.get_users() if user.username == "bob")
    bob.name = "Mallory"
    for method in (bob.save, bob.delete):
        with pytest.raises(exceptions.ConfigurationError, match="another user is logged in"):
            method()
    # An administrator's method that sets the name does not make the logged-in user another.
    alice.admin_create_user("dave")
    assert alice.username == "dave"
    with pytest.raises(exceptions.ConfigurationError):
        next(user for user in alice.get_users() if user.username == "dave").delete()
    own = next(user for user in alice.get_users() if user.username == "alice")
    own.name = "Alicia"
    own.save()
    assert {user.username: getattr(user, "name", None) for user in alice.get_users()} == {
        "alice": "Alicia",
        "bob": "bob",
        "dave": None,
    }
    own.delete()
    assert sorted(user.username for user in stage.user().get_users()) == ["bob", "dave"]


def test_save_and_delete_of_a_user_logged_in_by_an_alias(on_stage: Callable[..., Stage]) -> None:
    stage = on_stage(pool_settings={"UsernameAttributes": ["email"]})
    stage.create("alice@example.com", email="alice@example.com", given_name="A")
    user = stage.user("alice@example.com")
    user.authenticate(PASSWORD)
    found = user.get_user()
    found.given_name = "Alice"
    found.save()
    assert user.get_user().given_name == "Alice"
    next(iter(user.get_users())).delete()
    assert stage.user().get_users() == []


def test_admin_update_profile(stage: Stage) -> None:
    stage.create("alice", email="a@example.com")
    user, attrs = stage.user("alice"), {"mail": "b@example.com", "email_verified": True, "given_name": "A"}
    user.admin_update_profile(attrs, attr_map={"email": "mail"})
    assert attrs == {"mail": "b@example.com", "email_verified": True, "given_name": "A"}
    found = user.admin_get_user(attr_map={"email": "mail"})
    assert (found.mail, found.email_verified, found.given_name) == ("b@example.com", True, "A")
    assert (found.enabled, found.user_status) == (True, "CONFIRMED")
    assert found.create_date.tzinfo is not None


def test_users_are_disabled_and_enabled(stage: Stage) -> None:
    user = stage.signed_up()
    stage.user().admin_disable_user("alice")
    with pytest.raises(exceptions.NotAuthorizedException, match="disabled"):
        user.authenticate(PASSWORD)
    assert user.admin_get_user().enabled is False
    stage.user().admin_enable_user("alice")
    user.authenticate(PASSWORD)
    stage.user("alice").admin_delete_user()
    with pytest.raises(exceptions.UserNotFoundException):
        user.admin_get_user()


def test_identity_providers_and_app_clients(stage: Stage) -> None:
    user, pool_id = stage.user(), stage.pool.user_pool_id
    details = {"client_id": "1", "client_secret": "2", "authorize_scopes": "openid"}
    user.admin_create_identity_provider(pool_id, "Google", "Google", details, AttributeMapping={"email": "email"})
    described = user.admin_describe_identity_provider(pool_id, "Google")["IdentityProvider"]
    assert (described["ProviderType"], described["ProviderDetails"]["client_id"]) == ("Google", "1")
    user.admin_update_identity_provider(pool_id, "Google", ProviderDetails={**details, "client_id": "3"})
    described = user.admin_describe_identity_provider(pool_id, "Google")["IdentityProvider"]
    assert (described["ProviderDetails"]["client_id"], described["AttributeMapping"]["email"]) == ("3", "email")
    user.admin_update_user_pool_client(pool_id, stage.pool.client_id, ClientName="another", RefreshTokenValidity=7)
    app = user.describe_user_pool_client(pool_id, stage.pool.client_id)
    assert (app["ClientName"], app["RefreshTokenValidity"], app["ClientId"]) == ("another", 7, stage.pool.client_id)


def test_nothing_that_is_given_is_changed(stage: Stage) -> None:
    """`attr_map` no longer changes the caller's dictionary; `additional_kwargs` neither."""
    administrator = stage.user()
    additional, attr_map = {"MessageAction": "SUPPRESS"}, {"email": "mail"}
    administrator.admin_create_user(
        "bob", temporary_password=PASSWORD, additional_kwargs=additional, attr_map=attr_map, mail="bob@example.com"
    )
    assert (additional, attr_map) == ({"MessageAction": "SUPPRESS"}, {"email": "mail"})
    assert administrator.mail == "bob@example.com"
    bob = stage.user("bob")
    bob.new_password_challenge(PASSWORD, OTHER_PASSWORD)
    attrs = {"mail": "robert@example.com", "name": "Robert"}
    bob.update_profile(attrs, attr_map)
    assert attrs == {"mail": "robert@example.com", "name": "Robert"}
    found = bob.get_user(attr_map)
    assert (found.mail, found.name) == ("robert@example.com", "Robert")
    found.name = "Bob"
    found.save()
    assert (found.mail, found.name, attr_map) == ("robert@example.com", "Bob", {"email": "mail"})
    user = stage.user()
    user.set_base_attributes(mail="carol@example.com")
    user.register("carol", PASSWORD, attr_map)
    assert user.base_attributes == {"mail": "carol@example.com"}


def test_admin_authenticate_answers_a_new_password(stage: Stage) -> None:
    """`admin_authenticate` answers challenges."""
    stage.user().admin_create_user("bob", PASSWORD, {"MessageAction": "SUPPRESS"})
    bob = stage.user("bob")
    with pytest.raises(srpcore.ForceChangePasswordException):
        bob.admin_authenticate(PASSWORD)
    bob.new_password_challenge(PASSWORD, OTHER_PASSWORD)
    bob.admin_authenticate(OTHER_PASSWORD)
    assert bob.access_claims["username"] == "bob"


def with_totp(stage: Stage) -> str:
    user = stage.signed_up()
    user.authenticate(PASSWORD)
    secret: str = user.associate_software_token()
    assert user.verify_software_token(totp(secret, time.time()), "phone")
    user.set_user_mfa_preference(False, True, "SOFTWARE_TOKEN")
    return secret


def test_admin_authenticate_answers_a_code(stage: Stage) -> None:
    """`admin_authenticate` answers challenges."""
    secret = with_totp(stage)
    user = stage.user("alice")
    with pytest.raises(srpcore.SoftwareTokenMFAChallengeException) as caught:
        user.admin_authenticate(PASSWORD)
    assert user.mfa_tokens == caught.value.get_tokens()
    user.respond_to_software_token_mfa_challenge(totp(secret, time.time() + 30))
    assert user.access_claims["username"] == "alice"


def test_the_administrators_session_is_answered_by_the_administrators_operation(on_stage: Callable[..., Stage]) -> None:
    stage = on_stage()
    secret = with_totp(stage)
    wire = wired(stage)
    user = stage.user("alice")
    with pytest.raises(srpcore.SoftwareTokenMFAChallengeException):
        user.admin_authenticate(PASSWORD)
    user.respond_to_software_token_mfa_challenge(totp(secret, time.time() + 30))
    assert wire.names == ["AdminInitiateAuth:ADMIN_NO_SRP_AUTH", "AdminRespondToAuthChallenge:SOFTWARE_TOKEN_MFA"]


@pytest.mark.parametrize("way", WAYS)
def test_refresh_by_alias_with_a_client_secret(on_stage: Callable[..., Stage], way: str) -> None:
    """Refresh by alias with a client secret, of which pycognito's SECRET_HASH is over the alias."""
    stage = on_stage(way, client_secret=True, pool_settings={"UsernameAttributes": ["email"]})
    stage.create("alice@example.com", email="alice@example.com")
    user = stage.user("alice@example.com")
    user.authenticate(PASSWORD)
    before = user.access_token
    user.renew_access_token()
    assert user.access_token != before
    # So does another object, which has the tokens and the alias and nothing else.
    other = stage.user("alice@example.com", access_token=user.access_token, refresh_token=user.refresh_token)
    other.renew_access_token()
    assert other.access_claims["username"] == user.access_claims["username"]


def test_a_user_of_an_event_loop_has_the_same_stories(on_stage: Callable[..., Stage]) -> None:
    import asyncio

    stage = on_stage()

    async def story() -> Any:
        ids = stage.pool.user_pool_id, stage.pool.client_id
        async with srpcore.AsyncCognito(*ids, **stage.arguments) as user:
            user.set_base_attributes(email="alice@example.com")
            await user.register("alice", PASSWORD)
            await user.confirm_sign_up(stage.code())
            await user.authenticate(PASSWORD)
            found = await user.get_user()
            found.email = "new@example.com"
            await found.save()
            await user.change_password(PASSWORD, OTHER_PASSWORD)
            return json.dumps([found.email, (await user.get_user()).email])

    assert asyncio.run(story()) == '["new@example.com", "new@example.com"]'
