"""The facade beside pycognito's, and the asynchronous one beside the synchronous one: names and signatures."""

from __future__ import annotations

import inspect
import pydoc
import re
import typing
from typing import Any
from unittest import mock

import pytest

import srpcore
from srpcore.client import sync_async


def methods(cls: type[Any]) -> dict[str, Any]:
    return {
        name: member
        for name, member in inspect.getmembers(cls, inspect.isfunction)
        if not name.startswith("_") and name not in ("close", "switch_session")
    }


def parameters(function: Any) -> list[tuple[str, Any, Any]]:
    return [(p.name, p.kind, p.default) for p in inspect.signature(function).parameters.values()]


def test_both_facades_have_the_same_methods_and_signatures() -> None:
    blocking, awaited = methods(srpcore.Cognito), methods(srpcore.AsyncCognito)
    assert set(blocking) == set(awaited)
    for name, method in blocking.items():
        assert parameters(method) == parameters(awaited[name]), name
    assert parameters(srpcore.Cognito.__init__) == parameters(srpcore.AsyncCognito.__init__)
    assert {name for name in vars(srpcore.AsyncCognito) if not name.startswith("__")} == {
        name for name in vars(srpcore.Cognito) if not name.startswith("__")
    }


def test_methods_that_send_are_coroutines_on_the_event_loop() -> None:
    for name, method in methods(srpcore.Cognito).items():
        coroutine_method = methods(srpcore.AsyncCognito)[name]
        assert (method in sync_async._OURS) == inspect.iscoroutinefunction(coroutine_method), name
        if method in sync_async._OURS:
            assert sync_async._OURS[method] is sync_async._OURS[coroutine_method]
            assert method.__doc__ == coroutine_method.__doc__
            assert method.__doc__


@pytest.mark.parametrize("cls", [srpcore.Cognito, srpcore.AsyncCognito])
def test_signatures_and_help_show_what_a_caller_gets(cls: type[Any]) -> None:
    for name, method in methods(cls).items():
        assert "Flow[" not in str(inspect.signature(method)), name
        assert "Flow[" not in pydoc.render_doc(method), name
    assert inspect.signature(cls.authenticate).return_annotation == "None"
    assert inspect.signature(cls.check_token).return_annotation == "bool"
    assert inspect.signature(cls.list_devices).return_annotation == "list[JsonObject]"
    assert typing.get_type_hints(cls.check_token)["return"] is bool
    # From 3.13 on, pydoc writes a long signature in several lines.
    documented = "".join(pydoc.render_doc(cls.authenticate).split())
    assert "client_metadata:'dict[str,str]|None'=None)->'None'" in documented


@pytest.mark.parametrize("cls", [srpcore.Cognito, srpcore.AsyncCognito])
def test_help_of_the_class_explains_the_constructor(cls: type[Any]) -> None:
    shown = pydoc.plain(pydoc.render_doc(cls))
    for argument in inspect.signature(cls.__init__).parameters:
        if argument != "self":
            assert re.search(rf"^ .*\b{argument}\b.*:", shown, re.MULTILINE), argument
    assert "client_secret: the app client's secret" in shown


@pytest.mark.counterpart
def test_every_name_of_pycognito_exists_with_its_parameters() -> None:
    import pycognito

    for theirs, ours in (
        (pycognito.Cognito, srpcore.Cognito),
        (pycognito.UserObj, srpcore.UserObj),
        (pycognito.GroupObj, srpcore.GroupObj),
        (pycognito.AWSSRP, srpcore.AWSSRP),
    ):
        for name, member in inspect.getmembers(theirs):
            if name.startswith("__") and name != "__init__":
                continue
            assert hasattr(ours, name), f"{ours.__name__}.{name}"
            if inspect.isfunction(member):
                wanted = list(inspect.signature(member).parameters.values())
                given = list(inspect.signature(getattr(ours, name)).parameters.values())
                assert [p.name for p in given[: len(wanted)] if p.kind is not p.KEYWORD_ONLY] == [
                    p.name for p in wanted if p.kind is not p.VAR_KEYWORD
                ] or [p.name for p in wanted] == [p.name for p in given[: len(wanted)]], f"{ours.__name__}.{name}"
                for ours_parameter in given[len(wanted) :]:
                    assert ours_parameter.default is not ours_parameter.empty, f"{ours.__name__}.{name}"
    for name in ("cognito_to_dict", "dict_to_cognito", "camel_to_snake", "snake_to_camel"):
        assert hasattr(srpcore, name)
    user = pycognito.Cognito(
        "us-east-1_abc", "id", boto3_client_kwargs={"aws_access_key_id": "x", "aws_secret_access_key": "y"}
    )
    instance = srpcore.Cognito("us-east-1_abc", "id")
    assert {name for name in vars(user) if not hasattr(instance, name)} == set()


def test_methods_are_plain_functions_that_can_be_autospecced() -> None:
    for name, method in methods(srpcore.Cognito).items():
        assert inspect.isfunction(method), name
    double = mock.create_autospec(srpcore.Cognito)
    double.authenticate("password")
    double.admin_create_user("bob", email="bob@example.com")
    with pytest.raises(TypeError):
        double.change_password("one")


def test_a_missing_argument_is_a_type_error() -> None:
    user = srpcore.Cognito("us-east-1_abc", "id")
    with pytest.raises(TypeError, match="proposed_password"):
        user.change_password("one")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        user.authenticate("password", nonsense=1)  # type: ignore[call-arg]
