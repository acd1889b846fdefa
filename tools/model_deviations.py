"""Where this project knows better than botocore's service model: each difference with its reason and its source.

``make model`` applies these lists while it generates ``srpcore/service_model.py``, and marks the lines it changes.
"""

from __future__ import annotations

from typing import Final

__all__ = ["ALSO_UNSIGNED", "NOT_READ_ONLY", "SERVER_ERRORS"]

ALSO_UNSIGNED: Final = {
    # The model lists SigV4, but IAM credentials cannot be used: the app client's id and secret authorize the request.
    # Source: Amazon Cognito user pools API reference, GetClientToken.
    "GetClientToken",
}
"""Operations that the model wants signed, and the service accepts without a signature only."""

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
