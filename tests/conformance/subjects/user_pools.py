"""User pools: what CreateUserPool, DescribeUserPool and UpdateUserPool answer, and what they refuse."""

from __future__ import annotations

import re

from ..probes import UNSURE, api, guide, members, probe, refused
from ..stage import Stage

CAPTURED = "https://github.com/kengraf/nadialin (file b, an answer of DescribeUserPool of 2023)"
TIERS = guide("cognito-sign-in-feature-plans")
NUMBER = (int, float)


@probe(api("CreateUserPool"))
def creation_answers_what_describe_answers(s: Stage) -> None:
    made = s.create_pool()
    described = s.call("DescribeUserPool", UserPoolId=made["Id"])["UserPool"]
    described.setdefault("EstimatedNumberOfUsers", made.get("EstimatedNumberOfUsers", 0))
    made.setdefault("EstimatedNumberOfUsers", 0)
    assert made == described


@probe(CAPTURED)
def identifiers(s: Stage) -> None:
    made = s.create_pool()
    members(
        made,
        Id=re.compile(rf"{s.target.region}_[0-9A-Za-z]{{9}}"),
        Arn=re.compile(rf"arn:aws:cognito-idp:{s.target.region}:\d{{12}}:userpool/{made['Id']}"),
        Name=s.remaining[made["Id"]],
        EstimatedNumberOfUsers=0,
    )


@probe(CAPTURED)
def dates_of_a_new_pool_are_equal(s: Stage) -> None:
    made = s.create_pool()
    members(made, CreationDate=NUMBER, LastModifiedDate=NUMBER)
    assert made["CreationDate"] == made["LastModifiedDate"]


@probe(CAPTURED)
def default_password_policy(s: Stage) -> None:
    rules = {f"Require{kind}": True for kind in ("Uppercase", "Lowercase", "Numbers", "Symbols")}
    policy = {"MinimumLength": 8, "TemporaryPasswordValidityDays": 7, **rules}
    members(s.pool.describe(), Policies={"PasswordPolicy": policy})


@probe(api("SignInPolicyType"))
def default_sign_in_policy(s: Stage) -> None:
    members(s.pool.describe(), Policies={"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD"]}})


@probe(CAPTURED)
def default_settings(s: Stage) -> None:
    members(
        s.pool.describe(),
        AdminCreateUserConfig={"AllowAdminCreateUserOnly": False, "UnusedAccountValidityDays": 7},
        EmailConfiguration={"EmailSendingAccount": "COGNITO_DEFAULT"},
        VerificationMessageTemplate={"DefaultEmailOption": "CONFIRM_WITH_CODE"},
        LambdaConfig=dict,
        MfaConfiguration="OFF",
    )


@probe(TIERS)
def default_tier_is_essentials(s: Stage) -> None:
    members(s.pool.describe(), UserPoolTier="ESSENTIALS")


@probe(api("CreateUserPool"))
def default_deletion_protection_is_inactive(s: Stage) -> None:
    members(s.pool.describe(), DeletionProtection="INACTIVE")


@probe(
    UNSURE,
    question="does DescribeUserPool name AccountRecoverySetting, UserPoolTags and UsernameConfiguration if not set?",
)
def settings_that_may_be_left_out(s: Stage) -> None:
    described = s.pool.describe()
    for name in ("AccountRecoverySetting", "UserPoolTags", "UsernameConfiguration"):
        assert isinstance(described.get(name, {}), dict)


@probe(api("PasswordPolicyType"))
def no_password_history_is_not_described(s: Stage) -> None:
    pool = s.new_pool(Policies={"PasswordPolicy": {"MinimumLength": 8, "PasswordHistorySize": 0}})
    policy = pool.describe()["Policies"]["PasswordPolicy"]
    assert "PasswordHistorySize" not in policy


@probe(api("UpdateUserPool"))
def update_resets_what_is_left_out(s: Stage) -> None:
    pool = s.new_pool(AutoVerifiedAttributes=["email"], AdminCreateUserConfig={"AllowAdminCreateUserOnly": True})
    pool.admin("UpdateUserPool", Policies={"PasswordPolicy": {"MinimumLength": 10}})
    described = pool.describe()
    assert described["Policies"]["PasswordPolicy"]["MinimumLength"] == 10
    assert described.get("AutoVerifiedAttributes", []) == []
    members(described, AdminCreateUserConfig={"AllowAdminCreateUserOnly": False})


@probe(api("UpdateUserPool"))
def update_keeps_the_schema(s: Stage) -> None:
    pool = s.new_pool(UsernameAttributes=["email"])
    before = pool.describe()
    pool.admin("UpdateUserPool", DeletionProtection="INACTIVE")
    after = pool.describe()
    assert after["SchemaAttributes"] == before["SchemaAttributes"]
    assert after["UsernameAttributes"] == ["email"]


@probe(api("ResourceNotFoundException"))
def missing_pool(s: Stage) -> None:
    missing = f"{s.target.region}_000000000"
    for operation in ("DescribeUserPool", "UpdateUserPool", "DeleteUserPool", "GetUserPoolMfaConfig"):
        with refused("ResourceNotFoundException", f"^User pool {missing} does not exist.$"):
            s.call(operation, UserPoolId=missing)


@probe(api("DeleteUserPool"))
def protected_pool_is_not_deleted(s: Stage) -> None:
    pool = s.new_pool(DeletionProtection="ACTIVE")
    with refused("InvalidParameterException", "deletion protection"):
        pool.admin("DeleteUserPool")
    pool.admin("UpdateUserPool", DeletionProtection="INACTIVE")
    pool.admin("DeleteUserPool")
    with refused("ResourceNotFoundException"):
        pool.describe()


@probe(api("ListUserPools"))
def list_describes_in_short(s: Stage) -> None:
    pool_id, name = s.pool.id, s.remaining[s.pool.id]
    token: dict[str, str] = {}
    while True:
        page = s.call("ListUserPools", MaxResults=60, **token)
        found = [entry for entry in page["UserPools"] if entry["Id"] == pool_id]
        if found or "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    members(found[0], Name=name, LambdaConfig=dict, LastModifiedDate=NUMBER, CreationDate=NUMBER)
    assert found[0].keys() <= {"Id", "Name", "LambdaConfig", "Status", "LastModifiedDate", "CreationDate"}


@probe(api("CreateUserPool"))
def aliases_and_username_attributes_exclude_each_other(s: Stage) -> None:
    with refused("InvalidParameterException"):
        s.create_pool(AliasAttributes=["email"], UsernameAttributes=["email"])


@probe(api("DescribeUserPool"))
def number_of_users_is_estimated(s: Stage) -> None:
    pool = s.new_pool()
    pool.user()
    members(pool.describe(), EstimatedNumberOfUsers=int)


MFA_REFUSED = "https://github.com/anomalyco/sst/issues/5177"
SMS_NEEDED = "https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/769"
TERRAFORM = "https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/cognitoidp/user_pool.go"


@probe(MFA_REFUSED)
def mfa_needs_a_factor(s: Stage) -> None:
    for configuration in ("ON", "OPTIONAL"):
        with refused("InvalidParameterException", "(?i)^Invalid MFA configuration given"):
            s.new_pool().admin("SetUserPoolMfaConfig", MfaConfiguration=configuration)


@probe(TERRAFORM)
def mfa_off_excludes_a_factor(s: Stage) -> None:
    with refused(
        "InvalidParameterException",
        "^Invalid MFA configuration given, can't turn off MFA and configure an MFA together",
    ):
        s.new_pool().admin(
            "SetUserPoolMfaConfig", MfaConfiguration="OFF", SoftwareTokenMfaConfiguration={"Enabled": True}
        )


@probe(api("GetUserPoolMfaConfig"))
def mfa_configuration_is_answered_as_it_was_set(s: Stage) -> None:
    pool = s.mfa_pool("OPTIONAL")
    members(
        pool.admin("GetUserPoolMfaConfig"),
        MfaConfiguration="OPTIONAL",
        SoftwareTokenMfaConfiguration={"Enabled": True},
    )
    assert pool.describe()["MfaConfiguration"] == "OPTIONAL"


@probe(api("GetUserPoolMfaConfig"))
def mfa_configuration_of_a_new_pool_is_off(s: Stage) -> None:
    configuration = s.new_pool().admin("GetUserPoolMfaConfig")
    assert configuration["MfaConfiguration"] == "OFF"
    assert not configuration.get("SoftwareTokenMfaConfiguration", {}).get("Enabled", False)


@probe(SMS_NEEDED)
def creation_with_mfa_needs_sms(s: Stage) -> None:
    for configuration in ("ON", "OPTIONAL"):
        with refused(
            "InvalidParameterException",
            "^SMS configuration and Auto verification for phone_number are required when MFA is required/optional",
        ):
            s.create_pool(MfaConfiguration=configuration)


@probe(api("TagResource"))
def tags(s: Stage) -> None:
    made = s.create_pool(UserPoolTags={"team": "login"})
    members(s.call("DescribeUserPool", UserPoolId=made["Id"])["UserPool"], UserPoolTags={"team": "login"})
    s.call("TagResource", ResourceArn=made["Arn"], Tags={"stage": "test"})
    assert s.call("ListTagsForResource", ResourceArn=made["Arn"])["Tags"] == {"team": "login", "stage": "test"}
    s.call("UntagResource", ResourceArn=made["Arn"], TagKeys=["team"])
    assert s.call("ListTagsForResource", ResourceArn=made["Arn"])["Tags"] == {"stage": "test"}
