"""Contestants in JavaScript: a process of Node.js that answers lines of JSON with lines of JSON."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from _perf import TimeFunction

NODE = Path(os.environ.get("SRPCORE_NODE", Path(__file__).parents[1] / ".node"))


def installed(package: str) -> bool:
    return shutil.which("node") is not None and (NODE / "node_modules" / package).is_dir()


def version(package: str) -> str:
    return str(json.loads((NODE / "node_modules" / package / "package.json").read_text("utf-8"))["version"])


def start(script: str) -> Callable[..., Any]:
    """Start *script* of this folder, and return a function that sends it an object and returns the answer."""
    executable = shutil.which("node")
    assert executable is not None
    environment = {**os.environ, "NODE_PATH": str(NODE / "node_modules")}
    process = subprocess.Popen(
        [executable, str(Path(__file__).with_name(script))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    pipe_in, pipe_out = process.stdin, process.stdout
    assert pipe_in is not None
    assert pipe_out is not None

    def end() -> None:
        pipe_in.close()
        process.wait()
        pipe_out.close()

    atexit.register(end)

    def ask(**request: Any) -> Any:
        print(json.dumps(request), file=pipe_in, flush=True)
        return json.loads(pipe_out.readline())

    return ask


def time_function(ask: Callable[..., Any], warm_up: int, calls: int = 1) -> TimeFunction:
    """Return a function of *loops* that asks for the seconds that ``loops * calls`` take, by the clock of Node.js.

    Node.js compiles what is called often, so ``warm_up * calls`` come first.
    """
    ask(calls=warm_up * calls)
    return lambda loops: float(ask(calls=loops * calls)["seconds"])
