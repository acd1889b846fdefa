"""The floor of a cold login: the standard library, with nothing around it. A contestant of cold_log_in.py.

    python benchmarks/_cold_floor.py ENDPOINT USER_POOL_ID CLIENT_ID USERNAME PASSWORD N

It logs in by SRP and fetches the key set, over one connection that trusts the file in AWS_CA_BUNDLE. OpenSSL does the
exponentiations, as in srpcore. No error is handled, no reply is checked, and no token is verified. *N* is hexadecimal.
"""

from __future__ import annotations

import _hashlib
import base64
import ctypes
import hashlib
import hmac
import json
import os
import ssl
import sys
import time
from http.client import HTTPSConnection
from urllib.parse import urlsplit

TYPE_CHECKING = False  # type checkers take it for true; importing `typing` would make the floor slower
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

libcrypto = ctypes.CDLL(_hashlib.__file__)
for name in ("BN_new", "BN_CTX_new", "BN_bin2bn"):
    getattr(libcrypto, name).restype = ctypes.c_void_p
libcrypto.BN_bin2bn.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p]
libcrypto.BN_bn2binpad.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
libcrypto.BN_mod_exp_mont_consttime.argtypes = [ctypes.c_void_p] * 6


def twos_complement(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def hashed(*parts: bytes) -> int:
    return int(hashlib.sha256(b"".join(parts)).hexdigest(), 16)


def modexp(base: int, exponent: int, modulus: int) -> int:
    numbers = [twos_complement(number) for number in (base, exponent, modulus)]
    pointers = [libcrypto.BN_bin2bn(number, len(number), None) for number in numbers]
    result, buffer = libcrypto.BN_new(), ctypes.create_string_buffer(len(numbers[2]))
    if not libcrypto.BN_mod_exp_mont_consttime(result, *pointers, libcrypto.BN_CTX_new(), None):
        raise ArithmeticError
    libcrypto.BN_bn2binpad(result, buffer, len(buffer))
    return int.from_bytes(buffer.raw, "big")


def call(connection: HTTPSConnection, operation: str, members: Mapping[str, object]) -> dict[str, Any]:
    target = f"AWSCognitoIdentityProviderService.{operation}"
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target}
    connection.request("POST", "/", json.dumps(members), headers)
    reply: dict[str, Any] = json.load(connection.getresponse())
    return reply


def log_in(connection: HTTPSConnection, pool: str, client: str, username: str, password: str, N: int) -> str:
    a = int.from_bytes(os.urandom(32), "big")
    A = modexp(2, a, N)
    request = {
        "ClientId": client,
        "AuthFlow": "USER_SRP_AUTH",
        "AuthParameters": {"USERNAME": username, "SRP_A": f"{A:x}"},
    }
    given = call(connection, "InitiateAuth", request)["ChallengeParameters"]
    user, block, B = given["USER_ID_FOR_SRP"], given["SECRET_BLOCK"], int(given["SRP_B"], 16)
    identity = (pool.split("_", 1)[1] + user).encode()

    k = hashed(twos_complement(N), b"\x02")
    u = hashed(twos_complement(A), twos_complement(B))
    inner = hashlib.sha256(identity + b":" + password.encode()).digest()
    x = hashed(twos_complement(int(given["SALT"], 16)), inner)
    S = modexp((B - k * modexp(2, x, N)) % N, a + u * x, N)
    extracted = hmac.digest(twos_complement(u), twos_complement(S), "sha256")
    key = hmac.digest(extracted, b"Caldera Derived Key\x01", "sha256")[:16]

    now = time.gmtime()
    timestamp = f"{time.strftime('%a %b', now)} {now.tm_mday} {time.strftime('%H:%M:%S UTC %Y', now)}"
    claim = hmac.digest(key, identity + base64.b64decode(block) + timestamp.encode(), "sha256")
    responses = {
        "USERNAME": user,
        "TIMESTAMP": timestamp,
        "PASSWORD_CLAIM_SECRET_BLOCK": block,
        "PASSWORD_CLAIM_SIGNATURE": base64.b64encode(claim).decode(),
    }
    answer = {"ClientId": client, "ChallengeName": "PASSWORD_VERIFIER", "ChallengeResponses": responses}
    token: str = call(connection, "RespondToAuthChallenge", answer)["AuthenticationResult"]["AccessToken"]
    connection.request("GET", f"/{pool}/.well-known/jwks.json")
    json.load(connection.getresponse())
    return token


def main(endpoint: str, pool: str, client: str, username: str, password: str, N: str) -> None:
    url = urlsplit(endpoint)
    context = ssl.create_default_context(cafile=os.environ["AWS_CA_BUNDLE"])
    connection = HTTPSConnection(url.hostname or "", url.port, context=context)
    payload = log_in(connection, pool, client, username, password, int(N, 16)).split(".")[1]
    assert json.loads(base64.urlsafe_b64decode(payload + "=="))["username"] == username


main(*sys.argv[1:7])
