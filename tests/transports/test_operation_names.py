"""A transport takes no name of an operation that is not letters and digits."""

from __future__ import annotations

from unittest.mock import MagicMock

import pytest

from srpcore import exceptions
from srpcore.protocol import Operation
from srpcore_transports.https import HttpsTransport
from srpcore_transports.httpx import HttpxTransport

NAMES = ["Sign Up", "_make_api_call", "Meta.Config", "SignUp\r\nX-Injected: 1", "SignUp\n", ""]


@pytest.mark.counterpart
@pytest.mark.parametrize("name", NAMES)
def test_botocore_client_is_not_searched_for_another_name(name: str) -> None:
    from srpcore_transports.botocore import BotocoreTransport

    client = MagicMock()
    with pytest.raises(exceptions.ConfigurationError, match="invalid operation name"):
        BotocoreTransport(client).call(Operation(name, {}))
    assert client.method_calls == []


@pytest.mark.parametrize("name", NAMES)
def test_no_header_is_made_of_another_name(name: str) -> None:
    for kind in (HttpsTransport, HttpxTransport):
        with (
            kind("us-east-1", "http://127.0.0.1:9") as transport,
            pytest.raises(exceptions.ConfigurationError, match="invalid operation name"),
        ):
            transport.call(Operation(name, {}))
