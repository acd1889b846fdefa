"""The four helpers between the service's attribute lists and dictionaries, beside pycognito's."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpcore.users import camel_to_snake, cognito_to_dict, dict_to_cognito, snake_to_camel

NAMES = st.one_of(st.sampled_from(["sub", "email", "custom:tier", "given_name", "", "true", "é"]), st.text(max_size=4))
VALUES = st.one_of(st.sampled_from(["true", "false", "True", "TRUE", " true", "", "0"]), st.text(max_size=4))
ANY_VALUES = st.one_of(VALUES, st.booleans(), st.integers(0, 1), st.none(), st.lists(st.integers(), max_size=1))
MAPS = st.none() | st.dictionaries(NAMES, NAMES, max_size=4)
LISTS = st.lists(st.fixed_dictionaries({}, optional={"Name": NAMES, "Value": ANY_VALUES}), max_size=5)


def typed(value: Any) -> Any:
    """Return *value* so that True and 1 differ."""
    return (type(value).__name__, value)


def test_booleans_and_names_are_converted() -> None:
    attributes = [
        {"Name": "email_verified", "Value": "true"},
        {"Name": "custom:paid", "Value": "false"},
        {"Name": "name", "Value": "True"},
        {"Name": "custom:visits", "Value": "1"},
    ]
    shown = {"email_verified": "True", "custom:paid": False, "name": "True", "visits": "1"}
    shown["email_verified"] = True
    assert cognito_to_dict(attributes, {"custom:visits": "visits"}) == shown
    assert dict_to_cognito(shown, {"custom:visits": "visits"}) == attributes[:2] + attributes[2:]
    assert cognito_to_dict(iter(attributes[:1])) == {"email_verified": True}


@pytest.mark.parametrize(
    ("value", "sent"),
    [(True, "true"), (False, "false"), (0, "0"), (-7, "-7"), (1.5, "1.5"), (Decimal("12"), "12"), ("7", "7"), ("", "")],
)
def test_booleans_and_numbers_are_sent_as_strings(value: Any, sent: str) -> None:
    assert dict_to_cognito({"custom:tier": value}) == [{"Name": "custom:tier", "Value": sent}]


def test_the_arguments_are_not_changed() -> None:
    attributes, shown = {"tier": True, "name": "a"}, {"custom:tier": "tier"}
    assert dict_to_cognito(attributes, shown) == [
        {"Name": "name", "Value": "a"},
        {"Name": "custom:tier", "Value": "true"},
    ]
    assert (attributes, shown) == ({"tier": True, "name": "a"}, {"custom:tier": "tier"})


@given(st.dictionaries(NAMES, st.booleans() | VALUES.filter(lambda value: value not in ("true", "false"))))
def test_a_dictionary_survives_a_round_trip(attributes: dict[str, Any]) -> None:
    there = dict_to_cognito(attributes)
    assert all(isinstance(each["Value"], str) for each in there)
    assert [(name, typed(value)) for name, value in cognito_to_dict(there).items()] == [
        (name, typed(value)) for name, value in attributes.items()
    ]


@given(st.lists(st.tuples(NAMES, VALUES), unique_by=lambda pair: pair[0], max_size=5))
def test_a_list_survives_a_round_trip_with_renamed_attributes(pairs: list[tuple[str, str]]) -> None:
    attributes = [{"Name": f"custom:{name}", "Value": value} for name, value in pairs]
    shown = {f"custom:{name}": f"shown {name}" for name, _ in pairs}
    there = cognito_to_dict(attributes, shown)
    assert set(there) == set(shown.values())
    assert dict_to_cognito({str(name): value for name, value in there.items()}, shown) == attributes


@given(st.lists(st.text("abcdefgh", min_size=2, max_size=5), min_size=1, max_size=4))
def test_names_survive_a_round_trip(words: list[str]) -> None:
    snake = "_".join(words)
    assert snake_to_camel(snake) == "".join(word.capitalize() for word in words)
    assert camel_to_snake(snake_to_camel(snake)) == snake


@pytest.mark.counterpart
@given(LISTS, MAPS)
def test_cognito_to_dict_equals_that_of_pycognito(
    attributes: list[dict[str, Any]], shown: dict[str, str] | None
) -> None:
    import pycognito

    theirs = pycognito.cognito_to_dict(copy.deepcopy(attributes), shown)
    before = copy.deepcopy((attributes, shown))
    ours = cognito_to_dict(attributes, shown)
    assert [(name, typed(value)) for name, value in ours.items()] == [
        (name, typed(value)) for name, value in theirs.items()
    ]
    assert (attributes, shown) == before


@pytest.mark.counterpart
@given(st.dictionaries(NAMES, ANY_VALUES, max_size=5), MAPS)
def test_dict_to_cognito_equals_that_of_pycognito_except_for_numbers(
    attributes: dict[str, Any], shown: dict[str, str] | None
) -> None:
    import pycognito

    theirs = pycognito.dict_to_cognito(copy.deepcopy(attributes), shown)
    before = [(name, typed(value)) for name, value in attributes.items()]
    ours = dict_to_cognito(attributes, shown)
    assert [(each["Name"], typed(each["Value"])) for each in ours] == [
        # pycognito passes a number on, and botocore refuses it.
        (each["Name"], typed(str(each["Value"]) if isinstance(each["Value"], int) else each["Value"]))
        for each in theirs
    ]
    assert [(name, typed(value)) for name, value in attributes.items()] == before


@pytest.mark.counterpart
@given(
    st.one_of(
        st.text("aBcD1_ é", max_size=10), st.text(max_size=6), st.sampled_from(["HTTPServer", "userMFAOptions", "a_1b"])
    )
)
def test_case_conversion_equals_that_of_pycognito(text: str) -> None:
    import pycognito

    assert camel_to_snake(text) == pycognito.camel_to_snake(text)
    assert snake_to_camel(text) == pycognito.snake_to_camel(text)
