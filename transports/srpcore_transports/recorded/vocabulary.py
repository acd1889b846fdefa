"""The allowlist: which strings a cassette may contain, and the labels of the placeholders for all others.

A string is kept only if its member is known to be harmless *and* the string is a word that the service model, OpenID
Connect or WebAuthn publishes. Everything else becomes a placeholder. The ids of pools and app clients are not secret
(web pages contain them), but they differ between programs, so they are placeholders in the recorded calls too. The
cassette lists the ids of its pools separately.
"""

from __future__ import annotations

import re
from typing import Final

from srpcore.service_model import ENUM_MEMBERS, ENUMS

__all__ = [
    "ANY_STRING",
    "ATTRIBUTE_LISTS",
    "FACTORS",
    "HARMLESS",
    "JSON_STRINGS",
    "KEYS",
    "MESSAGES",
    "MESSAGE_WORDS",
    "SECRETS",
    "WORDS",
    "is_attribute",
    "is_chosen_by_program",
    "is_error_code",
    "is_member",
    "label_of",
]

_LABELS: Final = {
    "Username": "USERNAME USER_ID_FOR_SRP username cognito:username preferred_username",
    "Password": "PASSWORD NEW_PASSWORD PreviousPassword ProposedPassword TemporaryPassword",
    "AccessToken": "ACCESS_TOKEN",
    "IdToken": "ID_TOKEN",
    "RefreshToken": "REFRESH_TOKEN Token",
    "SecretHash": "SECRET_HASH",
    "DeviceKey": "DEVICE_KEY device_key",
    "DeviceGroupKey": "DEVICE_GROUP_KEY",
    "Code": "ConfirmationCode UserCode SMS_MFA_CODE SOFTWARE_TOKEN_MFA_CODE EMAIL_OTP_CODE EMAIL_MFA_CODE SMS_OTP_CODE",
    "SecretCode": "SECRET_CODE",
    "SecretBlock": "SECRET_BLOCK PASSWORD_CLAIM_SECRET_BLOCK",
    "Session": "SESSION",
    "ClientId": "client_id aud CLIENT_ID",
    "GroupName": "cognito:groups",
    "Scope": "scope",
    "sub": "UserSub Sub",
}
_LABEL_OF: Final = {name: label for label, names in _LABELS.items() for name in names.split()}


def label_of(member: str) -> str:
    """Return the label of the placeholders for *member*. USERNAME and Username are two spellings of one: one label."""
    member = member.removeprefix("userAttributes.")
    return _LABEL_OF.get(member, member if is_member(member) or member in KEYS or is_attribute(member) else "Text")


SECRETS: Final = frozenset(
    """
    ANSWER AccessToken CREDENTIAL CREDENTIAL_REQUEST_OPTIONS ClientSecret ClientSecretValue Code Credential
    DeviceGroupKey DeviceKey DeviceSalt EncodedData IdToken PASSWORD_CLAIM_SIGNATURE Password PasswordVerifier
    RefreshToken SALT SRP_A SRP_B SecretBlock SecretCode SecretHash Session TIMESTAMP Text attestationObject
    authenticatorData challenge clientDataJSON rawId signature userHandle
    """.split()
)
"""The labels of values that are never kept, even if a program names them in *keep*."""

ANY_STRING: Final = frozenset(["Code", "EncodedData"])
"""The labels of values that differ at each run, such as the code of an app. At replay, any string matches."""


def is_chosen_by_program(label: str) -> bool:
    """Return whether a program may choose the value of *label*, instead of repeating one from a reply.

    The service makes ids, tokens and some secrets, so a program can only repeat them.
    """
    made_by_service = label in SECRETS - {"Text"} or label.endswith(("Id", "Token"))
    return not made_by_service and label not in ("sub", "jti", "origin_jti", "event_id")


HARMLESS: Final = ENUM_MEMBERS | frozenset(
    """
    ANSWER AuthenticatorAttachment AuthenticatorTransports CHALLENGE_NAME CODE_DELIVERY_DELIVERY_MEDIUM
    MFAS_CAN_CHOOSE MFAS_CAN_SETUP MFA_TYPE PREFERRED_CHALLENGE PreferredMfaSetting TokenType UserMFASettingList alg
    attestation authenticatorAttachment dev:device_remembered_status device_status email_verified
    phone_number_verified residentKey scope token_use transports type userVerification
    """.split()
)
"""The members whose value must be a published word: the enumerations of the service model, and others."""

WORDS: Final[frozenset[str]] = frozenset[str]().union(*ENUMS.values()) | frozenset(
    """
    EMAIL_MFA SRP_A access aws.cognito.signin.user.admin ble cross-platform direct discouraged false hybrid id
    indirect internal invalid nfc none openid phone platform profile public-key true usb valid
    """.split()
)
"""The published words: the enumerations of the service model, and words of OpenID Connect and WebAuthn."""

FACTORS: Final = frozenset(
    "EMAIL_MFA EMAIL_OTP PASSWORD PASSWORD_SRP SMS_MFA SMS_OTP SOFTWARE_TOKEN_MFA WEB_AUTHN".split()
)
"""The published values of ``ANSWER``. Any other value is the answer to a custom challenge, and secret."""

_ATTRIBUTES: Final = frozenset(
    """
    address birthdate cognito:email_alias cognito:mfa_enabled cognito:phone_number_alias cognito:user_status
    device_name device_status email email_verified family_name gender given_name identities last_ip_used locale
    middle_name name nickname phone_number phone_number_verified picture preferred_username profile sub updated_at
    website zoneinfo
    """.split()
)
_OWN_ATTRIBUTE: Final = re.compile(r"(custom|dev(:custom)?):[A-Za-z0-9_]{1,30}|dev:device_[a-z_]{1,30}")


def is_attribute(name: str) -> bool:
    """Return whether *name* is an attribute of users or devices: a standard one, or a custom one with its prefix."""
    return name in _ATTRIBUTES or bool(_OWN_ATTRIBUTE.fullmatch(name))


ATTRIBUTE_LISTS: Final = frozenset(
    """
    AliasAttributes AttributeName AttributesToGet AutoVerifiedAttributes UserAttributeNames UsernameAttributes
    VerifiedAttributes requiredAttributes
    """.split()
)
"""The members that contain names of attributes."""

KEYS: Final = frozenset(
    """
    ACCESS_TOKEN ANSWER CHALLENGE_NAME CODE_DELIVERY_DELIVERY_MEDIUM CODE_DELIVERY_DESTINATION CREDENTIAL
    CREDENTIAL_REQUEST_OPTIONS DEVICE_GROUP_KEY DEVICE_KEY DEVICE_NAME EMAIL_MFA_CODE EMAIL_OTP_CODE
    FRIENDLY_DEVICE_NAME ID_TOKEN MFAS_CAN_CHOOSE MFAS_CAN_SETUP MFA_TYPE NEW_PASSWORD PASSWORD
    PASSWORD_CLAIM_SECRET_BLOCK PASSWORD_CLAIM_SIGNATURE PREFERRED_CHALLENGE REFRESH_TOKEN SALT SECRET_BLOCK
    SECRET_CODE SECRET_HASH SESSION SMS_MFA_CODE SMS_OTP_CODE SOFTWARE_TOKEN_MFA_CODE SRP_A SRP_B TIMESTAMP USERNAME
    USER_ID_FOR_SRP alg allowCredentials at_hash attestation attestationObject aud auth_time authenticatorAttachment
    authenticatorData authenticatorSelection challenge clientDataJSON clientExtensionResults client_id
    cognito:groups cognito:preferred_role cognito:roles cognito:username dateCreated device_key displayName event_id
    excludeCredentials exp extensions headerName headerValue iat id iss issuer jti nbf nonce origin_jti
    primary providerName providerType pubKeyCredParams publicKey publicKeyAlgorithm rawId requireResidentKey
    requiredAttributes residentKey response rp rpId scope signature timeout token_use transports type user
    userAttributes userHandle userId userVerification username version
    """.split()
)
"""The published names of claims, of the members of a browser's JSON, and of entries in maps with arbitrary keys."""

_MEMBER: Final = re.compile(r"[A-Z][A-Za-z0-9]{0,59}")


def is_member(name: str) -> bool:
    """Return whether *name* has the form of a member of the service model."""
    return bool(_MEMBER.fullmatch(name))


JSON_STRINGS: Final = frozenset(
    """
    CREDENTIAL CREDENTIAL_REQUEST_OPTIONS MFAS_CAN_CHOOSE MFAS_CAN_SETUP identities requiredAttributes
    userAttributes
    """.split()
)
"""The members whose strings contain JSON."""

_ERROR_CODE: Final = re.compile(r"[A-Z][A-Za-z]{1,60}(Exception|Error|Failure|Action|Operation|Failed)|[45][0-9]{2}")


def is_error_code(string: str) -> bool:
    """Return whether *string* has the form of an exception's name of the service, or is an HTTP status.

    There is no list of names, because the service adds new ones. If an error has no name, botocore uses the HTTP
    status.
    """
    return bool(_ERROR_CODE.fullmatch(string))


MESSAGES: Final = frozenset(["Message", "message"])
"""The members that contain messages of the service, which may quote a name or a code."""

MESSAGE_WORDS: Final = frozenset(
    """
    0 a able access account admin admin_no_srp_auth admin_user_password_auth administrator again algorithm
    aliasattributes allow_ allowed allowedfirstauthfactors already an and another any app archived are as asked at
    attempt attempts attestation attribute attributes auth authentication authorization authorized auto available be
    because been before begun between body by can cannot challenge challenge_name change character characters client
    code codes com configured confirm confirmed conform context converted create created credential credentials
    current custom custom_auth d data deactivated delivery destination detected device devices did disabled does due
    e-mail eee either email email_otp enabled english error es256 exceeded exception exist existing exists expected
    expired explicitauthflows factor factors failed filter first flow flows for forbidden force_change_password form
    format found from function given group has have header hexadecimal hh:mm:ss history i identifier identity if in
    included incorrect initiate initiateauth internal invalid invalidated invocation is issued it its json lambda
    later least length less limit list long longer lowercase malformed map match maximum may member members method
    mfa minimum mismatch missing mmm modify more must n name neither new next no non-mutable none nor not number
    numbers numeric occurred of off on once one only open operation or origin other output pagination parameter
    parameters parsing party passkey passkeys password password_srp passwords perform permitted phone phone_number
    please policy pool possible postauthentication postconfirmation preauthentication preferred preferred_challenge
    prefix presignup pretokengeneration previous process provided provider rate received refresh refresh_token_auth
    registration relying request requested requests required resend reset reset_required resource respond response
    revoked rotation rs256 same seconds secret secret_hash security selected send session set short should sign
    signature signed signup similar slow sms sms_mfa software software_token_mfa some something srp_a start started
    state status string structure sub such support supported symbol temporarily temporary that the there this time
    timestamp to token too trigger try turned type unable unauthorized unconfirmed under unknown unrecognizable
    unsupported up uppercase use used user user_auth user_password_auth user_srp_auth username usernameattributes
    userpool users utf-8 valid validation value verification verified verifier verify was web_authn went where with
    within word wrong wrote yet you your yyyy z
    """.split()
)
"""The words of the service's messages, in lower case. Any other word in a message becomes a placeholder."""
