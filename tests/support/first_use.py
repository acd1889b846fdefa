"""What a program does for the first time: see which modules and libraries it loads, and which files it opens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import srpcore
import srpcore_transports

__all__ = ["loaded_by"]

# The folders of the packages: of this checkout, or of the installed wheel.
PACKAGES = [str(Path(str(package.__file__)).parents[1]) for package in (srpcore, srpcore_transports)]

HEAD = """
import json, sys
_seen, _watching = [], False

def _watch(event, arguments):
    if _watching and event in ("import", "open", "ctypes.dlopen", "socket.connect", "socket.getaddrinfo"):
        _seen.append(event + " " + str(arguments[0] if event != "socket.connect" else arguments[1]))

sys.addaudithook(_watch)
"""


def loaded_by(
    before: str, measured: str, *arguments: str, environment: dict[str, str] | None = None, path: Iterable[str] = ()
) -> list[str]:
    """Return what *measured* loads, opens and connects to, in a new process that has run the program *before* it.

    Each is a string: ``import name``, ``open path``, ``ctypes.dlopen path``, ``socket.connect address`` or
    ``socket.getaddrinfo host``. The arguments are in ``sys.argv[1:]``. Third-party packages are found only if their
    folders are in *path*.
    """
    program = f"{HEAD}\n{before}\n_watching = True\n{measured}\n_watching = False\nprint(json.dumps(_seen))"
    done = subprocess.run(
        # Without the site module: some files in site-packages import modules when the interpreter starts.
        [sys.executable, "-S", "-c", program, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*PACKAGES, *path]), **(environment or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout)
    return found
