"""Generate the module with the shapes of all requests, by which the local pool validates what it is sent.

    python tools/make_shapes.py [--check]

Writes ``transports/srpcore_transports/local/api/shapes.py`` from the installed botocore, and prints what changed. With
``--check`` nothing is written, and the exit status is 1 if the file differs from what would be generated.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore
from make_model import Model, difference
from model_deviations import NOT_SENSITIVE, PATTERNS

from srpcore_transports.local.api.patterns import UnknownConstruct, translate

SHAPES = Path(__file__).resolve().parents[1] / "transports" / "srpcore_transports" / "local" / "api" / "shapes.py"
DEVIATION = "# Differs from the model: see tools/model_deviations.py."
WIDTH = 120


def main(arguments: list[str]) -> int:
    """Generate the module; with ``--check`` compare only."""
    check = arguments == ["--check"]
    if arguments and not check:
        print(__doc__)
        return 2
    before = SHAPES.read_text("utf-8") if SHAPES.exists() else ""
    after = module(input_shapes(Model()))
    sys.stdout.writelines(difference(before, after, SHAPES.name))
    if not check:
        SHAPES.write_text(after, "utf-8")
    print(f"botocore {botocore.__version__}: shapes.py {'changed' if before != after else 'did not change'}")
    return int(check and before != after)


def input_shapes(model: Model) -> dict[str, Any]:
    """Return the shapes of all requests, and those within them, by name.

    Raises:
        SystemExit: a request's shape is not named as its operation, or a deviation names a shape that is not there.
    """
    found: dict[str, Any] = {}
    for operation in model.operations:
        if operation.input_shape.name != f"{operation.name}Request":
            raise SystemExit(
                f"the input of {operation.name} is named {operation.input_shape.name}: check() expects Request"
            )
        collect(operation.input_shape, found)
    check_deviations(found)
    return dict(sorted(found.items()))


def collect(shape: Any, found: dict[str, Any]) -> None:
    """Add *shape* and all shapes within it to *found*."""
    if shape.name in found:
        return
    found[shape.name] = shape
    for inner in inner_shapes(shape):
        collect(inner, found)


def inner_shapes(shape: Any) -> list[Any]:
    """Return the shapes of which *shape* is made."""
    if shape.type_name == "structure":
        return list(shape.members.values())
    if shape.type_name == "list":
        return [shape.member]
    return [shape.key, shape.value] if shape.type_name == "map" else []


def check_deviations(shapes: dict[str, Any]) -> None:
    """Stop if a deviation names a shape that is not there, or if the model now agrees with it."""
    sensitive = {name for name, shape in shapes.items() if shape.metadata.get("sensitive")}
    patterns = {name: shape.metadata.get("pattern") for name, shape in shapes.items()}
    stale = (NOT_SENSITIVE - sensitive) | {name for name, pattern in PATTERNS.items() if pattern == patterns.get(name)}
    if stale:
        raise SystemExit(f"tools/model_deviations.py: remove what no longer differs: {', '.join(sorted(stale))}")


def module(shapes: dict[str, Any]) -> str:
    """Return the source of ``shapes.py``: the shapes in alphabetical order, the members in the model's."""
    lines = "".join(f"    {line}\n" for shape in shapes.values() for line in entry(shape))
    return f"{HEADER.format(version=botocore.__version__)}{lines}{FOOTER}"


def entry(shape: Any) -> Iterator[str]:
    """Yield the lines of one shape: one line if it fits, otherwise one for each argument."""
    kind, arguments = constructor(shape)
    line = f'"{shape.name}": {kind}({", ".join(arguments)}),'
    if shape.name in NOT_SENSITIVE or shape.name in PATTERNS:
        yield DEVIATION
    if len(line) + 4 <= WIDTH:
        yield line
    else:
        yield f'"{shape.name}": {kind}('
        yield from (f"    {argument}," for argument in arguments)
        yield "),"


def constructor(shape: Any) -> tuple[str, list[str]]:
    """Return the name of the class in ``shape_types.py`` for *shape*, and its arguments as source."""
    if shape.type_name == "structure":
        return structure(shape)
    if shape.type_name == "string":
        return string(shape)
    if shape.type_name == "list":
        return "List", [f'"{shape.member.name}"', *limits(shape)]
    if shape.type_name == "map":
        return "Map", [f'"{shape.key.name}"', f'"{shape.value.name}"', *limits(shape), *sensitive(shape)]
    kinds = {"integer": "Number", "long": "Number", "boolean": "Boolean", "timestamp": "Timestamp", "blob": "Blob"}
    if shape.type_name not in kinds:
        raise SystemExit(f"{shape.name}: shapes of the type {shape.type_name} cannot be validated yet")
    return kinds[shape.type_name], limits(shape)


def structure(shape: Any) -> tuple[str, list[str]]:
    """Return the class and the arguments of a structure: the required members, then all members with their shapes."""
    if shape.metadata.get("document"):
        return "Document", []
    required = " ".join(name for name in shape.members if name in shape.required_members)
    members = [f'{name}="{inner.name}"' for name, inner in shape.members.items()]
    return "Structure", [*([f'"{required}"'] if required else []), *sensitive(shape), *members]


def string(shape: Any) -> tuple[str, list[str]]:
    """Return the class and the arguments of a string."""
    if shape.enum:
        return "Enumeration", [f'ENUMS["{shape.name}"]']
    return "String", [*limits(shape), *pattern(shape), *sensitive(shape)]


def limits(shape: Any) -> list[str]:
    """Return the arguments for the smallest and largest length or value."""
    return [f"{name}={shape.metadata[name]}" for name in ("min", "max") if name in shape.metadata]


def sensitive(shape: Any) -> list[str]:
    """Return the argument for a shape whose values are secret."""
    return ["sensitive=True"] if shape.metadata.get("sensitive") and shape.name not in NOT_SENSITIVE else []


def pattern(shape: Any) -> list[str]:
    """Return the argument for the pattern.

    Raises:
        SystemExit: the pattern cannot be translated from Java's syntax.
    """
    text = PATTERNS.get(shape.name, shape.metadata.get("pattern"))
    if text is None:
        return []
    try:
        translate(text)
    except UnknownConstruct as error:
        raise SystemExit(f"{shape.name}: {error}") from error
    return [f'pattern=r"{text}"' if "\\" in text else f'pattern="{text}"']


HEADER = '''\
"""The shapes of all requests: what the service model says about types, required members and constraints.

Generated by ``make model`` from botocore {version}: do not edit. Differences from botocore's model, each with its
source, are in ``tools/model_deviations.py``.
"""

from __future__ import annotations

from typing import Final

from srpcore.service_model import ENUMS

from .shape_types import Blob, Boolean, Document, Enumeration, List, Map, Number, Shape, String, Structure, Timestamp

__all__ = ["SHAPES"]

SHAPES: Final[dict[str, Shape]] = {{
'''

FOOTER = '''\
}
"""All shapes, by their names in the model. The request of an operation is the shape ``<operation>Request``."""
'''

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
