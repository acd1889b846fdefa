"""What often causes an error of the service, and what to check: the strings of ``ServiceError.hint``.

The messages of the service do not name these causes. A wrong user pool id, for example, is answered like a wrong
password, because the pool id is a part of the proof.
"""

from __future__ import annotations

import re
from typing import Final

from . import not_authorized
from .service import ServiceError

__all__ = ["BY_CLASS", "BY_PHRASE", "REFUSED_SKEW", "hint_for"]

REFUSED_SKEW: Final = "five minutes"
"""From about this difference between the clocks on, the service refuses correct passwords and signatures."""

_ACCESS_TOKEN = (
    "give the access token of this user pool (not the ID token), without a 'Bearer ' prefix; it must have the scope "
    "aws.cognito.signin.user.admin. A local pool that was restarted without its state does not know its old tokens: "
    "log in again"
)
_SECRET = (
    "check client_secret: an app client that has a secret needs it, with exactly this client_id; an app client without "
    "a secret needs client_secret=None"
)
_POOL_ID = "check the user pool id, the client id and the region: each pool and each app client exists in one region"
_FLOW = (
    "the app client must allow the flow: in its settings (ExplicitAuthFlows), add the ALLOW_... value that has the "
    "name of the flow"
)
_UNKNOWN_FLOW = (
    "the service does not have this auth flow in this operation: use USER_SRP_AUTH, USER_PASSWORD_AUTH, USER_AUTH or "
    "CUSTOM_AUTH. Only an administrator's login (admin_authenticate), which needs AWS credentials, can use "
    "ADMIN_USER_PASSWORD_AUTH"
)
_DISABLED = "an administrator must enable the user first (admin_enable_user)"
_CLOCK = f"this computer's clock is wrong by more than {REFUSED_SKEW} (compare it with the Date header of the response)"

# The value of ExplicitAuthFlows that allows each auth flow.
_ALLOWING = {
    "ADMIN_NO_SRP_AUTH": "ALLOW_ADMIN_USER_PASSWORD_AUTH",  # the older name of ADMIN_USER_PASSWORD_AUTH
    "ADMIN_USER_PASSWORD_AUTH": "ALLOW_ADMIN_USER_PASSWORD_AUTH",
    "CUSTOM_AUTH": "ALLOW_CUSTOM_AUTH",
    "REFRESH_TOKEN": "ALLOW_REFRESH_TOKEN_AUTH",  # an alias of REFRESH_TOKEN_AUTH
    "REFRESH_TOKEN_AUTH": "ALLOW_REFRESH_TOKEN_AUTH",
    "USER_AUTH": "ALLOW_USER_AUTH",
    "USER_PASSWORD_AUTH": "ALLOW_USER_PASSWORD_AUTH",
    "USER_SRP_AUTH": "ALLOW_USER_SRP_AUTH",
}

# The hints of the subclasses of NotAuthorizedException, which were selected by the message.
BY_CLASS: dict[type[ServiceError], str] = {
    not_authorized.WrongPassword: (
        "the user name or the password is wrong. A login by SRP is answered in the same way if the user pool id is "
        f"wrong, or if {_CLOCK}"
    ),
    not_authorized.PasswordAttemptsExceeded: "wait some minutes before the next try",
    not_authorized.UserDisabled: _DISABLED,
    not_authorized.AccessTokenExpired: "get a new one: call renew_access_token() or check_token()",
    not_authorized.AccessTokenRevoked: "the user has logged out: log in again",
    not_authorized.SessionExpired: "log in again: a challenge must be answered within minutes",
    not_authorized.InvalidSession: (
        "log in again: a Session can be used once, in the flow it came from, and ends after several wrong codes"
    ),
    not_authorized.RefreshTokenExpired: "log in again",
    not_authorized.RefreshTokenRevoked: "log in again",
    not_authorized.InvalidRefreshToken: (
        "the refresh token may belong to another app client. If the pool tracks devices, confirm the device after the "
        "login (confirm_device). After a restart, give the access token too, because it names the device, or device="
    ),
}

# The other hints. If several entries match (same code, and the phrase is in the message), the first one wins. Phrases
# are in lower case.
BY_PHRASE: tuple[tuple[str, str, str], ...] = (
    ("NotAuthorizedException", "secret", _SECRET),
    ("NotAuthorizedException", "access token", _ACCESS_TOKEN),
    ("NotAuthorizedException", "disabled", _DISABLED),
    ("InvalidParameterException", "secret", _SECRET),
    ("InvalidParameterException", "not enabled", _FLOW),
    ("InvalidParameterException", "flow not supported", _FLOW),
    ("InvalidParameterException", "auth method not supported", _UNKNOWN_FLOW),
    ("InvalidParameterException", "'authflow'", _UNKNOWN_FLOW),
    ("UnauthorizedException", "", _FLOW),
    (
        "InvalidParameterException",
        "has not verified software token",
        "set the authenticator app up first: call associate_software_token(), then verify_software_token(code)",
    ),
    (
        "InvalidParameterException",
        "delivery config",
        "the user has no verified phone number (for EMAIL_OTP: no verified e-mail address): set it and verify it first",
    ),
    (
        "InvalidParameterException",
        "no registered/verified email",
        "the code has no address to go to: an administrator must set email_verified or phone_number_verified to true "
        "for the user, or set a password (AdminSetUserPassword)",
    ),
    (
        "InvalidParameterException",
        "'usercode'",
        "enter the six digits that the authenticator app shows, without a blank; the secret is still the same",
    ),
    (
        "EnableSoftwareTokenMFAException",
        "",
        "enter the code that the authenticator app shows now; the secret is still the same",
    ),
    ("ResourceNotFoundException", "pool", _POOL_ID),
    ("ResourceNotFoundException", "client", _POOL_ID),
    (
        "CodeMismatchException",
        "",
        "the code is wrong: enter the newest code that was sent, or the one that the authenticator app shows now, "
        "without a blank. The same step may be answered again",
    ),
    ("ExpiredCodeException", "already been used", "wait for the authenticator app's next code: each is valid once"),
    (
        "ExpiredCodeException",
        "",
        "request a new code, or wait for the authenticator app's next one: the present one has expired or was used "
        "before",
    ),
    ("UserNotFoundException", "", "check the user name and the user pool id"),
    ("UserNotConfirmedException", "", "call confirm_sign_up with the code that the user received"),
    ("PasswordResetRequiredException", "", "call initiate_forgot_password, then confirm_forgot_password"),
    ("InvalidSignatureException", "", f"the AWS secret key is wrong, or {_CLOCK}"),
    ("SignatureDoesNotMatch", "", f"the AWS secret key is wrong, or {_CLOCK}"),
    (
        "UnrecognizedClientException",
        "started without aws keys",
        "give srpcore serve and this program the same AWS keys; made-up ones will do",
    ),
    ("UnrecognizedClientException", "", "the AWS credentials are not valid: check access_key and AWS_ACCESS_KEY_ID"),
    ("ExpiredTokenException", "", "the temporary AWS credentials have expired: get new ones"),
    ("MissingAuthenticationTokenException", "", "the operation needs AWS credentials: give access_key and secret_key"),
    (
        "AccessDeniedException",
        "",
        "allow cognito-idp:<operation> on the user pool in the IAM policy of the credentials",
    ),
    ("UnknownOperationException", "", "the endpoint does not have this operation: upgrade botocore or the emulator"),
)


def hint_for(error: ServiceError, auth_flow: object = None) -> str:
    """Return the hint for *error*, or an empty string. *auth_flow* is the AuthFlow of the request, if it has one."""
    hint = BY_CLASS.get(error.plain_class())
    if hint is not None:
        return hint
    words = error.message.lower()
    found = next((hint for code, phrase, hint in BY_PHRASE if code == error.code and phrase in words), "")
    return _flow_hint(error.message, auth_flow) if found is _FLOW else found


def _flow_hint(message: str, auth_flow: object) -> str:
    """Return the hint for a flow that the app client does not allow, with the exact value if the flow is known."""
    named = re.search(r"\b[A-Z]+(_[A-Z]+)*_AUTH\b", message)
    value = _ALLOWING.get(str(auth_flow)) or (_ALLOWING.get(named[0]) if named else None)
    if value is None:
        return _FLOW
    return f"the app client must allow the flow: add {value} to its settings (ExplicitAuthFlows)"
