"""Log in with a password: USER_SRP_AUTH, USER_PASSWORD_AUTH, ADMIN_USER_PASSWORD_AUTH, USER_AUTH, new passwords."""

from __future__ import annotations

import base64
import json
import math
import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

from srpcore.crypto import cognito
from srpcore.crypto.encoding import to_hex

from ..probes import answers_to, api, guide, members, probe, refused
from ..stage import NEW_PASSWORD, PASSWORD, Stage, attributes, pairs

UNCONFIRMED = "https://github.com/amazon-archives/amazon-cognito-identity-js/issues/288"
LOCK_OUT = "https://github.com/amazon-archives/amazon-cognito-identity-js/issues/479"
FLOW = guide("amazon-cognito-user-pools-authentication-flow")
SRP_CLIENT = "https://github.com/aws-amplify/amplify-js/tree/main/packages/amazon-cognito-identity-js"
CHOICE = guide("authentication-flows-selection-sdk")


@probe(SRP_CLIENT)
def challenge_of_srp(s: Stage) -> None:
    user = s.pool.user()
    reply = s.pool.client.begin(user).reply
    assert reply["ChallengeName"] == "PASSWORD_VERIFIER"
    members(
        reply["ChallengeParameters"],
        USER_ID_FOR_SRP=user,
        USERNAME=user,
        SALT=re.compile("-?[0-9a-fA-F]{1,66}"),
        SRP_B=re.compile("[0-9a-fA-F]{600,770}"),
        SECRET_BLOCK=str,
    )
    assert base64.b64decode(reply["ChallengeParameters"]["SECRET_BLOCK"])


@probe(SRP_CLIENT)
def srp_logs_in(s: Stage) -> None:
    result = s.pool.client.srp(s.pool.user())["AuthenticationResult"]
    members(result, AccessToken=str, IdToken=str, RefreshToken=str, ExpiresIn=3600, TokenType="Bearer")


@probe(SRP_CLIENT)
def answer_of_a_login_has_no_challenge(s: Stage) -> None:
    reply = s.pool.client.srp(s.pool.user())
    assert "ChallengeName" not in reply
    assert reply.get("ChallengeParameters", {}) == {}


@probe(FLOW)
def wrong_password(s: Stage) -> None:
    user = s.pool.user()
    for log_in in (s.pool.client.srp, s.pool.client.log_in):
        with refused("NotAuthorizedException", "^Incorrect username or password.$"):
            log_in(user, NEW_PASSWORD)


@probe(SRP_CLIENT)
def timestamp_has_one_form(s: Stage) -> None:
    user = s.pool.user()
    exchange = s.pool.client.begin(user)
    with refused("InvalidParameterException", "^TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english.$"):
        exchange.respond(exchange.answers(timestamp=datetime.now(timezone.utc).isoformat()))


@probe(SRP_CLIENT)
def timestamp_must_be_near(s: Stage) -> None:
    user = s.pool.user()
    exchange = s.pool.client.begin(user)
    late = cognito.format_timestamp(datetime.now(timezone.utc) - timedelta(minutes=20))
    with refused("NotAuthorizedException"):
        exchange.respond(exchange.answers(timestamp=late))


@probe("https://www.rfc-editor.org/rfc/rfc5054#section-2.5.4")
def public_value_zero_is_refused(s: Stage) -> None:
    user = s.pool.user()
    for value in (0, cognito.GROUP.N):
        with refused("InvalidParameterException|NotAuthorizedException"):
            s.pool.client.initiate("USER_SRP_AUTH", USERNAME=user, SRP_A=to_hex(value))


@probe(UNCONFIRMED)
def unconfirmed_user(s: Stage) -> None:
    name = s.name()
    s.pool.client.call("SignUp", Username=name, Password=PASSWORD)
    for password in (PASSWORD, NEW_PASSWORD):
        with refused("UserNotConfirmedException", "^User is not confirmed.$"):
            s.pool.client.log_in(name, password)
        with refused("UserNotConfirmedException", "^User is not confirmed.$"):
            s.pool.client.srp(name, password)


@probe(api("InitiateAuth"))
def flow_that_the_client_does_not_allow(s: Stage) -> None:
    client, user = s.pool.new_client(ExplicitAuthFlows=["ALLOW_REFRESH_TOKEN_AUTH"]), s.pool.user()
    with refused("InvalidParameterException", "^USER_PASSWORD_AUTH flow not enabled for this client$"):
        client.log_in(user)
    with refused("InvalidParameterException", "^USER_SRP_AUTH (is|flow) not enabled for (the|this) client"):
        client.begin(user)


@probe(LOCK_OUT)
def wrong_passwords_lock_out(s: Stage) -> None:
    user = s.pool.user()
    answers = answers_to(lambda _: s.pool.client.log_in(user, NEW_PASSWORD), 12)
    assert answers[0] == "NotAuthorizedException: Incorrect username or password."
    assert "NotAuthorizedException: Password attempts exceeded" in answers


@probe(FLOW, unsuitable_for={"AWS": "would send sixty logins at once"})
def parallel_wrong_passwords_are_counted(s: Stage) -> None:
    user = s.pool.user()

    def answer(number: int) -> str:
        (answer,) = answers_to(lambda _: s.pool.client.log_in(user, f"Wrong-Horse-{number}"), 1)
        return answer

    start = time.monotonic()
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(answer, range(60)))
    judged = answers.count("NotAuthorizedException: Incorrect username or password.")
    # Five are judged, and one more after each lock-out that has ended meanwhile. They last 1, 2, 4, ... seconds.
    ended = int(math.log2(time.monotonic() - start + 1))
    assert 1 <= judged <= 5 + ended, f"{judged} of 60 wrong passwords were judged"


@probe(api("AdminInitiateAuth"))
def administrator_logs_a_user_in(s: Stage) -> None:
    user = s.pool.user()
    for flow in ("ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"):
        reply = s.pool.admin(
            "AdminInitiateAuth",
            ClientId=s.pool.client.id,
            AuthFlow=flow,
            AuthParameters={"USERNAME": user, "PASSWORD": PASSWORD},
        )
        assert "AuthenticationResult" in reply


@probe(api("InitiateAuth"))
def users_may_not_take_an_administrators_flow(s: Stage) -> None:
    with refused("InvalidParameterException"):
        s.pool.client.initiate("ADMIN_USER_PASSWORD_AUTH", USERNAME=s.pool.user(), PASSWORD=PASSWORD)


@probe(guide("authentication-flows-public-server-side"))
def new_password_is_required(s: Stage) -> None:
    schema = [{"Name": "name", "AttributeDataType": "String", "Required": True, "Mutable": True}]
    pool = s.new_pool(Schema=schema)
    email = s.email()
    name = pool.create(s.name(), email=email)["Username"]
    challenge = pool.client.log_in(name)
    members(challenge, ChallengeName="NEW_PASSWORD_REQUIRED", Session=str)
    given = challenge["ChallengeParameters"]
    assert json.loads(given["requiredAttributes"]) == ["userAttributes.name"]
    assert json.loads(given["userAttributes"])["email"] == email
    answers = {"NEW_PASSWORD": NEW_PASSWORD, "userAttributes.name": "Alice"}
    assert "AuthenticationResult" in pool.client.answer(challenge, name, **answers)
    assert (pool.get(name)["UserStatus"], attributes(pool.get(name))["name"]) == ("CONFIRMED", "Alice")


@probe("https://github.com/aws-amplify/amplify-js/issues/10491")
def new_password_does_not_change_what_exists(s: Stage) -> None:
    email = s.email()
    name = s.pool.create(s.name(), email=email)["Username"]
    challenge = s.pool.client.log_in(name)
    with refused("NotAuthorizedException|InvalidParameterException", "Cannot modify an already provided email"):
        s.pool.client.answer(challenge, name, NEW_PASSWORD=NEW_PASSWORD, **{"userAttributes.email": email})


@probe(guide("authentication-flows-public-server-side"))
def new_password_obeys_the_policy(s: Stage) -> None:
    name = s.pool.create(s.name())["Username"]
    challenge = s.pool.client.log_in(name)
    with refused("InvalidPasswordException", "^Password did not conform with policy: "):
        s.pool.client.answer(challenge, name, NEW_PASSWORD="short")


@probe(api("RespondToAuthChallenge"))
def session_that_nobody_issued(s: Stage) -> None:
    name = s.pool.create(s.name())["Username"]
    answers = {"USERNAME": name, "NEW_PASSWORD": NEW_PASSWORD}
    with refused("NotAuthorizedException|CodeMismatchException", "(?i)^Invalid session"):
        s.pool.client.respond("NEW_PASSWORD_REQUIRED", "A" * 500, answers)
    with refused("InvalidParameterException", "^Missing required parameter Session$"):
        s.pool.client.respond("NEW_PASSWORD_REQUIRED", None, answers)


@probe(api("RespondToAuthChallenge"))
def session_is_good_once(s: Stage) -> None:
    name = s.pool.create(s.name())["Username"]
    challenge = s.pool.client.log_in(name)
    s.pool.client.answer(challenge, name, NEW_PASSWORD=NEW_PASSWORD)
    with refused("NotAuthorizedException|CodeMismatchException", "(?i)session"):
        s.pool.client.answer(challenge, name, NEW_PASSWORD=NEW_PASSWORD + "x")


@probe(CHOICE)
def choice_of_a_first_factor(s: Stage) -> None:
    user = s.pool.user()
    reply = s.pool.client.initiate("USER_AUTH", USERNAME=user)
    members(reply, ChallengeName="SELECT_CHALLENGE", Session=str, AvailableChallenges=list)
    assert {"PASSWORD", "PASSWORD_SRP"} <= set(reply["AvailableChallenges"])
    done = s.pool.client.answer(reply, user, ANSWER="PASSWORD", PASSWORD=PASSWORD)
    assert "AuthenticationResult" in done


@probe(CHOICE)
def choice_of_srp_carries_its_first_step(s: Stage) -> None:
    user, pair = s.pool.user(), cognito.client_pair()
    reply = s.pool.client.initiate(
        "USER_AUTH", USERNAME=user, PREFERRED_CHALLENGE="PASSWORD_SRP", SRP_A=to_hex(pair.public)
    )
    members(reply, ChallengeName="PASSWORD_VERIFIER", ChallengeParameters={"SALT": str, "SRP_B": str})


@probe(CHOICE)
def preferred_password_logs_in(s: Stage) -> None:
    user = s.pool.user()
    reply = s.pool.client.initiate("USER_AUTH", USERNAME=user, PREFERRED_CHALLENGE="PASSWORD", PASSWORD=PASSWORD)
    assert "AuthenticationResult" in reply


@probe(api("CreateUserPoolClient"))
def choice_needs_no_other_flow(s: Stage) -> None:
    client, user = s.pool.new_client(ExplicitAuthFlows=["ALLOW_USER_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]), s.pool.user()
    reply = client.initiate("USER_AUTH", USERNAME=user, PREFERRED_CHALLENGE="PASSWORD", PASSWORD=PASSWORD)
    assert "AuthenticationResult" in reply


@probe(guide("user-pool-settings-attributes"))
def alias_must_be_verified(s: Stage) -> None:
    pool, email = s.new_pool(AliasAttributes=["email"]), s.email()
    user = pool.user(email=email)
    with refused("NotAuthorizedException", "^Incorrect username or password.$"):
        pool.client.log_in(email)
    pool.admin("AdminUpdateUserAttributes", Username=user, UserAttributes=pairs({"email_verified": "true"}))
    assert "AuthenticationResult" in pool.client.log_in(email)
    assert pool.client.begin(email).reply["ChallengeParameters"]["USER_ID_FOR_SRP"] == user


@probe(SRP_CLIENT)
def secret_hash_is_of_the_canonical_name_after_the_first_step(s: Stage) -> None:
    pool, email = s.new_pool({"GenerateSecret": True}, UsernameAttributes=["email"]), s.email()
    user = pool.user(email)
    assert user != email
    exchange = pool.client.begin(email)
    assert exchange.reply["ChallengeParameters"]["USERNAME"] == user
    assert "AuthenticationResult" in exchange.respond(exchange.answers())


@probe(guide("amazon-cognito-user-pools-authentication-flow"))
def custom_flow_needs_its_triggers(s: Stage) -> None:
    client, user = s.pool.new_client(ExplicitAuthFlows=["ALLOW_CUSTOM_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]), s.pool.user()
    with refused("InvalidParameterException|UserLambdaValidationException|UnexpectedLambdaException"):
        client.initiate("CUSTOM_AUTH", USERNAME=user)


@probe(api("AdminResetUserPassword"))
def password_that_must_be_reset(s: Stage) -> None:
    user = s.pool.user(email=s.email(), email_verified="true")
    s.pool.admin("AdminResetUserPassword", Username=user)
    assert s.pool.get(user)["UserStatus"] == "RESET_REQUIRED"
    for log_in in (s.pool.client.srp, s.pool.client.log_in):
        with refused("PasswordResetRequiredException", "^Password reset required for the user"):
            log_in(user)


@probe(api("ResourceNotFoundException"))
def client_that_does_not_exist(s: Stage) -> None:
    missing = "1" * 26
    with refused("ResourceNotFoundException", f"^User pool client {missing} does not exist.$"):
        s.call("InitiateAuth", ClientId=missing, AuthFlow="USER_PASSWORD_AUTH",
               AuthParameters={"USERNAME": "alice", "PASSWORD": PASSWORD})  # fmt: skip
