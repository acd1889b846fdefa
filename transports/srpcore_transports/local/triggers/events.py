"""The triggers that accept or observe a sign-up, a confirmation and a login. A trigger that is not set does nothing.

Which event gets what the client sent (from the API reference): a sign-up has ``validationData`` from the parameter
ValidationData and ``clientMetadata`` from ClientMetadata. At a login, ClientMetadata of InitiateAuth is
``validationData`` of PreAuthentication and UserMigration, and later triggers do not get it. ClientMetadata of
RespondToAuthChallenge is ``clientMetadata`` of the triggers that this request calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ..api.errors import Refusal
from ..model.addresses import ADDRESSES
from ..steps import Step
from .configuration import Triggers
from .invocation import Subject, invoke
from .responses import boolean

__all__ = ["SignUpDecision", "post_authentication", "post_confirmation", "pre_authentication", "pre_sign_up"]


@dataclass(frozen=True)
class SignUpDecision:
    """What PreSignUp decided about a new user, apart from accepting it.

    Attributes:
        confirm: the user needs no confirmation code.
        verify_email: the user's e-mail address counts as verified.
        verify_phone: the user's phone number counts as verified.
    """

    confirm: bool = False
    verify_email: bool = False
    verify_phone: bool = False

    @property
    def verified(self) -> list[str]:
        """The attributes that count as verified."""
        return [name for name, chosen in zip(ADDRESSES, (self.verify_email, self.verify_phone), strict=True) if chosen]


def pre_sign_up(
    triggers: Triggers,
    cause: Literal["SignUp", "AdminCreateUser", "ExternalProvider"],
    subject: Subject,
    validation_data: Mapping[str, str],
) -> Step[SignUpDecision]:
    """Call PreSignUp before a user is added.

    Raises:
        Refusal: the trigger refuses the user, or verifies an address that the user does not have.
    """
    if triggers.pre_sign_up is None:
        return SignUpDecision()
    request = {"userAttributes": dict(subject.attributes), "validationData": dict(validation_data) or None}
    empty = {"autoConfirmUser": False, "autoVerifyEmail": False, "autoVerifyPhone": False}
    response = yield from invoke(triggers, "pre_sign_up", f"PreSignUp_{cause}", subject, request, empty)
    decision = SignUpDecision(*(boolean(response, name) for name in empty))
    if cause == "AdminCreateUser":
        # Documented: the three members are ignored for AdminCreateUser.
        return SignUpDecision()
    for attribute in decision.verified:
        if not subject.attributes.get(attribute):
            # Documented as an error, but without its name and message.
            raise Refusal(
                "InvalidLambdaResponseException",
                f"PreSignUp verifies {attribute}, but the user does not have this attribute",
            )
    return decision


def post_confirmation(
    triggers: Triggers, cause: Literal["ConfirmSignUp", "ConfirmForgotPassword"], subject: Subject
) -> Step[None]:
    """Call PostConfirmation, with the attributes that the user has after the confirmation.

    Raises:
        Refusal: the trigger failed.
    """
    if triggers.post_confirmation is not None:
        request = {"userAttributes": dict(subject.attributes)}
        yield from invoke(triggers, "post_confirmation", f"PostConfirmation_{cause}", subject, request, {})


def pre_authentication(triggers: Triggers, subject: Subject, validation_data: Mapping[str, str]) -> Step[None]:
    """Call PreAuthentication before the first factor is checked.

    Args:
        validation_data: ClientMetadata of InitiateAuth or AdminInitiateAuth.

    Raises:
        Refusal: the trigger refuses the login.
    """
    if triggers.pre_authentication is not None:
        request: dict[str, object] = {
            "userAttributes": dict(subject.attributes),
            "validationData": dict(validation_data) or None,
            **({} if subject.not_found is None else {"userNotFound": subject.not_found}),
        }
        source = "PreAuthentication_Authentication"
        yield from invoke(triggers, "pre_authentication", source, subject, request, {})


def post_authentication(triggers: Triggers, subject: Subject, *, new_device: bool) -> Step[None]:
    """Call PostAuthentication after the last factor was checked, before the tokens are issued.

    Args:
        new_device: the pool tracks devices, and the user logged in from one that it does not know.

    Raises:
        Refusal: the trigger failed. The login then ends without tokens.
    """
    if triggers.post_authentication is not None:
        request = {"userAttributes": dict(subject.attributes), "newDeviceUsed": new_device}
        source = "PostAuthentication_Authentication"
        yield from invoke(triggers, "post_authentication", source, subject, request, {})
