"""The authorizers as AWS runs them: by its own runtime interface client, over a Runtime API on 127.0.0.1."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.key_server import POOL, Keys, mint, serve
from support.lambda_runtime import RuntimeApi, function
from support.loopback import answer
from support.minting import CLIENT, access_claims

from .lambda_events import KINDS, STAGE, permitted

pytestmark = pytest.mark.counterpart

FUNCTION = """
from srpcore import TokenVerifier
from srpcore.frameworks.aws_lambda import {cls}

verifier = TokenVerifier({pool!r}, client_id={client!r}, token_use="access", endpoint_url={url!r})
verifier.hydrate()
handler = {cls}(verifier)
"""


@contextmanager
def authorizer(keys: Keys, cls: str, folder: Path) -> Iterator[RuntimeApi]:
    with function(FUNCTION.format(cls=cls, pool=POOL, client=CLIENT, url=keys.server.url), folder) as api:
        yield api


@pytest.mark.parametrize("kind", KINDS)
def test_a_function_returns_what_the_service_expects(kind: str, tmp_path: Path) -> None:
    make, event = KINDS[kind]
    good, expired = mint(), mint(access_claims(exp=1))
    with serve() as keys, authorizer(keys, make.__name__, tmp_path) as api:
        results = [api.invoke(event(token)) for token in (good, expired, good)]
        assert keys.count == 1
    assert [status for status, _ in results] == ["response", "error" if "rest" in kind else "response", "response"]
    (_, admitted), (_, refused), (_, again) = results
    assert admitted == again
    if "rest" in kind:
        assert permitted(admitted, f"{STAGE}/GET/request")
        # API Gateway answers 401 to this message, and 500 to any other.
        assert refused["errorMessage"] == "Unauthorized"
    else:
        assert (admitted["isAuthorized"], refused["isAuthorized"]) == (True, False)
    said = (tmp_path / "log").read_text("utf-8") + json.dumps(results)
    assert [part for token in (good, expired) for part in token.split(".") if part in said] == []


def test_a_function_without_keys_fails_at_its_start(tmp_path: Path) -> None:
    with serve() as keys:
        keys.instead = lambda: answer(b"", 500)
        with authorizer(keys, "HttpApiAuthorizer", tmp_path) as api:
            status, error = api.results.get(timeout=60)
    assert (status, error["errorType"]) == ("error", "TransportError")
