"""Users: how an administrator creates, reads, changes and deletes them, and how users read and change themselves."""

from __future__ import annotations

import re

from ..probes import api, guide, members, probe, refused
from ..stage import NEW_PASSWORD, PASSWORD, Stage, attributes, pairs
from .user_pools import NUMBER

UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CREATED = api("AdminCreateUser")
UPDATES = guide("user-pool-settings-email-phone-verification")


@probe(CREATED)
def creation(s: Stage) -> None:
    name, email = s.name(), s.email()
    made = s.pool.create(name, email=email)
    members(
        made,
        Username=name,
        Enabled=True,
        UserStatus="FORCE_CHANGE_PASSWORD",
        UserCreateDate=NUMBER,
        UserLastModifiedDate=NUMBER,
    )
    assert UUID.fullmatch(attributes(made)["sub"])
    assert attributes(made)["email"] == email


@probe(CREATED)
def dates_of_a_new_user_are_equal(s: Stage) -> None:
    made = s.pool.create(s.name())
    assert made["UserCreateDate"] == made["UserLastModifiedDate"]


@probe(guide("user-pool-settings-attributes"))
def name_in_a_pool_of_email_addresses_is_the_sub(s: Stage) -> None:
    pool = s.new_pool(UsernameAttributes=["email"])
    email = s.email()
    made = pool.create(email)
    assert made["Username"] == attributes(made)["sub"]
    assert attributes(made)["email"] == email
    assert pool.get(email)["Username"] == made["Username"]


@probe(CREATED)
def name_that_exists(s: Stage) -> None:
    user = s.pool.user()
    with refused("UsernameExistsException", "^User account already exists"):
        s.pool.create(user)
    with refused("UsernameExistsException", "^User already exists$"):
        s.pool.client.call("SignUp", Username=user, Password=PASSWORD)


@probe(api("UsernameConfigurationType"))
def case_of_names_does_not_count(s: Stage) -> None:
    pool = s.new_pool(UsernameConfiguration={"CaseSensitive": False})
    name = s.name("alice")
    pool.user(name)
    assert pool.get(name.upper())["Username"] == name
    with refused("UsernameExistsException"):
        pool.create(name.title())


@probe(api("UserNotFoundException"))
def user_who_does_not_exist(s: Stage) -> None:
    for operation in ("AdminGetUser", "AdminDeleteUser", "AdminDisableUser", "AdminUserGlobalSignOut"):
        with refused("UserNotFoundException", "^User does not exist.$"):
            s.pool.admin(operation, Username=s.name("nobody"))


@probe(api("AdminGetUser"))
def administrator_reads_a_user(s: Stage) -> None:
    name = s.pool.user(name="Alice")
    found = s.pool.get(name)
    members(found, Username=name, Enabled=True, UserStatus="CONFIRMED", UserCreateDate=NUMBER)
    assert "Attributes" not in found
    assert attributes(found)["name"] == "Alice"


@probe(api("GetUser"))
def user_reads_the_own_account(s: Stage) -> None:
    name = s.pool.user(name="Alice")
    found = s.call("GetUser", AccessToken=s.pool.client.tokens(name)["AccessToken"])
    assert found["Username"] == name
    assert attributes(found)["name"] == "Alice"
    assert found.keys() <= {"Username", "UserAttributes", "MFAOptions", "PreferredMfaSetting", "UserMFASettingList"}


@probe(api("AdminDisableUser"))
def disabled_user(s: Stage) -> None:
    user = s.pool.user()
    token = s.pool.client.tokens(user)["AccessToken"]
    s.pool.admin("AdminDisableUser", Username=user)
    assert s.pool.get(user)["Enabled"] is False
    with refused("NotAuthorizedException", "^User is disabled.?$"):
        s.pool.client.log_in(user)
    with refused("NotAuthorizedException"):
        s.call("GetUser", AccessToken=token)
    s.pool.admin("AdminEnableUser", Username=user)
    assert "AuthenticationResult" in s.pool.client.log_in(user)


@probe(api("AdminDeleteUser"))
def deleted_user(s: Stage) -> None:
    user = s.pool.user()
    token = s.pool.client.tokens(user)["AccessToken"]
    s.pool.admin("AdminDeleteUser", Username=user)
    with refused("UserNotFoundException"):
        s.pool.get(user)
    with refused("UserNotFoundException|NotAuthorizedException"):
        s.call("GetUser", AccessToken=token)


@probe(api("AdminUpdateUserAttributes"))
def administrator_changes_attributes(s: Stage) -> None:
    user = s.pool.user(name="Alice", nickname="al")
    before = s.pool.get(user)
    s.pool.admin("AdminUpdateUserAttributes", Username=user, UserAttributes=pairs({"name": "Alicia"}))
    after = s.pool.get(user)
    assert (attributes(after)["name"], attributes(after)["nickname"]) == ("Alicia", "al")
    assert after["UserCreateDate"] == before["UserCreateDate"]
    assert after["UserLastModifiedDate"] >= before["UserLastModifiedDate"]


@probe(api("AdminDeleteUserAttributes"))
def administrator_deletes_attributes(s: Stage) -> None:
    user = s.pool.user(name="Alice", nickname="al")
    s.pool.admin("AdminDeleteUserAttributes", Username=user, UserAttributeNames=["nickname"])
    assert "nickname" not in attributes(s.pool.get(user))


@probe(api("AdminConfirmSignUp"))
def confirmed_user_is_not_confirmed_again(s: Stage) -> None:
    user = s.pool.user()
    with refused("NotAuthorizedException", "^User cannot be confirmed. Current status is CONFIRMED$"):
        s.pool.admin("AdminConfirmSignUp", Username=user)


@probe(UPDATES)
def changed_address_is_unverified(s: Stage) -> None:
    pool = s.new_pool(AutoVerifiedAttributes=["email"])
    user = pool.user(email=s.email(), email_verified="true")
    token, new = pool.client.tokens(user)["AccessToken"], s.email()
    reply = s.call("UpdateUserAttributes", AccessToken=token, UserAttributes=pairs({"email": new}))
    members(reply["CodeDeliveryDetailsList"][0], AttributeName="email", DeliveryMedium="EMAIL", Destination=str)
    assert attributes(pool.get(user))["email"] == new
    assert attributes(pool.get(user))["email_verified"] == "false"


@probe(UPDATES)
def changed_address_waits_for_its_verification(s: Stage) -> None:
    update = {"AttributesRequireVerificationBeforeUpdate": ["email"]}
    pool = s.new_pool(AutoVerifiedAttributes=["email"], UserAttributeUpdateSettings=update)
    old, new = s.email(), s.email()
    user = pool.user(email=old, email_verified="true")
    token = pool.client.tokens(user)["AccessToken"]
    s.call("UpdateUserAttributes", AccessToken=token, UserAttributes=pairs({"email": new}))
    assert attributes(pool.get(user))["email"] == old
    assert attributes(pool.get(user))["email_verified"] == "true"
    code = s.target.code(new, user)
    s.call("VerifyUserAttribute", AccessToken=token, AttributeName="email", Code=code)
    assert attributes(pool.get(user))["email"] == new
    assert attributes(pool.get(user))["email_verified"] == "true"


@probe(api("VerifyUserAttribute"))
def address_is_verified_by_its_code(s: Stage) -> None:
    user = s.pool.user(email=s.email())
    token = s.pool.client.tokens(user)["AccessToken"]
    reply = s.call("GetUserAttributeVerificationCode", AccessToken=token, AttributeName="email")
    members(reply["CodeDeliveryDetails"], AttributeName="email", DeliveryMedium="EMAIL")
    code = s.target.code(user)
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    with refused("CodeMismatchException", "^Invalid verification code provided, please try again.$"):
        s.call("VerifyUserAttribute", AccessToken=token, AttributeName="email", Code=wrong)
    s.call("VerifyUserAttribute", AccessToken=token, AttributeName="email", Code=code)
    assert attributes(s.pool.get(user))["email_verified"] == "true"


@probe("https://github.com/aws/aws-sdk-js/issues/3603")
def user_may_not_verify_by_writing(s: Stage) -> None:
    token = s.pool.client.tokens(s.pool.user(email=s.email()))["AccessToken"]
    with refused("NotAuthorizedException", "^A client attempted to write unauthorized attribute$"):
        s.call("UpdateUserAttributes", AccessToken=token, UserAttributes=pairs({"email_verified": "true"}))


@probe(api("AdminSetUserPassword"))
def status_after_an_administrator_sets_a_password(s: Stage) -> None:
    user = s.pool.create(s.name())["Username"]
    s.pool.admin("AdminSetUserPassword", Username=user, Password=NEW_PASSWORD, Permanent=True)
    assert s.pool.get(user)["UserStatus"] == "CONFIRMED"
    s.pool.admin("AdminSetUserPassword", Username=user, Password=PASSWORD, Permanent=False)
    assert s.pool.get(user)["UserStatus"] == "FORCE_CHANGE_PASSWORD"


@probe(api("DeleteUser"))
def user_deletes_the_own_account(s: Stage) -> None:
    user = s.pool.user()
    s.call("DeleteUser", AccessToken=s.pool.client.tokens(user)["AccessToken"])
    with refused("UserNotFoundException"):
        s.pool.get(user)


@probe(api("AdminUpdateUserAttributes"))
def address_of_somebody_else_is_not_an_alias(s: Stage) -> None:
    pool = s.new_pool(AliasAttributes=["email"])
    email = s.email()
    pool.user(email=email, email_verified="true")
    other = pool.user(email=email)
    with refused("AliasExistsException", "already exists"):
        pool.admin("AdminUpdateUserAttributes", Username=other, UserAttributes=pairs({"email_verified": "true"}))
