"""The probes that are expected to fail, each with one line on why. Both lists are strict: a listed probe must fail.

If a change of the local pool turns a listed probe right, the run fails ("right, but listed as wrong", XPASS): remove the
line from WRONG_TODAY in the same commit.
"""

from __future__ import annotations

__all__ = ["MINISTACK", "WRONG_TODAY"]

WRONG_TODAY: dict[str, str] = {
    # operations/user_pools.py
    "user_pools.default_password_policy": "DescribeUserPool does not fill in Policies",
    "user_pools.default_sign_in_policy": "DescribeUserPool does not fill in SignInPolicy",
    "user_pools.default_settings": (
        "DescribeUserPool does not fill in AdminCreateUserConfig, EmailConfiguration and so on"
    ),
    "user_pools.default_tier_is_essentials": "DescribeUserPool has no UserPoolTier",
    "user_pools.default_deletion_protection_is_inactive": "DescribeUserPool has no DeletionProtection",
    "user_pools.no_password_history_is_not_described": "PasswordHistorySize 0 is described",
    "user_pools.update_resets_what_is_left_out": "a setting that is reset is not described with its default",
    "user_pools.list_describes_in_short": "ListUserPools leaves out an empty LambdaConfig",
    "user_pools.creation_with_mfa_needs_sms": (
        "MfaConfiguration ON or OPTIONAL is accepted without an SMS configuration"
    ),
    "infrastructure.terraform_plain_pool": (
        "DescribeUserPool has no EmailConfiguration, so the provider has nothing to store"
    ),
    # auth/mfa.py
    "user_pools.mfa_needs_a_factor": "SetUserPoolMfaConfig accepts ON and OPTIONAL without a factor",
    "user_pools.mfa_off_excludes_a_factor": "SetUserPoolMfaConfig accepts OFF with a factor",
    # auth/respond.py
    "mfa.guesses_are_limited_per_user": "guesses of a TOTP code are counted for each Session, not for each user",
    "devices.device_after_the_second_factor": "DEVICE_SRP_AUTH with the Session of the challenge before is refused",
    # operations/app_clients.py
    "app_clients.defaults": "EnablePropagateAdditionalUserContextData is not described",
    "infrastructure.terraform_plain_client": "EnablePropagateAdditionalUserContextData is not described",
    "app_clients.validity_of_tokens_has_limits": "any validity of tokens is accepted",
    "app_clients.unknown_write_attributes_are_refused": (
        "unknown names in ReadAttributes and WriteAttributes are accepted"
    ),
    "app_clients.client_credentials_and_code_grant_exclude_each_other": (
        "client_credentials together with code is accepted"
    ),
    # auth/refresh.py
    "app_clients.revocation_that_is_off": "RevokeToken ignores EnableTokenRevocation",
    # auth/tokens.py
    "app_clients.tokens_without_revocation_have_no_origin": "origin_jti is issued without EnableTokenRevocation",
    # operations/admin_users.py
    "users.dates_of_a_new_user_are_equal": "AdminCreateUser answers two different dates",
    # operations/profile.py
    "users.changed_address_waits_for_its_verification": "AttributesRequireVerificationBeforeUpdate is ignored",
    # operations/sign_up.py
    "sign_up.new_user_is_unconfirmed": "SignUp stores two different dates",
    "sign_up.session_of_a_sign_up_logs_in": "SignUp and ConfirmSignUp answer no Session",
    "sign_up.session_of_another_user_does_not_log_in": "SignUp and ConfirmSignUp answer no Session",
    # operations/forgot_password.py
    "passwords.forgotten_password_of_a_stranger": "the message is 'User does not exist.'",
    "passwords.reset_code_of_a_stranger": "the message is 'User does not exist.'",
    "passwords.recovered_account_may_be_told_to_ask_the_administrator": "AccountRecoverySetting admin_only is ignored",
    "passwords.words_of_admin_only": "AccountRecoverySetting admin_only is ignored",
    "passwords.recovery_follows_the_priorities": "the priorities of AccountRecoverySetting are ignored",
    "passwords.guesses_are_limited_over_several_codes": (
        "guesses of a reset code are counted for each code, not for each user"
    ),
    "passwords.guesses_of_the_previous_password_are_limited": (
        "ChangePassword answers NotAuthorizedException, not LimitExceededException"
    ),
    # auth/passwords.py
    "passwords.previous_passwords_are_refused": "PasswordHistorySize is ignored",
    "hidden_users.lock_out_does_not_reveal_users": "only a user who exists is locked out",
    # auth/srp.py
    "hidden_users.user_id_does_not_depend_on_case": "USER_ID_FOR_SRP of a stranger keeps the case of the name as typed",
    # operations/list_users.py
    "lists.attributes_to_get_must_be_set": "an attribute in AttributesToGet that a user does not have is left out",
    "lists.attributes_to_get_must_exist": "an unknown name in AttributesToGet is accepted",
    # operations/ (new modules)
    # http/dispatch.py
    "validation.unknown_operation_is_named": "the message is empty",
}
"""What the local pool does wrong today, under the module that has to change. Repair it, then remove the line."""

MINISTACK: dict[str, str] = {
    "user_pools.default_sign_in_policy": "describes no SignInPolicy",
    "user_pools.default_settings": "describes no VerificationMessageTemplate",
    "user_pools.no_password_history_is_not_described": "describes PasswordHistorySize 0",
    "user_pools.update_resets_what_is_left_out": "keeps the settings that UpdateUserPool leaves out",
    "user_pools.protected_pool_is_not_deleted": "accepts it",
    "user_pools.list_describes_in_short": "lists no LambdaConfig",
    "user_pools.aliases_and_username_attributes_exclude_each_other": "accepts it",
    "user_pools.mfa_needs_a_factor": "accepts it",
    "user_pools.mfa_off_excludes_a_factor": "accepts it",
    "user_pools.creation_with_mfa_needs_sms": "accepts it",
    "app_clients.defaults": "has upper-case letters in client ids",
    "app_clients.default_flows": "accepts it",
    "app_clients.old_and_new_names_of_flows_do_not_mix": "accepts it",
    "app_clients.update_resets_what_is_left_out": "keeps the settings that UpdateUserPoolClient leaves out",
    "app_clients.client_of_another_pool_is_not_found": "answers 'Client QMGCDHhoEdYBzZppSbzUk2OPfU not found.'",
    "app_clients.deleted_client_is_gone": "answers 'Client MnNe0JdVhFXnD7MmTcLdTZKv9m not found.'",
    "app_clients.validity_of_tokens_has_limits": "accepts it",
    "app_clients.attribute_that_the_client_may_not_write": "accepts it",
    "app_clients.attribute_that_the_client_may_not_read": "ignores ReadAttributes",
    "app_clients.unknown_write_attributes_are_refused": "accepts it",
    "app_clients.second_secret": "has no AddUserPoolClientSecret",
    "app_clients.client_credentials_and_code_grant_exclude_each_other": "accepts it",
    "app_clients.revocation_that_is_off": "accepts it",
    "app_clients.tokens_without_revocation_have_no_origin": "ignores EnableTokenRevocation",
    "devices.new_device_at_a_login": "tracks no devices",
    "devices.confirmation_tells_whether_the_user_must_agree": "tracks no devices",
    "devices.login_with_a_device": "tracks no devices",
    "devices.login_by_srp_with_a_device": "tracks no devices",
    "devices.remembered_device_replaces_the_second_factor": "tracks no devices",
    "devices.device_after_the_second_factor": "tracks no devices",
    "devices.device_challenge_without_a_session": "tracks no devices",
    "devices.wrong_password_of_a_device": "tracks no devices",
    "devices.device_that_does_not_exist": "tracks no devices",
    "devices.refresh_needs_the_device": "tracks no devices",
    "devices.description_of_a_device": "tracks no devices",
    "devices.device_is_remembered_when_the_user_agrees": "tracks no devices",
    "devices.device_of_somebody_else_is_not_confirmed": "tracks no devices",
    "groups.members_that_were_not_given_are_left_out": "answers the members that were not given as empty ones",
    "groups.group_that_does_not_exist": "answers 'Group nobody62 not found.'",
    "groups.tokens_name_the_roles_of_the_groups": "looks for the roles in its own IAM",
    "groups.update_changes_what_is_given": "has no UpdateGroup",
    "users.name_that_exists": "answers 'User already exists.'",
    "users.case_of_names_does_not_count": "compares user names with case",
    "users.user_reads_the_own_account": "GetUser answers members of AdminGetUser",
    "users.administrator_deletes_attributes": "has no AdminDeleteUserAttributes",
    "users.confirmed_user_is_not_confirmed_again": "accepts it",
    "users.changed_address_is_unverified": "sends no code for a changed address",
    "users.changed_address_waits_for_its_verification": "ignores AttributesRequireVerificationBeforeUpdate",
    "users.address_is_verified_by_its_code": "has no GetUserAttributeVerificationCode",
    "users.user_may_not_verify_by_writing": "accepts it",
    "users.address_of_somebody_else_is_not_an_alias": "accepts it",
    "hidden_users.user_id_in_a_pool_of_addresses": "USER_ID_FOR_SRP of a stranger is the name as typed",
    "hidden_users.choice_of_a_stranger": "has no USER_AUTH",
    "schema.custom_attribute_has_a_prefix": "describes no StringAttributeConstraints of a custom attribute",
    "schema.required_custom_attribute_is_refused": "answers 'Required custom attributes are not supported.'",
    "schema.redefined_standard_attribute_is_refused": "accepts it",
    "schema.maximum_below_minimum_is_refused": "accepts it",
    "schema.immutable_attribute_is_set_at_creation_only": "accepts it",
    "schema.number_constraints_are_enforced": "accepts it",
    "schema.length_constraints_are_enforced": "accepts it",
    "schema.birthdate_has_ten_characters": "accepts it",
    "schema.email_verified_is_a_boolean": "stores email_verified 'True' as it is",
    "schema.unknown_attribute_is_refused": "accepts it",
    "infrastructure.terraform_group": "has no UpdateGroup",
    "infrastructure.cdk_pool_update": "accepts it",
    "lists.by_user_status_without_case": "compares cognito:user_status with case",
    "lists.attributes_that_cannot_be_searched": "accepts it",
    "lists.malformed_filters": "accepts it",
    "lists.quotation_mark_in_a_value": "does not read an escaped quotation mark",
    "lists.attributes_to_get": "ignores AttributesToGet",
    "lists.attributes_to_get_must_be_set": "accepts it",
    "lists.attributes_to_get_must_exist": "accepts it",
    "lists.pages_of_groups_and_clients": "AdminListGroupsForUser has no pages",
    "lists.token_that_nobody_issued": "accepts it",
    "login.timestamp_must_be_near": "accepts it",
    "login.public_value_zero_is_refused": "accepts it",
    "login.wrong_passwords_lock_out": "locks nobody out",
    "login.parallel_wrong_passwords_are_counted": "locks nobody out",
    "login.new_password_is_required": "requiredAttributes is empty",
    "login.new_password_does_not_change_what_exists": "accepts it",
    "login.new_password_obeys_the_policy": "accepts it",
    "login.session_that_nobody_issued": "accepts it",
    "login.session_is_good_once": "accepts it",
    "login.choice_of_a_first_factor": "has no USER_AUTH",
    "login.choice_of_srp_carries_its_first_step": "has no USER_AUTH",
    "login.choice_needs_no_other_flow": "has no USER_AUTH",
    "login.preferred_password_logs_in": "has no USER_AUTH",
    "login.custom_flow_needs_its_triggers": "accepts it",
    "login.client_that_does_not_exist": "answers 'Client 11111111111111111111111111 not found.'",
    "mfa.set_up_with_an_access_token_has_no_session": "answers a Session",
    "mfa.set_up_in_a_pool_without_mfa": "accepts it",
    "mfa.factor_that_is_not_set_up_is_not_enabled": "accepts it",
    "mfa.wrong_and_used_codes": "accepts it",
    "mfa.factors_of_a_user": "lists factors of a user who has none",
    "mfa.set_up_during_the_login": "ignores that MFA is required",
    "mfa.authenticator_app_is_removed": "has no AdminDeleteSoftwareToken",
    "mfa.guesses_are_limited_per_user": "judges any number of guesses",
    "mfa.choice_between_two_factors": "has no SELECT_MFA_TYPE here",
    "mfa.answer_for_the_email_factor": "has no SELECT_MFA_TYPE here",
    "mfa.set_up_of_the_email_factor_during_the_login": "ignores that MFA is required",
    "operations.session_configuration": "has no GetUserPoolSessionConfiguration",
    "passwords.policy_names_what_is_missing": (
        "answers 'Password did not conform with policy: Password must have length greater than or equal to 8'"
    ),
    "passwords.policy_of_the_pool_counts": (
        "answers 'Password did not conform with policy: Password must have length greater than or equal to 12'"
    ),
    "passwords.blanks_at_the_ends_are_refused": "accepts it",
    "passwords.previous_passwords_are_refused": "accepts it",
    "passwords.forgotten_password_without_a_verified_address": "accepts it",
    "passwords.forgotten_temporary_password": "accepts it",
    "passwords.recovered_account_may_be_told_to_ask_the_administrator": "accepts it",
    "passwords.words_of_admin_only": "accepts it",
    "passwords.guesses_of_a_reset_code_are_limited": "judges any number of guesses",
    "passwords.guesses_are_limited_over_several_codes": "judges any number of guesses",
    "passwords.guesses_of_the_previous_password_are_limited": "judges any number of guesses",
    "sign_up.answer_of_a_sign_up": "does not mask the address",
    "sign_up.code_confirms_and_verifies": "ConfirmSignUp does not verify the address",
    "sign_up.session_of_a_sign_up_logs_in": "SignUp answers no Session",
    "sign_up.session_of_another_user_does_not_log_in": "SignUp answers no Session",
    "sign_up.confirmed_user_gets_no_further_code": "accepts it",
    "sign_up.only_administrators_may_create_users": "accepts it",
    "sign_up.required_attribute_is_required": "accepts it",
    "sign_up.name_must_not_look_like_an_alias": "accepts it",
    "sign_up.address_must_have_the_form_of_one": "accepts it",
    "sign_up.guesses_are_limited": "judges any number of guesses",
    "tokens.claims_of_an_access_token": "has no event_id",
    "tokens.issuer_is_the_one_that_is_published": "publishes an issuer whose jwks_uri is elsewhere",
    "tokens.refresh_with_the_client_secret": "accepts it",
    "tokens.rotation_replaces_the_refresh_token": "does not rotate refresh tokens",
    "tokens.rotated_token_is_refused": "accepts it",
    "tokens.rotation_excludes_the_flow": "accepts it",
    "tokens.access_token_cannot_be_revoked_alone": "accepts it",
    "tokens.token_of_another_client_is_not_revoked": "accepts it",
    "tokens.sessions_of_a_user": "wants a signature of ListUserSessions",
    "validation.all_violations_are_counted": (
        "answers InvalidPasswordException: Password did not conform with policy: Password must have length greater than or equa"
    ),
    "validation.secret_values_are_left_out": "accepts it",
    "validation.pattern_of_a_pool_id": "answers ResourceNotFoundException: User pool YOUR USER POOL ID does not exist.",
    "validation.pattern_of_a_client_id": "answers ResourceNotFoundException: Client a_pool-id not found.",
    "validation.required_member": "answers ResourceNotFoundException: User pool None does not exist.",
    "validation.required_member_of_a_list": "accepts it",
    "validation.length_in_a_list": "accepts it",
    "validation.value_of_an_enumeration": "answers 'Unsupported AuthFlow: MAGIC'",
    "validation.value_of_a_nested_enumeration": "accepts it",
    "validation.ranges_of_numbers": "accepts it",
    "validation.ranges_of_other_lists": "accepts it",
    "validation.range_of_a_nested_number": "accepts it",
    "validation.length_of_a_name": "accepts it",
    "validation.pattern_of_a_user_name": "accepts it",
    "validation.pattern_of_a_pool_name": "accepts it",
    "validation.code_of_an_authenticator_app_has_six_digits": "answers EnableSoftwareTokenMFAException: Code mismatch",
    "validation.wrong_types": "answers InternalError: '<' not supported between instances of 'int' and 'str'",
    "validation.attribute_value_is_limited": "accepts it",
}
"""Where ministack 1.5.33 differs from the expected answer."""
