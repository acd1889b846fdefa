"""Second factors: set up an authenticator app, log in with it, choose, and what is refused."""

from __future__ import annotations

import json
import time

from srpcore.crypto.totp import totp

from ..probes import UNSURE, Refused, answers_to, api, guide, members, probe, refused, tried
from ..stage import Stage

MFA = guide("user-pool-settings-mfa-totp")
NOT_SET_UP = "https://github.com/aws/aws-sdk-js-v3/issues/4645"
SET_UP = "https://github.com/aws-amplify/amplify-js/tree/main/packages/amazon-cognito-identity-js"


def _wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


@probe(api("AssociateSoftwareToken"))
def set_up_with_an_access_token_has_no_session(s: Stage) -> None:
    pool = s.mfa_pool()
    token = pool.client.tokens(pool.user())["AccessToken"]
    reply = s.call("AssociateSoftwareToken", AccessToken=token)
    members(reply, SecretCode=str)
    assert "Session" not in reply
    code = totp(reply["SecretCode"], time.time())
    verified = s.call("VerifySoftwareToken", AccessToken=token, UserCode=code)
    assert verified["Status"] == "SUCCESS"
    assert "Session" not in verified


@probe(api("VerifySoftwareToken"))
def wrong_code_at_the_set_up(s: Stage) -> None:
    pool = s.mfa_pool()
    token = pool.client.tokens(pool.user())["AccessToken"]
    secret = s.call("AssociateSoftwareToken", AccessToken=token)["SecretCode"]
    with refused("EnableSoftwareTokenMFAException", "^Code mismatch"):
        s.call("VerifySoftwareToken", AccessToken=token, UserCode=_wrong(totp(secret, time.time() + 3600)))


@probe(api("AssociateSoftwareToken"))
def set_up_in_a_pool_without_mfa(s: Stage) -> None:
    pool = s.new_pool()
    token = pool.client.tokens(pool.user())["AccessToken"]
    with refused("SoftwareTokenMFANotFoundException", "^Software Token MFA has not been enabled by the userPool$"):
        s.call("AssociateSoftwareToken", AccessToken=token)


@probe(NOT_SET_UP)
def factor_that_is_not_set_up_is_not_enabled(s: Stage) -> None:
    pool = s.mfa_pool()
    token = pool.client.tokens(pool.user())["AccessToken"]
    with refused(
        "InvalidParameterException",
        "^User (has not verified software token mfa|does not have delivery config set to turn on SOFTWARE_TOKEN_MFA)$",
    ):
        s.call("SetUserMFAPreference", AccessToken=token, SoftwareTokenMfaSettings={"Enabled": True})


@probe(MFA)
def login_with_an_authenticator_app(s: Stage) -> None:
    pool = s.mfa_pool()
    user = pool.user()
    code = pool.client.enrol(user)
    challenge = pool.client.srp(user)
    members(challenge, ChallengeName="SOFTWARE_TOKEN_MFA", Session=str)
    done = pool.client.answer(challenge, user, SOFTWARE_TOKEN_MFA_CODE=code())
    assert "AuthenticationResult" in done


@probe(MFA)
def wrong_and_used_codes(s: Stage) -> None:
    pool = s.mfa_pool()
    user = pool.user()
    new_code = pool.client.enrol(user)
    code = new_code()
    pool.client.answer(pool.client.log_in(user), user, SOFTWARE_TOKEN_MFA_CODE=code)
    with refused("ExpiredCodeException", "^Your software token has already been used once.$"):
        pool.client.answer(pool.client.log_in(user), user, SOFTWARE_TOKEN_MFA_CODE=code)
    with refused("CodeMismatchException", "^Invalid code received for user"):
        pool.client.answer(pool.client.log_in(user), user, SOFTWARE_TOKEN_MFA_CODE=_wrong(new_code()))


@probe(api("AdminGetUser"))
def factors_of_a_user(s: Stage) -> None:
    pool = s.mfa_pool()
    user = pool.user()
    assert "UserMFASettingList" not in pool.get(user)
    pool.client.enrol(user)
    members(pool.get(user), PreferredMfaSetting="SOFTWARE_TOKEN_MFA", UserMFASettingList=["SOFTWARE_TOKEN_MFA"])


@probe(api("AdminSetUserMFAPreference"))
def factor_that_is_off_is_not_asked_for(s: Stage) -> None:
    pool = s.mfa_pool()
    user = pool.user()
    pool.client.enrol(user)
    pool.admin("AdminSetUserMFAPreference", Username=user, SoftwareTokenMfaSettings={"Enabled": False})
    assert "AuthenticationResult" in pool.client.log_in(user)


@probe(SET_UP)
def set_up_during_the_login(s: Stage) -> None:
    pool = s.mfa_pool("ON")
    user = pool.user()
    challenge = pool.client.log_in(user)
    members(challenge, ChallengeName="MFA_SETUP", Session=str)
    assert "SOFTWARE_TOKEN_MFA" in json.loads(challenge["ChallengeParameters"]["MFAS_CAN_SETUP"])
    associated = s.call("AssociateSoftwareToken", Session=challenge["Session"])
    members(associated, SecretCode=str, Session=str)
    code = totp(associated["SecretCode"], time.time())
    verified = s.call("VerifySoftwareToken", Session=associated["Session"], UserCode=code)
    members(verified, Status="SUCCESS", Session=str)
    done = pool.client.answer({**challenge, "Session": verified["Session"]}, user)
    assert "AuthenticationResult" in done


@probe(api("AdminDeleteSoftwareToken"))
def authenticator_app_is_removed(s: Stage) -> None:
    pool = s.mfa_pool()
    user = pool.user()
    pool.client.enrol(user)
    pool.admin("AdminDeleteSoftwareToken", Username=user)
    assert "AuthenticationResult" in pool.client.log_in(user)


@probe(guide("user-pool-settings-mfa-totp"), unsuitable_for={"AWS": "would lock a user out for long"})
def guesses_are_limited_per_user(s: Stage) -> None:
    pool = s.mfa_pool()
    user = pool.user()
    new_code = pool.client.enrol(user)
    code = new_code()

    def guess(_: int) -> None:
        pool.client.answer(pool.client.log_in(user), user, SOFTWARE_TOKEN_MFA_CODE=_wrong(code))

    answers = answers_to(guess, 30)
    assert "accepted" not in answers
    assert not answers[-1].startswith("CodeMismatchException"), "thirty guesses were judged, each in its own Session"


EMAIL = guide("user-pool-settings-mfa-sms-email-message")


@probe(EMAIL)
def choice_between_two_factors(s: Stage) -> None:
    pool = s.email_mfa_pool()
    user = pool.user(email=s.email(), email_verified="true")
    code = pool.client.enrol(user, prefer=False)
    pool.admin("AdminSetUserMFAPreference", Username=user, EmailMfaSettings={"Enabled": True})
    challenge = pool.client.log_in(user)
    members(challenge, ChallengeName="SELECT_MFA_TYPE", Session=str)
    assert set(json.loads(challenge["ChallengeParameters"]["MFAS_CAN_CHOOSE"])) == {"SOFTWARE_TOKEN_MFA", "EMAIL_OTP"}
    chosen = pool.client.answer(challenge, user, ANSWER="SOFTWARE_TOKEN_MFA")
    assert chosen["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    assert "AuthenticationResult" in pool.client.answer(chosen, user, SOFTWARE_TOKEN_MFA_CODE=code())


@probe(UNSURE, question="does SELECT_MFA_TYPE accept the answer EMAIL_MFA, or only EMAIL_OTP?")
def answer_for_the_email_factor(s: Stage) -> None:
    pool = s.email_mfa_pool()
    user = pool.user(email=s.email(), email_verified="true")
    pool.client.enrol(user, prefer=False)
    pool.admin("AdminSetUserMFAPreference", Username=user, EmailMfaSettings={"Enabled": True})
    chosen = tried(lambda: pool.client.answer(pool.client.log_in(user), user, ANSWER="EMAIL_MFA"))
    if isinstance(chosen, Refused):
        assert chosen.code == "InvalidParameterException"
        chosen = pool.client.answer(pool.client.log_in(user), user, ANSWER="EMAIL_OTP")
    assert chosen["ChallengeName"] == "EMAIL_OTP"
    done = pool.client.answer(chosen, user, EMAIL_OTP_CODE=s.target.code(user))
    assert "AuthenticationResult" in done


@probe(UNSURE, question="is the answer to MFA_SETUP with an e-mail address EMAIL, or is the attribute set beforehand?")
def set_up_of_the_email_factor_during_the_login(s: Stage) -> None:
    pool = s.email_mfa_pool("ON")
    user, email = pool.user(), s.email()
    challenge = pool.client.log_in(user)
    assert challenge["ChallengeName"] == "MFA_SETUP"
    if "EMAIL_OTP" not in json.loads(challenge["ChallengeParameters"]["MFAS_CAN_SETUP"]):
        return
    following = tried(lambda: pool.client.answer(challenge, user, EMAIL=email))
    if isinstance(following, Refused):
        assert following.code == "InvalidParameterException"
    else:
        assert following["ChallengeName"] == "EMAIL_OTP"
