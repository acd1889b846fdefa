"""Triggers of a custom login, written like Lambda handlers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from srpcore_transports.local import Triggers

Event = dict[str, Any]


@dataclass
class Quiz:
    """Triggers like the example in the developer guide: the password over SRP if the login starts with it, then "5 + 3".

    The user has two tries. ``events`` are the events of all calls.
    """

    events: list[Event] = field(default_factory=list[Event])

    def define(self, event: Event, context: object) -> Event:
        self.events.append(event)
        session, response = event["request"]["session"], event["response"]
        names = [(result["challengeName"], result["challengeResult"]) for result in session]
        if names == [("SRP_A", True)]:
            response["challengeName"] = "PASSWORD_VERIFIER"
        elif names and names[-1] == ("CUSTOM_CHALLENGE", True):
            response["issueTokens"] = True
        elif names.count(("CUSTOM_CHALLENGE", False)) == 2:
            response["failAuthentication"] = True
        else:
            response["challengeName"] = "CUSTOM_CHALLENGE"
        return event

    def create(self, event: Event, context: object) -> Event:
        self.events.append(event)
        event["response"] = {
            "publicChallengeParameters": {"question": "5 + 3"},
            "privateChallengeParameters": {"answer": "8"},
            "challengeMetadata": "SUM",
        }
        return event

    def verify(self, event: Event, context: object) -> Event:
        self.events.append(event)
        request = event["request"]
        event["response"]["answerCorrect"] = (
            request["challengeAnswer"] == request["privateChallengeParameters"]["answer"]
        )
        return event

    @property
    def triggers(self) -> Triggers:
        return Triggers(
            define_auth_challenge=self.define,
            create_auth_challenge=self.create,
            verify_auth_challenge_response=self.verify,
        )
