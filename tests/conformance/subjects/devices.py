"""Tracked devices: confirm, log in with, refresh with, list and forget them."""

from __future__ import annotations

import re

from ..probes import UNSURE, Refused, api, guide, members, probe, refused, tried
from ..stage import PASSWORD, TRACKED, Pool, Stage, claims
from .user_pools import NUMBER

DEVICES = guide("amazon-cognito-user-pools-device-tracking")
CLIENT = "https://github.com/aws-amplify/amplify-js/tree/main/packages/amazon-cognito-identity-js"


def _pool(s: Stage, *, prompts: bool = False) -> Pool:
    return s.new_pool(DeviceConfiguration={**TRACKED, "DeviceOnlyRememberedOnUserPrompt": prompts})


@probe(DEVICES)
def new_device_at_a_login(s: Stage) -> None:
    pool = _pool(s)
    result = pool.client.tokens(pool.user())
    members(
        result["NewDeviceMetadata"],
        DeviceKey=re.compile(rf"{s.target.region}_[0-9a-f-]{{36}}"),
        DeviceGroupKey=str,
    )
    assert claims(result["AccessToken"])["device_key"] == result["NewDeviceMetadata"]["DeviceKey"]


@probe(DEVICES)
def no_device_if_devices_are_not_tracked(s: Stage) -> None:
    result = s.pool.client.tokens(s.pool.user())
    assert "NewDeviceMetadata" not in result
    assert "device_key" not in claims(result["AccessToken"])


@probe(api("ConfirmDevice"))
def confirmation_tells_whether_the_user_must_agree(s: Stage) -> None:
    for prompts in (False, True):
        pool = _pool(s, prompts=prompts)
        _, reply = pool.client.confirm_device(pool.client.tokens(pool.user()))
        assert reply["UserConfirmationNecessary"] is prompts


@probe(DEVICES)
def login_with_a_device(s: Stage) -> None:
    pool = _pool(s)
    user = pool.user()
    device, _ = pool.client.confirm_device(pool.client.tokens(user))
    challenge = pool.client.log_in(user, DEVICE_KEY=device.key)
    assert challenge["ChallengeName"] == "DEVICE_SRP_AUTH"
    done = pool.client.finish_device(user, device, challenge.get("Session"))
    assert "NewDeviceMetadata" not in done["AuthenticationResult"]
    assert claims(done["AuthenticationResult"]["AccessToken"])["device_key"] == device.key


@probe(DEVICES)
def login_by_srp_with_a_device(s: Stage) -> None:
    pool = _pool(s)
    user = pool.user()
    device, _ = pool.client.confirm_device(pool.client.tokens(user))
    challenge = pool.client.srp(user, DEVICE_KEY=device.key)
    assert challenge["ChallengeName"] == "DEVICE_SRP_AUTH"
    assert "AuthenticationResult" in pool.client.finish_device(user, device, challenge.get("Session"))


@probe(DEVICES)
def remembered_device_replaces_the_second_factor(s: Stage) -> None:
    pool = s.mfa_pool(DeviceConfiguration=TRACKED)
    user = pool.user()
    code = pool.client.enrol(user)
    done = pool.client.answer(pool.client.log_in(user), user, SOFTWARE_TOKEN_MFA_CODE=code())
    device, _ = pool.client.confirm_device(done["AuthenticationResult"])
    challenge = pool.client.log_in(user, DEVICE_KEY=device.key)
    assert challenge["ChallengeName"] == "DEVICE_SRP_AUTH"
    assert "AuthenticationResult" in pool.client.finish_device(user, device, challenge.get("Session"))


@probe(CLIENT)
def device_after_the_second_factor(s: Stage) -> None:
    # amazon-cognito-identity-js sends DEVICE_KEY with the code, and then, at DEVICE_SRP_AUTH, the Session of the
    # challenge before, because it does not keep the one that came with DEVICE_SRP_AUTH.
    pool = s.mfa_pool(DeviceConfiguration={**TRACKED, "ChallengeRequiredOnNewDevice": False})
    user = pool.user()
    code = pool.client.enrol(user)
    done = pool.client.answer(pool.client.log_in(user), user, SOFTWARE_TOKEN_MFA_CODE=code())
    device, _ = pool.client.confirm_device(done["AuthenticationResult"])
    challenge = pool.client.log_in(user)
    assert challenge["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    following = pool.client.answer(challenge, user, SOFTWARE_TOKEN_MFA_CODE=code(), DEVICE_KEY=device.key)
    assert following["ChallengeName"] == "DEVICE_SRP_AUTH"
    assert "AuthenticationResult" in pool.client.finish_device(user, device, challenge["Session"])


@probe(UNSURE, question="is the Session of the challenge before DEVICE_SRP_AUTH checked, or a Session at all?")
def device_challenge_without_a_session(s: Stage) -> None:
    pool = _pool(s)
    user = pool.user()
    device, _ = pool.client.confirm_device(pool.client.tokens(user))
    challenge = pool.client.log_in(user, DEVICE_KEY=device.key)
    assert challenge["ChallengeName"] == "DEVICE_SRP_AUTH"
    assert "AuthenticationResult" in pool.client.finish_device(user, device, None)


@probe(DEVICES)
def wrong_password_of_a_device(s: Stage) -> None:
    pool = _pool(s)
    user = pool.user()
    device, _ = pool.client.confirm_device(pool.client.tokens(user))
    challenge = pool.client.log_in(user, DEVICE_KEY=device.key)
    device.password += "x"
    with refused("NotAuthorizedException", "^Incorrect username or password.$"):
        pool.client.finish_device(user, device, challenge.get("Session"))


@probe("https://github.com/aws-amplify/amplify-js/tree/main/packages/auth/src/providers/cognito")
def device_that_does_not_exist(s: Stage) -> None:
    pool = _pool(s)
    user = pool.user()
    device, _ = pool.client.confirm_device(pool.client.tokens(user))
    token = pool.client.tokens(user)["AccessToken"]
    s.call("ForgetDevice", AccessToken=token, DeviceKey=device.key)
    with refused("ResourceNotFoundException", "^Device does not exist.$"):
        s.call("GetDevice", AccessToken=token, DeviceKey=device.key)
    reply = tried(lambda: pool.client.log_in(user, DEVICE_KEY=device.key))
    if isinstance(reply, Refused):
        assert (reply.code, reply.message) == ("ResourceNotFoundException", "Device does not exist.")
    else:
        assert "AuthenticationResult" in reply


@probe(DEVICES)
def refresh_needs_the_device(s: Stage) -> None:
    pool = _pool(s)
    user = pool.user()
    result = pool.client.tokens(user)
    device, _ = pool.client.confirm_device(result)
    with refused("NotAuthorizedException", "^Invalid Refresh Token"):
        pool.client.refresh(result["RefreshToken"])
    refreshed = pool.client.refresh(result["RefreshToken"], DEVICE_KEY=device.key)
    assert claims(refreshed["AccessToken"])["device_key"] == device.key


@probe(api("DeviceType"))
def description_of_a_device(s: Stage) -> None:
    pool = _pool(s)
    user = pool.user()
    result = pool.client.tokens(user)
    device, _ = pool.client.confirm_device(result)
    found = s.call("GetDevice", AccessToken=result["AccessToken"], DeviceKey=device.key)["Device"]
    members(found, DeviceKey=device.key, DeviceAttributes=list, DeviceCreateDate=NUMBER, DeviceLastModifiedDate=NUMBER)
    listed = s.call("ListDevices", AccessToken=result["AccessToken"])["Devices"]
    assert [entry["DeviceKey"] for entry in listed] == [device.key]
    assert pool.admin("AdminGetDevice", Username=user, DeviceKey=device.key)["Device"]["DeviceKey"] == device.key


@probe(api("UpdateDeviceStatus"))
def device_is_remembered_when_the_user_agrees(s: Stage) -> None:
    pool = _pool(s, prompts=True)
    user = pool.user()
    result = pool.client.tokens(user)
    device, _ = pool.client.confirm_device(result)
    s.call(
        "UpdateDeviceStatus",
        AccessToken=result["AccessToken"],
        DeviceKey=device.key,
        DeviceRememberedStatus="remembered",
    )
    found = pool.admin("AdminGetDevice", Username=user, DeviceKey=device.key)["Device"]
    shown = {entry["Name"]: entry["Value"] for entry in found["DeviceAttributes"]}
    assert shown["device_status"] == "valid"


@probe(api("ConfirmDevice"))
def device_of_somebody_else_is_not_confirmed(s: Stage) -> None:
    pool = _pool(s)
    first, second = pool.client.tokens(pool.user()), pool.client.tokens(pool.user(password=PASSWORD))
    stolen = {**second, "NewDeviceMetadata": first["NewDeviceMetadata"]}
    with refused("ResourceNotFoundException|InvalidParameterException|NotAuthorizedException"):
        pool.client.confirm_device(stolen)
