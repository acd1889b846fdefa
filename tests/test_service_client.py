"""``Cognito.client`` on any transport: names, pages and errors, over the embedded pool."""

from __future__ import annotations

import asyncio
import copy
import inspect
import pickle
from collections.abc import Iterator
from typing import Any

import pytest

import srpcore
from srpcore import exceptions
from srpcore.paginator import Paginator
from srpcore.protocol import Operation, Reply
from srpcore.resolve import as_async
from srpcore.service_client import AsyncServiceClient, ServiceClient
from srpcore.service_model import EXCEPTIONS, OPERATIONS, PAGES
from srpcore_transports.local import LocalUserPool


class Kept:
    """A transport that keeps what was asked, and gives its answers in turn."""

    def __init__(self, *documents: dict[str, Any]) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.signed: list[bool] = []
        self.closed = 0
        self._documents = iter(documents)

    def call(self, operation: Operation) -> Reply:
        self.asked.append((operation.name, dict(operation.parameters)))
        self.signed.append(operation.signed)
        return Reply(next(self._documents, {}))

    def fetch(self, url: str) -> bytes:
        raise NotImplementedError

    def close(self) -> None:
        self.closed += 1


@pytest.fixture(scope="module")
def pool() -> Iterator[LocalUserPool]:
    made = LocalUserPool(region="eu-west-1")
    for number in range(5):
        made.call(Operation("AdminCreateUser", {"UserPoolId": made.user_pool_id, "Username": f"user{number}"}))
    yield made
    made.close()


@pytest.fixture
def client(pool: LocalUserPool) -> Any:
    return srpcore.Cognito(pool.user_pool_id, pool.client_id, transport=pool).client


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_every_operation_of_the_model_has_its_method(name: str) -> None:
    transport = Kept()
    client = ServiceClient(transport, "eu-west-1")
    getattr(client, name)(UserPoolId="x")
    assert transport.asked == [(OPERATIONS[name], {"UserPoolId": "x"})]
    assert name in dir(client)


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_operations_have_a_paginator_as_the_model_says(name: str) -> None:
    paging = PAGES.get(OPERATIONS[name])
    client = ServiceClient(Kept(), "eu-west-1")
    assert client.can_paginate(name) is (paging is not None)
    if paging is None:
        with pytest.raises(exceptions.ConfigurationError, match="does not reply in pages"):
            client.get_paginator(name)
        return
    transport = Kept({paging.token: "second"}, {})
    pages = ServiceClient(transport, "eu-west-1").get_paginator(name).paginate(Limit=1)
    assert len(list(pages)) == 2
    assert transport.asked == [
        (OPERATIONS[name], {"Limit": 1}),
        (OPERATIONS[name], {"Limit": 1, paging.token: "second"}),
    ]


@pytest.mark.parametrize("method", ["get_user", "x", "", "list_users_", "__class__"])
def test_operations_without_pages_have_no_paginator(client: Any, method: str) -> None:
    assert client.can_paginate(method) is False
    with pytest.raises(exceptions.ConfigurationError, match="call it as a method"):
        client.get_paginator(method)


def test_pages_contain_every_user(client: Any, pool: LocalUserPool) -> None:
    pages = list(client.get_paginator("list_users").paginate(UserPoolId=pool.user_pool_id, Limit=2))
    names = [[user["Username"] for user in page["Users"]] for page in pages]
    assert [len(each) for each in names] == [2, 2, 1]
    assert sorted(name for page in names for name in page) == [f"user{number}" for number in range(5)]
    assert isinstance(client.get_paginator("list_users"), Paginator)


def test_pages_come_one_by_one_and_end_with_the_token() -> None:
    transport = Kept({"PaginationToken": "1"}, {"PaginationToken": "2"}, {"PaginationToken": ""})
    pages = iter(ServiceClient(transport, "eu-west-1").get_paginator("list_users").paginate(Limit=1))
    assert transport.asked == []
    next(pages)
    assert len(transport.asked) == 1
    assert len(list(pages)) == 2
    assert [parameters.get("PaginationToken") for _, parameters in transport.asked] == [None, "1", "2"]


def test_pages_can_begin_at_a_token() -> None:
    transport = Kept({"PaginationToken": "2"}, {})
    list(ServiceClient(transport, "eu-west-1").get_paginator("list_users").paginate(PaginationToken="1"))
    assert [parameters["PaginationToken"] for _, parameters in transport.asked] == ["1", "2"]


def test_a_repeated_page_token_is_an_error() -> None:
    transport = Kept(*[{"NextToken": "again-and-again"}] * 5)
    pages = ServiceClient(transport, "eu-west-1").get_paginator("list_groups").paginate()
    with pytest.raises(exceptions.UnsafeServerValue, match="the same NextToken twice") as caught:
        list(pages)
    assert len(transport.asked) == 2
    assert "again-and-again" not in str(caught.value)


def test_a_method_returns_the_document_of_the_service(client: Any, pool: LocalUserPool) -> None:
    user = client.admin_get_user(UserPoolId=pool.user_pool_id, Username="user0")
    assert user["Username"] == "user0"
    assert user["ResponseMetadata"]["HTTPStatusCode"] == 200
    with pytest.raises(TypeError):
        client.admin_get_user(pool.user_pool_id)


def test_an_error_is_raised_as_its_class(client: Any, pool: LocalUserPool) -> None:
    with pytest.raises(client.exceptions.UserNotFoundException) as caught:
        client.admin_get_user(UserPoolId=pool.user_pool_id, Username="nobody")
    assert isinstance(caught.value, exceptions.UserNotFoundException)
    assert (caught.value.operation, caught.value.status) == ("AdminGetUser", 400)
    with pytest.raises(client.exceptions.ClientError):
        client.admin_get_user(UserPoolId=pool.user_pool_id, Username="nobody")


def test_an_operation_newer_than_the_model_is_sent_by_its_name(client: Any) -> None:
    with pytest.raises(exceptions.ServiceError) as caught:
        client.call("MakeCoffee", signed=True, Sugar=1)
    assert caught.value.code == "UnknownOperationException"
    assert caught.value.operation == "MakeCoffee"


@pytest.mark.parametrize(
    ("name", "signed", "expected"),
    [
        ("MakeCoffee", None, True),
        ("MakeCoffee", True, True),
        ("MakeCoffee", False, False),
        ("GetUser", None, False),
        ("AdminGetUser", None, True),
        ("GetClientToken", None, False),
    ],
)
def test_the_caller_can_say_whether_an_operation_is_signed(name: str, signed: bool | None, expected: bool) -> None:
    transport = Kept({"Cups": 1}, {"Cups": 2})
    assert ServiceClient(transport, "eu-west-1").call(name, signed=signed, Sugar=1) == {"Cups": 1}
    assert asyncio.run(AsyncServiceClient(as_async(transport), "eu-west-1").call(name, signed=signed, Sugar=1)) == {
        "Cups": 2
    }
    assert transport.asked == [(name, {"Sugar": 1})] * 2
    assert transport.signed == [expected] * 2


@pytest.mark.parametrize(
    "name", ["", "list users", "ListUsers\n", "ListUsers\r\nHost: x", "Ünicode", "1ListUsers", "a.b", "A" * 129]
)
def test_an_invalid_operation_name_is_refused_before_anything_is_sent(name: str) -> None:
    transport = Kept()
    with pytest.raises(exceptions.ConfigurationError, match="invalid operation name"):
        ServiceClient(transport, "eu-west-1").call(name)
    with pytest.raises(exceptions.ConfigurationError, match="invalid operation name"):
        asyncio.run(AsyncServiceClient(as_async(transport), "eu-west-1").call(name))
    assert transport.asked == []


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("list_user", "list_users"),
        ("get_paginater", "get_paginator"),
        ("initate_auth", "initiate_auth"),
        ("metta", "meta"),
    ],
)
def test_a_misspelt_attribute_is_an_attribute_error_with_a_suggestion(client: Any, name: str, suggestion: str) -> None:
    with pytest.raises(AttributeError, match=f"no attribute '{name}': did you mean '{suggestion}'") as caught:
        getattr(client, name)
    assert "call('OperationName'" in str(caught.value)


def test_a_misspelt_exception_is_an_attribute_error_with_a_suggestion(client: Any) -> None:
    with pytest.raises(AttributeError, match="did you mean 'NotAuthorizedException'"):
        _ = client.exceptions.NotAuthorisedException
    assert {"ClientError", "NotAuthorizedException"} <= set(dir(client.exceptions))


def test_exceptions_are_found_by_their_names(client: Any) -> None:
    for name in EXCEPTIONS:
        assert getattr(client.exceptions, name) is getattr(exceptions, name)
    assert client.exceptions.ClientError is exceptions.ServiceError
    assert client.exceptions.from_code("UserNotFoundException") is exceptions.UserNotFoundException
    for code in ("NewException", "__all__", "annotations", ""):
        assert client.exceptions.from_code(code) is exceptions.ServiceError
    for name in ("service_error", "Reply", "SrpcoreError", "sys", "NoSuchException", "__all__", "_BY_CODE"):
        assert not hasattr(client.exceptions, name)
        with pytest.raises(AttributeError, match=name):
            getattr(client.exceptions, name)


@pytest.mark.parametrize(
    "name",
    ["make_coffee", "_x", "__x__", "__wrapped__", "_repr_html_", "__deepcopy__", "__len__", "x", "X_y", "getUser", "get__user", "get_user_", "get user", "gët_user", "get_user1", "get_user\n"],
)  # fmt: skip
def test_a_name_that_the_model_does_not_have_is_not_an_attribute(client: Any, name: str) -> None:
    assert not hasattr(client, name)
    with pytest.raises(AttributeError) as caught:
        getattr(client, name)
    assert repr(name) in str(caught.value)


def test_a_client_can_be_inspected_copied_and_pickled() -> None:
    client = ServiceClient(Kept(), "eu-west-1")
    assert "ServiceClient" in repr(client)
    assert inspect.unwrap(client.get_user) is not None
    assert not callable(client)
    assert client.get_user.__name__ == "get_user"
    assert copy.copy(client).transport is client.transport
    assert copy.copy(client).meta.region_name == "eu-west-1"
    plain = ServiceClient(LocalTransport(), "eu-west-1")
    again = pickle.loads(pickle.dumps(plain))
    assert again.meta.region_name == "eu-west-1"
    assert again.exceptions.NotAuthorizedException is exceptions.NotAuthorizedException
    assert again.get_user() == {"answered": "GetUser"}
    assert copy.deepcopy(plain).get_user() == {"answered": "GetUser"}


class LocalTransport:
    """A transport that pickles."""

    def call(self, operation: Operation) -> Reply:
        return Reply({"answered": operation.name})

    def fetch(self, url: str) -> bytes:
        return b""

    def close(self) -> None:
        pass


def test_region_and_close() -> None:
    transport = Kept()
    client = ServiceClient(transport, "ap-south-1")
    assert client.meta.region_name == "ap-south-1"
    client.close()
    assert transport.closed == 1
    user = srpcore.Cognito("eu-west-1_X", "id", "eu-central-1", transport=transport)
    assert user.client.meta.region_name == "eu-central-1"
