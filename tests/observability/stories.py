"""Everything that a facade can do, on either facade."""

from __future__ import annotations

import json
from typing import Any

from observability.stage import ANSWER, Stage, got, listed
from srpcore import AsyncTokenVerifier, TokenVerifier, exceptions
from srpcore.crypto.totp import totp
from srpcore.store import MemoryStore
from support.authenticator import Authenticator
from support.users import NEW_PASSWORD, PASSWORD

WRONG_PASSWORD = "Mistaken-Horse-3"
SHORT_PASSWORD = "short-one"
WRONG_ANSWER = "the-rhinoceros"
TEMPORARY_PASSWORD = "Borrowed-Horse-4"
METADATA = {"hint": "from-the-basement"}
EMAIL, OTHER_EMAIL, PHONE = "alice@wonderland.example", "alice@looking-glass.example", "+15550100"
VERIFIED: dict[str, Any] = {
    "email": EMAIL,
    "email_verified": "true",
    "phone_number": PHONE,
    "phone_number_verified": "true",
}
FACTORS = ["PASSWORD", "EMAIL_OTP", "SMS_OTP", "WEB_AUTHN"]
EVERY_FACTOR = {"Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": FACTORS}}}
ROTATION = {"RefreshTokenRotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0}}
NOBODYS_CODE, NOBODYS_TOTP = "99999999", "111111"


async def sign_up(stage: Stage) -> None:
    user = stage.person(None)
    user.set_base_attributes(email=EMAIL)
    user.add_custom_attributes()
    await got(user.register("alice", PASSWORD, client_metadata=METADATA))
    with stage.refused(exceptions.UserNotConfirmedException):
        await got(user.authenticate(PASSWORD))
    with stage.refused(exceptions.CodeMismatchException):
        await got(user.confirm_sign_up(NOBODYS_CODE))
    await got(user.resend_confirmation_code("alice"))
    await got(user.confirm_sign_up(stage.code))
    with stage.refused(exceptions.UsernameExistsException):
        await got(stage.person(None).register("alice", PASSWORD))
    with stage.refused(exceptions.InvalidPasswordException):
        await got(stage.person(None).register("bob", SHORT_PASSWORD))
    await got(user.authenticate(PASSWORD))
    await got(user.update_profile({"given_name": "Alice Pleasance", "email": OTHER_EMAIL}))
    await got(user.send_verification("email"))
    with stage.refused(exceptions.CodeMismatchException):
        await got(user.validate_verification(NOBODYS_CODE, "email"))
    await got(user.validate_verification(stage.code, "email"))
    shown = await got(user.get_user())
    repr(shown)
    await got(user.delete_user())
    with stage.refused(exceptions.UserNotFoundException):
        await got(user.get_user())


async def passwords(stage: Stage) -> None:
    stage.create(**VERIFIED)
    user = stage.person()
    await got(user.prepare())
    with stage.refused(exceptions.NotAuthorizedException):
        await got(user.authenticate(WRONG_PASSWORD))
    await got(user.authenticate(PASSWORD, client_metadata=METADATA))
    await got(user.verify_tokens())
    await got(user.verify_token(user.access_token, "access_token", "access"))
    with stage.refused(exceptions.NotAuthorizedException):
        await got(user.change_password(WRONG_PASSWORD, NEW_PASSWORD))
    await got(user.change_password(PASSWORD, NEW_PASSWORD))
    await got(user.initiate_forgot_password(client_metadata=METADATA))
    with stage.refused(exceptions.CodeMismatchException):
        await got(user.confirm_forgot_password(NOBODYS_CODE, PASSWORD))
    await got(user.confirm_forgot_password(stage.code, PASSWORD))
    await got(user.admin_reset_password("alice", METADATA))
    with stage.refused(exceptions.PasswordResetRequiredException):
        await got(user.authenticate(PASSWORD))
    await got(user.confirm_forgot_password(stage.code, NEW_PASSWORD))
    for flow in ("USER_PASSWORD_AUTH", "ADMIN_USER_PASSWORD_AUTH", "USER_SRP_AUTH"):
        with stage.refused(exceptions.NotAuthorizedException):
            await got(user.sign_in(WRONG_PASSWORD, auth_flow=flow))
        assert (await got(user.sign_in(NEW_PASSWORD, auth_flow=flow))).done
    with stage.refused(exceptions.NotAuthorizedException):
        await got(user.admin_authenticate(WRONG_PASSWORD))
    await got(user.admin_authenticate(NEW_PASSWORD))
    with stage.refused(exceptions.ConfigurationError):
        await got(user.authenticate(NEW_PASSWORD + "\ud800"))


async def new_password(stage: Stage) -> None:
    stage.create(permanent=False)
    user = stage.person()
    with stage.refused(exceptions.ForceChangePasswordException):
        await got(user.authenticate(PASSWORD))
    step = await got(user.sign_in(PASSWORD))
    kept = step.to_json()
    stage.ledger.hear(json.loads(kept))
    with stage.refused(exceptions.ConfigurationError):
        await got(user.resume_sign_in(kept[:-20]))
    elsewhere = await got(stage.person(None).resume_sign_in(kept))
    with stage.refused(exceptions.ConfigurationError):
        await got(elsewhere.answer(code=NOBODYS_CODE))
    with stage.refused(exceptions.InvalidPasswordException):
        await got(elsewhere.answer(new_password=SHORT_PASSWORD))
    await got(user.new_password_challenge(PASSWORD, NEW_PASSWORD, {"name": "Alice the Second"}))


async def second_factors(stage: Stage) -> None:
    stage.create(**VERIFIED)
    stage.administer(
        "SetUserPoolMfaConfig",
        MfaConfiguration="OPTIONAL",
        EmailMfaConfiguration={},
        SoftwareTokenMfaConfiguration={"Enabled": True},
    )
    user = stage.person()
    await got(user.authenticate(PASSWORD))
    secret = await got(user.associate_software_token())
    with stage.refused(exceptions.EnableSoftwareTokenMFAException):
        await got(user.verify_software_token(NOBODYS_TOTP))
    assert await got(user.verify_software_token(totp(secret, stage.clock()), "the telephone"))
    await got(user.set_user_mfa_preference(False, True, "SOFTWARE_TOKEN"))
    stage.clock.ahead += 60
    with stage.refused(exceptions.SoftwareTokenMFAChallengeException):
        await got(user.authenticate(PASSWORD))
    with stage.refused(exceptions.CodeMismatchException):
        await got(user.respond_to_software_token_mfa_challenge(NOBODYS_TOTP))
    await got(user.respond_to_software_token_mfa_challenge(totp(secret, stage.clock())))
    stage.clock.ahead += 60
    await got(user.set_user_mfa_preference(True, False, "SMS"))
    with stage.refused(exceptions.SMSMFAChallengeException):
        await got(user.authenticate(PASSWORD))
    await got(user.respond_to_sms_mfa_challenge(stage.code))
    both = {"SMSMfaSettings": {"Enabled": True}, "SoftwareTokenMfaSettings": {"Enabled": True}}
    stage.administer("AdminSetUserMFAPreference", Username="alice", **both)
    step = await got(user.sign_in(PASSWORD))
    assert step.needs == "choice"
    step = await got(step.answer(choice="SMS_MFA"))
    assert (await got(step.answer(code=stage.code))).done
    of_email = {"Enabled": True, "PreferredMfa": True}
    stage.administer("AdminSetUserMFAPreference", Username="alice", EmailMfaSettings=of_email)
    step = await got(user.sign_in(PASSWORD))
    assert step.challenge.name == "EMAIL_OTP"
    assert (await got(step.answer(code=stage.code))).done


async def factor_that_the_pool_demands(stage: Stage) -> None:
    stage.administer("SetUserPoolMfaConfig", MfaConfiguration="ON", SoftwareTokenMfaConfiguration={"Enabled": True})
    stage.create()
    user = stage.person()
    step = await got(user.sign_in(PASSWORD))
    assert step.needs == "set_up"
    secret, step = await got(step.set_up_totp())
    with stage.refused(exceptions.ServiceError):
        await got(step.answer(code=NOBODYS_TOTP))
    assert (await got(step.answer(code=totp(secret, stage.clock())))).done


async def custom(stage: Stage) -> None:
    stage.create()
    user = stage.person()
    with stage.refused(exceptions.NotAuthorizedException):
        await got(user.sign_in(WRONG_PASSWORD, auth_flow="CUSTOM_AUTH"))
    step = await got(user.sign_in(PASSWORD, auth_flow="CUSTOM_AUTH", client_metadata=METADATA))
    step = await got(step.answer(answer=WRONG_ANSWER))
    assert not step.done
    assert (await got(step.answer(answer=ANSWER))).done


async def choices(stage: Stage) -> None:
    stage.create(**VERIFIED)
    user = stage.person()
    for choice in ("PASSWORD", "PASSWORD_SRP"):
        step = await got(user.sign_in(auth_flow="USER_AUTH"))
        with stage.refused(exceptions.NotAuthorizedException):
            await got(step.answer(choice=choice, password=WRONG_PASSWORD))
        step = await got(user.sign_in(auth_flow="USER_AUTH"))
        assert (await got(step.answer(choice=choice, password=PASSWORD))).done
    for factor in ("EMAIL_OTP", "SMS_OTP"):
        step = await got(user.sign_in(auth_flow="USER_AUTH", preferred=factor))
        with stage.refused(exceptions.CodeMismatchException):
            await got(step.answer(code=NOBODYS_CODE))
        assert (await got(step.answer(code=stage.code))).done
    authenticator = Authenticator()
    creation = await got(user.start_web_authn_registration())
    await got(user.complete_web_authn_registration(authenticator.create(creation)))
    (described,) = await got(user.list_web_authn_credentials())
    step = await got(stage.person().sign_in(auth_flow="USER_AUTH", preferred="WEB_AUTHN"))
    options = json.loads(step.challenge.parameters["CREDENTIAL_REQUEST_OPTIONS"])
    assert (await got(step.answer(credential=authenticator.get(options)))).done
    await got(user.get_user_auth_factors())
    await got(user.delete_web_authn_credential(described["CredentialId"]))


async def devices(stage: Stage) -> None:
    stage.create()
    user = stage.person()
    await got(user.authenticate(PASSWORD))
    device = await got(user.confirm_device("the looking glass"))
    stage.ledger.hear(device.password)
    stage.ledger.hear([device.key, device.group_key], "DeviceKey")
    again = stage.person(device=device)
    await got(again.authenticate(PASSWORD))
    assert again.access_claims["device_key"] == device.key
    await got(again.renew_access_token())
    await got(again.list_devices())
    await got(again.admin_list_devices("alice"))
    await got(again.update_device_status(False))
    await got(again.update_device_status(True))
    await got(again.forget_device())
    stale = stage.person(device=device)
    await got(stale.authenticate(PASSWORD))
    assert stale.device is None


async def tokens(stage: Stage) -> None:
    stage.create()
    store = MemoryStore()
    user = stage.person(store=store)
    await got(user.authenticate(PASSWORD))
    repr([user.tokens, store])
    first = user.refresh_token
    await got(user.renew_access_token())
    stage.clock.ahead += 7200
    assert await got(user.check_token()) is True
    await got(user.check_tokens())
    another = stage.person(store=store)
    assert await got(another.restore())
    with stage.refused(exceptions.RefreshTokenReuseException):
        await got(stage.person(refresh_token=first, access_token=user.access_token).renew_access_token())
    await got(user.get_keys())
    await _verify(stage, user)
    with stage.refused(exceptions.TokenVerificationException):
        await got(user.verify_token(user.access_token[:-5] + "AAAAA", "access_token", "access"))
    await got(stage.person().authenticate(PASSWORD))
    sessions = [one for one in await got(user.list_user_sessions()) if not one["IsCurrentSession"]]
    await got(user.revoke_user_session(sessions[0]["SessionId"]))
    sessions = await got(user.admin_list_user_sessions("alice"))
    await got(user.admin_revoke_user_session("alice", sessions[0]["SessionId"]))
    await got(user.authenticate(PASSWORD))
    await got(user.admin_user_global_sign_out("alice"))
    await got(user.authenticate(PASSWORD))
    await got(user.revoke_token())
    await got(user.authenticate(PASSWORD))
    await got(user.logout())


async def _verify(stage: Stage, user: Any) -> None:
    make: Any = AsyncTokenVerifier if stage.asynchronous else TokenVerifier
    verifier = make(
        stage.pool.user_pool_id,
        client_id=stage.pool.client_id,
        token_use=None,
        endpoint_url=stage.url,
        transport=stage.wire,
        clock=stage.clock,
        cache_size=10,
    )
    for token in (user.access_token, user.id_token):
        assert await got(verifier.verify(token))
        for bad in (token[:-6] + "AAAAAA", token.replace(".", "-", 1), token + ".x"):
            with stage.refused(exceptions.TokenVerificationException):
                await got(verifier.verify(bad))
    stage.clock.ahead += 86400
    with stage.refused(exceptions.TokenVerificationException):
        await got(verifier.verify(user.access_token))
    stage.clock.ahead -= 86400
    stage.journal.objects()
    await got(verifier.close())


async def administration(stage: Stage) -> None:
    stage.create(**VERIFIED)
    admin = stage.person(None)
    pool_id, client_id = stage.pool.user_pool_id, stage.pool.client_id
    await got(admin.admin_create_user("dinah", TEMPORARY_PASSWORD, email="dinah@wonderland.example"))
    await got(admin.admin_delete_user(username="dinah"))
    signing_up = stage.person(None)
    await got(signing_up.register("bill", PASSWORD))
    await got(signing_up.admin_confirm_sign_up())
    await got(admin.admin_disable_user("alice"))
    with stage.refused(exceptions.NotAuthorizedException):
        await got(stage.person().authenticate(PASSWORD))
    await got(admin.admin_enable_user("alice"))
    alice = stage.person()
    await got(alice.admin_get_user())
    await got(alice.admin_update_profile({"given_name": "Alice Liddell"}))
    await got(admin.client.create_group(UserPoolId=pool_id, GroupName="hatters", Description="a mad tea party"))
    await got(admin.admin_add_user_to_group("alice", "hatters"))
    await got(admin.admin_list_groups_for_user("alice"))
    repr([await got(admin.get_group("hatters")), await got(admin.get_groups()), await got(admin.get_users())])
    for stream in (admin.iter_users(), admin.iter_groups(), admin.iter_users_in_group("hatters")):
        assert repr(await listed(stream))
    await got(admin.admin_remove_user_from_group("alice", "hatters"))
    with stage.refused(exceptions.UserNotFoundException):
        await got(admin.admin_disable_user("gryphon"))
    secret = {"client_id": "oidc-client-of-wonderland", "client_secret": "the-jabberwock-with-eyes-of-flame"}
    details = {**secret, "authorize_scopes": "openid", "oidc_issuer": "https://issuer.wonderland.example"}
    details["attributes_request_method"] = "GET"
    await got(admin.admin_create_identity_provider(pool_id, "Google", "Google", details))
    await got(admin.admin_describe_identity_provider(pool_id, "Google"))
    await got(admin.admin_update_identity_provider(pool_id, "Google", ProviderDetails=details))
    await got(admin.describe_user_pool_client(pool_id, client_id))
    await got(admin.admin_update_user_pool_client(pool_id, client_id, ClientName="renamed"))


STORIES: dict[str, tuple[Any, dict[str, Any]]] = {
    "sign-up": (sign_up, {}),
    "passwords": (passwords, {}),
    "new password": (new_password, {}),
    "second factors": (second_factors, {}),
    "factor that the pool demands": (factor_that_the_pool_demands, {}),
    "custom challenges": (custom, {}),
    "choices": (choices, {"pool_settings": EVERY_FACTOR}),
    "devices": (devices, {"remember_devices": True}),
    "tokens": (tokens, {"client_settings": ROTATION}),
    "administration": (administration, {}),
}
