"""The trigger UserMigration: take over a user from another directory at a login or after a forgotten password."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ..api.errors import Refusal, not_authorized
from ..model.addresses import MEDIUMS
from ..steps import Step
from .configuration import Triggers
from .invocation import Subject, invoke
from .responses import boolean, invalid_output, optional_string, string_map, strings

__all__ = ["Migration", "migrate", "migration_failed"]

_EMPTY = (
    "userAttributes",
    "forceAliasCreation",
    "enableSMSMFA",
    "finalUserStatus",
    "messageAction",
    "desiredDeliveryMediums",
)


@dataclass(frozen=True)
class Migration:
    """A user of another directory, to be added to the pool.

    Attributes:
        attributes: the attributes without ``username``.
        username: the user name; ``username`` of the returned attributes, or else the name that the user typed.
        status: the status of the new user.
        mediums: how to send the welcome message, EMAIL or SMS; empty if none is to be sent.
        force_alias: take an e-mail address or phone number away from another user who has it as an alias.
        sms_mfa: enable codes by SMS as the second factor.
    """

    attributes: Mapping[str, str] = field(repr=False)
    username: str
    status: Literal["CONFIRMED", "RESET_REQUIRED"]
    mediums: tuple[str, ...] = ()
    force_alias: bool = False
    sms_mfa: bool = False


def migrate(
    triggers: Triggers, subject: Subject, password: str | None, validation_data: Mapping[str, str]
) -> Step[Migration | None]:
    """Call UserMigration for a name that is not in the pool; return None if there is no such trigger.

    Args:
        subject: with the name that the user typed, and without attributes.
        password: the password that the user typed; None if the user has forgotten it.
        validation_data: ClientMetadata of InitiateAuth or AdminInitiateAuth.

    Raises:
        Refusal: the trigger refuses the user, or its response is not valid.
    """
    if triggers.user_migration is None:
        return None
    source = "UserMigration_ForgotPassword" if password is None else "UserMigration_Authentication"
    request: dict[str, object] = {
        **({} if password is None else {"password": password}),
        "validationData": dict(validation_data) or None,
        "userAttributes": None,
    }
    try:
        response = yield from invoke(triggers, "user_migration", source, subject, request, dict.fromkeys(_EMPTY))
        return _migration(response, subject.username, forgotten=password is None)
    except Refusal as refusal:
        # Only an exception of the trigger itself reaches the client in its own words.
        if refusal.code == "UserLambdaValidationException":
            raise
        raise migration_failed(subject) from None


def migration_failed(subject: Subject) -> Refusal:
    """Return the refusal if the user cannot be added: as for any unknown user, if the app client hides these."""
    if subject.not_found is not None:
        return not_authorized()
    return Refusal("UserNotFoundException", f"Exception migrating user in app client {subject.client_id}")


def _migration(response: Mapping[str, object], typed: str, *, forgotten: bool) -> Migration:
    attributes = string_map(response, "userAttributes")
    if not attributes or "sub" in attributes or any(name.startswith("cognito:") for name in attributes):
        raise invalid_output()
    status = optional_string(response, "finalUserStatus") or "CONFIRMED"
    action = optional_string(response, "messageAction")
    if status not in ("CONFIRMED", "RESET_REQUIRED") or action not in (None, "SUPPRESS", "RESEND"):
        raise invalid_output()
    mediums = _mediums(response)
    return Migration(
        attributes={name: value for name, value in attributes.items() if name != "username"},
        username=attributes.get("username") or typed,
        # Without a password the user cannot log in before the code that follows was entered.
        status="RESET_REQUIRED" if forgotten or status == "RESET_REQUIRED" else "CONFIRMED",
        mediums=() if action == "SUPPRESS" else mediums,
        force_alias=boolean(response, "forceAliasCreation"),
        sms_mfa=boolean(response, "enableSMSMFA"),
    )


def _mediums(response: Mapping[str, object]) -> tuple[str, ...]:
    mediums = strings(response, "desiredDeliveryMediums")
    if any(medium not in MEDIUMS.values() for medium in mediums):
        raise invalid_output()
    return mediums or ("SMS",)
