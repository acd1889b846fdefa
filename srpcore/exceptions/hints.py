"""What often causes an error of the service, and what to check: the strings of ``ServiceError.hint``.

The messages of the service do not name these causes. A wrong user pool id, for example, is answered like a wrong
password, because the pool id is a part of the proof.
"""

from __future__ import annotations

__all__ = ["hint_for"]

_ACCESS_TOKEN = (
    "give the access token of this user pool (not the ID token), without a 'Bearer ' prefix; it must have the scope "
    "aws.cognito.signin.user.admin"
)
_SECRET = (
    "check client_secret: an app client that has a secret needs it, with exactly this client_id; an app client without "
    "a secret needs client_secret=None"
)
_POOL_ID = "check the user pool id, the client id and the region: each pool and each app client exists in one region"
_FLOW = (
    "the app client must allow the flow: in its settings (ExplicitAuthFlows), add ALLOW_USER_SRP_AUTH for a login by "
    "SRP, or the ALLOW_... value that has the name of the flow"
)
_CLOCK = "this computer's clock is wrong by more than five minutes (compare it with the Date header of the response)"

# The first entry whose code is that of the error and whose phrase is in the message counts. Phrases are in lower case.
_HINTS: tuple[tuple[str, str, str], ...] = (
    ("NotAuthorizedException", "secret", _SECRET),
    (
        "NotAuthorizedException",
        "incorrect username or password",
        "the user name or the password is wrong. A login by SRP is answered in the same way if the user pool id is "
        f"wrong, or if {_CLOCK}",
    ),
    ("NotAuthorizedException", "password attempts exceeded", "wait some minutes before the next try"),
    ("NotAuthorizedException", "access token has expired", "get a new one: call renew_access_token() or check_token()"),
    ("NotAuthorizedException", "access token has been revoked", "the user has logged out: log in again"),
    ("NotAuthorizedException", "access token", _ACCESS_TOKEN),
    ("NotAuthorizedException", "session is expired", "log in again: a challenge must be answered within minutes"),
    ("NotAuthorizedException", "invalid session", "log in again: a Session can be used once, in the flow it came from"),
    ("NotAuthorizedException", "refresh token has", "log in again"),
    (
        "NotAuthorizedException",
        "invalid refresh token",
        "the refresh token may belong to another app client. If the pool tracks devices, confirm the device after the "
        "login (confirm_device), and give device= after a restart",
    ),
    ("InvalidParameterException", "secret", _SECRET),
    ("InvalidParameterException", "not enabled", _FLOW),
    ("InvalidParameterException", "flow not supported", _FLOW),
    ("UnauthorizedException", "", _FLOW),
    ("ResourceNotFoundException", "pool", _POOL_ID),
    ("ResourceNotFoundException", "client", _POOL_ID),
    ("UserNotFoundException", "", "check the user name and the user pool id"),
    ("UserNotConfirmedException", "", "call confirm_sign_up with the code that the user received"),
    ("PasswordResetRequiredException", "", "call initiate_forgot_password, then confirm_forgot_password"),
    ("InvalidSignatureException", "", f"the AWS secret key is wrong, or {_CLOCK}"),
    ("SignatureDoesNotMatch", "", f"the AWS secret key is wrong, or {_CLOCK}"),
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


def hint_for(code: str, message: str) -> str:
    """Return the hint for an error of the service, or an empty string."""
    words = message.lower()
    return next((hint for name, phrase, hint in _HINTS if name == code and phrase in words), "")
