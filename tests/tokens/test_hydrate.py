"""After ``hydrate()`` the first token waits for nothing: no module, no library, no file, no connection."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from support.first_use import loaded_by
from support.key_server import POOL, Keys, serve
from support.minting import CLIENT, access_claims, jwk, mint

pytestmark = pytest.mark.slow

# sys.argv[1:]: the URL of the key server, a token, a key set.
VERIFIER = f"""
from srpcore import TokenVerifier
url, token, keys = sys.argv[1:]
verifier = TokenVerifier({POOL!r}, client_id={CLIENT!r}, token_use="access", endpoint_url=url)
"""
ASYNC_VERIFIER = f"""
import asyncio
from srpcore import AsyncTokenVerifier
url, token, keys = sys.argv[1:]
verifier = AsyncTokenVerifier({POOL!r}, client_id={CLIENT!r}, token_use="access", endpoint_url=url)
runner = asyncio.Runner()
"""
AUTHORIZER = """
from srpcore.frameworks.aws_lambda import HttpApiAuthorizer
handler = HttpApiAuthorizer(verifier)
event = {"version": "2.0", "headers": {"authorization": "Bearer " + token}}
"""
AUTHORIZE = "assert handler(event)['isAuthorized']"

CASES = {
    "fetched keys": (f"{VERIFIER}verifier.hydrate()", "verifier.verify(token)"),
    "given keys": (f"{VERIFIER}verifier.load_jwks(json.loads(keys)); verifier.hydrate()", "verifier.verify(token)"),
    "an authorizer, fetched keys": (f"{VERIFIER}verifier.hydrate()\n{AUTHORIZER}", AUTHORIZE),
    "an authorizer, given keys": (f"{VERIFIER}verifier.load_jwks(json.loads(keys))\n{AUTHORIZER}", AUTHORIZE),
    "on an event loop": (f"{ASYNC_VERIFIER}runner.run(verifier.hydrate())", "runner.run(verifier.verify(token))"),
}


@pytest.fixture(scope="module")
def keys() -> Iterator[Keys]:
    with serve() as served:
        yield served


@pytest.mark.parametrize("case", CASES)
def test_the_first_token_loads_nothing_after_hydrate(case: str, keys: Keys) -> None:
    before, measured = CASES[case]
    token, document = mint(access_claims(exp=2**40)), json.dumps({"keys": [jwk()]})
    assert loaded_by(before, measured, keys.server.url, token, document) == []


def test_the_first_token_loads_the_engine_without_hydrate(keys: Keys) -> None:
    # Otherwise the test above would show nothing.
    token, document = mint(access_claims(exp=2**40)), json.dumps({"keys": [jwk()]})
    before = f"{VERIFIER}verifier.load_jwks(json.loads(keys))"
    found = loaded_by(before, "verifier.verify(token)", keys.server.url, token, document)
    assert "import srpcore.tokens._openssl" in found
    assert any(event.startswith("ctypes.dlopen") for event in found)


def test_an_authorizer_fetches_nothing_when_it_is_made(keys: Keys) -> None:
    count = keys.count
    loaded_by(VERIFIER, AUTHORIZER, keys.server.url, "", "")
    assert keys.count == count
