from __future__ import annotations

import base64
import shutil
import subprocess

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC
from hypothesis import given
from hypothesis import strategies as st

from srpcore.crypto.secret_hash import secret_hash
from srpcore.exceptions.base import ConfigurationError
from srpcore.testing import passwords, texts_with_lone_surrogates, usernames

client_ids = st.from_regex("[a-z0-9]{26}", fullmatch=True) | st.just("")


@given(usernames(), client_ids, passwords())
def test_the_hash_is_the_hmac_of_the_developer_guide(username: str, client_id: str, secret: str) -> None:
    # Base64(HMAC_SHA256("Client Secret Key", "Username" + "Client Id"))
    mac = HMAC(secret.encode("utf-8"), hashes.SHA256())
    mac.update(username.encode("utf-8"))
    mac.update(client_id.encode("utf-8"))
    assert base64.b64decode(secret_hash(username, client_id, secret), validate=True) == mac.finalize()


def test_the_hash_equals_that_of_openssl() -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("the openssl command is not here")
    command = [openssl, "dgst", "-sha256", "-hmac", "client secret", "-binary"]
    said = subprocess.run(command, input="caf\u00e9client".encode(), capture_output=True, check=True).stdout
    assert secret_hash("caf\u00e9", "client", "client secret") == base64.b64encode(said).decode()


@given(texts_with_lone_surrogates())
def test_the_error_for_a_lone_surrogate_names_the_argument(text: str) -> None:
    for name, arguments in {
        "username": (text, "id", "secret"),
        "client_id": ("alice", text, "secret"),
        "client_secret": ("alice", "id", text),
    }.items():
        with pytest.raises(ConfigurationError, match=f"^{name} contains a lone surrogate, which UTF-8 cannot encode"):
            secret_hash(*arguments)


@pytest.mark.parametrize("secret", [None, b"secret"])
def test_values_that_are_not_strings_are_refused(secret: str) -> None:
    with pytest.raises(ConfigurationError, match="client_secret must be a string"):
        secret_hash("alice", "id", secret)
