"""The trigger PreTokenGeneration: which claims, groups and scopes to change in the tokens before they are signed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from ..api.errors import Refusal
from ..model.token_groups import GROUP_CLAIMS, TokenGroups
from ..steps import Step
from .configuration import Triggers
from .invocation import Subject, invoke
from .responses import invalid_output, json_object, optional_string, strings

__all__ = ["Cause", "ClaimChanges", "TokenChanges", "pre_token_generation"]

Cause: TypeAlias = Literal[
    "HostedAuth", "Authentication", "NewPasswordChallenge", "AuthenticateDevice", "RefreshTokens", "ClientCredentials"
]

# "Excluded claims and scopes" in the developer guide. A change of one of these has no effect.
_FIXED = frozenset("acr amr at_hash auth_time azp exp iat iss jti nbf nonce origin_jti sub token_use event_id".split())
_FIXED_IN_ID_TOKEN = _FIXED | {"identities", "aud", "cognito:username"}
_FIXED_IN_ACCESS_TOKEN = _FIXED | {"username", "client_id", "scope", "device_key", "version"}
# Also from the guide: in an ID token these cannot be arrays or objects.
_SIMPLE_IN_ID_TOKEN = ("phone_number_verified", "email_verified", "updated_at", "address")


@dataclass(frozen=True)
class ClaimChanges:
    """The changes of one token. A claim or a scope that is both added and suppressed is suppressed."""

    add: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    suppress: frozenset[str] = frozenset()
    add_scopes: tuple[str, ...] = ()
    suppress_scopes: frozenset[str] = frozenset()

    def apply(self, claims: Mapping[str, Any], fixed: frozenset[str]) -> dict[str, Any]:
        """Return *claims* with the changes, except those of the claims in *fixed*."""
        kept = {name: value for name, value in claims.items() if name in fixed or name not in self.suppress}
        added = {n: value for n, value in self.add.items() if n not in fixed and n not in self.suppress}
        return kept | added

    def scopes(self, scope: str) -> str:
        """Return *scope*, the scopes with spaces between them, with the changes."""
        scopes = dict.fromkeys([*scope.split(), *self.add_scopes])
        return " ".join(each for each in scopes if each not in self.suppress_scopes)


@dataclass(frozen=True)
class TokenChanges:
    """The changes that PreTokenGeneration wants. Without a trigger there are none.

    Attributes:
        groups: the groups to show in both tokens instead of the user's; None leaves them as they are.
    """

    id: ClaimChanges = ClaimChanges()
    access: ClaimChanges = ClaimChanges()
    groups: TokenGroups | None = None

    def id_claims(self, claims: Mapping[str, Any]) -> dict[str, Any]:
        """Return the changed claims of the ID token."""
        group_claims = None if self.groups is None else self.groups.in_id_token()
        return self.id.apply(_with_group_claims(claims, group_claims), _FIXED_IN_ID_TOKEN)

    def access_claims(self, claims: Mapping[str, Any]) -> dict[str, Any]:
        """Return the changed claims of the access token. If no scope is left, it has no claim ``scope``."""
        group_claims = None if self.groups is None else self.groups.in_access_token()
        changed = self.access.apply(_with_group_claims(claims, group_claims), _FIXED_IN_ACCESS_TOKEN)
        scope = self.access.scopes(str(changed.pop("scope", "")))
        return {**changed, "scope": scope} if scope else changed


def _with_group_claims(claims: Mapping[str, Any], group_claims: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Return *claims* with their claims about groups replaced by *group_claims*; unchanged if that is None."""
    if group_claims is None:
        return claims
    return {**{name: value for name, value in claims.items() if name not in GROUP_CLAIMS}, **group_claims}


def pre_token_generation(
    triggers: Triggers, cause: Cause, subject: Subject, groups: TokenGroups, scopes: Sequence[str]
) -> Step[TokenChanges]:
    """Call PreTokenGeneration before tokens are issued, and return the changes.

    Args:
        cause: what the tokens are issued after; the events of ClientCredentials exist in version 3 only.
        scopes: the scopes of the access token.

    Raises:
        Refusal: the trigger failed, or its response is not valid.
    """
    version = triggers.pre_token_generation_version
    if triggers.pre_token_generation is None or (cause == "ClientCredentials" and version != "V3_0"):
        return TokenChanges()
    request: dict[str, object] = {
        "userAttributes": dict(subject.attributes),
        "groupConfiguration": {
            "groupsToOverride": list(groups.names),
            "iamRolesToOverride": list(groups.roles),
            "preferredRole": groups.preferred_role,
        },
    }
    first = version == "V1_0"
    if not first:
        request["scopes"] = list(scopes)
    member = "claimsOverrideDetails" if first else "claimsAndScopeOverrideDetails"
    source, number = f"TokenGeneration_{cause}", version[1]
    response = yield from invoke(
        triggers, "pre_token_generation", source, subject, request, {member: None}, version=number
    )
    details = json_object(response, member)
    return _first_version(details) if first else _later_version(details)


def _first_version(details: Mapping[str, object]) -> TokenChanges:
    changes = _changes(details, complex_values=False)
    return TokenChanges(id=changes, groups=_groups(details))


def _later_version(details: Mapping[str, object]) -> TokenChanges:
    id_changes = _changes(json_object(details, "idTokenGeneration"), complex_values=True)
    if any(isinstance(id_changes.add.get(name), (list, dict)) for name in _SIMPLE_IN_ID_TOKEN):
        raise invalid_output()
    access = json_object(details, "accessTokenGeneration")
    changes = _changes(access, complex_values=True)
    scopes = strings(access, "scopesToAdd")
    if any(not scope or any(character.isspace() for character in scope) for scope in scopes):
        raise Refusal("InvalidLambdaResponseException", "scopesToAdd has a scope with a blank in it")
    changes = ClaimChanges(changes.add, changes.suppress, scopes, frozenset(strings(access, "scopesToSuppress")))
    return TokenChanges(id_changes, changes, _groups(details))


def _changes(details: Mapping[str, object], *, complex_values: bool) -> ClaimChanges:
    add = json_object(details, "claimsToAddOrOverride")
    # In version 1 a claim is a string, and the service refuses any other value.
    if any(value is None or (not complex_values and not isinstance(value, str)) for value in add.values()):
        raise invalid_output()
    return ClaimChanges(add, frozenset(strings(details, "claimsToSuppress")))


def _groups(details: Mapping[str, object]) -> TokenGroups | None:
    # An empty or null object removes the groups (documented). A response without the member leaves them.
    if "groupOverrideDetails" not in details:
        return None
    given = json_object(details, "groupOverrideDetails")
    roles = strings(given, "iamRolesToOverride")
    return TokenGroups(strings(given, "groupsToOverride"), roles, optional_string(given, "preferredRole"))
