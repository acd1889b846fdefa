"""The Lambda authorizer of the HTTP API in template.yaml."""

from __future__ import annotations

import os

from srpcore import TokenVerifier
from srpcore.frameworks.aws_lambda import HttpApiAuthorizer

__all__ = ["handler"]

# All of this is at module level, so Lambda runs it once for each new environment, before the first request.
verifier = TokenVerifier(
    os.environ["USER_POOL_ID"],
    client_id=os.environ["CLIENT_ID"],
    token_use="access",
    endpoint_url=os.environ.get("COGNITO_URL"),  # the URL of `srpcore serve`, if that is used instead of AWS
)

# The keys are a part of the deployment (`srpcore keys`), so a cold start makes no connection. Without the file, remove
# this line: hydrate() then fetches the keys.
verifier.load_jwks(os.path.join(os.path.dirname(__file__), "jwks.json"))  # noqa: PTH118, PTH120 - importing pathlib is slow
verifier.hydrate()

handler = HttpApiAuthorizer(verifier)
