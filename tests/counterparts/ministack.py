"""Start ministack, a server nobody here wrote, and make pools in it with boto3."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from counterparts.processes import serving
from support.ports import reserved_port

ROOT = Path(__file__).parents[2]


def executable() -> Path:
    """Return the path of ministack, from SRPCORE_MINISTACK or its own environment beside the tree."""
    path = Path(os.environ.get("SRPCORE_MINISTACK", ROOT / ".venv-ministack" / "bin" / "ministack"))
    if not path.exists():
        pytest.skip("ministack is not installed: run the tests by `make test`, or set SRPCORE_MINISTACK")
    return path


@contextlib.contextmanager
def running() -> Iterator[str]:
    """Start ministack with AUTH=true on a free loopback port, yield its URL, and stop it."""
    with reserved_port() as port, tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "AUTH": "true",
            # Without these settings it listens on every interface.
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            # Its keys and its PID file, which are in /tmp otherwise.
            "STATE_DIR": folder,
            "TMPDIR": folder,
        }
        with serving([executable()], port, env=environment) as url:
            yield url


def admin(url: str) -> Any:
    """Return a boto3 client with the root keys that ministack takes."""
    import boto3

    return boto3.client(
        "cognito-idp",
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
