"""The generated facts, beside the JSON document of botocore's model from which they come.

With the pinned botocore the two are equal. With a newer botocore one test fails and says what to do; the others
compare what both know.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore
import pytest
from botocore import xform_name
from botocore.loaders import Loader

from srpcore import exceptions, service_model
from srpcore.exceptions import service_exceptions
from srpcore.flows.challenge import NEEDS
from srpcore.service_model import (
    ENUM_MEMBERS,
    ENUMS,
    EXCEPTIONS,
    MAP_MEMBERS,
    OPERATIONS,
    PAGES,
    READ_ONLY,
    STRING_PARAMETERS,
    TIMESTAMP_MEMBERS,
    UNSIGNED,
)

ROOT = Path(__file__).resolve().parents[1]
MODEL: dict[str, Any] = Loader().load_service_model("cognito-idp", "service-2")
SHAPES: dict[str, Any] = MODEL["shapes"]
BOTH = MODEL["operations"].keys() & set(OPERATIONS.values())

pytestmark = pytest.mark.counterpart


def test_generated_files_are_up_to_date_with_the_installed_botocore() -> None:
    check = [sys.executable, str(ROOT / "tools" / "make_model.py"), "--check"]
    done = subprocess.run(check, capture_output=True, text=True, timeout=60, check=False)
    # A botocore of another version with the same model differs in the version alone.
    changed = [
        line
        for line in done.stdout.splitlines()
        if line[:1] in "+-" and line[:3] not in ("+++", "---") and "botocore" not in line and "VERSION" not in line
    ]
    assert changed == [], f"botocore {botocore.__version__} has another model: run 'make model' and review the change"
    assert done.returncode in (0, 1), done.stderr


def test_nothing_is_missing_or_left_over() -> None:
    if botocore.__version__ == service_model.BOTOCORE_VERSION:
        assert set(OPERATIONS.values()) == MODEL["operations"].keys()
    assert len(BOTH) > 150


def test_methods_are_named_as_in_boto3() -> None:
    for name in BOTH:
        assert OPERATIONS[xform_name(name)] == name


def test_unsigned_operations_are_those_without_auth_and_get_client_token() -> None:
    without_auth = {name for name in BOTH if MODEL["operations"][name].get("authtype") == "none"}
    assert without_auth | {"GetClientToken"} == UNSIGNED & BOTH


def test_target_and_content_type_are_those_of_the_metadata() -> None:
    assert MODEL["metadata"]["targetPrefix"] + "." == service_model.TARGET_PREFIX
    assert "application/x-amz-json-" + MODEL["metadata"]["jsonVersion"] == service_model.CONTENT_TYPE


def members_of(name: str, side: str) -> dict[str, Any]:
    shape = MODEL["operations"][name].get(side)
    return {} if shape is None else SHAPES[shape["shape"]]["members"]


@pytest.mark.parametrize("token", ["NextToken", "PaginationToken"])
def test_operations_have_pages_if_request_and_reply_have_a_token(token: str) -> None:
    ours = {name for name, paging in PAGES.items() if paging.token == token}
    assert ours & BOTH == {
        name for name in BOTH if token in members_of(name, "input") and token in members_of(name, "output")
    }


@pytest.mark.parametrize("name", sorted(PAGES))
def test_results_and_page_size_are_members_of_the_model(name: str) -> None:
    paging = PAGES[name]
    assert SHAPES[members_of(name, "output")[paging.results]["shape"]]["type"] == "list"
    if paging.size is None:
        assert paging.max_size is None
    else:
        size = SHAPES[members_of(name, "input")[paging.size]["shape"]]
        assert (size["type"], size.get("max")) == ("integer", paging.max_size)


def test_pages_equal_the_paginators_of_botocore() -> None:
    theirs = Loader().load_service_model("cognito-idp", "paginators-1")["pagination"]
    for name in theirs.keys() & BOTH:
        ours = (PAGES[name].token, PAGES[name].results, PAGES[name].size)
        assert ours == (theirs[name]["input_token"], theirs[name]["result_key"], theirs[name]["limit_key"])
        assert theirs[name]["output_token"] == theirs[name]["input_token"]


def structures() -> Iterator[tuple[str, str]]:
    """Yield the name and the type of each member of each structure."""
    for shape in SHAPES.values():
        for member, reference in shape.get("members", {}).items():
            yield member, reference["shape"]


def test_timestamp_members_are_exactly_the_timestamps_of_the_model() -> None:
    timestamps = {name for name, shape in structures() if SHAPES[shape]["type"] == "timestamp"}
    others = {name for name, shape in structures() if SHAPES[shape]["type"] != "timestamp"}
    assert timestamps == TIMESTAMP_MEMBERS
    assert timestamps & others == set()


def test_no_list_or_map_holds_bare_timestamps() -> None:
    # aws_json.with_dates goes by the name of a member, and an item of a list or a map has no name.
    for shape in SHAPES.values():
        inner = shape.get("member") or shape.get("value")
        assert inner is None or SHAPES[inner["shape"]]["type"] != "timestamp"


def test_string_parameters_are_strings_in_every_request() -> None:
    kinds: dict[str, set[str]] = {}
    for name in MODEL["operations"]:
        for member, reference in members_of(name, "input").items():
            kinds.setdefault(member, set()).add(SHAPES[reference["shape"]]["type"])
    assert {name for name, found in kinds.items() if found == {"string"}} == STRING_PARAMETERS


def test_map_members_are_maps_somewhere() -> None:
    assert {name for name, shape in structures() if SHAPES[shape]["type"] == "map"} == MAP_MEMBERS


def test_enum_members_hold_only_words_of_enumerations() -> None:
    for name, shape in structures():
        described = SHAPES[shape]
        inner = SHAPES[described["member"]["shape"]] if described["type"] == "list" else described
        assert "enum" in inner or name not in ENUM_MEMBERS
    assert {"AuthFlow", "ChallengeName", "ExplicitAuthFlows"} <= ENUM_MEMBERS
    # A token's member elsewhere says whether a token is revoked; here it is the token itself.
    assert not {"AccessToken", "IdToken", "RefreshToken", "Name"} & ENUM_MEMBERS


def test_enumerations_are_complete() -> None:
    in_model = {name: tuple(shape["enum"]) for name, shape in SHAPES.items() if "enum" in shape}
    in_model["ExplicitAuthFlowsType"] += ("ALLOW_CLIENT_TOKEN_AUTH",)
    assert in_model == ENUMS


def test_every_challenge_of_the_model_is_known_to_the_login() -> None:
    assert set(ENUMS["ChallengeNameType"]) == NEEDS.keys()


def test_exceptions_are_those_of_the_model_each_with_a_class() -> None:
    assert {name for name, shape in SHAPES.items() if shape.get("exception")} == EXCEPTIONS.keys()
    assert service_exceptions.__all__ == list(EXCEPTIONS)
    assert set(EXCEPTIONS) <= set(exceptions.__all__)


def test_internal_errors_are_the_servers_fault_and_others_the_clients() -> None:
    assert {name for name, status in EXCEPTIONS.items() if status == 500} == {
        "InternalErrorException",
        "InternalServerException",
    }
    assert set(EXCEPTIONS.values()) == {400, 500}


def test_read_only_operations_are_those_of_the_model_except_those_that_issue_or_send() -> None:
    marked = {name for name in BOTH if MODEL["operations"][name].get("readonly")}
    assert marked <= READ_ONLY
    named_so = {name for name in BOTH if name.removeprefix("Admin").startswith(("Get", "List", "Describe"))}
    assert named_so - READ_ONLY == {
        "GetClientToken",
        "GetDerivedToken",
        "GetTokensFromRefreshToken",
        "GetUserAttributeVerificationCode",
    }
    assert named_so >= READ_ONLY & BOTH


def test_each_deviation_states_its_source() -> None:
    text = (ROOT / "tools" / "model_deviations.py").read_text("utf-8")
    values = [node.value for node in ast.parse(text).body if isinstance(node, ast.AnnAssign)]
    entries = [
        key.lineno
        for value in values
        if isinstance(value, (ast.Set, ast.Dict))
        for key in (value.elts if isinstance(value, ast.Set) else value.keys)
        if key is not None
    ]
    lines = text.splitlines()
    assert entries
    for line in entries:
        assert "Source: " in lines[line - 2] or "Source: " in lines[line - 3], lines[line - 1]
