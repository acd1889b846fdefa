"""Cognito's dialect of SRP, of this library and of pycognito, as ``check_cognito_dialect`` takes it."""

from __future__ import annotations

import base64
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from pycognito import aws_srp

from srpcore.crypto import cognito
from srpcore.crypto.device import Device, device_verifier
from srpcore.crypto.secret_hash import secret_hash
from srpcore.flows.srp import device_claim, password_claim
from srpcore.testing import (
    ClaimAnswer,
    CognitoClient,
    DeviceIdentity,
    DeviceSecret,
    PasswordChallenge,
    UserIdentity,
)


def _parameters(challenge: PasswordChallenge) -> dict[str, str]:
    user_id = challenge.identity.user_id if isinstance(challenge.identity, UserIdentity) else "alice"
    return {
        "SALT": challenge.salt,
        "SRP_B": challenge.B,
        "SECRET_BLOCK": challenge.secret_block,
        "USER_ID_FOR_SRP": user_id,
        "USERNAME": user_id,
    }


def _answer_of(responses: dict[str, str]) -> ClaimAnswer:
    return ClaimAnswer(
        responses["TIMESTAMP"], responses["PASSWORD_CLAIM_SIGNATURE"], responses["PASSWORD_CLAIM_SECRET_BLOCK"]
    )


# This library.


def _our_answer(challenge: PasswordChallenge) -> ClaimAnswer:
    assert isinstance(challenge.identity, UserIdentity)
    suffix, pair = challenge.identity.pool_id.partition("_")[2], cognito.client_pair(challenge.a)
    responses = password_claim(
        _parameters(challenge), suffix=suffix, password=challenge.password, pair=pair, now=challenge.time
    )
    return _answer_of(responses)


def _our_device_answer(challenge: PasswordChallenge) -> ClaimAnswer:
    assert isinstance(challenge.identity, DeviceIdentity)
    device = Device(challenge.identity.key, challenge.identity.group_key, challenge.password)
    pair = cognito.client_pair(challenge.a)
    return _answer_of(device_claim(_parameters(challenge), device=device, pair=pair, now=challenge.time))


def _our_device_verifier(secret: DeviceSecret) -> tuple[str, str]:
    made = device_verifier(secret.identity.group_key, secret.identity.key, secret.password, secret.salt)
    return made.salt, made.verifier


OURS = CognitoClient(
    public_value=lambda a: f"{cognito.client_pair(a).public:x}",
    answer=_our_answer,
    answer_device=_our_device_answer,
    device_verifier=_our_device_verifier,
    secret_hash=secret_hash,
)


# pycognito


def _their_client(a: int, challenge: PasswordChallenge | None = None) -> Any:
    pool_id, device = "eu-west-1_AbCd12345", {}
    if challenge is not None and isinstance(challenge.identity, UserIdentity):
        pool_id = challenge.identity.pool_id
    elif challenge is not None and isinstance(challenge.identity, DeviceIdentity):
        names = {"device_key": challenge.identity.key, "device_group_key": challenge.identity.group_key}
        device = {**names, "device_password": challenge.password}
    password = challenge.password if challenge else ""
    with patch.object(aws_srp.AWSSRP, "generate_random_small_a", lambda _: a):
        return aws_srp.AWSSRP("alice", password, pool_id, "client id", client=object(), **device)


def _their_answer(challenge: PasswordChallenge) -> ClaimAnswer:
    client = _their_client(challenge.a, challenge)
    clock = SimpleNamespace(datetime=SimpleNamespace(utcnow=lambda: challenge.time.replace(tzinfo=None)))
    with patch.object(aws_srp, "datetime", clock):
        if isinstance(challenge.identity, DeviceIdentity):
            return _answer_of(client.process_device_challenge(_parameters(challenge)))
        return _answer_of(client.process_challenge(_parameters(challenge), {"USERNAME": "alice"}))


def _their_device_verifier(secret: DeviceSecret) -> tuple[str, str]:
    random = iter([base64.b64decode(secret.password), secret.salt.to_bytes(16, "big")])
    with patch.object(aws_srp, "os", SimpleNamespace(urandom=lambda _: next(random))):
        _, config = aws_srp.generate_hash_device(secret.identity.group_key, secret.identity.key)
    return config["Salt"], config["PasswordVerifier"]


PYCOGNITO = CognitoClient(
    public_value=lambda a: _their_client(a).get_auth_params()["SRP_A"],
    answer=_their_answer,
    answer_device=_their_answer,
    device_verifier=_their_device_verifier,
    secret_hash=aws_srp.AWSSRP.get_secret_hash,
)
