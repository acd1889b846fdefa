"""Which lines of a function a test executes, and which statement of it a mutant changes.

mutmut writes all mutants of a function into the same module: the function itself is ``x_name__mutmut_orig``, and the
mutants are ``x_name__mutmut_1`` and so on. A set of lines of the function is an integer here, in which bit 0 stands for
its first line, which is that of a decorator if it has one. ``EVERY_LINE`` has all bits.
"""

from __future__ import annotations

import ast
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, TypeAlias

__all__ = ["EVERY_LINE", "LineTracer", "changed_statements"]

EVERY_LINE = -1

_ORIGINAL = "__mutmut_orig"

_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


class LineTracer:
    """Records the lines that are executed within ``with``, in all threads that begin in it: ``lines``, by function."""

    def __init__(self) -> None:
        self.lines: dict[str, int] = {}
        self._first_lines: dict[str, int] = {}

    def __enter__(self) -> None:
        self.lines = {}
        threading.settrace(self._called)
        sys.settrace(self._called)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sys.settrace(None)
        threading.settrace(None)

    def _called(self, frame: FrameType, *_: object) -> Any:
        """Return the function that is called for each line of *frame*, or None for other functions than mutmut's."""
        code = frame.f_code
        if _ORIGINAL not in code.co_qualname:
            return None
        # Also a function in the function, whose qualified name is longer.
        own = next(part for part in code.co_qualname.split(".") if part.endswith(_ORIGINAL))
        name = f"{frame.f_globals['__name__']}.{own.removesuffix(_ORIGINAL)}"
        first = self._first_lines.setdefault(name, code.co_firstlineno)

        def record(frame: FrameType, *_: object) -> Any:
            self.lines[name] = self.lines.get(name, 0) | 1 << (frame.f_lineno - first)
            return record

        return record


def changed_statements(path: Path) -> dict[str, int]:
    """Return the lines of the statement that each mutant in the module at *path* changes, by the mutant's last name."""
    source = path.read_text("utf-8")
    lines = source.split("\n")
    functions = {
        node.name: node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, _Function) and "__mutmut_" in node.name
    }
    changed: dict[str, int] = {}
    for name, function in functions.items():
        original = functions[f"{name.rpartition('__mutmut_')[0]}{_ORIGINAL}"]
        if function is not original:
            changed[name] = _statement(original, *_difference(lines, original, function))
    return changed


def _difference(lines: list[str], original: _Function, mutant: _Function) -> tuple[int, int]:
    """Return the numbers of the first line and of the last line of *original* that differ in *mutant*."""
    old = lines[original.lineno - 1 : original.end_lineno]
    new = lines[mutant.lineno - 1 : mutant.end_lineno]
    new[0] = new[0].replace(mutant.name, original.name)
    shorter = min(len(old), len(new))
    before = next((place for place in range(shorter) if old[place] != new[place]), shorter)
    after = next((place for place in range(shorter) if old[-1 - place] != new[-1 - place]), shorter)
    first = min(before, len(old) - 1)
    return original.lineno + first, original.lineno + max(first, len(old) - 1 - after)


def _statement(function: _Function, first: int, last: int) -> int:
    """Return the lines of the smallest statement that contains the lines from *first* to *last*."""
    around = [span for span in _spans(function) if span[0] <= first and last <= span[1]]
    if not around:
        return EVERY_LINE  # for example the default of a parameter
    start, end = min(around, key=lambda span: span[1] - span[0])
    top = min([function.lineno, *(decorator.lineno for decorator in function.decorator_list)])
    return sum(1 << (line - top) for line in range(start, end + 1))


def _spans(function: _Function) -> Iterator[tuple[int, int]]:
    """Yield the first and the last line of each statement. Of ``if x: ...`` only the first lines count."""
    for node in ast.walk(function):
        if node is function or not isinstance(node, ast.stmt | ast.ExceptHandler):
            continue
        body: list[ast.stmt] = getattr(node, "body", [])
        if isinstance(node, ast.Match):
            yield node.lineno, node.cases[0].pattern.lineno - 1
        else:
            yield node.lineno, max(node.lineno, body[0].lineno - 1) if body else node.end_lineno or node.lineno
