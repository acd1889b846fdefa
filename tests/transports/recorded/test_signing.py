"""The published test key: PyJWT reads what it signs, and nothing signs without PyJWT and cryptography."""

from __future__ import annotations

import json
import subprocess
import sys

import jwt
import pytest

import srpcore_transports
from srpcore.tokens import parse, parse_key_set
from srpcore_transports.recorded import signing


def test_another_implementation_verifies_the_token_with_the_key_set() -> None:
    token = signing.sign({"sub": "x"})
    keys = jwt.PyJWKSet.from_dict(json.loads(signing.key_set()))
    key = keys[jwt.get_unverified_header(token)["kid"]]
    assert jwt.decode(token, key, algorithms=["RS256"]) == {"sub": "x"}
    assert jwt.get_unverified_header(token) == {"alg": "RS256", "kid": signing.KEY_ID}


def test_the_key_is_marked_and_accepted_by_the_verifier() -> None:
    assert "PUBLISHED-TEST-KEY" in signing.KEY_ID
    key = parse_key_set(signing.key_set()).key(parse(signing.sign({})).kid)
    assert key.n.bit_length() == 2048


@pytest.mark.parametrize(("missing", "package"), [("jwt", "PyJWT"), ("cryptography", "cryptography")])
def test_without_its_library_recording_works_and_replay_names_the_extra(missing: str, package: str) -> None:
    program = f"""
import sys
sys.path[:0] = {[*srpcore_transports.__path__[0].rsplit("/srpcore_transports", 1)[:1]]!r}
sys.modules[{missing!r}] = None
from srpcore.exceptions import ConfigurationError
from srpcore_transports.recorded import RecordingTransport, ReplayTransport
from srpcore_transports.recorded.signing import sign, key_set
for function in (lambda: sign({{}}), key_set):
    try:
        function()
    except ConfigurationError as error:
        print(error)
"""
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    lines = output.splitlines()
    assert len(lines) == 2
    assert all(line.startswith(f"{package} is not installed: pip install 'srpcore[local]'") for line in lines)
