"""The stub of the client, from which editors take the signatures of the methods that the code makes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from srpcore import client

ROOT = Path(__file__).parents[2]


def test_stub_has_the_signatures_of_the_code() -> None:
    check = [sys.executable, str(ROOT / "tools" / "make_stub.py"), "--check"]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_stub_shows_results_and_not_flows() -> None:
    stub = Path(client.__file__).with_suffix(".pyi").read_text("utf-8")
    assert "Flow[" not in stub
    assert "    def check_token(self, renew: bool = True" in stub
    assert "    async def check_token(self, renew: bool = True" in stub
