"""The SRP exchange: the prover of a password."""

from __future__ import annotations

import pytest

from srpcore.flows.login_context import AppClient, LoginContext
from srpcore.flows.srp import password_prover
from srpcore.pool import Pool
from support.users import PASSWORD


def test_a_prover_draws_a_new_pair_at_every_use() -> None:
    context = LoginContext(AppClient(Pool("eu-west-1_abc"), "client"), "alice")
    prover = password_prover(context, PASSWORD)
    with pytest.raises(RuntimeError, match="get_auth_params"):
        prover.process_challenge({}, {})
    assert prover.get_auth_params()["SRP_A"] != prover.get_auth_params()["SRP_A"]
