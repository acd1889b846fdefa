"""Test kit for cryptography: Hypothesis strategies, and suites of laws for your code (extra ``srpcore[testing]``).

The strategies give the values of logins and tokens, with many edge cases.

.. code-block:: python

    from hypothesis import given
    from srpcore.testing import passwords

    @given(passwords())
    def test_my_own_code(password: str) -> None: ...

Raises:
    ConfigurationError: hypothesis is not installed.
"""

from __future__ import annotations

from importlib.util import find_spec

from ..exceptions.base import ConfigurationError

if find_spec("hypothesis") is None:
    raise ConfigurationError("srpcore.testing needs hypothesis: pip install 'srpcore[testing]'")
from .cognito_laws import CognitoClient, DeviceSecret, check_cognito_dialect
from .exchanges import HostileClient, HostileServer, SrpExchange, hostile_clients, hostile_servers, srp_exchanges
from .groups import rfc5054_groups, safe_prime_groups, small_groups
from .laws import LawFailure, LawReport, LawViolation
from .logins import ClaimAnswer, CognitoExchange, DeviceIdentity, PasswordChallenge, UserIdentity, cognito_exchanges
from .pool_tokens import TokenCase, TokenPolicy
from .public_keys import JwkCase, jwk_cases
from .service_replies import (
    CHALLENGE_NAMES,
    ChangedReply,
    challenges,
    changed_replies,
    changed_token_replies,
    token_replies,
)
from .srp_laws import (
    NewSrpClient,
    NewSrpServer,
    SrpClient,
    SrpClientSetup,
    SrpServer,
    SrpServerSetup,
    check_srp_client,
    check_srp_server,
)
from .strategies import (
    hex_texts,
    identities,
    near_miss_passwords,
    non_hex_texts,
    other_passwords,
    passwords,
    public_values,
    salt_texts,
    salts,
    secret_blocks,
    secret_exponents,
    signed_integers,
    texts_with_lone_surrogates,
    unsafe_public_values,
    usernames,
)
from .token_keys import SigningKey, base64url
from .token_laws import VerifyToken, changed_tokens, check_token_verifier, token_cases

__all__ = [
    "CHALLENGE_NAMES",
    "ChangedReply",
    "ClaimAnswer",
    "CognitoClient",
    "CognitoExchange",
    "DeviceIdentity",
    "DeviceSecret",
    "HostileClient",
    "HostileServer",
    "JwkCase",
    "LawFailure",
    "LawReport",
    "LawViolation",
    "NewSrpClient",
    "NewSrpServer",
    "PasswordChallenge",
    "SigningKey",
    "SrpClient",
    "SrpClientSetup",
    "SrpExchange",
    "SrpServer",
    "SrpServerSetup",
    "TokenCase",
    "TokenPolicy",
    "UserIdentity",
    "VerifyToken",
    "base64url",
    "challenges",
    "changed_replies",
    "changed_token_replies",
    "changed_tokens",
    "check_cognito_dialect",
    "check_srp_client",
    "check_srp_server",
    "check_token_verifier",
    "cognito_exchanges",
    "hex_texts",
    "hostile_clients",
    "hostile_servers",
    "identities",
    "jwk_cases",
    "near_miss_passwords",
    "non_hex_texts",
    "other_passwords",
    "passwords",
    "public_values",
    "rfc5054_groups",
    "safe_prime_groups",
    "salt_texts",
    "salts",
    "secret_blocks",
    "secret_exponents",
    "signed_integers",
    "small_groups",
    "srp_exchanges",
    "texts_with_lone_surrogates",
    "token_cases",
    "token_replies",
    "unsafe_public_values",
    "usernames",
]
