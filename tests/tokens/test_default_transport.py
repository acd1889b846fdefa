"""The transport that a verifier makes for itself."""

from __future__ import annotations

from typing import Any

import pytest

from srpcore import TokenVerifier
from srpcore.exceptions import TransportError
from srpcore.tokens.jwks import MAX_DOCUMENT_LENGTH
from srpcore_transports import https


def test_the_default_transport_is_for_the_region_of_the_pool_and_does_not_retry(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[dict[str, Any]] = []

    class Transport:
        def __init__(self, **arguments: Any) -> None:
            made.append(arguments)

        def fetch(self, url: str) -> bytes:
            return b'{"keys": []}'

        def close(self) -> None:
            pass

    monkeypatch.setattr(https, "HttpsTransport", Transport)
    verifier = TokenVerifier("cn-north-1_abc", client_id=None, token_use=None, timeout=7.0)
    with verifier, pytest.raises(TransportError, match="no RS256 key"):
        verifier.hydrate()
    assert made == [
        {
            "region": "cn-north-1",
            "endpoint_url": "https://cognito-idp.cn-north-1.amazonaws.com.cn",
            "allow_http": False,
            "timeout": 7.0,
            "total_timeout": 7.0,
            "max_attempts": 1,
            "max_idle_connections": 0,
            "max_response_size": MAX_DOCUMENT_LENGTH,
        }
    ]
