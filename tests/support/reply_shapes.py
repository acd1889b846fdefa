"""Compare a reply with the output shape of botocore's service model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from srpcore.service_model import ENUMS

__all__ = ["differences"]


def differences(shape: Any, value: Any, path: str) -> Iterator[str]:
    """Yield the members of *value* that *shape* does not have, those that are missing, and those of a wrong type."""
    if shape.type_name == "structure":
        if getattr(shape, "is_document_type", False):
            return
        if not isinstance(value, dict):
            yield f"{path} is not a structure"
            return
        for name, member in value.items():
            if name in shape.members:
                yield from differences(shape.members[name], member, f"{path}.{name}")
            else:
                yield f"{path}.{name}"
        yield from (f"{path}.{name} is missing" for name in shape.required_members if name not in value)
    elif shape.type_name == "list":
        if not isinstance(value, list):
            yield f"{path} is not a list"
            return
        for item in value:
            yield from differences(shape.member, item, f"{path}[]")
    elif shape.type_name == "map":
        for item in value.values():
            yield from differences(shape.value, item, f"{path}{{}}")
    else:
        yield from _odd_scalar(shape, value, path)


def _odd_scalar(shape: Any, value: Any, path: str) -> Iterator[str]:
    kinds: dict[str, Any] = {"string": str, "integer": int, "boolean": bool, "timestamp": (int, float)}
    if shape.type_name in kinds and not isinstance(value, kinds[shape.type_name]):
        yield f"{path} is {type(value).__name__}, not {shape.type_name}"
    elif shape.type_name == "string":
        # Some enumerations of botocore lack a value: see tools/model_deviations.py.
        if getattr(shape, "enum", None) and value not in ENUMS.get(shape.name, shape.enum):
            yield f"{path} is not of the enumeration"
        # A standard attribute whose name is longer than its shape allows.
        longest = 21 if value == "phone_number_verified" else shape.metadata.get("max", 1 << 20)
        if not shape.metadata.get("min", 0) <= len(value) <= longest:
            yield f"{path} has a length out of bounds"
