"""What a verifier claims_policy of a token, checked when it is said and not first when a token comes."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Collection, Mapping
from types import CoroutineType
from typing import Any, Literal, TypeAlias, TypedDict, cast

from ..exceptions.base import ConfigurationError
from ..pool import Pool
from .claims import Claims, ClaimsPolicy

__all__ = [
    "CustomCheck",
    "Overrides",
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
CustomCheck: TypeAlias = Callable[[Claims], Awaitable[None] | None]


class Overrides(TypedDict, total=False):
    """What one call of ``verify`` may demand in the place of what the verifier was made with."""

    client_id: Strings | None
    token_use: TokenUse | None
    groups: Strings | None
    scope: Strings | None
    leeway: float
    custom_check: CustomCheck | None
    issuers: Strings | None


class Policy:
    """All that a verifier, or one call of it, claims_policy of a token, but for the pool.

    Args:
        client_id: the app clients to accept: ``client_id`` of an access token, ``aud`` of an ID token; None for any.
        token_use: ``"access"``, ``"id"``, or None for either.
        groups: ``cognito:groups``, of which the user must be in one at least; None for any or none.
        scope: the scope or scopes of which the token must have one at least; None for any or none.
        leeway: seconds by which clocks may differ, 0 or more.
        custom_check: called with the claims after every other check; None for none.
        issuers: those of the pool's issuers that are accepted; None for all of them.

    Raises:
        ConfigurationError: a demand cannot be met, or would be met by any token or none.
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
            raise ConfigurationError("custom_check must be a function of the claims, or None")
        self.client_id = strings("client_id", client_id)
        self.token_use = token_use
        self.groups = strings("groups", groups)
        self.scope = strings("scope", scope)
        self.leeway = leeway
        self.custom_check = custom_check
        self.issuers = strings("issuers", issuers)

    def with_overrides(self, overrides: Overrides) -> Policy:
        """Return these with *overrides* in their place.

        Raises:
            ConfigurationError: one cannot be met.
        """
        values: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        return Policy(**{**values, **cast(dict[str, Any], overrides)})

    def for_issuers(self, issuers: Strings) -> ClaimsPolicy:
        """Return what the claims of a token are compared with, where its ``iss`` must be one of *issuers*.

        Raises:
            ConfigurationError: *issuers* are no strings, or none.
        """
        several = strings("issuers", issuers)
        if several is None:
            raise ConfigurationError("issuers must be a string or several: no token would be of none")
        return ClaimsPolicy(several, self.token_use, self.client_id, self.leeway, self.groups, self.scope)

    def require_sync_check(self) -> None:
        """Refuse a custom check that is to be awaited.

        Raises:
            ConfigurationError: it is.
        """
        if self.custom_check is None:
            return
        from inspect import iscoroutinefunction  # slow to load

        if iscoroutinefunction(self.custom_check):
            raise ConfigurationError("custom_check must be a plain function: nobody would await this one")


def seconds(name: str, value: float, *, zero: bool = True) -> None:
    """Refuse *value* as the number of seconds *name*, unless it is a finite number above 0, or 0 where *zero* says so.

    Raises:
        ConfigurationError: it is refused.
    """
    # By type and not isinstance: a bool is an int.
    if type(value) not in (int, float) or not 0 <= value <= sys.float_info.max or (value == 0 and not zero):
        raise ConfigurationError(f"{name} must be a finite number of seconds, {'0 or more' if zero else 'above 0'}")


def strings(name: str, value: Strings | None) -> Strings | None:
    """Return *value*, the demand *name*, as it will stay: a collection is copied, for it might be changed later.

    Raises:
        ConfigurationError: it is neither None nor a string nor several, or one is empty.
    """
    if value is None or (isinstance(value, str) and value):
        return value
    several = (value,) if isinstance(value, str) or not isinstance(value, Collection) else tuple(value)  # pyright: ignore[reportUnnecessaryIsInstance]
    if not several or not all(isinstance(item, str) and item for item in several):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f"{name} must be a string or several, and none of them empty: nothing would match")
    return several


def run_custom_check(custom_check: CustomCheck, claims: Claims) -> None:
    """Run *custom_check*, a plain function.

    Raises:
        ConfigurationError: it returned a value. A False that is passed over would let everybody in.
    """
    answer = cast(object, custom_check(claims))
    if isinstance(answer, CoroutineType):
        answer.close()
    _require_none(cast(object, answer))


async def await_custom_check(custom_check: CustomCheck, claims: Claims) -> None:
    """Run *custom_check*, and wait for it where it is to be awaited.

    Raises:
        ConfigurationError: it returned a value.
    """
    answer: object = custom_check(claims)
    if isinstance(answer, Awaitable):
        answer = await answer
    _require_none(answer)


def _require_none(answer: object) -> None:
    if answer is not None:
        raise ConfigurationError("custom_check must raise to refuse a token, and return None: it returned a value")


def issuers_by_pool(pools: list[Pool], issuers: Strings | Mapping[str, Strings] | None) -> dict[str, Collection[str]]:
    """Return the values of ``iss`` to accept by pool id: *issuers*, else each pool's own.

    Raises:
        ConfigurationError: *issuers* does not name those of every pool, and of no other.
    """
    given: dict[str, Strings]
    if issuers is None:
        given = {pool.user_pool_id: pool.issuers for pool in pools}
    elif isinstance(issuers, Mapping):
        given = dict(cast(Mapping[str, Strings], issuers))
    else:
        given = {pools[0].user_pool_id: issuers}
    if {*given} != {pool.user_pool_id for pool in pools}:
        raise ConfigurationError("issuers must name each pool's: give a mapping from the id of every pool to them")
    several = {name: strings("issuers", values) or () for name, values in given.items()}
    return {name: (values,) if isinstance(values, str) else values for name, values in several.items()}


def pool_by_issuer(issuers: Mapping[str, Collection[str]]) -> dict[str, str]:
    """Return *issuers*, which are by pool id, the other way round.

    Raises:
        ConfigurationError: two pools have the same issuer.
    """
    pool_of_issuer: dict[str, str] = {}
    for user_pool_id, values in issuers.items():
        for issuer in values:
            if pool_of_issuer.setdefault(issuer, user_pool_id) != user_pool_id:
                raise ConfigurationError("an issuer is of two pools: whose keys count could not be told")
    return pool_of_issuer
