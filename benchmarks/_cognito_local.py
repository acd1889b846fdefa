"""Start cognito-local, an emulator in JavaScript, if `make bench` has installed it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def program() -> Path | None:
    """Return the path of the server, in .node-peers or the folder SRPCORE_NODE_PEERS; None if it is not there."""
    folder = Path(os.environ.get("SRPCORE_NODE_PEERS", ROOT / ".node-peers"))
    path = folder / "node_modules" / "cognito-local" / "lib" / "bin" / "start.js"
    return path if path.exists() and shutil.which("node") else None


@contextlib.contextmanager
def running() -> Iterator[str]:
    """Start the server on a free loopback port, yield its URL, and stop it."""
    from counterparts.processes import serving
    from support.ports import reserved_port

    # It keeps its configuration and its pools in the working directory.
    with reserved_port() as port, tempfile.TemporaryDirectory() as folder:
        configuration = Path(folder, ".cognito", "config.json")
        configuration.parent.mkdir()
        # Its own default is that user names are e-mail addresses.
        configuration.write_text(json.dumps({"UserPoolDefaults": {"UsernameAttributes": []}}))
        environment = {**os.environ, "HOST": "127.0.0.1", "PORT": str(port)}
        with serving(["node", str(program())], port, env=environment, cwd=folder) as url:
            yield url
