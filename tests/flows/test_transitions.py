"""What may follow each request of a login: every flow and every answer, against every challenge name of the service.

The server of these tests is hostile: it answers with the challenge that the test names, whatever was sent.
"""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any, TypeAlias

import pytest

import srpcore
from srpcore import exceptions
from srpcore.crypto import cognito
from srpcore.exceptions import UnexpectedChallenge
from srpcore.flows.challenge import NEEDS, Challenge
from srpcore.protocol import Operation, Reply

PASSWORD = "The-Secret-Password-1"
NAMES = sorted(NEEDS)
NOT_NAMES: list[Any] = ["BRAND_NEW", "", "password", " PASSWORD", 5, ["PASSWORD"], {"PASSWORD": 1}, True]

# What may follow the proof of the password or any other first factor, apart from the tokens.
AFTER_PROOF = {
    "NEW_PASSWORD_REQUIRED",
    "SMS_MFA",
    "SOFTWARE_TOKEN_MFA",
    "EMAIL_OTP",
    "SELECT_MFA_TYPE",
    "MFA_SETUP",
    "DEVICE_SRP_AUTH",
    "CUSTOM_CHALLENGE",
}
PARAMETERS = {
    "SRP_B": f"{cognito.client_pair(1 << 256).public:x}",
    "SALT": "ab" * 16,
    "SECRET_BLOCK": "c2VjcmV0",
    "USER_ID_FOR_SRP": "alice",
    "USERNAME": "alice",
}


class Server:
    """A transport that answers with the challenges of the *script*, then with SMS_MFA, and records the operations."""

    def __init__(self, script: Sequence[Any]) -> None:
        self.script = list(script)
        self.operations: list[Operation] = []

    def call(self, operation: Operation) -> Reply:
        self.operations.append(operation)
        name = self.script.pop(0) if self.script else "SMS_MFA"
        challenge = {} if name is None else {"ChallengeName": name}
        return Reply({**challenge, "Session": "s", "ChallengeParameters": PARAMETERS})

    def fetch(self, url: str) -> bytes:
        raise AssertionError(f"no key is needed: {url}")

    def close(self) -> None:
        pass

    @property
    def sends_password(self) -> bool:
        return PASSWORD in repr([dict(operation.parameters) for operation in self.operations])


def user(server: Server, *, cls: type[srpcore.Cognito] = srpcore.Cognito) -> srpcore.Cognito:
    return cls("us-east-1_abc", "client", username="alice", transport=server)


def sign_in(**arguments: Any) -> Callable[[Server], Any]:
    return lambda server: user(server).sign_in(**arguments)


def async_sign_in(server: Server) -> Any:
    cognito = srpcore.AsyncCognito("us-east-1_abc", "client", username="alice", transport=server)
    return asyncio.run(cognito.sign_in(PASSWORD))


def aws_srp(server: Server) -> Any:
    class Client:
        """What AWSSRP uses of a botocore client."""

        def initiate_auth(self, **parameters: Any) -> Any:
            return server.call(Operation("InitiateAuth", parameters)).document

        def respond_to_auth_challenge(self, **parameters: Any) -> Any:
            return server.call(Operation("RespondToAuthChallenge", parameters)).document

    return srpcore.AWSSRP("alice", PASSWORD, "us-east-1_abc", "client", client=Client()).authenticate_user()


Begin: TypeAlias = Callable[[Server], Any]

BY_SRP: dict[str, Begin] = {
    "USER_SRP_AUTH": sign_in(password=PASSWORD),
    "USER_SRP_AUTH, async": async_sign_in,
    "USER_SRP_AUTH, authenticate()": lambda server: user(server).authenticate(PASSWORD),
    "USER_SRP_AUTH, new_password_challenge()": lambda server: user(server).new_password_challenge(PASSWORD, "New-1"),
    "USER_SRP_AUTH, AWSSRP": aws_srp,
    "CUSTOM_AUTH with a password": sign_in(password=PASSWORD, auth_flow="CUSTOM_AUTH"),
}
BY_CHOICE: dict[str, Begin] = {
    "USER_AUTH with a password": sign_in(password=PASSWORD, auth_flow="USER_AUTH"),
    "USER_AUTH prefers SRP": sign_in(password=PASSWORD, auth_flow="USER_AUTH", preferred="PASSWORD_SRP"),
}
FIRST: list[tuple[str, Begin, set[str]]] = [
    *((name, begin, {"PASSWORD_VERIFIER"}) for name, begin in BY_SRP.items()),
    *((name, begin, {"PASSWORD_VERIFIER", "PASSWORD_SRP", "SELECT_CHALLENGE"}) for name, begin in BY_CHOICE.items()),
    ("CUSTOM_AUTH", sign_in(auth_flow="CUSTOM_AUTH"), AFTER_PROOF),
    ("USER_PASSWORD_AUTH", sign_in(password=PASSWORD, auth_flow="USER_PASSWORD_AUTH"), AFTER_PROOF),
    *(
        (flow, sign_in(password=PASSWORD, auth_flow=flow), AFTER_PROOF | {"ADMIN_NO_SRP_AUTH"})
        for flow in ("ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH")
    ),
    (
        "USER_AUTH",
        sign_in(auth_flow="USER_AUTH"),
        {"SELECT_CHALLENGE", "PASSWORD_SRP", "EMAIL_OTP", "SMS_OTP", "WEB_AUTHN"},
    ),
    *(
        (f"USER_AUTH prefers {factor}", sign_in(auth_flow="USER_AUTH", preferred=factor), {factor, "SELECT_CHALLENGE"})
        for factor in ("EMAIL_OTP", "SMS_OTP", "WEB_AUTHN")
    ),
    (
        "USER_AUTH prefers PASSWORD",
        sign_in(password=PASSWORD, auth_flow="USER_AUTH", preferred="PASSWORD"),
        AFTER_PROOF | {"PASSWORD", "SELECT_CHALLENGE"},
    ),
]
SENDS_PASSWORD = {
    "USER_PASSWORD_AUTH",
    "ADMIN_USER_PASSWORD_AUTH",
    "ADMIN_NO_SRP_AUTH",
    "USER_AUTH prefers PASSWORD",
}


def check(server: Server, begin: Begin, name: Any, allowed: set[str], *, requests: int) -> None:
    """Check that *begin* accepts the challenge *name* if it is *allowed*, and else sends no more than *requests*."""
    if isinstance(name, str) and name in allowed:
        raised: Exception | None = None
        try:
            step = begin(server)
            assert isinstance(step, dict) or step.challenge.name == name
        except (
            exceptions.MFAChallengeException,
            exceptions.ForceChangePasswordException,
            NotImplementedError,
        ) as error:
            raised = error
        # pycognito's methods raise some challenges, and do not support the others.
        assert not isinstance(raised, UnexpectedChallenge)
        return
    with pytest.raises(UnexpectedChallenge) as caught:
        begin(server)
    assert len(server.operations) == requests
    assert caught.value.challenge_name == ("absent" if name is None else str(name))
    assert isinstance(caught.value, NotImplementedError)


@pytest.mark.parametrize("name", [*NAMES, *NOT_NAMES], ids=repr)
@pytest.mark.parametrize(("flow", "begin", "allowed"), FIRST, ids=[flow for flow, _, _ in FIRST])
def test_only_the_challenges_of_a_flow_may_follow_it(flow: str, begin: Begin, allowed: set[str], name: Any) -> None:
    server = Server([name])
    if name == "PASSWORD_VERIFIER" and name in allowed:
        check(server, begin, "SMS_MFA", {"SMS_MFA"}, requests=2)
    else:
        check(server, begin, name, allowed, requests=1)
    assert server.sends_password == (flow in SENDS_PASSWORD)


@pytest.mark.parametrize("name", [*NAMES, *NOT_NAMES, None], ids=repr)
@pytest.mark.parametrize("begin", [*BY_SRP.values(), *BY_CHOICE.values()], ids=[*BY_SRP, *BY_CHOICE])
def test_after_the_proof_nothing_may_ask_for_the_password(begin: Begin, name: Any) -> None:
    server = Server(["PASSWORD_VERIFIER", name])
    if name is not None:
        check(server, begin, name, AFTER_PROOF, requests=2)
    else:  # the tokens, which this server does not have
        with pytest.raises(exceptions.UnsupportedChallenge) if begin is not aws_srp else nullcontext():
            begin(server)
    assert not server.sends_password


@pytest.mark.parametrize("begin", BY_SRP.values(), ids=BY_SRP)
def test_tokens_without_a_proof_of_the_password_are_refused(begin: Begin) -> None:
    check(Server([None]), begin, None, set(), requests=1)


ANSWERS: list[tuple[str, dict[str, Any], set[str]]] = [
    ("SMS_MFA", {"code": "123456"}, AFTER_PROOF),
    ("SOFTWARE_TOKEN_MFA", {"code": "123456"}, AFTER_PROOF),
    ("EMAIL_OTP", {"code": "123456"}, AFTER_PROOF),
    ("SMS_OTP", {"code": "123456"}, AFTER_PROOF),
    ("CUSTOM_CHALLENGE", {"answer": "42"}, AFTER_PROOF),
    ("WEB_AUTHN", {"credential": "{}"}, AFTER_PROOF),
    ("NEW_PASSWORD_REQUIRED", {"new_password": "Another-1"}, AFTER_PROOF),
    ("MFA_SETUP", {"attributes": {"email": "a@example.com"}}, AFTER_PROOF),
    *(("SELECT_MFA_TYPE", {"choice": choice}, AFTER_PROOF) for choice in ("SMS_MFA", "PASSWORD", "PASSWORD_SRP")),
    *(("SELECT_CHALLENGE", {"choice": choice}, {choice}) for choice in ("EMAIL_OTP", "SMS_OTP", "WEB_AUTHN")),
    ("SELECT_CHALLENGE", {"choice": "PASSWORD_SRP"}, {"PASSWORD_VERIFIER"}),
    ("SELECT_CHALLENGE", {"choice": "PASSWORD"}, AFTER_PROOF | {"PASSWORD"}),
    ("PASSWORD_SRP", {}, {"PASSWORD_VERIFIER"}),
    ("PASSWORD", {}, AFTER_PROOF | {"PASSWORD"}),
    ("ADMIN_NO_SRP_AUTH", {}, AFTER_PROOF | {"ADMIN_NO_SRP_AUTH"}),
]


@pytest.mark.parametrize("name", [*NAMES, *NOT_NAMES], ids=repr)
@pytest.mark.parametrize(
    ("answered", "given", "allowed"), ANSWERS, ids=[f"{name} {given.get('choice', '')}" for name, given, _ in ANSWERS]
)
def test_only_the_challenges_of_an_answer_may_follow_it(
    answered: str, given: dict[str, Any], allowed: set[str], name: Any
) -> None:
    """The program gives the password with every answer. It is sent only if the program chose to send it."""

    def answer(server: Server) -> Any:
        step = user(server).resume_sign_in(Challenge(answered, "s", {}, "alice").to_json())
        return step.answer(password=PASSWORD, **given)

    server = Server([name])
    if name == "PASSWORD_VERIFIER" and name in allowed:
        check(server, answer, "SMS_MFA", {"SMS_MFA"}, requests=2)
    else:
        check(server, answer, name, allowed, requests=1)
    chosen = given.get("choice") if answered == "SELECT_CHALLENGE" else answered
    assert server.sends_password == (chosen in ("PASSWORD", "ADMIN_NO_SRP_AUTH"))


@pytest.mark.parametrize("name", [*NAMES, *NOT_NAMES, None], ids=repr)
def test_only_the_proof_of_the_device_may_follow_its_public_value(name: Any) -> None:
    def begin(server: Server) -> Any:
        device = srpcore.Device("key", "group", "device-password")
        return srpcore.Cognito("us-east-1_abc", "client", username="alice", transport=server, device=device).sign_in(
            PASSWORD
        )

    server = Server(["PASSWORD_VERIFIER", "DEVICE_SRP_AUTH", name])
    if name == "DEVICE_PASSWORD_VERIFIER":
        assert begin(server).challenge.name == "SMS_MFA"
    else:
        check(server, begin, name, set(), requests=3)
    assert not server.sends_password


def test_the_needs_of_a_password_that_is_sent_have_their_own_name() -> None:
    sent = {name for name, (_, key) in NEEDS.items() if key == "PASSWORD"}
    assert sent == {"PASSWORD", "ADMIN_NO_SRP_AUTH"}
    assert {NEEDS[name][0] for name in sent} == {"clear_password"}
    assert {NEEDS[name][0] for name in set(NEEDS) - sent}.isdisjoint({"clear_password"})
    assert NEEDS["PASSWORD_SRP"][0] == "password"


def answer_everything(user: srpcore.Cognito, flow: str) -> None:
    given: dict[str, Any] = {"code": "1", "answer": "1", "choice": "PASSWORD_SRP", "password": PASSWORD}
    step = user.sign_in(PASSWORD, auth_flow=flow)
    for _ in range(5):
        needs = str(step.needs)
        arguments: dict[str, Any] = {needs: given[needs]}
        if needs == "choice":
            arguments["password"] = PASSWORD
        step = step.answer(**arguments)
    raise KeyError("endless")


def test_a_program_that_loops_over_needs_does_not_send_the_password() -> None:
    """The loop of the proof of concept: it answers whatever the server asks for, and by SRP if it needs a password."""
    for flow in ("USER_SRP_AUTH", "CUSTOM_AUTH", "USER_AUTH"):
        for name in NAMES:
            server = Server([name] * 4 if flow != "USER_AUTH" else ["SELECT_CHALLENGE", name, name, name])
            with pytest.raises((exceptions.UnsupportedChallenge, KeyError)):
                answer_everything(user(server), flow)
            assert not server.sends_password


def test_the_error_names_the_challenge_and_the_request_before_it() -> None:
    error = UnexpectedChallenge("PASSWORD", "USER_SRP_AUTH")
    assert str(error) == (
        "unexpected reply from the server: challenge 'PASSWORD' must not follow USER_SRP_AUTH, so nothing more was sent; "
        "check that the endpoint is that of the user pool"
    )
    assert "no challenge must not" in str(UnexpectedChallenge("absent", "USER_SRP_AUTH"))
    assert "\x1b" not in str(UnexpectedChallenge("\x1b[2J", "USER_SRP_AUTH"))
    again = pickle.loads(pickle.dumps(error))
    assert (again.challenge_name, again.after, str(again)) == ("PASSWORD", "USER_SRP_AUTH", str(error))
    with pytest.raises(UnexpectedChallenge) as caught:
        user(Server(["PASSWORD"])).sign_in(PASSWORD)
    assert caught.value.after == "USER_SRP_AUTH"
    with pytest.raises(UnexpectedChallenge) as caught:
        user(Server(["PASSWORD_VERIFIER", "PASSWORD"])).sign_in(PASSWORD)
    assert caught.value.after == "the answer to PASSWORD_VERIFIER"
