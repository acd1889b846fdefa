"""What cannot be pickled says so, whatever its transport, and names the way to keep it instead."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

import srpcore
from srpcore.client import AsyncSignIn, SignIn
from srpcore.users import AsyncUserObj, GroupObj
from srpcore_transports.local import LocalUserPool

TRANSPORTS: list[Any] = ["https", "httpx", pytest.param("botocore", marks=pytest.mark.counterpart), "local"]
INSTEAD = {
    "Cognito": "store=",
    "AsyncCognito": "store=",
    "SignIn": "to_json()",
    "AsyncSignIn": "to_json()",
    "UserObj": "get_user",
    "AsyncUserObj": "get_user",
    "GroupObj": "get_group",
}
FUNCTIONS: list[Callable[[Any], Any]] = [pickle.dumps, copy.deepcopy]


def objects(transport: str) -> list[Any]:
    """Return an object of each class that holds a transport."""
    chosen: Any = LocalUserPool() if transport == "local" else transport
    user = srpcore.Cognito("us-east-1_abc", "client", username="alice", transport=chosen)
    tasks = srpcore.AsyncCognito("us-east-1_abc", "client", username="alice", transport=chosen)
    return [
        user,
        SignIn(user, None),
        srpcore.UserObj("alice", [], user),
        GroupObj({"GroupName": "staff"}, user),
        tasks,
        AsyncSignIn(tasks, None),
        AsyncUserObj("alice", [], tasks),
    ]


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("function", FUNCTIONS, ids=["pickle", "deepcopy"])
def test_pickling_names_the_way_to_keep_the_object(transport: str, function: Callable[[Any], Any]) -> None:
    for each in objects(transport):
        name = type(each).__name__
        with pytest.raises(TypeError, match=f"^cannot pickle or deep-copy {name}: ") as caught:
            function(each)
        assert INSTEAD[name] in str(caught.value)
        assert caught.value.__context__ is None


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_copy_makes_a_second_object_with_the_same_attributes(transport: str) -> None:
    for each in objects(transport):
        copied = copy.copy(each)
        assert copied is not each
        assert type(copied) is type(each)
        assert vars(copied) == vars(each)
    user = objects(transport)[0]
    copied = copy.copy(user)
    copied.username = "bob"
    assert user.username == "alice"


class Kept(srpcore.Cognito):
    """A subclass of a program that keeps what it needs."""

    def __getstate__(self) -> Any:
        return {"user_pool_id": self.user_pool_id, "client_id": self.client_id, "access_token": self.access_token}


def test_a_subclass_may_pickle_itself() -> None:
    user = Kept("us-east-1_abc", "client", access_token="a token")
    for again in (pickle.loads(pickle.dumps(user)), copy.deepcopy(user)):
        assert isinstance(again, Kept)
        assert (again.user_pool_id, again.access_token) == ("us-east-1_abc", "a token")


def test_tokens_can_be_pickled_and_given_to_another_object() -> None:
    pool = LocalUserPool()
    pool.close()
    tokens = srpcore.Tokens("i", "a", "r", "Bearer", 2e9)
    again = pickle.loads(pickle.dumps(tokens))
    user = srpcore.Cognito(
        "us-east-1_abc",
        "client",
        username="alice",
        access_token=again.access_token,
        id_token=again.id_token,
        refresh_token=again.refresh_token,
    )
    assert user.tokens.access_token == "a"
