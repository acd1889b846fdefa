"""The core in WebAssembly: a CPython newer than most (Pyodide), with no libcrypto, threads, processes or sockets."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

import srpcore
from srpcore import TokenVerifier
from srpcore.protocol import Operation
from srpcore_transports.local import LocalUserPool
from support.users import PASSWORD

pytestmark = [pytest.mark.counterpart, pytest.mark.long]

HERE = Path(__file__).parent


def packages() -> Path:
    folder = Path(os.environ.get("SRPCORE_NODE", HERE.parents[1] / ".node")) / "node_modules"
    if shutil.which("node") is None or not (folder / "pyodide").is_dir():
        pytest.skip("node with pyodide is not there: run the tests by `make test`")
    return folder


def answer(pool: LocalUserPool, asked: dict[str, Any]) -> str:
    if "call" in asked:
        return json.dumps(pool.call(Operation(asked["call"], asked["parameters"])).document)
    if "fetch" in asked:
        return pool.fetch(asked["fetch"]).decode()
    return json.dumps({"pool": pool.user_pool_id, "client": pool.client_id, "password": PASSWORD})


def test_log_in_and_verify_in_webassembly() -> None:
    program = [str(HERE / "webassembly.mjs"), str(packages()), str(HERE / "webassembly_client.py")]
    heard: list[dict[str, Any]] = []
    with LocalUserPool() as pool:
        user = {"UserPoolId": pool.user_pool_id, "Username": "alice"}
        pool.call(Operation("AdminCreateUser", {**user, "MessageAction": "SUPPRESS"}))
        pool.call(Operation("AdminSetUserPassword", {**user, "Password": PASSWORD, "Permanent": True}))
        with subprocess.Popen(
            ["node", *program, str(Path(srpcore.__file__).parents[1])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stderr is not None
            for line in process.stdout:
                heard.append(json.loads(line))
                process.stdin.write(answer(pool, heard[-1]) + "\n")
                process.stdin.flush()
            trouble = process.stderr.read()
        assert process.returncode == 0, trouble
        with TokenVerifier(pool.user_pool_id, client_id=pool.client_id, token_use="access", transport=pool) as verifier:
            assert verifier.verify(heard[-1]["end"].pop("token"))["username"] == "alice"
    assert heard[0] == {"start": [3, 14], "engines": ["python"]}
    end = heard[-1]["end"]
    assert end.pop("modules") > 60
    assert end == {
        "wrong": "WrongPassword",
        "forged": "InvalidSignature",
        "user": "alice",
        "engine": "python",
    }
    assert [each["call"] for each in heard if "call" in each] == ["InitiateAuth", "RespondToAuthChallenge"] * 2
    assert len([each for each in heard if "fetch" in each]) >= 1
