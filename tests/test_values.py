"""Immutable values: what a dataclass would give them, without the module ``dataclasses``."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Generic, TypeVar

import pytest

import srpcore
import srpcore_transports
from srpcore import Device
from srpcore._values import Value, replace
from srpcore.client.login_state import Account, LoggedOut, LoggingIn
from srpcore.crypto.groups import MODP_3072
from srpcore.crypto.key_exchange import Ephemeral
from srpcore.exceptions import ConfigurationError
from srpcore.flows import challenge
from srpcore.flows.challenge import Challenge
from srpcore.flows.login_context import AppClient
from srpcore.flows.paging import Page
from srpcore.pool import Pool
from srpcore.store import Login, Tokens
from srpcore_transports.http_response import Answer
from srpcore_transports.urls import Origin

T = TypeVar("T")
DEVICE = Device("key", "group", "Secr3t!")
CHALLENGE = Challenge("SMS_MFA", "Secr3t!", {"CODE": "Secr3t!"}, "alice", available=("a", "b"))
VALUES: list[Value] = [
    DEVICE,
    Tokens("Secr3t!", "Secr3t!", "Secr3t!", "Bearer", 5.0),
    Login(Tokens("Secr3t!"), DEVICE, "alice", "way"),
    MODP_3072,
    Ephemeral(0xFEEDFACE, 7),
    CHALLENGE,
    challenge.Answer("Secr3t!", "Secr3t!", None, "choice", "Secr3t!", "Secr3t!", "Secr3t!"),
    Page([{"Username": "alice"}], "token"),
    Answer(200, {"set-cookie": "Secr3t!"}, b"Secr3t!", keep=True),
    LoggingIn(Account("key", "alice"), LoggedOut()),
    Origin("https", "example.com", 443),
]
NAMES = [f"{type(value).__module__}.{type(value).__name__}" for value in VALUES]
COPIES: list[Callable[[Value], Value]] = [
    copy.copy,
    copy.deepcopy,
    lambda value: pickle.loads(pickle.dumps(value)),
    replace,
]


@pytest.mark.parametrize("value", VALUES, ids=NAMES)
@pytest.mark.parametrize("copied", COPIES, ids=["copy", "deepcopy", "pickle", "replace"])
def test_a_copy_is_equal(value: Value, copied: Callable[[Value], Value]) -> None:
    made = copied(value)
    assert made is not value
    assert made == value
    assert repr(made) == repr(value)


def value_classes() -> list[type[Value]]:
    """Return the subclasses of Value in both packages."""
    for package in (srpcore, srpcore_transports):
        folder = Path(package.__path__[0])
        for path in sorted(folder.rglob("*.py")):
            if "_values import" in path.read_text("utf-8"):
                import_module(".".join([package.__name__, *path.relative_to(folder).with_suffix("").parts]))
    found: list[type[Value]] = [Value]
    for kind in found:  # grows while it is read
        found += kind.__subclasses__()
    return [kind for kind in found[1:] if kind.__module__.startswith("srpcore")]


def test_the_fields_of_every_value_are_its_slots_and_parameters() -> None:
    kinds = value_classes()
    assert {type(value) for value in VALUES} < {*kinds}
    for kind in kinds:
        parameters = list(inspect.signature(kind).parameters)
        assert list(kind.__match_args__) == parameters, kind
        assert sorted(parameters) == sorted(kind.__slots__), kind


@pytest.mark.parametrize("value", VALUES, ids=NAMES)
def test_a_value_cannot_be_changed(value: Value) -> None:
    for name in (*type(value).__slots__, "other"):
        with pytest.raises(AttributeError):
            setattr(value, name, None)
        with pytest.raises(AttributeError):
            delattr(value, name)


@pytest.mark.parametrize("value", VALUES, ids=NAMES)
def test_the_repr_shows_no_secret(value: Value) -> None:
    shown = repr(value)
    assert shown.startswith(f"{type(value).__name__}(")
    for secret in ("Secr3t!", str(0xFEEDFACE), str(MODP_3072.N)):
        assert secret not in shown


def test_the_repr_of_an_app_client_does_not_show_its_secret() -> None:
    shown = repr(AppClient(Pool("eu-west-1_abc"), "client", "Secr3t!"))
    assert "client_id='client'" in shown
    assert "Secr3t!" not in shown


def test_the_repr_shows_the_other_fields_in_the_order_of_the_parameters() -> None:
    assert repr(DEVICE) == "Device(key='key', group_key='group')"


@pytest.mark.parametrize("changed", ["key", "group_key", "password"])
def test_values_differ_if_a_field_differs(changed: str) -> None:
    other = replace(DEVICE, **{changed: "other"})
    assert getattr(other, changed) == "other"
    assert other != DEVICE
    assert {DEVICE, other, Device("key", "group", "Secr3t!")} == {other, DEVICE}
    assert hash(other) != hash(DEVICE)


def test_values_of_different_classes_differ() -> None:
    class Phone(Device):
        pass

    phone = Phone("key", "group", "Secr3t!")
    assert phone != DEVICE
    assert phone == copy.copy(phone)
    assert DEVICE != ("key", "group", "Secr3t!")


def test_a_copy_with_changes_is_checked_like_a_new_value() -> None:
    with pytest.raises(ConfigurationError, match="expires_at"):
        replace(Tokens(), expires_at=float("nan"))
    with pytest.raises(TypeError):
        replace(DEVICE, colour="red")


def test_a_value_with_a_dictionary_cannot_be_hashed() -> None:
    with pytest.raises(TypeError):
        hash(CHALLENGE)


class WithMethods(Tokens):
    __slots__ = ()

    @property
    def bearer(self) -> str:
        return f"Bearer {self.access_token}"


class WithAField(Device):
    __slots__ = ("label",)
    _hidden = frozenset({"label"})

    label: str

    def __init__(self, key: str, group_key: str, password: str, label: str) -> None:
        self._set(key=key, group_key=group_key, password=password, label=label)


def test_a_subclass_has_the_fields_of_its_base() -> None:
    alice, mallory = WithMethods(access_token="alice"), WithMethods(access_token="mallory")
    assert alice != mallory
    assert alice.to_dict() == Tokens(access_token="alice").to_dict()
    assert pickle.loads(pickle.dumps(alice)) == alice


def test_a_subclass_may_add_fields_and_secrets() -> None:
    device = WithAField("key", "group", "Secr3t!", "Secr3t!")
    assert copy.copy(device) == device != WithAField("key", "other", "Secr3t!", "Secr3t!")
    assert "Secr3t!" not in repr(device)
    assert "group" in repr(device)


def test_a_subclass_may_be_generic_and_take_options() -> None:
    seen: list[str] = []

    class Named:
        def __init_subclass__(cls, name: str = "", **options: object) -> None:
            super().__init_subclass__(**options)
            seen.append(name)

    class Labelled(Device, Named, Generic[T], name="labelled"):
        pass

    assert Labelled[int].__name__ == "Labelled"
    assert seen == ["labelled"]


def test_a_value_is_matched_by_its_fields_in_order() -> None:
    match DEVICE:
        case Device(key, group_key, password):
            assert (key, group_key, password) == ("key", "group", "Secr3t!")
