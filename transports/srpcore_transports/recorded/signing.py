"""The PUBLISHED TEST KEY that signs replayed tokens. This file contains its private key, so anybody can use it.

Nothing except a replay may trust it. A verifier gets the public key only if a ReplayTransport answers the fetch of the
key set, and the key's id contains a warning. Needs PyJWT and cryptography (extra ``srpcore[local]``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from types import ModuleType
from typing import Any, Final

from srpcore.exceptions.base import ConfigurationError

__all__ = ["KEY_ID", "key_set", "sign"]

KEY_ID: Final = "srpcore-PUBLISHED-TEST-KEY-for-replay-only"

_PUBLISHED_TEST_KEY: Final = """\
-----BEGIN PRIVATE KEY-----
MIIEvAIBADANBgkqhkiG9w0BAQEFAASCBKYwggSiAgEAAoIBAQCs9Jg9OgUxHL8u
byPqlULsZar4o3dJHBAaUtZ39BXSvGPj3LeXgQtuC6BtVWY9TkS5oF2d1+to5dwk
vwma7DA4MQPNwsVpjU/ycyIZUuUPNnN87f9pdeTv0yFxjiG2te52phFX+Yk5UGRK
xT6+VGegBY7wfJDJT7DFC7au8VrBxIXqrzLsk8/LCe6AWX91YSiuXXhduVw95khN
Thaj1mf4yHVA4HVH1X9s3dty5Z3XUsmnffv/9GXhbEDU+vF8AvE9wCl6xHNs3MlV
an09ruoyy55oE+mElSLAFEcEUSZNwJatcGqvmLxdtFlrENZx789G8d5JR0ag73l4
U9SxNVQbAgMBAAECggEABDuoTjdRUTZm53gI5QDqNmb2nEdD8CIjssE8RotOzW2W
9Ei+pZKe+P6H2qUwb2eu/uwR3n8eX97gWHXkgkotk/J/KVYPBtpSjpiKyRviR1EJ
2pDoo2gjRktgkirsYFBrmbPO0Nxmo2R4T+wr8PSX5K6+JNynnoW4ydnTisyVcBCY
+PlG8TzgSfjuoembYNV2sPiW444QchKJ7xbNubLi0LGbNrLksG1SmF58k66Oc6dw
dwedU3YnNylzcmdhZuP5/BMbWcZpHcuRWCMjae8igRUjGj+JhKr0mU6cNZwQszTP
TMN5aPJYyx0dHENZpnY5kbTcnPhlISygol8KinMnoQKBgQDXO+D8cF4yln6wgxrK
ai8dAdatOS8Hk77IhWHoR41GS8r2obMIcwfSAAbp0DPEFXqDQ+Wr/Qy5fzYA0V0m
qaUwW7sBnc4A9BgM7PyIEhZPAU/viLsMpmw3Z9IugeaI1JX1bLzPtOaUzOGmdIKr
rA77uA6Y6p5UbcQem1Zh26crFwKBgQDNtr7nj2P5UbcyC0BqmWzaxEMlInkX/pXx
KDQw1XwfMG8lMk//Il4c4DfUj65RbKKhSWhgHnCAwySYxoRJgG42V0/w0dQmeAVa
JAsTpHxyTP3jUdaqZrPjpFrAX+YYzTHkCLe6MaMxjAzCEKgJSWjNL2CqlWba94Rx
Xf/bS2OxnQKBgE0NjMAS4kYuBnDenqq0VOWHkPk2rZWC2RwkVCa55uOxopmkzdlK
hRQzGkZ+WOnr3o47sm9eCj4mQokMatK6jP7A+DPd8K/6stl9xfJYt0/VYm6Yfo5K
zhcPvfkUXBnEMWNJaFbbpmjC6E2VDGq1EDAhdmhcJg6HtVxXtBcYccJFAoGAKjVv
8EVMpxBsPVlvqy+11SFmAY2UOSckjunH46k6IZAnjgNHxLrBgr1C11tv0gcvS1ar
kuVMAi+IJ8y7wfUXKBE8NtZm6EnCF1/D4hDi8/T2NxlIqYgPKwtDD6vdo4Me1IIx
aIPcz0LEL2GJiPZGCavJ8tZa11zoEPbPk6hhWUUCgYBC2AhLMSn0cYPAZDBGhhWi
1poWR99vMwnvKpGi6tUCXOUT2C6SPo06STwTBXjF/FA44FF7paFg6KRilw3PbWSM
c1P4H5rh3S8tlwr/+bY6XzlY6sELjYII1k6t+0Ru6SfKneugOTEeuC20ZuT0diuc
Pl5vBdWiXAygw34dnsxU+w==
-----END PRIVATE KEY-----
"""


def _jwt() -> ModuleType:
    try:
        import cryptography  # noqa: F401 # pyright: ignore[reportUnusedImport] - PyJWT signs RS256 with it
        import jwt
    except ModuleNotFoundError as error:
        package = "PyJWT" if error.name == "jwt" else error.name
        raise ConfigurationError(f"{package} is not installed: pip install 'srpcore[local]' to replay") from error
    return jwt


@cache
def _private_key() -> Any:
    # Cached, because reading the key also checks it, which takes longer than the rest of a replay.
    return _jwt().get_algorithm_by_name("RS256").prepare_key(_PUBLISHED_TEST_KEY)


def sign(claims: Mapping[str, Any]) -> str:
    """Return *claims* as a token in compact form, signed with the published test key (RS256).

    Raises:
        ConfigurationError: PyJWT or cryptography is not installed.
    """
    headers = {"kid": KEY_ID, "typ": None}
    token: str = _jwt().encode(dict(claims), _private_key(), algorithm="RS256", headers=headers)
    return token


def key_set() -> bytes:
    """Return the JSON Web Key Set (RFC 7517) of the published test key.

    Raises:
        ConfigurationError: PyJWT or cryptography is not installed.
    """
    to_jwk = _jwt().get_algorithm_by_name("RS256").to_jwk
    numbers: dict[str, str] = to_jwk(_private_key().public_key(), as_dict=True)
    key = {"alg": "RS256", "e": numbers["e"], "kid": KEY_ID, "kty": "RSA", "n": numbers["n"], "use": "sig"}
    return json.dumps({"keys": [key]}).encode("utf-8")
