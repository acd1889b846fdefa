"""Where this project knows better than botocore's service model: each difference with its reason and its source.

``make model`` applies these lists while it generates ``srpcore/service_model.py`` and the ``shapes.py`` of the local
pool, and marks the lines it changes.
"""

from __future__ import annotations

from typing import Final

__all__ = ["ALSO_UNSIGNED", "MORE_ENUM_VALUES", "NOT_READ_ONLY", "NOT_SENSITIVE", "PATTERNS", "SERVER_ERRORS"]

ALSO_UNSIGNED: Final = {
    # The model lists SigV4, but IAM credentials cannot be used: the app client's id and secret authorize the request.
    # Source: Amazon Cognito user pools API reference, GetClientToken.
    "GetClientToken",
}
"""Operations that the model wants signed, and the service accepts without a signature only."""

MORE_ENUM_VALUES: Final = {
    # An app client must have this flow for GetClientToken.
    # Source: Amazon Cognito user pools API reference, GetClientToken.
    "ExplicitAuthFlowsType": "ALLOW_CLIENT_TOKEN_AUTH",
}
"""Enumerations that lack a value that the service accepts."""

NOT_READ_ONLY: Final = {
    # Issues tokens. Source: Amazon Cognito user pools API reference, GetClientToken.
    "GetClientToken",
    # Issues a token. Source: Amazon Cognito user pools API reference, GetDerivedToken.
    "GetDerivedToken",
    # Issues tokens and, with rotation, ends the life of the refresh token it was given.
    # Source: Amazon Cognito user pools API reference, GetTokensFromRefreshToken.
    "GetTokensFromRefreshToken",
    # Sends a code. Source: Amazon Cognito user pools API reference, GetUserAttributeVerificationCode.
    "GetUserAttributeVerificationCode",
}
"""Operations whose names begin like those that only read.

The model itself marks four operations as read-only. For the others the name decides: Describe..., Get... and List...,
with or without Admin in front.
"""

SERVER_ERRORS: Final = {
    # Source: Amazon Cognito user pools API reference, "Errors" of any operation: HTTP Status Code: 500.
    "InternalErrorException": 500,
    # Source: the same, for the operations on passkeys (StartWebAuthnRegistration).
    "InternalServerException": 500,
}
"""Exceptions whose HTTP status is not 400. The model states no status at all."""

NOT_SENSITIVE: Final = {
    # The service shows it: "2 validation errors detected: Value '' at 'clientId' failed to satisfy constraint: ...".
    # Source: https://github.com/hashicorp/terraform-provider-aws/issues/38167 (2024).
    "ClientIdType",
}
"""Shapes that the model marks as sensitive, and whose values the service shows in its messages."""

PATTERNS: Final = {
    # Blanks are allowed within a password, but not at its ends ("The space character is also treated as a special
    # character"). Programs that translate the messages of the service have them with this pattern.
    # Source: Amazon Cognito developer guide, "Adding user pool password requirements".
    "PasswordType": r"^[\S]+.*[\S]+$",
    # The model's pattern is for a prefix. A custom domain (auth.example.com) is accepted.
    # Source: https://github.com/terraform-linters/tflint/issues/933 and the API reference, CreateUserPoolDomain.
    "DomainType": None,
}
"""The patterns that the service applies instead of the model's; None: it applies none while it validates shapes."""
