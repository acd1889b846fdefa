"""A transport by its name, its environment variable, or the object that stands for it."""

from __future__ import annotations

import asyncio
import sys
from importlib import import_module
from typing import Any
from unittest.mock import MagicMock

import pytest

import srpcore
from srpcore.exceptions import ConfigurationError
from srpcore.protocol import Operation, Reply
from srpcore.resolve import (
    as_client,
    as_transport,
    botocore_transport,
    make_async_transport,
    make_transport,
    transport_module,
)
from srpcore.service_client import ServiceClient

HTTP = "http://127.0.0.1:9"


class Transport:
    def call(self, operation: Operation) -> Reply:
        return Reply({"answered": operation.name})

    def fetch(self, url: str) -> bytes:
        return b""

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def _no_choice_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SRPCORE_TRANSPORT", raising=False)


def made(name: str | None, **arguments: Any) -> str:
    """Return the class of the transport that *name* makes."""
    transport = make_transport(name, region="eu-west-1", endpoint_url=HTTP, **arguments)
    transport.close()
    return type(transport).__name__


def test_https_is_the_default() -> None:
    assert made(None) == made("https") == made("") == "HttpsTransport"


@pytest.mark.counterpart
def test_the_argument_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SRPCORE_TRANSPORT", "botocore")
    assert made(None) == made("botocore") == "BotocoreTransport"
    assert made("https") == "HttpsTransport"
    monkeypatch.setenv("SRPCORE_TRANSPORT", "")
    assert made(None) == "HttpsTransport"


@pytest.mark.parametrize("name", ["HTTPS", "https ", "local", "os", "../https", "é"])
def test_an_unknown_name_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = f"unknown transport {name!r}: use https, httpx or botocore, or give a transport object"
    for chosen in (name, None):
        with pytest.raises(ConfigurationError) as caught:
            made(chosen)
        assert str(caught.value) == expected
        monkeypatch.setenv("SRPCORE_TRANSPORT", name)
        if chosen is None:
            break
    else:
        pytest.fail("the environment's name was not tried")


def test_httpx_is_found_by_its_name_and_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("httpx")
    assert made("httpx", keys=("AKID", "the-secret-key")) == "HttpxTransport"
    monkeypatch.setenv("SRPCORE_TRANSPORT", "httpx")
    assert made(None) == "HttpxTransport"
    for facade, expected in ((srpcore.Cognito, "HttpxTransport"), (srpcore.AsyncCognito, "DeferredTransport")):
        chosen = facade("eu-west-1_abc", "client", endpoint_url=HTTP)
        assert type(chosen._transport).__name__ == expected


@pytest.mark.parametrize(
    ("name", "expected"), [("httpx", "AsyncHttpxTransport"), (None, "HttpsTransport"), ("https", "HttpsTransport")]
)
def test_on_an_event_loop_httpx_needs_no_thread(name: str | None, expected: str) -> None:
    pytest.importorskip("httpx")
    transport: Any = make_async_transport(name, region="eu-west-1", endpoint_url=HTTP, keys=("AKID", "the-secret-key"))
    made = transport._transport()
    assert type(made).__name__ == expected
    assert made is transport._transport()
    assert made.endpoint_url == HTTP
    assert made._signer._credentials.secret_access_key == "the-secret-key"
    transport.close_now()


def test_a_name_is_refused_on_an_event_loop_when_it_is_needed() -> None:
    transport = make_async_transport("httpx", region="eu-west-1", endpoint_url="http://example.com")
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="in the clear"):
            asyncio.run(transport.call(Operation("GetUser", {})))
        with pytest.raises(ConfigurationError, match="in the clear"):
            asyncio.run(transport.fetch("https://example.com"))
    asyncio.run(transport.close())


def test_an_endpoint_that_may_not_be_used_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="in the clear"):
        make_transport(None, region="eu-west-1", endpoint_url="http://example.com")


def test_given_keys_sign_the_signed_operations() -> None:
    transport: Any = make_transport("https", region="eu-west-1", endpoint_url=HTTP, keys=("AKID", "the-secret-key"))
    assert transport._signer._credentials.access_key_id == "AKID"
    assert transport._signer._credentials.secret_access_key == "the-secret-key"
    transport.close()


@pytest.mark.counterpart
def test_the_arguments_reach_the_client_of_botocore() -> None:
    transport: Any = make_transport("botocore", region="eu-south-1", endpoint_url=HTTP, keys=("AKID", "the-secret-key"))
    client = transport.client
    assert (client.meta.region_name, client.meta.endpoint_url) == ("eu-south-1", HTTP)
    signing = client._get_credentials()
    assert (signing.access_key, signing.secret_key) == ("AKID", "the-secret-key")
    transport.close()


def absent(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Make the import of *name*, and of every module in it, fail as where it is not installed."""
    for loaded in [each for each in sys.modules if each == name or each.startswith(f"{name}.")]:
        monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.counterpart
@pytest.mark.parametrize(
    ("module", "imported", "package"),
    [("botocore", "botocore", "botocore"), ("local", "jwt", "PyJWT"), ("local", "cryptography", "cryptography")],
)
def test_a_missing_package_names_its_extra(
    module: str, imported: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent(monkeypatch, f"srpcore_transports.{module}")
    monkeypatch.delitem(sys.modules, f"srpcore_transports.{module}")
    absent(monkeypatch, imported)
    with pytest.raises(ConfigurationError) as caught:
        transport_module(module)
    assert package in str(caught.value).split()[0]
    assert str(caught.value).endswith(f"is not installed: pip install 'srpcore[{module}]'")


@pytest.mark.parametrize(
    ("imported", "package"), [("jwt", "PyJWT"), ("cryptography", "cryptography"), ("msgspec", "msgspec")]
)
def test_an_import_of_the_local_pool_names_its_extra(
    imported: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent(monkeypatch, "srpcore_transports.local")
    monkeypatch.delitem(sys.modules, "srpcore_transports.local")
    absent(monkeypatch, imported)
    with pytest.raises(ModuleNotFoundError) as caught:
        import_module("srpcore_transports.local")
    assert str(caught.value) == f"srpcore_transports.local needs {package}: pip install 'srpcore[local]'"
    assert caught.value.name == imported


@pytest.mark.parametrize("missing", ["srpcore_transports", "srpcore_transports.https"])
def test_a_missing_transports_package_does_not_suggest_an_extra(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    absent(monkeypatch, missing)
    with pytest.raises(ConfigurationError) as caught:
        transport_module("https")
    assert "extra" not in str(caught.value)
    assert "[" not in str(caught.value)
    assert str(caught.value).startswith("srpcore_transports")
    assert "is missing: pip install --force-reinstall srpcore" in str(caught.value)


@pytest.mark.counterpart
def test_without_boto3_botocore_makes_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    transport: Any = botocore_transport({"region_name": "eu-west-1", "endpoint_url": HTTP})
    assert type(transport.client).__module__ == "botocore.client"
    assert transport.client.meta.endpoint_url == HTTP
    assert callable(transport.client.initiate_auth)
    transport.close()


@pytest.mark.counterpart
def test_boto3_makes_the_client_if_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    made_by_boto3 = MagicMock()
    monkeypatch.setattr("boto3.client", made_by_boto3)
    first: Any = botocore_transport({"region_name": "eu-west-1"})
    made_by_boto3.assert_called_once_with("cognito-idp", region_name="eu-west-1")
    assert first.client is made_by_boto3.return_value
    botocore_transport({})
    assert made_by_boto3.call_count == 2  # made anew each time, never kept


@pytest.mark.counterpart
def test_a_session_makes_the_client() -> None:
    import boto3
    import botocore.session

    for session in (botocore.session.Session(), boto3.Session()):
        transport: Any = botocore_transport({"region_name": "eu-west-3", "endpoint_url": HTTP}, session)
        assert transport.client.meta.region_name == "eu-west-3"
        transport.close()
    mock = MagicMock()
    chosen: Any = botocore_transport({"region_name": "eu-west-3"}, mock)
    mock.client.assert_called_once_with("cognito-idp", region_name="eu-west-3")
    assert chosen.client is mock.client.return_value


def test_a_transport_object_is_used_as_it_is() -> None:
    transport = Transport()
    assert as_transport(transport) is transport
    assert as_transport(ServiceClient(transport, "eu-west-1")) is transport
    assert isinstance(as_client(transport, "eu-west-1"), ServiceClient)
    assert as_client(transport, "eu-west-1").transport is transport
    assert as_client(transport, "eu-west-1").meta.region_name == "eu-west-1"


@pytest.mark.counterpart
def test_a_botocore_client_or_a_mock_of_one_gets_the_botocore_transport() -> None:
    import botocore.session

    real = botocore.session.get_session().create_client("cognito-idp", region_name="eu-west-1")
    mock = MagicMock(**{"get_user.return_value": {"Username": "alice"}})
    for client in (real, mock):
        transport: Any = as_transport(client)
        assert type(transport).__name__ == "BotocoreTransport"
        assert transport.client is client
        assert as_client(transport, "eu-west-1") is client
    assert as_transport(mock).call(Operation("GetUser", {"AccessToken": "t"})) == Reply({"Username": "alice"})
    mock.get_user.assert_called_once_with(AccessToken="t")
    real.close()
