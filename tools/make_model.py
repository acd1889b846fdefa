"""Generate the modules that repeat botocore's service model of Amazon Cognito user pools.

    python tools/make_model.py [--check]

Writes ``srpcore/service_model.py`` (facts) and ``srpcore/exceptions/service_exceptions.py`` (one class for each
exception name) from the installed botocore, and prints what changed. The docstrings of exception classes are written
by hand: those in the present file are kept, and a new class gets one to be improved. With ``--check`` nothing is
written, and the exit status is 1 if the files differ from what would be generated.
"""

from __future__ import annotations

import ast
import difflib
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import botocore
import botocore.session
from botocore import xform_name
from model_deviations import ALSO_UNSIGNED, MORE_ENUM_VALUES, NOT_READ_ONLY, SERVER_ERRORS

SOURCE_ROOT = Path(__file__).resolve().parents[1] / "srpcore"
FACTS = SOURCE_ROOT / "service_model.py"
EXCEPTIONS = SOURCE_ROOT / "exceptions" / "service_exceptions.py"

DEVIATION = "  # Differs from the model: see tools/model_deviations.py."
READ_ONLY_PREFIXES = tuple(admin + verb for admin in ("", "Admin") for verb in ("Describe", "Get", "List"))
PAGE_TOKENS = {"NextToken", "PaginationToken"}
PAGE_SIZES = {"Limit", "MaxResults", "QueryLimit"}


class Model:
    """The service model, read through botocore."""

    def __init__(self) -> None:
        self._model: Any = botocore.session.get_session().get_service_model("cognito-idp")
        self.metadata: dict[str, Any] = self._model.metadata
        self.operations: list[Any] = [self._model.operation_model(name) for name in sorted(self._model.operation_names)]
        self.shapes: list[Any] = [self._model.shape_for(name) for name in sorted(self._model.shape_names)]
        self.exceptions: list[str] = sorted(shape.name for shape in self._model.error_shapes)

    def kinds_of_members(self, kind: Callable[[Any], str]) -> dict[str, set[str]]:
        """Return, for the name of each structure's member, all kinds of shape that a member of this name has."""
        found: dict[str, set[str]] = {}
        for shape in self.shapes:
            if shape.type_name == "structure":
                for name, member in shape.members.items():
                    found.setdefault(name, set()).add(kind(member))
        return found

    def members(self, kind: Callable[[Any], str], wanted: str, *, anywhere: bool = False) -> list[str]:
        """Return the members that are of the *wanted* kind in all structures, or with *anywhere* in at least one."""
        found = self.kinds_of_members(kind)
        return sorted(name for name, kinds in found.items() if kinds == {wanted} or (anywhere and wanted in kinds))

    def string_parameters(self) -> list[str]:
        """Return the names of the requests' own members that are strings in every operation."""
        kinds: dict[str, set[str]] = {}
        for operation in self.operations:
            for name, member in operation.input_shape.members.items():
                kinds.setdefault(name, set()).add(member.type_name)
        return sorted(name for name, found in kinds.items() if found == {"string"})

    def check_deviations(self) -> None:
        """Stop if a deviation names something that the model does not have, or if the model now agrees with it."""
        signed = {operation.name for operation in self.operations if operation.auth_type != "none"}
        reads = {operation.name for operation in self.operations if operation.name.startswith(READ_ONLY_PREFIXES)}
        values = {shape.name: getattr(shape, "enum", None) or [] for shape in self.shapes}
        enums = {name for name, value in MORE_ENUM_VALUES.items() if value in values.get(name, [value])}
        stale = (
            enums | (ALSO_UNSIGNED - signed) | (NOT_READ_ONLY - reads) | (SERVER_ERRORS.keys() - set(self.exceptions))
        )
        if stale:
            raise SystemExit(f"tools/model_deviations.py: remove what no longer differs: {', '.join(sorted(stale))}")

    def unsigned(self) -> Iterator[tuple[str, bool]]:
        """Yield each operation that needs no signature, with whether the model differs."""
        for operation in self.operations:
            if operation.auth_type == "none":
                yield operation.name, False
            elif operation.name in ALSO_UNSIGNED:
                yield operation.name, True

    def read_only(self) -> list[str]:
        """Return the operations whose names begin with Describe, Get or List, except those in NOT_READ_ONLY.

        The model's trait ``readonly`` is ignored: only a few of the operations that change nothing have it.
        """
        names = [operation.name for operation in self.operations]
        return [name for name in names if name.startswith(READ_ONLY_PREFIXES) and name not in NOT_READ_ONLY]

    def pages(self) -> Iterator[tuple[str, str, str, str | None, int | None]]:
        """Yield, for each operation that answers in pages: name, token, list of results, page size and its maximum."""
        for operation in self.operations:
            taken = operation.input_shape.members
            answered = operation.output_shape.members if operation.output_shape else {}
            tokens = PAGE_TOKENS & taken.keys() & answered.keys()
            if not tokens:
                continue
            (token,) = tokens
            (results,) = [name for name, shape in answered.items() if shape.type_name == "list"]
            size = next(iter(PAGE_SIZES & taken.keys()), None)
            yield operation.name, token, results, size, taken[size].metadata.get("max") if size else None


def main(arguments: list[str]) -> int:
    """Generate both files; with ``--check`` compare only."""
    check = arguments == ["--check"]
    if arguments and not check:
        print(__doc__)
        return 2
    model = Model()
    model.check_deviations()
    changed = False
    for path, text in ((FACTS, facts(model)), (EXCEPTIONS, exceptions(model))):
        before = path.read_text("utf-8") if path.exists() else ""
        changed |= before != text
        sys.stdout.writelines(difference(before, text, path.name))
        if not check:
            path.write_text(text, "utf-8")
    print(f"botocore {botocore.__version__}: {'changed' if changed else 'nothing changed'}")
    return int(check and changed)


def difference(before: str, after: str, name: str) -> Iterable[str]:
    """Return the unified difference with one line of context."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    return difflib.unified_diff(old, new, f"a/{name}", f"b/{name}", n=1)


def facts(model: Model) -> str:
    """Return the source of ``service_model.py``: one fact a line. Names are in alphabetical order.

    Only the values of an enumeration are in the model's order.
    """
    sections = [
        HEADER.format(version=botocore.__version__),
        f'TARGET_PREFIX: Final = "{model.metadata["targetPrefix"]}."\n"""The beginning of the header X-Amz-Target."""',
        f'CONTENT_TYPE: Final = "application/x-amz-json-{model.metadata["jsonVersion"]}"',
        mapping(
            "OPERATIONS",
            "dict[str, str]",
            (f'"{xform_name(operation.name)}": "{operation.name}",' for operation in model.operations),
            "Every operation, by the name of its method in boto3.",
        ),
        names(
            "UNSIGNED",
            (f'"{name}",{DEVIATION if deviates else ""}' for name, deviates in model.unsigned()),
            "The operations that need no AWS signature: no credentials are looked for on their behalf.",
        ),
        names("READ_ONLY", quoted(model.read_only()), "The operations that change nothing: they may be repeated."),
        PAGING,
        mapping(
            "PAGES",
            "dict[str, Paging]",
            (f'"{name}": Paging({", ".join(map(literal, rest))}),' for name, *rest in model.pages()),
            "The operations that answer in pages.",
        ),
        names(
            "STRING_PARAMETERS",
            quoted(model.string_parameters()),
            "The members of requests, at the top level, that are strings in every operation that has them.",
        ),
        names(
            "TIMESTAMP_MEMBERS",
            quoted(model.members(type_of, "timestamp")),
            "The members that are timestamps, wherever they occur: seconds since the epoch, with a fraction.",
        ),
        names(
            "ENUM_MEMBERS",
            quoted(model.members(enumeration, "enum")),
            "The members whose strings, or lists of strings, are of an enumeration wherever they occur.",
        ),
        names(
            "MAP_MEMBERS",
            quoted(model.members(type_of, "map", anywhere=True)),
            "The members that are, in one structure at least, a map: the model does not know the names in it.",
        ),
        mapping(
            "ENUMS",
            "dict[str, tuple[str, ...]]",
            enums(model),
            "Every enumeration, by its name in the model, in the model's order.",
        ),
        mapping(
            "EXCEPTIONS",
            "dict[str, int]",
            (
                f'"{name}": {SERVER_ERRORS.get(name, 400)},{DEVIATION if name in SERVER_ERRORS else ""}'
                for name in model.exceptions
            ),
            "The names of the service's exceptions, each with its HTTP status.",
        ),
    ]
    return "\n\n".join(sections) + "\n"


def exceptions(model: Model) -> str:
    """Return the source of ``service_exceptions.py``, with the docstrings that the present file has."""
    kept: dict[str, str | None] = {}
    if EXCEPTIONS.exists():
        classes = ast.parse(EXCEPTIONS.read_text("utf-8")).body
        kept = {node.name: ast.get_docstring(node) for node in classes if isinstance(node, ast.ClassDef)}
    exported = "".join(f'    "{name}",\n' for name in model.exceptions)
    text = EXCEPTIONS_HEADER.format(exported=exported)
    for name in model.exceptions:
        docstring = kept.get(name) or f"The service answered with {name}."
        text += f'\n\nclass {name}(ServiceError):\n    """{docstring}"""\n'
    return text


def type_of(shape: Any) -> str:
    """Return the name of the shape's type."""
    return str(shape.type_name)


def enumeration(shape: Any) -> str:
    """Return ``enum`` for an enumeration or a list of one, else the name of the shape's type."""
    inner = shape.member if shape.type_name == "list" else shape
    return "enum" if getattr(inner, "enum", None) else type_of(shape)


def enums(model: Model) -> Iterator[str]:
    """Yield the lines of the enumerations, each with its values in the model's order."""
    for shape in model.shapes:
        values = getattr(shape, "enum", None) or []
        if len(values) == 1:
            yield f'"{shape.name}": ("{values[0]}",),'
        elif values:
            yield f'"{shape.name}": ('
            yield from (f'    "{value}",' for value in values)
            if shape.name in MORE_ENUM_VALUES:
                yield f'    "{MORE_ENUM_VALUES[shape.name]}",{DEVIATION}'
            yield "),"


def names(name: str, lines: Iterable[str], docstring: str) -> str:
    """Return a frozenset of names, one a line."""
    body = "".join(f"        {line}\n" for line in lines)
    return f'{name}: Final = frozenset(\n    {{\n{body}    }}\n)\n"""{docstring}"""'


def mapping(name: str, kind: str, lines: Iterable[str], docstring: str) -> str:
    """Return a dictionary, one entry a line."""
    body = "".join(f"    {line}\n" for line in lines)
    return f'{name}: Final[{kind}] = {{\n{body}}}\n"""{docstring}"""'


def quoted(values: Iterable[str]) -> Iterator[str]:
    """Yield each value as an item of a set."""
    return (f'"{value}",' for value in values)


def literal(value: str | int | None) -> str:
    """Return *value* as Python source, with double quotes."""
    return f'"{value}"' if isinstance(value, str) else repr(value)


HEADER = '''\
"""What the service model of Amazon Cognito user pools says: operations, pages, types of members, exceptions.

Generated by ``make model`` from botocore {version}: do not edit. Differences from botocore's model, each with its
source, are in ``tools/model_deviations.py``.
"""

from __future__ import annotations

from typing import Final

from ._values import Value

__all__ = [
    "BOTOCORE_VERSION",
    "CONTENT_TYPE",
    "ENUMS",
    "ENUM_MEMBERS",
    "EXCEPTIONS",
    "MAP_MEMBERS",
    "OPERATIONS",
    "PAGES",
    "READ_ONLY",
    "STRING_PARAMETERS",
    "TARGET_PREFIX",
    "TIMESTAMP_MEMBERS",
    "UNSIGNED",
    "Paging",
]

BOTOCORE_VERSION: Final = "{version}"
"""The version of botocore whose model this is."""'''

PAGING = '''
class Paging(Value):
    """How an operation answers in pages: the members of its requests and answers that matter."""

    __slots__ = ("max_size", "results", "size", "token")

    token: str
    """The member, of the request and of the answer, that holds the token of the next page."""
    results: str
    """The list in the answer."""
    size: str | None
    """The member of the request that limits the results on a page, if there is one."""
    max_size: int | None
    """The largest page that may be asked for."""

    def __init__(self, token: str, results: str, size: str | None, max_size: int | None) -> None:
        self._set(token=token, results=results, size=size, max_size=max_size)
'''

EXCEPTIONS_HEADER = '''\
"""One class for each exception name in the service model.

Generated by ``make model``, except for the docstrings, which it keeps: improve them here.
"""

from __future__ import annotations

from .service import ServiceError

__all__ = [
{exported}]
'''

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
