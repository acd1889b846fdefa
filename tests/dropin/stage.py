"""A stage for a program: a local pool behind HTTP, and the module that the program runs with."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from srpcore.exceptions import service_error
from srpcore.protocol import Operation
from srpcore_transports.credentials import Credentials
from srpcore_transports.local import LocalUserPool
from support.users import PASSWORD

KEYS = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")

WAYS: list[Any] = ["in process", "https", pytest.param("botocore", marks=pytest.mark.counterpart)]


class Stage:
    """A pool and its users' facade, made by *module*, which is srpcore or pycognito."""

    def __init__(self, module: Any, pool: LocalUserPool, **arguments: Any) -> None:
        self.module = module
        self.pool = pool
        self.arguments = arguments
        self.clients: list[Any] = []

    def user(self, username: str | None = None, **arguments: Any) -> Any:
        """Return a new ``Cognito`` for *username*."""
        given = {"client_secret": self.pool.client_secret, **self.arguments, **arguments}
        user = self.module.Cognito(self.pool.user_pool_id, self.pool.client_id, username=username, **given)
        self.clients.append(user.client)
        return user

    def signed_up(self, username: str = "alice", **attributes: str) -> Any:
        """Return a new ``Cognito`` for a new user, whose password is PASSWORD."""
        self.create(username, **attributes)
        return self.user(username)

    def create(self, username: str = "alice", **attributes: str) -> None:
        """Create a confirmed user."""
        given = [{"Name": name, "Value": value} for name, value in attributes.items()]
        self.admin("AdminCreateUser", Username=username, UserAttributes=given, MessageAction="SUPPRESS")
        self.admin("AdminSetUserPassword", Username=username, Password=PASSWORD, Permanent=True)

    def admin(self, name: str, **parameters: Any) -> dict[str, Any]:
        """Call the pool past the program."""
        reply = self.pool.call(Operation(name, {"UserPoolId": self.pool.user_pool_id, **parameters}))
        if reply.error is not None:
            raise service_error(reply, name)
        return reply.document

    def code(self, username: str = "alice") -> str:
        """Return the code that the user got last."""
        return self.pool.outbox.latest(username).code

    def refused(self, call: Callable[..., Any], *arguments: Any, **named: Any) -> tuple[Any, Any]:
        """Return the name of the error that *call* raises, and what the service said where it was the service.

        An error of the service must be what ``u.client.exceptions`` and botocore call it.
        """
        with pytest.raises(Exception) as caught:
            call(*arguments, **named)
        said = getattr(caught.value, "response", {}).get("Error")
        if said is None:
            return type(caught.value).__name__, None
        classes = [getattr(client.exceptions, said["Code"]) for client in self.clients]
        return isinstance(caught.value, tuple(classes)), said

    def close(self) -> None:
        for client in self.clients:
            client.close()


def boto_arguments(url: str) -> dict[str, str]:
    return {
        "endpoint_url": url,
        "aws_access_key_id": KEYS.access_key_id,
        "aws_secret_access_key": KEYS.secret_access_key,
    }


def arguments_of(way: str, pool: LocalUserPool, url: str) -> dict[str, Any]:
    """Return the constructor's arguments for a way to the pool."""
    if way == "in process":
        return {"transport": pool, "endpoint_url": url}
    if way == "https":
        keys = {"access_key": KEYS.access_key_id, "secret_key": KEYS.secret_access_key}
        return {"endpoint_url": url, "transport": "https", **keys}
    return {"boto3_client_kwargs": boto_arguments(url)}


_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
VOLATILE = {"iat", "exp", "jti", "origin_jti", "event_id", "auth_time", "sub", "Session", "SecretCode", "SECRET_BLOCK"}


def normal(value: Any, pool: LocalUserPool) -> Any:
    """Return *value* without what differs from one pool, one login or one second to the next."""
    if isinstance(value, dict):
        return {
            key: f"<{key}>" if key in VOLATILE else normal(member, pool)
            for key, member in value.items()
            if key not in ("RequestId", "HTTPHeaders", "RetryAttempts")
        }
    if isinstance(value, (list, tuple)):
        return [normal(item, pool) for item in value]
    if isinstance(value, datetime):
        return f"<date, {'naive' if value.tzinfo is None else 'aware'}>"
    if isinstance(value, str):
        return _normal_text(value, pool)
    if type(value).__name__ in ("UserObj", "GroupObj"):
        shown = {name: member for name, member in vars(value).items() if name != "_cognito"}
        return [repr(value), normal(shown, pool)]
    assert value is None or isinstance(value, (bool, int)), type(value)
    return value


def _normal_text(text: str, pool: LocalUserPool) -> str:
    if text.startswith("eyJ") or (len(text) > 200 and " " not in text):
        return "<token>"
    text = _UUID.sub("<uuid>", text)
    for word, name in ((pool.user_pool_id, "<pool>"), (pool.client_id, "<client>"), (pool.client_secret, "<secret>")):
        text = text if word is None else text.replace(word, name)
    # The issuer is the URL over HTTP, and AWS's own in process.
    text = text.replace("https://cognito-idp.us-east-1.amazonaws.com/", "http://127.0.0.1:0/")
    server = text.partition("http://127.0.0.1:")
    return f"<url>/{server[2].partition('/')[2]}" if server[1] else text
