"""The invocation of one trigger with the service's event, and the error for the client if it fails.

The events, the names of their sources and the rules for the responses are those of the developer guide, "Customizing
user pool workflows with Lambda triggers" and the pages below it. The messages of the errors, and what the guide leaves
open, are from answers of the service in public issue threads:

- PreSignUp failed with error MESSAGE. (UserLambdaValidationException)
- PreSignUp invocation failed due to error REASON. (UnexpectedLambdaException)
- Unrecognizable lambda output (InvalidLambdaResponseException)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from ..api.errors import Refusal
from ..steps import Step, outside
from .configuration import KINDS, Kind, Triggers
from .functions import FunctionError, Handler, InvocationError, call
from .responses import invalid_output

__all__ = ["NO_CLIENT", "Subject", "invoke"]

NO_CLIENT = "CLIENT_ID_NOT_APPLICABLE"
"""``callerContext.clientId`` in the event of an administrator's operation, which has no app client."""


@dataclass(frozen=True)
class Subject:
    """The user whom an event is about, and the request that caused the event.

    Attributes:
        client_id: the app client of the request; NO_CLIENT if it has none.
        attributes: the user's attributes, with ``cognito:user_status`` and the like.
        metadata: ClientMetadata of the request; empty if it has none, or if this trigger does not get it.
        not_found: the member ``userNotFound`` of some events: whether the user does not exist. None if the app client
            does not hide which users exist: the events then do not have the member.
    """

    user_pool_id: str
    client_id: str
    username: str
    attributes: Mapping[str, str] = field(repr=False)
    metadata: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    not_found: bool | None = None

    @property
    def region(self) -> str:
        """The AWS region of the user pool."""
        return self.user_pool_id.split("_")[0]


def invoke(
    triggers: Triggers,
    kind: Kind,
    source: str,
    subject: Subject,
    request: Mapping[str, object],
    response: Mapping[str, object],
    version: str = "1",
) -> Step[dict[str, object]]:
    """Invoke the trigger *kind*, which must be set, and return the ``response`` of the event that it returned.

    Args:
        source: ``triggerSource`` of the event, for example ``PreSignUp_SignUp``.
        request: the request, with ``userAttributes`` if the event has them. ``clientMetadata`` is added.
        response: the empty response in the event.
        version: the version of the event.

    Raises:
        Refusal: the trigger raised an exception, cannot be invoked, took too long, or did not return an event.
    """
    name, function = KINDS[kind], cast("Handler | str", getattr(triggers, kind))
    event = _event(source, subject, request, response, version)
    outcome = yield from outside(lambda: _outcome(function, name, event, triggers.timeout))
    if isinstance(outcome, Refusal):
        raise outcome
    returned = cast(dict[str, object], outcome).get("response") if isinstance(outcome, dict) else None
    if not isinstance(returned, dict):
        raise invalid_output()
    return cast(dict[str, object], returned)


def _outcome(function: Handler | str, name: str, event: Mapping[str, Any], timeout: float | None) -> object:
    try:
        return call(function, name, event, timeout)
    except FunctionError as error:
        return Refusal("UserLambdaValidationException", f"{name} failed with error {error}.")
    except InvocationError as error:
        return Refusal("UnexpectedLambdaException", f"{name} invocation failed due to error {error}.")


def _event(
    source: str, subject: Subject, request: Mapping[str, object], response: Mapping[str, object], version: str
) -> dict[str, Any]:
    metadata = {"clientMetadata": dict(subject.metadata)} if subject.metadata else {}
    return {
        "version": version,
        "region": subject.region,
        "userPoolId": subject.user_pool_id,
        "userName": subject.username,
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": subject.client_id},
        "triggerSource": source,
        "request": {**request, **metadata},
        "response": dict(response),
    }
