"""Fuzz the token verifier, guided by coverage: ``python tests/fuzz/fuzz_tokens.py [-runs=N] [-option=...] [target ...]``.

The options are libFuzzer's; without ``-runs`` or ``-max_total_time`` it goes on until something is found. Without a
target each has its turn. What was found is left in a file ``crash-...``, which ``python tests/fuzz/fuzz_tokens.py
crash-... target`` runs again. It needs atheris: Linux, and CPython up to 3.13.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def main(arguments: list[str]) -> int:
    """Run as the first lines say; return 0 where nothing was found."""
    atheris: Any = import_module("atheris")
    with atheris.instrument_imports(include=["srpcore"]):
        from fuzz.targets import TARGETS
    chosen = [argument for argument in arguments if argument in TARGETS]
    rest = [argument for argument in arguments if argument not in TARGETS]
    unknown = [argument for argument in rest if not argument.startswith("-") and not Path(argument).exists()]
    if unknown:
        print(f"there is no target {unknown[0]!r}: choose among {', '.join(TARGETS)}", file=sys.stderr)
        return 2
    return max([_fuzz(atheris, TARGETS[target], rest) for target in chosen or TARGETS])


def _fuzz(atheris: Any, target: Callable[[bytes], None], arguments: list[str]) -> int:
    from fuzz.targets import write_corpus, write_dictionary

    print(f"== {target.__name__}", file=sys.stderr, flush=True)
    with TemporaryDirectory() as folder:
        inputs = [] if any(Path(argument).is_file() for argument in arguments) else [write_corpus(folder, target)]
        # libFuzzer ends the process; in a child of this one everything is imported and instrumented already.
        child = os.fork()
        if not child:
            # Inputs may be as long as the longest at once: half of what is checked needs a long one.
            defaults = ["-len_control=0", f"-dict={write_dictionary(folder)}"]
            atheris.Setup([sys.argv[0], *defaults, *arguments, *inputs], target)
            atheris.Fuzz()
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 0xFF


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
