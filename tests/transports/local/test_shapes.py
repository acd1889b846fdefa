"""The generated shapes and the validation by them, beside botocore: its model, and its own validation of parameters."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import botocore
import botocore.session
import pytest
from botocore.validate import ParamValidator
from hypothesis import given, settings
from hypothesis import strategies as st

from srpcore.service_model import OPERATIONS
from srpcore_transports.local.api.errors import Refusal
from srpcore_transports.local.api.shapes import SHAPES
from srpcore_transports.local.api.validation import check

TOOLS = Path(__file__).resolve().parents[3] / "tools"
MODEL: Any = botocore.session.get_session().get_service_model("cognito-idp")
REQUESTS: dict[str, Any] = {name: MODEL.operation_model(name).input_shape for name in sorted(MODEL.operation_names)}

pytestmark = pytest.mark.counterpart


def test_the_generated_module_is_up_to_date_with_the_installed_botocore() -> None:
    command = [sys.executable, str(TOOLS / "make_shapes.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    # A botocore of another version with the same model differs in the version alone.
    lines = done.stdout.splitlines()
    changed = [line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---") and "botocore" not in line]
    assert changed == [], f"botocore {botocore.__version__} has another model: run 'make model' and review the change"
    assert done.returncode in (0, 1), done.stderr


def test_every_operation_has_the_shape_of_its_request() -> None:
    assert {f"{name}Request" for name in OPERATIONS.values()} <= SHAPES.keys()


def refusal(operation: str, document: dict[str, Any]) -> str:
    """Return the code and the message with which a request is refused, or an empty string."""
    try:
        check(operation, document)
    except Refusal as error:
        return f"{error.code}: {error.message}"
    return ""


@pytest.mark.parametrize("operation", REQUESTS)
def test_each_limit_of_the_model_holds_exactly(operation: str) -> None:
    """Compare the members of each request, one at a time, with the limits in botocore's model."""
    for name, shape in REQUESTS[operation].members.items():
        place = f"'{name[:1].lower()}{name[1:]}' failed to satisfy constraint: Member must have "
        if shape.type_name not in ("string", "integer"):
            continue
        measure, unit = ("value", 1) if shape.type_name == "integer" else ("length", "1")
        most, least = shape.metadata.get("max"), shape.metadata.get("min")
        if most is not None:
            text = f"{place}{measure} less than or equal to {most}"
            assert text not in refusal(operation, {name: most * unit})
            assert text in refusal(operation, {name: (most + 1) * unit})
        if least is not None and (least > 0 or measure == "value"):
            text = f"{place}{measure} greater than or equal to {least}"
            assert text not in refusal(operation, {name: least * unit})
            assert text in refusal(operation, {name: (least - 1) * unit})


# Values of each type, most of them good for one shape or another.
SIMPLE: st.SearchStrategy[Any] = (
    st.sampled_from(["", "a", "eu-west-1_a", "123456", "USER_SRP_AUTH", "EMAIL", "x" * 30])
    | st.integers(-1, 100)
    | st.booleans()
)
WRONG: st.SearchStrategy[Any] = SIMPLE | st.just([]) | st.just({})


def values(shape: Any, depth: int = 0) -> st.SearchStrategy[Any]:
    """Return values of a shape, with a mistake now and then."""
    kind = shape.type_name
    right: st.SearchStrategy[Any]
    if kind == "structure" and not shape.metadata.get("document"):
        right = structures(shape, depth)
    elif kind == "list":
        right = st.lists(values(shape.member, depth + 1), max_size=3)
    elif kind == "map":
        # botocore does not count the entries of a map.
        keys, least = st.sampled_from(["a", "Level1", ""]), shape.metadata.get("min", 0)
        right = st.dictionaries(keys, values(shape.value, depth + 1), min_size=least, max_size=2)
    elif kind == "string":
        right = st.sampled_from(["", "a", "eu-west-1_a", "123456", "x" * 30, *(shape.enum or [])[:2]])
    elif kind in ("integer", "long"):
        right = st.integers(-1, 100)
    elif kind == "boolean":
        right = st.booleans()
    else:
        # botocore takes bytes for a blob, dates for a timestamp, and other types than JSON for a document.
        return st.just({}) if kind == "structure" else st.just("") if kind == "blob" else st.just(1)
    # To botocore a boolean is an integer, because it is one in Python.
    wrong = WRONG.filter(lambda value: not isinstance(value, bool)) if kind in ("integer", "long") else WRONG
    return st.integers(0, 19).flatmap(lambda dice: right if dice else wrong)


@st.composite
def structures(draw: st.DrawFn, shape: Any, depth: int) -> dict[str, Any]:
    """Draw an object with some members of a structure, most of the required ones, and sometimes an unknown one."""
    found: dict[str, Any] = {}
    for name, member in shape.members.items():
        if name in shape.required_members:
            wanted = draw(st.integers(0, 9)) > 0
        else:
            wanted = draw(st.integers(0, 3 + 2 * depth)) == 0
        if wanted:
            found[name] = draw(values(member, depth + 1))
    if draw(st.integers(0, 14)) == 0:
        found[draw(st.sampled_from(["Nonsense", "username"]))] = draw(SIMPLE)
    return found


def verdict_of_botocore(shape: Any, document: dict[str, Any]) -> str | tuple[list[str], bool]:
    """Return what botocore finds: a wrong type, else an unknown member, else what is missing and whether much is too small."""
    errors: Any = ParamValidator().validate(document, shape)._errors
    kinds = Counter(kind for kind, _, _ in errors)
    if kinds["invalid type"]:
        return "type"
    if kinds["unknown field"]:
        return "unknown"
    missing = [
        f"{place}.{more['required_name']}".strip(".")
        for kind, place, more in errors
        if kind == "missing required field"
    ]
    return sorted(map(path_of, missing)), bool(kinds["invalid range"] + kinds["invalid length"])


def path_of(place: str) -> str:
    """Return botocore's UserAttributes[0].Name as the service writes it, but without ".member", and in lower case."""
    return re.sub(r"\[(\d+)\]", lambda found: f".{int(found[1]) + 1}", place.strip(".")).lower()


def our_verdict(operation: str, document: dict[str, Any]) -> str | tuple[list[str], bool]:
    """Return the same of the local pool."""
    found = refusal(operation, document)
    if found.startswith("SerializationException"):
        return "type"
    if "Unknown parameter" in found:
        return "unknown"
    missing = re.findall(r"at '([^']+)' failed to satisfy constraint: Member must not be null", found)
    places = [place.replace(".member", "").lower() for place in missing]
    return sorted(places), bool(re.search(r"Member must have (length|value) greater than", found))


@pytest.mark.slow
@settings(max_examples=400)
@given(st.data())
def test_types_required_members_and_minimums_are_judged_as_by_botocore(data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from(list(REQUESTS)))
    document = data.draw(structures(REQUESTS[operation], 0))
    expected = verdict_of_botocore(REQUESTS[operation], document)
    assert our_verdict(operation, document) == expected
