"""The program that test_webassembly.py runs in WebAssembly: it logs in through the test and verifies the tokens."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import srpcore
from srpcore import Cognito, TokenVerifier
from srpcore.crypto import modexp
from srpcore.exceptions import NotAuthorizedException, TokenVerificationException, WrongPassword
from srpcore.protocol import Operation, Reply
from srpcore.tokens import rsa

ask: Callable[[str], str] = globals()["ask"]  # given by webassembly.mjs

# What needs a framework, an HTTP client or hypothesis, or is a program.
LEFT_OUT = ("srpcore.testing", "srpcore.frameworks.", "srpcore.http_auth.", "srpcore.__main__")


class Line:
    """A transport that has the test carry each operation out."""

    def call(self, operation: Operation) -> Reply:
        return Reply(json.loads(ask(json.dumps({"call": operation.name, "parameters": dict(operation.parameters)}))))

    def fetch(self, url: str) -> bytes:
        return ask(json.dumps({"fetch": url})).encode()

    def close(self) -> None:
        pass


def import_everything() -> int:
    root = Path(srpcore.__file__).parent
    files = [path.relative_to(root.parent).with_suffix("").as_posix().replace("/", ".") for path in root.rglob("*.py")]
    names = [name.removesuffix(".__init__") for name in files if not name.startswith(LEFT_OUT)]
    return len([import_module(name) for name in names])


def refused(function: Callable[..., Any], *arguments: Any) -> str:
    try:
        function(*arguments)
    except (NotAuthorizedException, TokenVerificationException) as error:
        return "WrongPassword" if isinstance(error, WrongPassword) else type(error).__name__
    return "accepted"


def main() -> None:
    given = json.loads(ask(json.dumps({"start": sys.version_info[:2], "engines": [*modexp.available()]})))
    modules = import_everything()
    user = Cognito(given["pool"], given["client"], username="alice", transport=Line())
    wrong = refused(user.authenticate, "wrong")
    user.authenticate(given["password"])
    with TokenVerifier(given["pool"], client_id=given["client"], token_use="access", transport=Line()) as verifier:
        claims = verifier.verify(str(user.access_token))
        token = str(user.access_token)
        forged = refused(verifier.verify, token[:-20] + ("A" if token[-20] != "A" else "B") + token[-19:])
    answer = {"modules": modules, "wrong": wrong, "forged": forged, "user": claims["username"]}
    ask(json.dumps({"end": answer | {"engine": rsa.default_engine(), "token": user.access_token}}))


main()
