"""The policy of a verifier: what a token must be. It is checked when it is made, not when the first token arrives."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Collection, Mapping
from types import CoroutineType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from ..exceptions.base import ConfigurationError
from ..pool import Pool
from .claims import Claims, ClaimsPolicy

if TYPE_CHECKING:
    from .overrides import Overrides

__all__ = [
    "CustomCheck",
    "Policy",
    "Strings",
    "TokenUse",
    "await_custom_check",
    "issuers_by_pool",
    "pool_by_issuer",
    "run_custom_check",
    "seconds",
    "strings",
]

TokenUse: TypeAlias = Literal["access", "id"]
Strings: TypeAlias = str | Collection[str]
"""One string, or a collection of strings of which any one may match."""

CustomCheck: TypeAlias = Callable[[Claims], Awaitable[None] | None]
"""A function that raises to refuse a token, and returns None (or an awaitable of None) to accept it."""


class Policy:
    """What a token must be, except for its user pool. A verifier has one policy, and a call may override parts of it.

    Args:
        client_id: the ids of the app clients to accept: ``client_id`` of an access token, ``aud`` of an ID token. None
            accepts any app client.
        token_use: ``"access"``, ``"id"``, or None to accept both kinds.
        groups: the user must be in at least one of these groups (``cognito:groups``); None does not check groups.
        scope: the token must have at least one of these scopes; None does not check scopes.
        leeway: seconds by which the clocks of the issuer and of this computer may differ, 0 or more.
        custom_check: called with the claims after every other check, if it is not None.
        issuers: the issuers of the pool to accept; None accepts all of them.

    Raises:
        ConfigurationError: an argument has a wrong type or value, or is empty so that no token could match.
    """

    __slots__ = ("client_id", "custom_check", "groups", "issuers", "leeway", "scope", "token_use")

    def __init__(
        self,
        client_id: Strings | None,
        token_use: str | None,
        groups: Strings | None,
        scope: Strings | None,
        leeway: float,
        custom_check: CustomCheck | None,
        issuers: Strings | None = None,
    ) -> None:
        if token_use not in (None, "access", "id"):
            raise ConfigurationError('token_use must be "access", "id" or None')
        seconds("leeway", leeway)
        if custom_check is not None and not callable(custom_check):
            raise ConfigurationError("custom_check must be a function with one parameter, the claims, or None")
        self.client_id = strings("client_id", client_id)
        self.token_use = token_use
        self.groups = strings("groups", groups)
        self.scope = strings("scope", scope)
        self.leeway = leeway
        self.custom_check = custom_check
        self.issuers = strings("issuers", issuers)

    def with_overrides(self, overrides: Overrides) -> Policy:
        """Return a copy of this policy in which *overrides* replace the values of the same name.

        Raises:
            ConfigurationError: an override has a wrong type or value.
        """
        values: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        return Policy(**{**values, **cast(dict[str, Any], overrides)})

    def for_issuers(self, issuers: Strings) -> ClaimsPolicy:
        """Return the policy for the claims of a token whose ``iss`` must be one of *issuers*.

        Raises:
            ConfigurationError: *issuers* is None or empty, or contains something that is not a string.
        """
        accepted = strings("issuers", issuers)
        if accepted is None:
            raise ConfigurationError("issuers must be one string or several, not None: no token could match")
        return ClaimsPolicy(accepted, self.token_use, self.client_id, self.leeway, self.groups, self.scope)

    def require_sync_check(self) -> None:
        """Refuse a custom check that is a coroutine function.

        Raises:
            ConfigurationError: ``custom_check`` is one. Nothing would await it, so it would never refuse a token.
        """
        if self.custom_check is None:
            return
        from inspect import iscoroutinefunction  # importing it is slow

        if iscoroutinefunction(self.custom_check):
            raise ConfigurationError("custom_check must not be a coroutine function here: it would never be awaited")


def seconds(name: str, value: float, *, zero: bool = True) -> None:
    """Check that the argument *name* is a finite number of seconds above 0, or 0 if *zero* is true.

    Raises:
        ConfigurationError: *value* is not.
    """
    # Compare the types exactly: isinstance(True, int) is true, but a bool is not a number of seconds.
    if type(value) not in (int, float) or not 0 <= value <= sys.float_info.max or (value == 0 and not zero):
        raise ConfigurationError(f"{name} must be a finite number of seconds, {'0 or more' if zero else 'above 0'}")


def strings(name: str, value: Strings | None) -> Strings | None:
    """Return *value*, the argument *name*, after checking it. A collection is copied: the caller may change it later.

    Raises:
        ConfigurationError: *value* is not None, a string or a collection of strings, or a string or the collection is
            empty.
    """
    if value is None or (isinstance(value, str) and value):
        return value
    items = (value,) if isinstance(value, str) or not isinstance(value, Collection) else tuple(value)  # pyright: ignore[reportUnnecessaryIsInstance]
    if not items or not all(isinstance(item, str) and item for item in items):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f"{name} must be one string or several, none of them empty: no token could match")
    return items


def run_custom_check(custom_check: CustomCheck, claims: Claims) -> None:
    """Call *custom_check*, a plain function. It raises to refuse the token.

    Raises:
        ConfigurationError: it returned a value. A check that returns False to refuse would otherwise accept everything.
    """
    result = cast(object, custom_check(claims))
    if isinstance(result, CoroutineType):
        # A lambda or functools.partial may hide a coroutine function. Closing avoids the warning "never awaited".
        result.close()
    _require_none(cast(object, result))


async def await_custom_check(custom_check: CustomCheck, claims: Claims) -> None:
    """Call *custom_check*, and await what it returns if that is awaitable. It raises to refuse the token.

    Raises:
        ConfigurationError: it returned a value; see :func:`run_custom_check`.
    """
    result: object = custom_check(claims)
    if isinstance(result, Awaitable):
        result = await result
    _require_none(result)


def _require_none(result: object) -> None:
    if result is not None:
        raise ConfigurationError("custom_check returned a value: it must raise to refuse a token, and return None")


def issuers_by_pool(pools: list[Pool], issuers: Strings | Mapping[str, Strings] | None) -> dict[str, Collection[str]]:
    """Return for each pool id the values of ``iss`` to accept: those in *issuers*, or the pool's default ones.

    Raises:
        ConfigurationError: *issuers* does not have exactly one entry for each of *pools*.
    """
    given: dict[str, Strings]
    if issuers is None:
        given = {pool.user_pool_id: pool.issuers for pool in pools}
    elif isinstance(issuers, Mapping):
        given = dict(cast(Mapping[str, Strings], issuers))
    else:
        given = {pools[0].user_pool_id: issuers}
    if {*given} != {pool.user_pool_id for pool in pools}:
        raise ConfigurationError(
            "issuers must be a mapping with one entry for each user pool id if there are several pools"
        )
    accepted = {name: strings("issuers", values) or () for name, values in given.items()}
    return {name: (values,) if isinstance(values, str) else values for name, values in accepted.items()}


def pool_by_issuer(issuers: Mapping[str, Collection[str]]) -> dict[str, str]:
    """Return the pool id of each issuer: *issuers* inverted.

    Raises:
        ConfigurationError: two pools have the same issuer, so ``iss`` would not identify the pool.
    """
    pool_of_issuer: dict[str, str] = {}
    for user_pool_id, values in issuers.items():
        for issuer in values:
            if pool_of_issuer.setdefault(issuer, user_pool_id) != user_pool_id:
                raise ConfigurationError("issuers must not overlap: two user pools have the same issuer")
    return pool_of_issuer
