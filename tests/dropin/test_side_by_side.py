"""The same program text with pycognito, unmodified, and with srpcore: equal return values and attributes."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import srpcore
import srpcore.utils
from srpcore.crypto.totp import totp
from support.users import OTHER_PASSWORD, PASSWORD

from .stage import Stage, normal

pycognito = pytest.importorskip("pycognito")
requests = pytest.importorskip("requests")
pytest.importorskip("boto3")

importlib.import_module("pycognito.utils")

pytestmark = pytest.mark.counterpart

Program = Callable[[Stage], Iterator[Any]]
PROGRAMS: list[Any] = []


def program(**settings: Any) -> Callable[[Program], Program]:
    """Have the function run with both modules, each over a pool with *settings*."""

    def keep(function: Program) -> Program:
        PROGRAMS.append(pytest.param(function, settings, id=function.__name__))
        return function

    return keep


# What a pycognito object has from the start, without the client, and what differs by promise: the key set is fetched
# at another moment, and what the sub is differs from pool to pool.
ATTRIBUTES = (
    "user_pool_id user_pool_region client_id username client_secret token_type id_claims access_claims "
    "custom_attributes base_attributes pool_domain_url user_pool_url mfa_tokens"
).split()


def state(user: Any) -> dict[str, Any]:
    """Return the attributes of *user*, of the tokens only whether they are there."""
    shown = {name: getattr(user, name) for name in ATTRIBUTES if name not in ("id_claims", "access_claims")}
    # Claims are a read-only mapping or a dictionary: equal either way.
    shown |= {name: dict(getattr(user, name) or {}) for name in ("id_claims", "access_claims")}
    shown |= {name: getattr(user, name) is not None for name in ("id_token", "access_token", "refresh_token")}
    if user.mfa_tokens:
        shown["mfa_tokens"] = {key: user.mfa_tokens[key] for key in ("ChallengeName", "Session")}
    return shown


@program()
def sign_up(stage: Stage) -> Iterator[Any]:
    user = stage.user()
    user.set_base_attributes(email="alice@example.com", name="Alice", email_address="x")
    user.base_attributes.pop("email_address")
    yield user.register("alice", PASSWORD, client_metadata={"from": "web"})
    yield user.username, user.password, user.email, user.name
    yield user.resend_confirmation_code("alice")
    yield stage.refused(user.confirm_sign_up, "000000")
    yield user.confirm_sign_up(stage.code())
    yield stage.refused(stage.user().register, "alice", PASSWORD)
    yield stage.refused(stage.user().register, "bob", "short")
    yield user.authenticate(PASSWORD)
    yield state(user)
    yield user.get_user()


@program()
def sign_up_of_another(stage: Stage) -> Iterator[Any]:
    yield stage.user().register("bob", PASSWORD)
    administrator = stage.user()
    yield administrator.confirm_sign_up.__name__
    yield administrator.admin_confirm_sign_up("bob")
    yield stage.refused(administrator.admin_confirm_sign_up, "nobody")
    bob = stage.user("bob")
    yield bob.authenticate(PASSWORD), state(bob)


@program(pool_settings={"Schema": [{"Name": "tier", "AttributeDataType": "String", "Mutable": True}]})
def attributes(stage: Stage) -> Iterator[Any]:
    user = stage.user()
    user.set_base_attributes(mail="alice@example.com", given_name="Alice")
    user.add_custom_attributes(tier="gold")
    yield user.base_attributes, user.custom_attributes
    yield user.register("alice", PASSWORD, attr_map={"email": "mail"})
    yield user.confirm_sign_up(stage.code())
    yield user.authenticate(PASSWORD)
    for attr_map in (None, {"custom:tier": "tier", "given_name": "first_name"}, {}):
        yield user.get_user(attr_map=attr_map)
    yield user.update_profile(
        {"first_name": "Alicia", "tier": "silver"}, {"custom:tier": "tier", "given_name": "first_name"}
    )
    found = user.get_user({"custom:tier": "tier"})
    yield found.tier, found.given_name, found.email, found.sub == user.access_claims["sub"], found.email_verified
    found.tier = "bronze"
    yield found.save(), user.get_user({"custom:tier": "tier"})
    yield stage.refused(getattr, found, "nothing")
    yield user.admin_update_profile({"given_name": "A"}), user.admin_get_user({"custom:tier": "tier"})


@program()
def log_in(stage: Stage) -> Iterator[Any]:
    user = stage.signed_up(email="alice@example.com")
    yield state(user)
    yield stage.refused(user.authenticate, OTHER_PASSWORD), state(user)
    yield stage.refused(stage.user("nobody").authenticate, OTHER_PASSWORD)
    yield user.authenticate(PASSWORD, client_metadata={"from": "web"}), state(user)
    yield user.check_token(), user.check_token(renew=False)
    yield user.verify_tokens(), state(user)
    yield user.verify_token(user.access_token, "access_token", "access")["username"]
    yield stage.refused(user.verify_token, user.id_token, "access_token", "access")[0] != ""
    yield sorted(user.get_keys()), sorted(user.get_keys()["keys"][0])
    kid = user.get_keys()["keys"][0]["kid"]
    yield user.get_key(kid) == user.get_keys()["keys"][0]
    again = stage.user("alice", id_token=user.id_token, access_token=user.access_token)
    yield state(again), again.verify_tokens(), state(again)
    yield user.logout(), {name: value for name, value in state(user).items() if not name.endswith("_claims")}
    yield stage.refused(user.check_token)[0] in ("AttributeError", "AccessTokenRequired")


@program()
def refresh(stage: Stage) -> Iterator[Any]:
    user = stage.signed_up()
    user.authenticate(PASSWORD)
    before = user.access_token, user.refresh_token
    yield user.renew_access_token(), state(user)
    yield user.access_token != before[0], user.refresh_token == before[1]
    user.refresh_token = "made up"
    yield stage.refused(user.renew_access_token)
    yield state(user)
    user.refresh_token = before[1]
    user.client.global_sign_out(AccessToken=user.access_token)
    yield stage.refused(user.renew_access_token), state(user)


@program(client_secret=True)
def client_with_a_secret(stage: Stage) -> Iterator[Any]:
    user = stage.user("alice")
    yield user.register("alice", PASSWORD), user.admin_confirm_sign_up()
    yield user.authenticate(PASSWORD), state(user)
    yield user.renew_access_token(), state(user)
    yield user.admin_authenticate(PASSWORD), state(user)
    stranger = stage.user("alice", client_secret=None)
    yield stage.refused(stranger.authenticate, PASSWORD)
    yield user.initiate_forgot_password.__name__
    parameters: dict[str, Any] = {}
    yield user._add_secret_hash(parameters, "SECRET_HASH")
    yield parameters["SECRET_HASH"] == stage.module.AWSSRP.get_secret_hash(
        "alice", stage.pool.client_id, stage.pool.client_secret
    )


@program()
def administrators_log_in(stage: Stage) -> Iterator[Any]:
    user = stage.signed_up()
    yield user.admin_authenticate(PASSWORD), state(user)
    yield stage.refused(user.admin_authenticate, OTHER_PASSWORD), state(user)
    yield user.admin_disable_user("alice")
    yield stage.refused(user.admin_authenticate, PASSWORD)
    yield user.admin_enable_user("alice"), user.admin_authenticate(PASSWORD)


@program()
def temporary_password(stage: Stage) -> Iterator[Any]:
    administrator = stage.user()
    yield administrator.admin_create_user(
        "bob", temporary_password=PASSWORD, additional_kwargs={"MessageAction": "SUPPRESS"}, email="bob@example.com"
    )
    yield administrator.username, administrator.email
    bob = stage.user("bob")
    with pytest.raises(stage.module.exceptions.ForceChangePasswordException, match="Change password before"):
        bob.authenticate(PASSWORD)
    yield state(bob)
    yield bob.new_password_challenge(PASSWORD, OTHER_PASSWORD), state(bob)
    yield bob.authenticate(OTHER_PASSWORD), bob.get_user()
    yield stage.refused(administrator.admin_create_user, "bob")
    yield administrator.admin_create_user("carol", attr_map={"email": "mail"}, mail="carol@example.com")
    carol = stage.user("carol")
    yield carol.new_password_challenge(stage.code("carol"), PASSWORD), state(carol)


@program()
def forgotten_password(stage: Stage) -> Iterator[Any]:
    user = stage.signed_up(email="alice@example.com", email_verified="true")
    yield user.initiate_forgot_password()
    yield stage.refused(user.confirm_forgot_password, "000000", OTHER_PASSWORD)
    yield user.confirm_forgot_password(stage.code(), OTHER_PASSWORD), user.password
    yield user.authenticate(OTHER_PASSWORD), state(user)
    yield user.admin_reset_password("alice"), user.admin_reset_password("alice", {"by": "admin"})
    yield stage.refused(user.authenticate, OTHER_PASSWORD)
    yield user.confirm_forgot_password(stage.code(), PASSWORD), user.authenticate(PASSWORD)


@program()
def own_password_and_email(stage: Stage) -> Iterator[Any]:
    user = stage.signed_up(email="alice@example.com")
    user.authenticate(PASSWORD)
    yield user.change_password(PASSWORD, OTHER_PASSWORD), user.password
    yield stage.refused(user.change_password, PASSWORD, OTHER_PASSWORD)
    yield user.update_profile({"email": "new@example.com"}), user.get_user()
    yield user.send_verification(), user.send_verification("email")
    yield stage.refused(user.validate_verification, "000000")
    yield user.validate_verification(stage.code()), user.get_user().email_verified
    yield stage.refused(user.send_verification, "phone_number")
    yield user.logout(), stage.refused(user.send_verification)[0] in ("AttributeError", "AccessTokenRequired")


@program()
def many_users(stage: Stage) -> Iterator[Any]:
    for number in range(63):
        stage.create(f"user-{number:02}", name=f"Name {number}")
    administrator = stage.user()
    found = administrator.get_users(attr_map={"name": "full_name"})
    yield sorted(user.username for user in found), sorted(user.full_name for user in found)
    one = next(user for user in found if user.username == "user-07")
    # pycognito gives a listed user no other metadata; ours gives all that the service lists.
    one._metadata = {"username": one._metadata["username"]}
    yield one
    one = stage.user("user-07")
    yield one.admin_get_user(), one.admin_get_user().enabled, one.admin_get_user().user_status
    yield one.admin_delete_user(), stage.refused(one.admin_get_user)
    yield len(administrator.get_users())
    other = stage.user("user-08")
    other.authenticate(PASSWORD)
    yield other.get_user().delete(), stage.refused(other.get_user)
    third = stage.user("user-09")
    yield third.admin_get_user().delete(admin=True), stage.refused(third.admin_get_user)
    fourth = stage.user("user-10")
    fourth.authenticate(PASSWORD)
    yield fourth.delete_user(), stage.refused(fourth.authenticate, PASSWORD)


@program()
def groups(stage: Stage) -> Iterator[Any]:
    user = stage.signed_up()
    for name in ("readers", "writers"):
        stage.admin("CreateGroup", GroupName=name, Description=f"The {name}", Precedence=1)
    yield user.get_group("readers"), user.get_group(group_name="writers").description
    yield sorted(group.group_name for group in user.get_groups())
    yield user.admin_add_user_to_group("alice", "readers"), user.admin_add_user_to_group("alice", "writers")
    yield sorted(user.admin_list_groups_for_user("alice"))
    yield user.admin_remove_user_from_group("alice", "readers"), user.admin_list_groups_for_user("alice")
    yield stage.refused(user.get_group, "nobody"), stage.refused(user.admin_add_user_to_group, "nobody", "readers")
    user.authenticate(PASSWORD)
    yield user.access_claims["cognito:groups"], repr(user.get_group("writers"))


@program()
def identity_providers(stage: Stage) -> Iterator[Any]:
    user, pool_id = stage.user(), stage.pool.user_pool_id
    details = {"client_id": "1", "client_secret": "2", "authorize_scopes": "openid"}
    yield user.admin_create_identity_provider(pool_id, "Google", "Google", details, AttributeMapping={"email": "email"})
    yield user.admin_describe_identity_provider(pool_id, "Google")
    yield user.admin_update_identity_provider(pool_id, "Google", ProviderDetails={**details, "client_id": "3"})
    yield user.admin_describe_identity_provider(pool_id, provider_name="Google")
    yield stage.refused(user.admin_describe_identity_provider, pool_id, "Facebook")
    yield user.describe_user_pool_client(pool_id, stage.pool.client_id)
    yield user.admin_update_user_pool_client(pool_id, stage.pool.client_id, ClientName="another")
    yield user.describe_user_pool_client(pool_id, stage.pool.client_id)


@program()
def second_factor(stage: Stage) -> Iterator[Any]:
    user = stage.signed_up()
    user.authenticate(PASSWORD)
    secret = user.associate_software_token()
    now = time.time()
    yield stage.refused(user.verify_software_token, "000000")
    yield user.verify_software_token(totp(secret, now), "phone")
    yield stage.refused(user.set_user_mfa_preference, False, True)[0] in ("ValueError", "ConfigurationError")
    yield user.set_user_mfa_preference(False, True, "SOFTWARE_TOKEN")
    yield user.get_user()
    with pytest.raises(
        stage.module.exceptions.SoftwareTokenMFAChallengeException, match="Do Software Token MFA"
    ) as caught:
        user.authenticate(PASSWORD)
    tokens = caught.value.get_tokens()
    yield tokens["ChallengeName"], sorted(set(tokens) - {"ResponseMetadata"}), tokens is user.mfa_tokens
    yield stage.refused(user.respond_to_software_token_mfa_challenge, "000000")
    with pytest.raises(stage.module.exceptions.MFAChallengeException) as caught:
        user.authenticate(PASSWORD)
    other = stage.user("alice")
    yield other.respond_to_software_token_mfa_challenge(totp(secret, now + 30), caught.value.get_tokens()), state(other)
    yield other.set_user_mfa_preference(False, False), other.authenticate(PASSWORD)


@program()
def sms_code(stage: Stage) -> Iterator[Any]:
    user = stage.signed_up(phone_number="+15550100", phone_number_verified="true")
    user.authenticate(PASSWORD)
    yield user.set_user_mfa_preference(True, False, preferred="SMS")
    with pytest.raises(stage.module.exceptions.SMSMFAChallengeException, match="Do SMS MFA"):
        user.authenticate(PASSWORD)
    yield state(user)
    yield stage.refused(user.respond_to_sms_mfa_challenge, "000000")
    with pytest.raises(stage.module.exceptions.SMSMFAChallengeException):
        user.authenticate(PASSWORD)
    yield user.respond_to_sms_mfa_challenge(stage.code()), state(user)


@program()
def requests_auth(stage: Stage) -> Iterator[Any]:
    user = stage.signed_up()
    for arguments in ({}, {"http_header": "X-Token", "http_header_prefix": "", "auth_token_type": "ID_TOKEN"}):
        kind = stage.module.utils.TokenType[arguments.pop("auth_token_type", "ACCESS_TOKEN")]
        auth = stage.module.utils.RequestsSrpAuth(
            username="alice",
            password=PASSWORD,
            user_pool_id=stage.pool.user_pool_id,
            user_pool_region="us-east-1",
            client_id=stage.pool.client_id,
            boto3_client_kwargs=dict(user_kwargs(stage)),
            auth_token_type=kind,
            **arguments,
        )
        stage.clients.append(auth.cognito_client.client)
        prepared = requests.Request("GET", "http://127.0.0.1/", auth=auth).prepare()
        yield (
            sorted(prepared.headers),
            state(auth.cognito_client),
            auth.username,
            auth.http_header,
            str(auth.token_type),
        )
        value = prepared.headers[auth.http_header].removeprefix(auth.http_header_prefix)
        yield value == getattr(auth.cognito_client, kind.value), sorted(kind.__class__.__members__)
    user.authenticate(PASSWORD)
    own = stage.module.utils.RequestsSrpAuth(cognito=user)
    prepared = requests.Request("GET", "http://127.0.0.1/", auth=own).prepare()
    yield prepared.headers["Authorization"] == f"Bearer {user.access_token}", own.cognito_client is user


def user_kwargs(stage: Stage) -> dict[str, str]:
    kwargs: dict[str, str] = stage.arguments.get("boto3_client_kwargs") or {}
    # pycognito writes into the dictionary that it is given.
    return {name: kwargs[name] for name in ("endpoint_url", "aws_access_key_id", "aws_secret_access_key")}


@program()
def srp_by_hand(stage: Stage) -> Iterator[Any]:
    user = stage.signed_up()
    srp = stage.module.aws_srp.AWSSRP(
        username="alice",
        password=PASSWORD,
        pool_id=stage.pool.user_pool_id,
        client_id=stage.pool.client_id,
        client=user.client,
    )
    yield sorted(srp.get_auth_params()), srp.big_n == int(stage.module.aws_srp.N_HEX, 16), srp.val_g
    reply = srp.authenticate_user(client_metadata={"from": "web"})
    yield sorted(set(reply) - {"ResponseMetadata"}), sorted(reply["AuthenticationResult"])
    yield reply["AuthenticationResult"]["TokenType"], reply["AuthenticationResult"]["ExpiresIn"]
    user._set_tokens(reply)
    yield state(user)
    user._set_attributes({"ResponseMetadata": {"HTTPStatusCode": 200}}, {"one": 1})
    user._set_attributes({"ResponseMetadata": {"HTTPStatusCode": 400}}, {"one": 2})
    yield user.one


@program()
def refusals_of_botocore(stage: Stage) -> Iterator[Any]:
    user = stage.signed_up()
    yield botocores(user.get_user)
    user.authenticate(PASSWORD)
    for call in (
        lambda: user.change_password(PASSWORD, None),
        lambda: user.change_password(None, PASSWORD),
        lambda: user.register("bob", None),
        lambda: user.register(None, PASSWORD),
        lambda: user.confirm_forgot_password("1", None),
        lambda: stage.user(None).admin_get_user(),
        lambda: stage.user(None).initiate_forgot_password(),
        lambda: stage.user("alice").update_profile({"name": "a"}),
        lambda: stage.user("alice").associate_software_token(),
        lambda: stage.user("alice").delete_user(),
        lambda: stage.user("alice").logout(),
        lambda: user.admin_add_user_to_group(None, "readers"),
    ):
        yield botocores(call)


def botocores(call: Callable[[], Any]) -> bool:
    from botocore.exceptions import ParamValidationError

    with pytest.raises(ParamValidationError):
        call()
    return True


def run(make: Callable[..., Stage], function: Program, way: str, module: Any, settings: dict[str, Any]) -> list[Any]:
    stage = make(way, module, **settings)
    return [normal(value, stage.pool) for value in function(stage)]


# These two are about boto3's own clients.
ABOUT_BOTO = ("requests_auth", "refusals_of_botocore")


@pytest.mark.parametrize(("function", "settings"), PROGRAMS)
def test_the_same_program_with_one_word_changed(
    on_stage: Callable[..., Stage], function: Program, settings: dict[str, Any]
) -> None:
    theirs = run(on_stage, function, "botocore", pycognito, settings)
    assert theirs
    for way in ["botocore"] if function.__name__ in ABOUT_BOTO else ["botocore", "https", "in process"]:
        ours = run(on_stage, function, way, srpcore, settings)
        for step, (expected, actual) in enumerate(zip(theirs, ours, strict=True)):
            assert actual == expected, f"step {step} of {function.__name__}, by {way}"
