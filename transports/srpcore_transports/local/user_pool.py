"""UserPool: a local user pool with shortcuts for the tests of an app. The pytest fixture ``user_pool`` returns it."""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Literal, TypeAlias

from srpcore.exceptions.base import ConfigurationError
from srpcore.service_client import ServiceClient

from .auth import membership, tokens
from .embedded import LocalUserPool
from .model.pools import PoolRecord
from .model.signing import generate_pem
from .model.users import User
from .storage import directory
from .storage.signing_keys import signing_key
from .storage.state import State

__all__ = ["UserPool"]

Strings: TypeAlias = str | Iterable[str]

_PASSWORD = "Correct-Horse-1"
_TOKEN_ARGUMENTS = ("username", "more_claims", "use", "scopes", "groups", "client_id", "expires_in")
_SHORTEST = 4  # letters: a shorter beginning of an argument's name is not taken for a misspelling


class UserPool(LocalUserPool):
    """A local user pool that adds users and issues tokens in one call. It has the arguments of LocalUserPool.

    All objects of this class in a process sign with one key, because it takes a tenth of a second to generate one. A
    token of another object is still refused, for its issuer.
    """

    @staticmethod
    def _signing_key() -> str:
        return _shared_key()

    def add_user(self, username: str, *, password: str = _PASSWORD, groups: Strings = (), **attributes: str) -> str:
        """Add a confirmed user, and return the user's ``sub``. No message is sent.

        Args:
            username: the name, or the e-mail address or phone number if the pool uses these as names.
            password: the password. The default is accepted by the default policy.
            groups: the group or groups of the user. They are created if they do not exist.
            attributes: the attributes, for example ``email="alice@example.com"`` or ``**{"custom:tenant": "acme"}``.

        Raises:
            UsernameExistsException: the pool has a user of this name.
            InvalidPasswordException: the password does not fit the policy of the pool.
            InvalidParameterException: the name, an attribute or the name of a group is not valid.
            ConfigurationError: the name of an attribute looks like a misspelt argument.
        """
        _refuse_misspelt(attributes, ("username", "password", "groups"), "an attribute")
        client = ServiceClient(self, self.region)
        existing = State(self._service).run(lambda state: {group.name for group in state.groups.all(self._pool(state))})
        user = {"UserPoolId": self.user_pool_id, "Username": username}
        members = [{"Name": name, "Value": value} for name, value in attributes.items()]
        for group in _as_list(groups):
            if group not in existing:
                client.create_group(UserPoolId=self.user_pool_id, GroupName=group)
        # With the password, so that a user whose password is refused is not created.
        given = {"TemporaryPassword": password, "UserAttributes": members, "MessageAction": "SUPPRESS"}
        client.admin_create_user(**user, **given)
        client.admin_set_user_password(**user, Password=password, Permanent=True)
        for group in _as_list(groups):
            client.admin_add_user_to_group(**user, GroupName=group)
        return State(self._service).run(lambda state: directory.require_user(state, self._pool(state), username).sub)

    def token(
        self,
        username: str = "test-user",
        more_claims: Mapping[str, object] | None = None,
        *,
        use: Literal["access", "id"] = "access",
        scopes: Strings | None = None,
        groups: Strings | None = None,
        client_id: str | None = None,
        expires_in: float = tokens.HOUR,
        **claims: object,
    ) -> str:
        """Return a signed token, without a login. A verifier for this pool accepts it.

        Args:
            username: a user of the pool, whose ``sub``, groups and attributes are used; or any other name. The token of
                a user of the pool is accepted by the pool's operations, too, for example GetUser. No trigger is called.
            more_claims: claims whose names are not Python identifiers, for example ``{"custom:tenant": "acme"}``. A
                claim that is None is left out, also in *claims*.
            use: ``"access"`` or ``"id"``.
            scopes: the scope or scopes of an access token, instead of ``aws.cognito.signin.user.admin``.
            groups: the group or groups in the token, instead of those of the user. They need not exist.
            client_id: the id of another app client.
            expires_in: the seconds until the token expires. If it is 0 or less, the token has expired already.
            claims: other claims, for example ``sub="..."`` or ``iss="..."``. A name that is similar to an argument, for
                example ``group``, is refused; give such a claim in *more_claims*.

        Raises:
            ConfigurationError: *use* has another value, *scopes* was given for an ID token, or the name of a claim
                looks like a misspelt argument.
        """
        if "token_use" in claims:
            raise ConfigurationError(
                "unknown argument 'token_use': pass use=, or give a claim of this name in more_claims"
            )
        _refuse_misspelt(claims, _TOKEN_ARGUMENTS, "a claim of this name in more_claims")
        if use not in ("access", "id"):
            raise ConfigurationError(f"use must be 'access' or 'id', not {use!r:.80}")
        if use == "id" and scopes is not None:
            raise ConfigurationError("an ID token has no scopes: use 'access', or leave scopes out")
        values = self._claims(username, use, expires_in)
        if scopes is not None:
            values["scope"] = " ".join(_as_list(scopes))
        if groups is not None:
            values["cognito:groups"] = _as_list(groups) or None
        if client_id is not None:
            values["aud" if use == "id" else "client_id"] = client_id
        values |= {**(more_claims or {}), **claims}
        key = State(self._service).run(lambda state: signing_key(self._pool(state)))
        return key.sign({name: value for name, value in values.items() if value is not None})

    def _pool(self, state: State) -> PoolRecord:
        return state.pool(self.user_pool_id)

    def _claims(self, username: str, use: str, expires_in: float) -> dict[str, Any]:
        make = tokens.id_claims if use == "id" else tokens.access_claims

        def start(state: State) -> dict[str, Any]:
            pool = self._pool(state)
            user = directory.find(state, pool, username) or self._unknown_user(username)
            grant = tokens.start_grant(state, pool, state.client(self.client_id), user, None, state.clock())
            return make(state, grant, tokens.HOUR, membership.groups_in_tokens(state, user))

        claims = State(self._service).run(start)
        now: int = claims["iat"]
        claims["exp"] = math.ceil(now + expires_in)
        if expires_in <= 0:
            # As if the user had logged in an hour before the token expired: it must not expire before it was issued.
            claims["iat"] = claims["auth_time"] = claims["exp"] - tokens.HOUR
        return claims

    def _unknown_user(self, username: str) -> User:
        # The sub depends on the name only, so that two tokens of one name belong to the same user.
        return User(username, str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.user_pool_id}/{username}")), 0.0)

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Return the key set of the pool, for ``TokenVerifier.load_jwks``."""
        return {"keys": [State(self._service).run(lambda state: signing_key(self._pool(state))).jwk()]}


@cache
def _shared_key() -> str:
    return generate_pem()


def _refuse_misspelt(given: Iterable[str], arguments: Iterable[str], otherwise: str) -> None:
    """Refuse the name of a claim or an attribute if it looks like a misspelt name of an argument."""
    for name in given:
        near = [argument for argument in arguments if _is_similar(name, argument)]
        if near and name != "scope":  # the name of a claim
            raise ConfigurationError(f"unknown argument {name!r}: use {' or '.join(near)}, or give {otherwise}")


def _is_similar(name: str, argument: str) -> bool:
    """Return whether *name* is the beginning of *argument*, or differs in one letter or in the order of two."""
    if len(name) >= _SHORTEST and argument.startswith(name):
        return True
    same = next(
        (i for i, (a, b) in enumerate(zip(name, argument, strict=False)) if a != b), min(len(name), len(argument))
    )
    left, right = name[same:], argument[same:]
    swapped = left[:2] == right[1::-1] and left[2:] == right[2:]
    return swapped or left[1:] == right[1:] or left[1:] == right or left == right[1:]


def _as_list(values: Strings) -> list[str]:
    return [values] if isinstance(values, str) else [*values]
