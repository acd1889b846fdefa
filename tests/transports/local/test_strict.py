"""Settings without effect: stored by default, and refused by a strict pool."""

from __future__ import annotations

from typing import Any

import pytest

from srpcore.exceptions import ConfigurationError
from srpcore_transports.local import LocalUserPool
from srpcore_transports.local.api.shape_types import Structure
from srpcore_transports.local.api.shapes import SHAPES
from srpcore_transports.local.operations.stored import STORED, STORED_SETTINGS
from srpcore_transports.local.operations.table import OPERATIONS
from support.clock import Clock

from .client import Client, refused

SENDER = {"EmailSendingAccount": "DEVELOPER", "SourceArn": "arn:aws:ses:us-east-1:000000000000:identity/a@example.com"}


@pytest.fixture
def strict(clock: Clock) -> Client:
    return Client(LocalUserPool(strict=True, clock=clock), clock)


def test_the_names_in_the_tables_are_those_of_the_service_model() -> None:
    assert STORED.keys() <= OPERATIONS.keys()
    for operation, settings in STORED_SETTINGS.items():
        for path in settings:
            shape: Any = SHAPES[f"{operation}Request"]
            for name in path.split("."):
                assert isinstance(shape, Structure), path
                shape = SHAPES[shape.members[name]]


@pytest.mark.parametrize(
    ("operation", "given", "message"),
    [
        ("CreateUserPool", {"PoolName": "p", "EmailConfiguration": SENDER}, "EmailConfiguration of CreateUserPool"),
        ("UpdateUserPool", {"SmsAuthenticationMessage": "{####}"}, "SmsAuthenticationMessage of UpdateUserPool"),
        (
            "CreateUserPool",
            {"PoolName": "p", "AdminCreateUserConfig": {"InviteMessageTemplate": {"EmailSubject": "x"}}},
            "AdminCreateUserConfig.InviteMessageTemplate of CreateUserPool",
        ),
        ("CreateUserPoolClient", {"ClientName": "c", "CallbackURLs": ["https://example.com/"]}, "CallbackURLs"),
        ("CreateUserPoolDomain", {"Domain": "abc"}, "CreateUserPoolDomain has no effect"),
        ("SetUICustomization", {"CSS": ""}, "SetUICustomization has no effect"),
    ],
)
def test_a_strict_pool_refuses_what_has_no_effect(
    client: Client, strict: Client, operation: str, given: dict[str, Any], message: str
) -> None:
    for pool in (client, strict):
        named = {} if operation == "CreateUserPool" else {"UserPoolId": pool.pool_id}
        if pool is strict:
            with refused("InvalidParameterException", f"{message}.*strict"):
                pool.call(operation, **named, **given)
        elif operation != "SetUICustomization":  # which needs a domain
            pool.call(operation, **named, **given)


def test_a_strict_pool_accepts_defaults_and_works(strict: Client) -> None:
    defaults = {
        "EmailConfiguration": {"EmailSendingAccount": "COGNITO_DEFAULT"},
        "VerificationMessageTemplate": {"DefaultEmailOption": "CONFIRM_WITH_CODE"},
        "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": True},
    }
    made = strict.call("CreateUserPool", PoolName="p", **defaults)["UserPool"]
    strict.call("CreateUserPoolClient", UserPoolId=made["Id"], ClientName="c", AllowedOAuthFlowsUserPoolClient=False)
    assert strict.admin("ListIdentityProviders")["Providers"] == []
    strict.user()
    assert strict.tokens()["AccessToken"]


def test_the_settings_of_the_constructor_are_strict_too() -> None:
    LocalUserPool(pool_settings={"EmailConfiguration": SENDER})
    with pytest.raises(ConfigurationError, match="EmailConfiguration of CreateUserPool has no effect"):
        LocalUserPool(pool_settings={"EmailConfiguration": SENDER}, strict=True)
    with pytest.raises(ConfigurationError, match="LogoutURLs of CreateUserPoolClient has no effect"):
        LocalUserPool(client_settings={"LogoutURLs": ["https://example.com/"]}, strict=True)
