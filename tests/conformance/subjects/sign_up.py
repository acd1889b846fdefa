"""Sign-up: SignUp, ConfirmSignUp and ResendConfirmationCode."""

from __future__ import annotations

import re

from ..probes import answers_to, api, guide, members, probe, refused
from ..stage import PASSWORD, Pool, Stage, attributes, pairs
from .users import UUID

AUTO_SIGN_IN = "https://github.com/aws/aws-sdk-js-v3/issues/6724"
AMPLIFY = "https://github.com/aws-amplify/amplify-js/issues/14138"
CONFIRMED = "https://github.com/amazon-archives/amazon-cognito-identity-js/issues/525"


def _verified_pool(s: Stage) -> Pool:
    return s.new_pool(AutoVerifiedAttributes=["email"])


@probe(api("SignUp"))
def answer_of_a_sign_up(s: Stage) -> None:
    pool, email = _verified_pool(s), s.email()
    reply = pool.client.call("SignUp", Username=s.name(), Password=PASSWORD, UserAttributes=pairs({"email": email}))
    members(reply, UserConfirmed=False, UserSub=UUID)
    masked = re.compile(rf"{email[0]}\*\*\*@{email.partition('@')[2][0]}\*\*\*")
    members(reply["CodeDeliveryDetails"], AttributeName="email", DeliveryMedium="EMAIL", Destination=masked)


@probe(api("SignUp"))
def new_user_is_unconfirmed(s: Stage) -> None:
    pool, name, email = _verified_pool(s), s.name(), s.email()
    pool.client.call("SignUp", Username=name, Password=PASSWORD, UserAttributes=pairs({"email": email}))
    found = pool.get(name)
    assert (found["UserStatus"], found["Enabled"]) == ("UNCONFIRMED", True)
    assert found["UserCreateDate"] == found["UserLastModifiedDate"]
    assert attributes(found).get("email_verified", "false") == "false"


@probe(api("ConfirmSignUp"))
def code_confirms_and_verifies(s: Stage) -> None:
    pool, name, email = _verified_pool(s), s.name(), s.email()
    pool.client.call("SignUp", Username=name, Password=PASSWORD, UserAttributes=pairs({"email": email}))
    code = s.target.code(name)
    with refused("CodeMismatchException", "^Invalid verification code provided, please try again.$"):
        pool.client.call("ConfirmSignUp", Username=name, ConfirmationCode=f"{(int(code) + 1) % 10**6:06d}")
    pool.client.call("ConfirmSignUp", Username=name, ConfirmationCode=code)
    found = pool.get(name)
    assert (found["UserStatus"], attributes(found)["email_verified"]) == ("CONFIRMED", "true")
    assert "AuthenticationResult" in pool.client.srp(name)


@probe(AUTO_SIGN_IN)
def session_of_a_sign_up_logs_in(s: Stage) -> None:
    pool, name, email = _verified_pool(s), s.name(), s.email()
    signed_up = pool.client.call("SignUp", Username=name, Password=PASSWORD, UserAttributes=pairs({"email": email}))
    members(signed_up, Session=str)
    code = s.target.code(name)
    confirmed = pool.client.call("ConfirmSignUp", Username=name, ConfirmationCode=code, Session=signed_up["Session"])
    members(confirmed, Session=str)
    reply = pool.client.call(
        "InitiateAuth", AuthFlow="USER_AUTH", AuthParameters={"USERNAME": name}, Session=confirmed["Session"]
    )
    assert "AuthenticationResult" in reply


@probe(AMPLIFY)
def session_of_a_confirmation_without_one_logs_in(s: Stage) -> None:
    pool, name, email = _verified_pool(s), s.name(), s.email()
    pool.client.call("SignUp", Username=name, Password=PASSWORD, UserAttributes=pairs({"email": email}))
    confirmed = pool.client.call("ConfirmSignUp", Username=name, ConfirmationCode=s.target.code(name))
    members(confirmed, Session=str)
    reply = pool.client.call(
        "InitiateAuth", AuthFlow="USER_AUTH", AuthParameters={"USERNAME": name}, Session=confirmed["Session"]
    )
    assert "AuthenticationResult" in reply


@probe(AUTO_SIGN_IN)
def session_of_another_user_does_not_log_in(s: Stage) -> None:
    pool, other = _verified_pool(s), s.name("bob")
    pool.user(other)
    name, email = s.name(), s.email()
    signed_up = pool.client.call("SignUp", Username=name, Password=PASSWORD, UserAttributes=pairs({"email": email}))
    code = s.target.code(name)
    confirmed = pool.client.call("ConfirmSignUp", Username=name, ConfirmationCode=code, Session=signed_up["Session"])
    with refused("NotAuthorizedException|InvalidParameterException"):
        pool.client.call(
            "InitiateAuth", AuthFlow="USER_AUTH", AuthParameters={"USERNAME": other}, Session=confirmed["Session"]
        )


@probe(api("SignUp"))
def without_an_address_there_is_no_code(s: Stage) -> None:
    reply = s.pool.client.call("SignUp", Username=s.name(), Password=PASSWORD)
    members(reply, UserConfirmed=False, UserSub=UUID)
    assert "CodeDeliveryDetails" not in reply


@probe(CONFIRMED)
def confirmed_user_gets_no_further_code(s: Stage) -> None:
    user = s.pool.user(email=s.email())
    with refused("InvalidParameterException", "^User is already confirmed.$"):
        s.pool.client.call("ResendConfirmationCode", Username=user)


@probe(api("ResendConfirmationCode"))
def further_code_replaces_the_first(s: Stage) -> None:
    pool, name, email = _verified_pool(s), s.name(), s.email()
    pool.client.call("SignUp", Username=name, Password=PASSWORD, UserAttributes=pairs({"email": email}))
    reply = pool.client.call("ResendConfirmationCode", Username=name)
    members(reply["CodeDeliveryDetails"], AttributeName="email", DeliveryMedium="EMAIL")
    pool.client.call("ConfirmSignUp", Username=name, ConfirmationCode=s.target.code(name))
    assert pool.get(name)["UserStatus"] == "CONFIRMED"


@probe(api("AdminCreateUserConfigType"))
def only_administrators_may_create_users(s: Stage) -> None:
    pool = s.new_pool(AdminCreateUserConfig={"AllowAdminCreateUserOnly": True})
    with refused("NotAuthorizedException", "^SignUp is not permitted for this user pool$"):
        pool.client.call("SignUp", Username=s.name(), Password=PASSWORD)


@probe(guide("user-pool-settings-attributes"))
def required_attribute_is_required(s: Stage) -> None:
    schema = [{"Name": "email", "AttributeDataType": "String", "Required": True, "Mutable": True}]
    pool = s.new_pool(Schema=schema)
    with refused("InvalidParameterException", "^Attributes did not conform to the schema: email: The attribute"):
        pool.client.call("SignUp", Username=s.name(), Password=PASSWORD)


@probe(guide("user-pool-settings-attributes"))
def administrator_may_leave_out_a_required_attribute(s: Stage) -> None:
    schema = [{"Name": "name", "AttributeDataType": "String", "Required": True, "Mutable": True}]
    pool = s.new_pool(Schema=schema)
    assert pool.create(s.name())["UserStatus"] == "FORCE_CHANGE_PASSWORD"


@probe(guide("user-pool-settings-attributes"))
def name_must_be_an_address(s: Stage) -> None:
    pool = s.new_pool(UsernameAttributes=["email"])
    with refused("InvalidParameterException", "^Username should be an email.$"):
        pool.client.call("SignUp", Username="alice", Password=PASSWORD)


@probe(guide("user-pool-settings-attributes"))
def name_must_not_look_like_an_alias(s: Stage) -> None:
    pool = s.new_pool(AliasAttributes=["email"])
    with refused("InvalidParameterException", "^Username cannot be of email format"):
        pool.client.call("SignUp", Username=s.email(), Password=PASSWORD)


@probe(api("SignUp"))
def address_must_have_the_form_of_one(s: Stage) -> None:
    with refused("InvalidParameterException", "^Invalid email address format.$"):
        s.pool.client.call("SignUp", Username=s.name(), Password=PASSWORD, UserAttributes=pairs({"email": "alice"}))
    with refused("InvalidParameterException", "^Invalid phone number format.$"):
        s.pool.client.call("SignUp", Username=s.name(), Password=PASSWORD, UserAttributes=pairs({"phone_number": "1"}))


@probe(api("ConfirmSignUp"))
def guesses_are_limited(s: Stage) -> None:
    pool, name, email = _verified_pool(s), s.name(), s.email()
    pool.client.call("SignUp", Username=name, Password=PASSWORD, UserAttributes=pairs({"email": email}))
    code = int(s.target.code(name))

    def guess(number: int) -> None:
        wrong = f"{(code + number + 1) % 10**6:06d}"
        pool.client.call("ConfirmSignUp", Username=name, ConfirmationCode=wrong)

    answers = answers_to(guess, 15)
    assert "accepted" not in answers
    assert not answers[-1].startswith("CodeMismatchException"), "fifteen guesses were judged"
