"""The service's errors: one class for each exception name in the service model, over :class:`ServiceError`."""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import Any, ClassVar, cast

from .base import SrpcoreError

__all__: list[str] = [
    "AccessDeniedException",
    "AliasExistsException",
    "CodeDeliveryFailureException",
    "CodeMismatchException",
    "ConcurrentModificationException",
    "DeviceKeyExistsException",
    "DuplicateProviderException",
    "EnableSoftwareTokenMFAException",
    "ExpiredCodeException",
    "FeatureUnavailableInTierException",
    "ForbiddenException",
    "GroupExistsException",
    "InternalErrorException",
    "InternalServerException",
    "InvalidEmailRoleAccessPolicyException",
    "InvalidLambdaResponseException",
    "InvalidOAuthFlowException",
    "InvalidParameterException",
    "InvalidPasswordException",
    "InvalidSmsRoleAccessPolicyException",
    "InvalidSmsRoleTrustRelationshipException",
    "InvalidUserPoolConfigurationException",
    "LimitExceededException",
    "MFAMethodNotFoundException",
    "ManagedLoginBrandingExistsException",
    "NotAuthorizedException",
    "OperationNotEnabledException",
    "PasswordHistoryPolicyViolationException",
    "PasswordResetRequiredException",
    "PreconditionNotMetException",
    "RefreshTokenReuseException",
    "ResourceNotFoundException",
    "ScopeDoesNotExistException",
    "ServiceError",
    "ServiceQuotaExceededException",
    "SoftwareTokenMFANotFoundException",
    "TermsExistsException",
    "TierChangeNotAllowedException",
    "TooManyFailedAttemptsException",
    "TooManyRequestsException",
    "UnauthorizedException",
    "UnexpectedLambdaException",
    "UnsupportedIdentityProviderException",
    "UnsupportedOperationException",
    "UnsupportedTokenTypeException",
    "UnsupportedUserStateException",
    "UserImportInProgressException",
    "UserLambdaValidationException",
    "UserNotConfirmedException",
    "UserNotFoundException",
    "UserPoolAddOnNotEnabledException",
    "UserPoolTaggingException",
    "UsernameExistsException",
    "WebAuthnChallengeNotFoundException",
    "WebAuthnClientMismatchException",
    "WebAuthnConfigurationMissingException",
    "WebAuthnCredentialNotSupportedException",
    "WebAuthnNotEnabledException",
    "WebAuthnOriginNotAllowedException",
    "WebAuthnRelyingPartyMismatchException",
]


class ServiceError(SrpcoreError):
    """The service answered with an error; an exception name that has no class of its own is a plain ServiceError.

    ``code`` and ``message`` are the service's words, ``operation`` the call's name, ``response`` the document in
    botocore's shape. ``operation_name`` is botocore's name for ``operation``.
    """

    _plain: ClassVar[type[ServiceError] | None] = None

    def __init__(self, response: dict[str, Any], operation: str) -> None:
        self.response = response
        self.operation = self.operation_name = operation
        error = member(response, "Error")
        metadata = member(response, "ResponseMetadata")
        self.code: str = str(error.get("Code", "Unknown"))
        self.message: str = str(error.get("Message", ""))
        self.status: int | None = metadata.get("HTTPStatusCode")
        self.request_id: str | None = metadata.get("RequestId")
        # Not super(): ClientError, where it is a base, would parse the document again, and fail on an odd one.
        Exception.__init__(self, str(self))

    def __str__(self) -> str:
        where = self.operation if self.status is None else f"HTTP {self.status}, {self.operation}"
        return f"{self.code} ({where}): {self.message}"

    def __repr__(self) -> str:
        return f"<{self}>"

    def __reduce__(self) -> tuple[Any, ...]:
        # A class made beside botocore's cannot be found by its name: its plain one is, and goes beside botocore's anew.
        plain = vars(type(self)).get("_plain") or type(self)
        return _restored, (plain, self.response, self.operation), vars(self)


def member(document: object, name: str) -> dict[str, Any]:
    """Return the object at *name*, empty where a document is not of the service's shape."""
    member = cast(dict[str, Any], document).get(name) if isinstance(document, dict) else None
    return cast(dict[str, Any], member) if isinstance(member, dict) else {}


def _restored(cls: type[ServiceError], response: dict[str, Any], operation: str) -> ServiceError:
    return beside(cls, client_error())(response, operation)


class AccessDeniedException(ServiceError):
    """The credentials have no permission for the operation."""


class AliasExistsException(ServiceError):
    """The e-mail address or phone number is another account's alias."""


class CodeDeliveryFailureException(ServiceError):
    """The code could not be delivered."""


class CodeMismatchException(ServiceError):
    """The code is not the one that was sent."""


class ConcurrentModificationException(ServiceError):
    """Two changes collided: try again."""


class DeviceKeyExistsException(ServiceError):
    """The device key is confirmed already."""


class DuplicateProviderException(ServiceError):
    """The pool has an identity provider of that name."""


class EnableSoftwareTokenMFAException(ServiceError):
    """The code of the authenticator app is wrong: it was not enrolled."""


class ExpiredCodeException(ServiceError):
    """The code has expired, or was used: ask for a new one."""


class FeatureUnavailableInTierException(ServiceError):
    """The pool's feature plan does not include this."""


class ForbiddenException(ServiceError):
    """A web ACL refused the request."""


class GroupExistsException(ServiceError):
    """The pool has a group of that name."""


class InternalErrorException(ServiceError):
    """The service failed."""


class InternalServerException(ServiceError):
    """The service failed."""


class InvalidEmailRoleAccessPolicyException(ServiceError):
    """The service may not use the pool's e-mail identity."""


class InvalidLambdaResponseException(ServiceError):
    """A trigger's answer was invalid."""


class InvalidOAuthFlowException(ServiceError):
    """The OAuth flow is invalid."""


class InvalidParameterException(ServiceError):
    """A parameter is invalid."""


class InvalidPasswordException(ServiceError):
    """The password breaks the pool's policy."""


class InvalidSmsRoleAccessPolicyException(ServiceError):
    """The role for SMS may not publish."""


class InvalidSmsRoleTrustRelationshipException(ServiceError):
    """The role for SMS does not trust the service."""


class InvalidUserPoolConfigurationException(ServiceError):
    """The pool's configuration is invalid."""


class LimitExceededException(ServiceError):
    """A limit is exceeded: wait before trying again."""


class MFAMethodNotFoundException(ServiceError):
    """The user has no such second factor."""


class ManagedLoginBrandingExistsException(ServiceError):
    """The app client has a branding style already."""


class NotAuthorizedException(ServiceError):
    """Refused: wrong password, spent Session, revoked token; the message says which."""


class OperationNotEnabledException(ServiceError):
    """The operation is not available for this pool."""


class PasswordHistoryPolicyViolationException(ServiceError):
    """The password was used before."""


class PasswordResetRequiredException(ServiceError):
    """The user must reset the password first."""


class PreconditionNotMetException(ServiceError):
    """A precondition is not met."""


class RefreshTokenReuseException(ServiceError):
    """The refresh token was rotated away and its grace is over."""


class ResourceNotFoundException(ServiceError):
    """The pool, client, device or group does not exist."""


class ScopeDoesNotExistException(ServiceError):
    """The scope does not exist."""


class ServiceQuotaExceededException(ServiceError):
    """The account's quota is used up."""


class SoftwareTokenMFANotFoundException(ServiceError):
    """The authenticator app is not enabled for the pool or the user."""


class TermsExistsException(ServiceError):
    """The client has terms of that name."""


class TierChangeNotAllowedException(ServiceError):
    """The feature plan may not be changed so."""


class TooManyFailedAttemptsException(ServiceError):
    """Too many failed attempts: wait before trying again."""


class TooManyRequestsException(ServiceError):
    """The service is throttling: wait before trying again."""


class UnauthorizedException(ServiceError):
    """The access token is not accepted."""


class UnexpectedLambdaException(ServiceError):
    """The service could not run a trigger."""


class UnsupportedIdentityProviderException(ServiceError):
    """The identity provider is not supported."""


class UnsupportedOperationException(ServiceError):
    """The operation is not enabled for the app client."""


class UnsupportedTokenTypeException(ServiceError):
    """The operation does not take a token of this kind."""


class UnsupportedUserStateException(ServiceError):
    """The user's state does not allow this."""


class UserImportInProgressException(ServiceError):
    """An import into the pool is under way."""


class UserLambdaValidationException(ServiceError):
    """A trigger refused; the message has its words."""


class UserNotConfirmedException(ServiceError):
    """The user has not confirmed the account."""


class UserNotFoundException(ServiceError):
    """The user does not exist."""


class UserPoolAddOnNotEnabledException(ServiceError):
    """The pool's add-on is not enabled."""


class UserPoolTaggingException(ServiceError):
    """The pool's tag could not be set."""


class UsernameExistsException(ServiceError):
    """The pool has a user of that name."""


class WebAuthnChallengeNotFoundException(ServiceError):
    """The passkey challenge has expired."""


class WebAuthnClientMismatchException(ServiceError):
    """The access token is another client's than the one that began the registration."""


class WebAuthnConfigurationMissingException(ServiceError):
    """The pool has no relying party id."""


class WebAuthnCredentialNotSupportedException(ServiceError):
    """The passkey's device or provider is not supported."""


class WebAuthnNotEnabledException(ServiceError):
    """Passkeys are not enabled for the pool."""


class WebAuthnOriginNotAllowedException(ServiceError):
    """The passkey's origin is not the relying party's."""


class WebAuthnRelyingPartyMismatchException(ServiceError):
    """The passkey belongs to another relying party."""


def client_error() -> type[Exception] | None:
    """Return botocore's ClientError while botocore is loaded."""
    # Not there while another thread is still importing the module, or where a test has put None in its place.
    found: type[Exception] | None = getattr(sys.modules.get("botocore.exceptions"), "ClientError", None)
    return found


def beside(cls: type[ServiceError], other: type[Exception] | None) -> type[ServiceError]:
    """Return *cls* as a class that is *other*, too; itself where there is no other."""
    return cls if other is None else _class_over((cls, other))


@lru_cache(maxsize=256)  # bounded: every botocore session has exception classes of its own
def _class_over(bases: tuple[type[ServiceError], type[Exception]]) -> type[ServiceError]:
    cls = bases[0]
    namespace = {"__doc__": cls.__doc__, "__module__": cls.__module__, "_plain": cls}
    return cast(type[ServiceError], type(cls.__name__, bases, namespace))
