"""The pool, the app client and the metadata of a request, from which the events of Lambda triggers are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..api.parameters import Parameters, mapping, optional_string
from ..model.addresses import ADDRESSES
from ..model.auth_sessions import AuthSession
from ..model.pools import AppClient, PoolRecord
from ..model.users import User
from ..storage.state import State
from ..triggers.configuration import NO_TRIGGERS, Triggers, enabled
from ..triggers.invocation import NO_CLIENT, Subject

__all__ = ["Caller", "read_metadata"]


def read_metadata(parameters: Parameters) -> dict[str, str]:
    """Return ClientMetadata of a request.

    Raises:
        Refusal: it is not an object with strings as values.
    """
    given = mapping(parameters, "ClientMetadata")
    return {name: optional_string(given, name) or "" for name in given}


@dataclass(frozen=True)
class Caller:
    """The pool, the app client and ClientMetadata of a request.

    Attributes:
        client: None for an operation of an administrator that has no app client.
        metadata: what the triggers of this request get as ``clientMetadata``.
    """

    pool: PoolRecord
    client: AppClient | None = None
    metadata: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)

    @classmethod
    def of(cls, auth_session: AuthSession) -> Caller:
        """Return the caller of a request that continues a login."""
        return cls(auth_session.pool, auth_session.client, auth_session.client_metadata)

    def triggers(self, state: State) -> Triggers:
        """Return the triggers that the server has and that the LambdaConfig of the pool names."""
        given = state.service.triggers
        return NO_TRIGGERS if given is NO_TRIGGERS else enabled(given, self.pool.section("LambdaConfig"))

    def subject(self, user: User) -> Subject:
        """Return *user* as the subject of an event."""
        not_found = False if self._hides_users else None
        return self._subject(user.username, _attributes(self.pool, user), not_found)

    def new_user(self, username: str, attributes: Mapping[str, str]) -> Subject:
        """Return a user who is not added yet as the subject of an event."""
        return self._subject(username, attributes, None)

    def stranger(self, name: str) -> Subject:
        """Return a name that is not in the pool as the subject of an event."""
        return self._subject(name, {}, True if self._hides_users else None)

    @property
    def _hides_users(self) -> bool:
        return self.client is not None and self.client.hides_users

    def _subject(self, username: str, attributes: Mapping[str, str], not_found: bool | None) -> Subject:
        client_id = NO_CLIENT if self.client is None else self.client.client_id
        return Subject(self.pool.id, client_id, username, attributes, self.metadata, not_found)


def _attributes(pool: PoolRecord, user: User) -> dict[str, str]:
    """Return the attributes of *user* with those that the service adds in events: the status and the aliases."""
    usernames, aliases = pool.names("UsernameAttributes"), pool.names("AliasAttributes")
    added = {"cognito:user_status": user.status}
    for name in ADDRESSES:
        if name in user.attributes and (name in usernames or (name in aliases and user.verified(name))):
            added[f"cognito:{name}_alias"] = user.attributes[name]
    return {**user.attributes, **added}
