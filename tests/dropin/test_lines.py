"""What "replace one word" demands of errors, constructors, login and tokens: each demand a test."""

from __future__ import annotations

import base64
import hashlib
import inspect
import json
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

import srpcore
from srpcore import aws_srp, exceptions
from srpcore.protocol import Operation, Reply
from srpcore_transports.local.storage.state import State
from support.users import OTHER_PASSWORD, PASSWORD
from support.world import Wire, error

from .stage import WAYS, Stage, boto_arguments

POOL_ID = "us-east-1_AbCd12345"


def reply(**result: Any) -> dict[str, Any]:
    """Return a reply with tokens that nobody can verify."""
    tokens = {"TokenType": "Bearer", "IdToken": "an id token", "AccessToken": "an access token", **result}
    return {"AuthenticationResult": tokens}


def of(name: str, operations: list[Operation]) -> list[dict[str, Any]]:
    return [dict(operation.parameters) for operation in operations if operation.name == name]


def wired(stage: Stage) -> Wire:
    """Put a wire that keeps what is asked between the stage's users and the pool."""
    wire = Wire(stage.pool)
    stage.arguments["transport"] = wire
    return wire


class Remembering(srpcore.Cognito):
    """A subclass as people write it: it takes every token as it is, and keeps what it was asked."""

    asked: list[tuple[str, str, str]]
    answer: Any = None

    def verify_token(self, token: str, id_name: str, token_use: str) -> Any:
        self.asked = [*getattr(self, "asked", []), (token, id_name, token_use)]
        if isinstance(self.answer, Exception):
            raise self.answer
        setattr(self, id_name, token)
        return self.answer


# Errors


@pytest.mark.counterpart
def test_a_service_error_also_derives_from_botocores_on_every_transport(stage: Stage) -> None:
    """While `botocore.exceptions` is in `sys.modules`, a raised `ServiceError` also derives from `ClientError`."""
    from botocore.exceptions import ClientError

    user = stage.signed_up()
    with pytest.raises(ClientError) as caught:
        user.authenticate(OTHER_PASSWORD)
    assert isinstance(caught.value, srpcore.ServiceError)
    assert caught.value.response["Error"]["Code"] == "NotAuthorizedException"
    assert caught.value.operation_name == "RespondToAuthChallenge"
    with pytest.raises(ClientError):
        user.client.sign_up(ClientId=stage.pool.client_id, Username="alice", Password=PASSWORD)


def test_the_clients_exceptions_catch_it_on_every_transport(stage: Stage) -> None:
    """Existing programs catch it or `u.client.exceptions.X`."""
    user = stage.signed_up()
    with pytest.raises(user.client.exceptions.NotAuthorizedException):
        user.authenticate(OTHER_PASSWORD)
    with pytest.raises(user.client.exceptions.UsernameExistsException):
        user.register("alice", PASSWORD)
    with pytest.raises(user.client.exceptions.ClientError):
        user.client.admin_get_user(UserPoolId=stage.pool.user_pool_id, Username="nobody")
    with pytest.raises(user.client.exceptions.UserNotFoundException) as caught:
        stage.user("nobody").admin_get_user()
    assert not isinstance(caught.value, user.client.exceptions.NotAuthorizedException)


def test_other_errors_derive_from_those_of_pycognito(on_stage: Callable[..., Stage]) -> None:
    """What pycognito raised as ValueError, AttributeError or NotImplementedError derives from those too."""
    stage = on_stage()
    user = stage.signed_up()
    with pytest.raises(AttributeError):
        user.check_token()
    with pytest.raises(AttributeError):
        user.change_password(PASSWORD, OTHER_PASSWORD)
    with pytest.raises(ValueError, match="preferred"):
        user.set_user_mfa_preference(True, False, "E-MAIL")
    with pytest.raises(ValueError, match="pool_region"):
        srpcore.AWSSRP("alice", PASSWORD, POOL_ID, "id", pool_region="us-east-1", client=user.client)
    with pytest.raises(ValueError, match="device_key"):
        srpcore.AWSSRP("alice", PASSWORD, POOL_ID, "id", client=user.client, device_key="key")
    client = mock.Mock()
    client.initiate_auth.return_value = {"ChallengeName": "DANCE", "ChallengeParameters": {}}
    with pytest.raises(NotImplementedError, match="DANCE"):
        srpcore.AWSSRP("alice", PASSWORD, POOL_ID, "id", client=client).authenticate_user()


@pytest.mark.counterpart
@pytest.mark.parametrize(
    "call",
    [
        lambda user: user.change_password(PASSWORD, None),
        lambda user: user.change_password(None, PASSWORD),
        lambda user: user.confirm_forgot_password("1", None),
        lambda user: user.register(None, PASSWORD),
    ],
)
def test_what_botocore_refuses_on_its_transport_is_refused_by_others_before_it_is_sent(
    on_stage: Callable[..., Stage], call: Callable[[Any], Any]
) -> None:
    """On the botocore transport nothing is validated before botocore does: `ParamValidationError` reaches the caller."""
    from botocore.exceptions import ParamValidationError

    over_botocore = on_stage("botocore").signed_up()
    over_botocore.authenticate(PASSWORD)
    with pytest.raises(ParamValidationError):
        call(over_botocore)
    stage = on_stage()
    wire = wired(stage)
    user = stage.signed_up()
    user.authenticate(PASSWORD)
    wire.clear()
    with pytest.raises(exceptions.ConfigurationError, match="must be a string, not NoneType"):
        call(user)
    assert wire.operations == []


@pytest.mark.counterpart
def test_without_an_access_token(on_stage: Callable[..., Stage]) -> None:
    """`ParamValidationError` reaches the caller (as itself or a subclass): also where there is no access token."""
    from botocore.exceptions import ParamValidationError

    for name, expected in (("botocore", ParamValidationError), ("in process", exceptions.AccessTokenRequired)):
        user = on_stage(name).user("alice")
        for method in (user.get_user, user.logout, user.delete_user, user.associate_software_token):
            with pytest.raises(expected):
                method()


@pytest.mark.counterpart
def test_without_a_client_id(on_stage: Callable[..., Stage]) -> None:
    """`ParamValidationError` reaches the caller (as itself or a subclass): also where there is no app client's id."""
    from botocore.exceptions import ParamValidationError

    stage = on_stage("botocore")
    user = stage.user("alice")
    user.client_id = None
    calls: list[Callable[[], Any]] = [
        lambda: user.register("alice", PASSWORD),
        lambda: user.confirm_sign_up("1"),
        lambda: user.resend_confirmation_code("alice"),
        lambda: user.initiate_forgot_password(),
        lambda: user.confirm_forgot_password("1", PASSWORD),
    ]
    for call in calls:
        with pytest.raises(ParamValidationError, match="ClientId"):
            call()


# Constructors


def test_constructors_accept_none_and_refuse_at_use(on_stage: Callable[..., Stage]) -> None:
    """Constructors accept None for `client_id`, `username`, `password` and refuse at use."""
    stage = on_stage()
    wire = wired(stage)
    without_client = srpcore.Cognito(POOL_ID, None, username="alice", transport=wire)  # type: ignore[arg-type]
    for call in (
        lambda: without_client.authenticate(PASSWORD),
        lambda: without_client.register("alice", PASSWORD),
        lambda: without_client.initiate_forgot_password(),
        lambda: stage.user().authenticate(PASSWORD),
        lambda: stage.user("alice").authenticate(None),
        lambda: stage.user("alice").admin_authenticate(None),
        lambda: srpcore.AWSSRP(None, PASSWORD, POOL_ID, "id", client=wire).authenticate_user(),
        lambda: srpcore.AWSSRP(None, PASSWORD, POOL_ID, "id", client=wire).get_auth_params(),
        lambda: srpcore.AWSSRP("alice", None, POOL_ID, "id", client=wire).authenticate_user(),
        lambda: srpcore.AWSSRP("alice", PASSWORD, POOL_ID, None, client=wire).authenticate_user(),  # type: ignore[arg-type]
    ):
        with pytest.raises(exceptions.ConfigurationError):
            call()
    assert wire.operations == []


def test_tokens_can_be_set_plainly(on_stage: Callable[..., Stage]) -> None:
    """Token attributes can be set plainly; no `__slots__` on `Cognito`, `UserObj`."""
    user = on_stage().user("alice")
    for name in (
        "id_token access_token refresh_token token_type id_claims access_claims mfa_tokens pool_jwk expires_in "
        "device_key anything"
    ).split():
        setattr(user, name, name)
        assert getattr(user, name) == name
        setattr(user, name, None)
    found = srpcore.UserObj("alice", [], user)
    found.anything = 1
    for cls in (srpcore.Cognito, srpcore.AsyncCognito, srpcore.UserObj, srpcore.GroupObj, srpcore.AWSSRP):
        assert not [base for base in cls.__mro__ if "__slots__" in vars(base)], cls


def test_what_is_new_is_keyword_only() -> None:
    """Keyword-only and new: `transport`, `endpoint_url`, `device` (a remembered device, or None), `store`, ..."""
    parameters = inspect.signature(srpcore.Cognito).parameters.values()
    new = {parameter.name: parameter.default for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY}
    assert set(new) >= {"transport", "endpoint_url", "device", "store", "clock", "random_bits"}
    assert new["device"] is new["transport"] is new["endpoint_url"] is new["store"] is None


@pytest.mark.counterpart
def test_botocore_clients_are_made_per_object(on_stage: Callable[..., Stage]) -> None:
    """Botocore clients are made per `Cognito`, never cached at module level."""
    stage = on_stage("botocore")
    assert stage.user().client is not stage.user().client


@pytest.mark.counterpart
def test_the_client_can_be_read_and_set_and_the_session_switched(on_stage: Callable[..., Stage]) -> None:
    """`client` readable and settable; `switch_session`."""
    import boto3

    stage = on_stage()
    user = stage.signed_up()
    assert user.client.list_users(UserPoolId=stage.pool.user_pool_id)["Users"][0]["Username"] == "alice"
    arguments: Any = boto_arguments(user.pool_domain_url)
    theirs = boto3.client("cognito-idp", region_name="us-east-1", **arguments)
    stage.clients.append(theirs)
    user.client = theirs
    assert user.client is theirs
    user.authenticate(PASSWORD)
    session = mock.Mock()
    session.client.return_value = theirs
    user.switch_session(session)
    assert session.client.call_args.args == ("cognito-idp",)
    user.authenticate(PASSWORD)


# Login


def test_authenticate_calls_authenticate_user_of_an_awssrp(on_stage: Callable[..., Stage]) -> None:
    """`Cognito.authenticate` makes an `AWSSRP` and calls its `authenticate_user(client_metadata=...)`."""
    stage = on_stage()
    user = Remembering(stage.pool.user_pool_id, "id", username="alice", transport=stage.pool)
    raw = reply(RefreshToken="a refresh token")
    with mock.patch("srpcore.aws_srp.AWSSRP.authenticate_user", autospec=True, return_value=raw) as patched:
        user.authenticate(PASSWORD, client_metadata={"a": "b"})
    (srp,), named = patched.call_args
    assert named == {"client_metadata": {"a": "b"}}
    assert isinstance(srp, srpcore.AWSSRP)
    assert (srp.username, srp.password, srp.pool_id, srp.client_id) == ("alice", PASSWORD, user.user_pool_id, "id")
    assert (user.access_token, user.id_token, user.refresh_token, user.token_type) == (
        "an access token",
        "an id token",
        "a refresh token",
        "Bearer",
    )


def test_authenticate_user_returns_the_raw_reply(on_stage: Callable[..., Stage]) -> None:
    """... which returns the raw reply."""
    stage = on_stage()
    stage.create()
    srp = srpcore.AWSSRP("alice", PASSWORD, stage.pool.user_pool_id, stage.pool.client_id, client=stage.user().client)
    raw = srp.authenticate_user()
    assert raw["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert raw["AuthenticationResult"]["TokenType"] == "Bearer"


@pytest.mark.counterpart
def test_get_auth_params_and_process_challenge_can_be_patched(on_stage: Callable[..., Stage]) -> None:
    """That goes through the overridable `get_auth_params()` and `process_challenge(parameters, request)`."""
    from botocore.stub import Stubber

    client = on_stage("botocore").user().client
    parameters = {"USERNAME": "bob", "SRP_A": "ab"}
    with (
        mock.patch("srpcore.aws_srp.AWSSRP.get_auth_params", return_value=parameters),
        mock.patch("srpcore.aws_srp.AWSSRP.process_challenge", return_value={"X": "y"}) as process,
        Stubber(client) as stub,
    ):
        stub.add_response(
            "initiate_auth",
            {"ChallengeName": "PASSWORD_VERIFIER", "ChallengeParameters": {"P": "q"}},
            {"AuthFlow": "USER_SRP_AUTH", "AuthParameters": parameters, "ClientId": "id"},
        )
        stub.add_response(
            "respond_to_auth_challenge",
            reply(),
            {"ClientId": "id", "ChallengeName": "PASSWORD_VERIFIER", "ChallengeResponses": {"X": "y"}},
        )
        # Neither a name nor a password: what is patched needs none.
        srp = srpcore.AWSSRP(None, None, POOL_ID, "id", client=client)
        assert srp.authenticate_user()["AuthenticationResult"]["IdToken"] == "an id token"
        stub.assert_no_pending_responses()
    process.assert_called_once_with({"P": "q"}, parameters)


def test_session_is_sent_where_one_came(on_stage: Callable[..., Stage]) -> None:
    """Session is sent where one came."""
    stage = on_stage()
    wire = wired(stage)
    user = stage.signed_up()
    user.authenticate(PASSWORD)
    came: dict[str, Any] = wire.inner.call(wire.operations[0]).document
    assert ("Session" in of("RespondToAuthChallenge", wire.operations)[0]) == ("Session" in came)
    wire.clear()
    wire.instead = lambda operation: (
        Reply({**stage.pool.call(operation).document, "Session": "a session of twenty characters"})
        if operation.name == "InitiateAuth"
        else error("CodeMismatchException")
    )
    with pytest.raises(exceptions.CodeMismatchException):
        user.authenticate(PASSWORD)
    assert of("RespondToAuthChallenge", wire.operations)[0]["Session"] == "a session of twenty characters"


# Tokens


def test_set_tokens_verifies_the_access_token_and_then_the_id_token(on_stage: Callable[..., Stage]) -> None:
    """`_set_tokens(reply)` calls `self.verify_token(token, id_name, token_use)`, ignores what it returns, ..."""
    for answer in (None, False, {"sub": "x"}):
        user = Remembering(POOL_ID, "id", transport=on_stage().pool)
        user.answer = answer
        user._set_tokens(reply())
        assert user.asked == [("an access token", "access_token", "access"), ("an id token", "id_token", "id")]
        # ... and tolerates a missing ExpiresIn.
        assert (user.access_token, user.expires_in, user.refresh_token) == ("an access token", None, None)


def test_set_tokens_can_be_patched_on_the_class_and_the_object(on_stage: Callable[..., Stage]) -> None:
    """... `self.verify_token`: where it is patched, the patch is called."""
    user = srpcore.Cognito(POOL_ID, "id", transport=on_stage().pool)
    with mock.patch("srpcore.Cognito.verify_token", autospec=True) as patched:
        user._set_tokens(reply(ExpiresIn=60))
    assert [call.args[1:] for call in patched.call_args_list] == [
        ("an access token", "access_token", "access"),
        ("an id token", "id_token", "id"),
    ]
    assert user.expires_in == 60
    with mock.patch.object(user, "verify_token") as patched:
        user._set_tokens(reply())
    assert patched.call_count == 2


def test_a_failure_leaves_the_tokens_as_they_were(on_stage: Callable[..., Stage]) -> None:
    """A failure leaves the tokens as they were."""
    stage = on_stage()
    user = stage.signed_up()
    user.authenticate(PASSWORD)
    kept = dict(vars(user))
    bad = reply(AccessToken=user.access_token)
    with pytest.raises(srpcore.TokenVerificationException):
        user._set_tokens(bad)
    assert vars(user) == kept


def test_a_refresh_with_a_patched_verification_needs_no_keys(on_stage: Callable[..., Stage]) -> None:
    """`_set_tokens` calls `self.verify_token`: where that is patched, a refresh fetches no keys."""
    wire = Wire(on_stage().pool)
    wire.instead = lambda operation: Reply(reply(RefreshToken="another"))
    user = Remembering(POOL_ID, "id", username="alice", refresh_token="a refresh token", transport=wire)
    user.renew_access_token()
    assert (wire.fetched, user.refresh_token) == ([], "another")


def test_add_secret_hash_and_set_attributes(on_stage: Callable[..., Stage]) -> None:
    """`_add_secret_hash(params, key)` and `_set_attributes(response, attributes)` exist; ..."""
    stage = on_stage(client_secret=True)
    user, parameters = stage.user("alice"), dict[str, Any]()
    user._add_secret_hash(parameters, "SECRET_HASH")
    secret = stage.pool.client_secret
    assert secret is not None
    assert parameters == {"SECRET_HASH": srpcore.AWSSRP.get_secret_hash("alice", stage.pool.client_id, secret)}
    stage.user(client_secret=None)._add_secret_hash(parameters := {}, "SECRET_HASH")
    assert parameters == {}
    user._set_attributes({"ResponseMetadata": {"HTTPStatusCode": 200}}, {"somewhere": "a", "username": "bob"})
    user._set_attributes({"ResponseMetadata": {"HTTPStatusCode": 500}}, {"somewhere": "b"})
    assert (user.somewhere, user.username) == ("a", "bob")
    # ... a reply without ResponseMetadata counts as 200.
    user._set_attributes({}, {"somewhere": "c"})
    assert user.somewhere == "c"


def jwt(**claims: Any) -> str:
    parts = ({"alg": "HS256"}, claims, "no signature")
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)


@pytest.mark.parametrize("name", ["check_token", "check_tokens"])
def test_check_token_reads_exp_of_a_token_it_has_not_verified(on_stage: Callable[..., Stage], name: str) -> None:
    """`check_token` reads `exp` of an access token it has not verified (and says so); with `renew=True` it refreshes."""
    user = on_stage().user("alice")
    check = getattr(user, name)
    with mock.patch.object(srpcore.Cognito, "renew_access_token") as renew:
        user.access_token = jwt(exp=int(time.time()) + 60)
        assert check() is False
        user.access_token = jwt(exp=32503680000)
        assert check() is False
        user.access_token = jwt(exp=int(time.time()) - 60)
        assert check(renew=False) is True
        assert renew.call_count == 0
        assert check() is True
        assert renew.call_count == 1
    assert "not verified" in (srpcore.Cognito.check_token.__doc__ or "").lower()


def test_these_call_check_token_first(on_stage: Callable[..., Stage]) -> None:
    """`change_password`, `send_verification`, `validate_verification` call it first."""
    stage = on_stage()
    wire = wired(stage)
    user = stage.signed_up(email="alice@example.com")
    user.authenticate(PASSWORD)
    for method, operation, arguments in (
        ("change_password", "ChangePassword", (PASSWORD, PASSWORD)),
        ("send_verification", "GetUserAttributeVerificationCode", ()),
        ("validate_verification", "VerifyUserAttribute", ("000000",)),
    ):
        wire.clear()
        with mock.patch.object(srpcore.Cognito, "check_token", side_effect=LookupError), pytest.raises(LookupError):
            getattr(user, method)(*arguments)
        assert wire.operations == []
        # What it sets is what is sent.
        with (
            mock.patch.object(
                srpcore.Cognito,
                "check_token",
                autospec=True,
                side_effect=lambda self: setattr(self, "access_token", "new"),
            ),
            pytest.raises(srpcore.ServiceError),
        ):
            getattr(user, method)(*arguments)
        assert of(operation, wire.operations)[0]["AccessToken"] == "new"
        user.authenticate(PASSWORD)


def test_an_expired_token_is_refreshed_on_the_way(on_stage: Callable[..., Stage]) -> None:
    """With `renew=True` it refreshes: an expired access token does not keep one from changing the password."""
    ahead = [0.0]
    stage = on_stage(clock=lambda: time.time() + ahead[0])
    user = stage.signed_up()
    user._clock = lambda: time.time() + ahead[0]
    user.authenticate(PASSWORD)
    before, ahead[0] = user.access_token, 7200.0
    user.change_password(PASSWORD, OTHER_PASSWORD)
    assert user.access_token != before
    assert user.password == OTHER_PASSWORD


@pytest.mark.parametrize("secret", [False, True])
def test_refresh_order(on_stage: Callable[..., Stage], secret: bool) -> None:
    """Without a client secret REFRESH_TOKEN_AUTH first, over only where it is off; with a secret the reverse."""
    stage = on_stage(client_secret=secret)
    wire = wired(stage)
    user = stage.signed_up()
    user.authenticate(PASSWORD)
    first, second = ("GetTokensFromRefreshToken", "InitiateAuth")[:: 1 if secret else -1]
    off = error("UnknownOperationException") if secret else error("InvalidParameterException", "flow not enabled")
    for answer, expected in ((None, [first]), (error("NotAuthorizedException"), [first]), (off, [first, second])):
        wire.clear()
        wire.instead = lambda operation, answer=answer: answer if operation.name == first else None  # type: ignore[misc]
        if answer is not None and answer is not off:
            with pytest.raises(exceptions.NotAuthorizedException):
                user.renew_access_token()
        else:
            user.renew_access_token()
        assert [operation.name for operation in wire.operations] == expected
        if user.refresh_token is None:
            user.authenticate(PASSWORD)
    # What worked is remembered.
    wire.clear()
    user.renew_access_token()
    assert [operation.name for operation in wire.operations] == [second]


def test_at_hash(on_stage: Callable[..., Stage]) -> None:
    """`verify_token` of an ID token with `at_hash` checks it against the access token that is there; ..."""
    import jwt as pyjwt

    stage = on_stage()
    user = stage.signed_up()
    user.authenticate(PASSWORD)
    digest = hashlib.sha256(user.access_token.encode()).digest()
    at_hash = base64.urlsafe_b64encode(digest[:16]).decode().rstrip("=")
    kid = pyjwt.get_unverified_header(user.id_token)["kid"]
    claims, private = {**user.id_claims, "at_hash": at_hash}, private_key(stage)
    token = pyjwt.encode(claims, private, algorithm="RS256", headers={"kid": kid})
    assert user.verify_token(token, "id_token", "id")["at_hash"] == at_hash
    user.access_token = "another"
    with pytest.raises(exceptions.AccessTokenHashMismatch):
        user.verify_token(token, "id_token", "id")
    # ... where there is none it is skipped.
    user.access_token = None
    assert user.verify_token(token, "id_token", "id")["at_hash"] == at_hash


def private_key(stage: Stage) -> Any:
    """Return the key that the pool signs with."""
    pem = State(stage.pool._service).run(lambda state: state.pool(stage.pool.user_pool_id).key)
    return load_pem_private_key(str(pem).encode(), None)


@pytest.mark.parametrize("form", [json.dumps, repr])
def test_keys_of_the_environment(
    on_stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch, form: Callable[[Any], str]
) -> None:
    """`COGNITO_JWKS` may be JSON or a Python literal."""
    stage = on_stage()
    wire = wired(stage)
    keys = json.loads(stage.pool.fetch(f"https://x/{stage.pool.user_pool_id}/.well-known/jwks.json"))
    monkeypatch.setenv("COGNITO_JWKS", form(keys))
    user = stage.signed_up()
    user.authenticate(PASSWORD)
    assert (user.get_keys(), user.pool_jwk, wire.fetched) == (keys, keys, [])


# The rest of the surface


def test_surface_beyond_the_documented_methods(on_stage: Callable[..., Stage]) -> None:
    """`expires_in`, ..., `check_tokens` (README's name for check_token)."""
    stage = on_stage()
    user = stage.signed_up()
    user.authenticate(PASSWORD)
    assert user.expires_in == 3600
    assert user.expires_datetime.tzinfo is not None
    assert abs(user.expires_datetime.timestamp() - time.time() - 3600) < 60
    assert (user.token_type, user.mfa_tokens) == ("Bearer", None)
    assert user.id_claims["token_use"] == "id"
    assert user.access_claims["token_use"] == "access"
    assert user.pool_jwk == user.get_keys()
    assert user.user_pool_url == f"{user.pool_domain_url}/{stage.pool.user_pool_id}"
    assert srpcore.Cognito(POOL_ID, "id").user_pool_url == f"https://cognito-idp.us-east-1.amazonaws.com/{POOL_ID}"
    assert srpcore.Cognito(POOL_ID, "id").pool_domain_url is None
    user.set_base_attributes(email="a@example.com")
    user.add_custom_attributes(tier="gold")
    assert (user.base_attributes, user.custom_attributes) == ({"email": "a@example.com"}, {"custom:tier": "gold"})
    user.logout()
    for name in ("expires_in", "expires_datetime", "id_token", "refresh_token", "access_token", "token_type"):
        assert getattr(user, name) is None, name


def test_names_at_the_top_level_and_in_aws_srp() -> None:
    """`srpcore.TokenVerificationException`, `MFAChallengeException`, `AWSSRP` and the four helpers, ..."""
    for name in (
        "TokenVerificationException MFAChallengeException AWSSRP cognito_to_dict dict_to_cognito camel_to_snake "
        "snake_to_camel Cognito UserObj GroupObj"
    ).split():
        assert hasattr(srpcore, name), name
    for name in (
        "pad_hex hex_to_long long_to_hex hash_sha256 hex_hash get_random calculate_u compute_hkdf "
        "generate_hash_device N_HEX G_HEX AWSSRP"
    ).split():
        assert hasattr(aws_srp, name), name
    srp = srpcore.AWSSRP("alice", PASSWORD, POOL_ID, "id", client=mock.Mock())
    assert srp.generate_random_small_a() != srp.generate_random_small_a()
    assert {name: getattr(srp, name) for name in dir(srp) if name.endswith("_CHALLENGE")} == {
        "SMS_MFA_CHALLENGE": "SMS_MFA",
        "SOFTWARE_TOKEN_MFA_CHALLENGE": "SOFTWARE_TOKEN_MFA",
        "NEW_PASSWORD_REQUIRED_CHALLENGE": "NEW_PASSWORD_REQUIRED",
        "PASSWORD_VERIFIER_CHALLENGE": "PASSWORD_VERIFIER",
        "DEVICE_SRP_CHALLENGE": "DEVICE_SRP_AUTH",
        "DEVICE_PASSWORD_VERIFIER_CHALLENGE": "DEVICE_PASSWORD_VERIFIER",
    }


@pytest.mark.parametrize("way", WAYS)
def test_confirm_device_returns_a_response_and_the_device_password(on_stage: Callable[..., Stage], way: str) -> None:
    """`confirm_device` returns `(response, device_password)`, the response having `status_code`, `ok`, `json()`."""
    devices = on_stage(way, remember_devices=True)
    devices.create()
    client = devices.user().client
    pool = devices.pool.user_pool_id, devices.pool.client_id
    srp = srpcore.AWSSRP("alice", PASSWORD, *pool, client=client)
    response, password = srp.confirm_device(srp.authenticate_user(), device_name="laptop")
    assert (response.status_code, response.ok, response.json()["UserConfirmationNecessary"]) == (200, True, False)
    assert len(base64.b64decode(password)) == 40
    again = srpcore.AWSSRP(
        "alice",
        PASSWORD,
        *pool,
        client=client,
        device_key=srp.device_key,
        device_group_key=srp.device_group_key,
        device_password=password,
    )
    tokens = again.authenticate_user()["AuthenticationResult"]
    assert "NewDeviceMetadata" not in tokens
    assert "200" in again.update_device_status(False, tokens["AccessToken"], again.device_key or "")
    assert "200" in again.forget_device(tokens["AccessToken"], again.device_key or "")


def test_mfa_challenge_shows_no_session() -> None:
    """`MFAChallengeException` shows no Session in its repr."""
    challenge = srpcore.MFAChallengeException("Do MFA", {"Session": "secret-session"})
    assert "secret-session" not in f"{challenge!r} {challenge} {challenge.args}"
    assert challenge.get_tokens() == {"Session": "secret-session"}


@pytest.mark.counterpart
@pytest.mark.parametrize("missing", ["username", "client_id"])
@pytest.mark.parametrize("method", ["authenticate", "admin_authenticate"])
def test_log_in_without_a_name_or_client_is_botocores_to_refuse_on_its_transport(missing: str, method: str) -> None:
    """Nothing is validated before botocore does: ParamValidationError reaches the caller."""
    from botocore.exceptions import ParamValidationError

    arguments: dict[str, Any] = {"client_id": "id", "username": "alice", missing: None}
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "y"}
    user = srpcore.Cognito("us-east-1_abc", boto3_client_kwargs=keys, **arguments)
    with user, pytest.raises(ParamValidationError):
        getattr(user, method)("password")
    with srpcore.Cognito("us-east-1_abc", **arguments) as user, pytest.raises(exceptions.ConfigurationError):
        getattr(user, method)("password")
