"""Random lives of users over each transport, compared with a model. ``make soak`` leads many more of them."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from .machine import LIVES

EXAMPLES = {"in process": 20}

KINDS = [pytest.param(kind, marks=[pytest.mark.counterpart] if kind == "botocore" else []) for kind in LIVES]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_lives_are_as_the_model_predicts(kind: str) -> None:
    few = settings(max_examples=EXAMPLES.get(kind, 3), stateful_step_count=25)
    run_state_machine_as_test(LIVES[kind], settings=few)
