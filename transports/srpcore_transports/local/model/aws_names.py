"""Made-up names: the AWS account, the ARNs of its resources, and the URL of what the local pool does not serve."""

from __future__ import annotations

__all__ = ["ACCOUNT_ID", "NOT_SERVED", "lambda_function_arn", "user_pool_arn"]

ACCOUNT_ID = "000000000000"
"""The AWS account that the pools belong to."""

NOT_SERVED = "https://not-served.invalid"
"""The beginning of the URL of something that cannot be fetched."""


def lambda_function_arn(region: str, name: str) -> str:
    """Return the ARN of a Lambda function: ``arn:aws:lambda:eu-west-1:000000000000:function:PreSignUp``."""
    return f"arn:aws:lambda:{region}:{ACCOUNT_ID}:function:{name}"


def user_pool_arn(region: str, pool_id: str) -> str:
    """Return the ARN of a user pool, or of its replica in another region."""
    return f"arn:aws:cognito-idp:{region}:{ACCOUNT_ID}:userpool/{pool_id}"
