"""The operations on terms of use and privacy policies, which the hosted login pages link to. The pool stores them."""

from __future__ import annotations

import uuid
from typing import Any

from ..api.errors import Refusal, not_found
from ..api.parameters import Parameters, present, string
from ..model.pools import PoolRecord, Resource
from ..storage import pages
from ..storage.state import State
from .app_clients import require_client

__all__ = ["OPERATIONS"]

_CHANGEABLE = ("TermsName", "TermsSource", "Enforcement", "Links")


def create_terms(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer CreateTerms: an app client has at most one document of each name."""
    client = require_client(state, parameters)
    pool, now = state.pool(client.user_pool_id), state.clock()
    _require_free(state, pool, client.client_id, string(parameters, "TermsName"))
    settings = {"ClientId": client.client_id, "Links": dict[str, str](), **present(parameters, *_CHANGEABLE)}
    name = str(uuid.uuid4())
    return {"Terms": _terms_fields(pool, state.terms.add(pool, name, Resource(name, now, now, settings)))}


def _require_free(state: State, pool: PoolRecord, client_id: str, name: str) -> None:
    if _of_client(state, pool, client_id, name) is not None:
        raise Refusal("TermsExistsException", f"Terms {name} already exist for the app client {client_id}.")


def _of_client(state: State, pool: PoolRecord, client_id: str, name: str) -> Resource | None:
    for terms in state.terms.all(pool):
        if (terms.settings["ClientId"], terms.settings["TermsName"]) == (client_id, name):
            return terms
    return None


def _terms_fields(pool: PoolRecord, terms: Resource) -> dict[str, Any]:
    dates = {"CreationDate": terms.created, "LastModifiedDate": terms.modified}
    return {"TermsId": terms.name, "UserPoolId": pool.id, **terms.settings, **dates}


def _pool_and_terms(state: State, parameters: Parameters) -> tuple[PoolRecord, Resource]:
    pool, name = state.pool(string(parameters, "UserPoolId")), string(parameters, "TermsId")
    terms = state.terms.get(pool, name)
    if terms is None:
        raise not_found(f"Terms {name} do not exist.")
    return pool, terms


def describe_terms(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer DescribeTerms."""
    return {"Terms": _terms_fields(*_pool_and_terms(state, parameters))}


def describe_terms_by_client(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer DescribeTermsByClient."""
    client, name = require_client(state, parameters), string(parameters, "TermsName")
    pool = state.pool(client.user_pool_id)
    terms = _of_client(state, pool, client.client_id, name)
    if terms is None:
        raise not_found(f"Terms {name} do not exist for the app client {client.client_id}.")
    return {"Terms": _terms_fields(pool, terms)}


def update_terms(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer UpdateTerms: parameters that are left out do not change."""
    pool, terms = _pool_and_terms(state, parameters)
    changed = present(parameters, *_CHANGEABLE)
    if changed.get("TermsName", terms.settings["TermsName"]) != terms.settings["TermsName"]:
        _require_free(state, pool, terms.settings["ClientId"], changed["TermsName"])
    terms.settings |= changed
    terms.modified = state.clock()
    return {"Terms": _terms_fields(pool, terms)}


def delete_terms(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer DeleteTerms."""
    state.terms.remove(_pool_and_terms(state, parameters)[1])
    return {}


def list_terms(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer ListTerms, with at most 60 per page."""
    pool = state.pool(string(parameters, "UserPoolId"))
    page, following = pages.requested_page(state, parameters, state.terms.all(pool), limit="MaxResults")
    wanted = ("TermsId", "TermsName", "Enforcement", "CreationDate", "LastModifiedDate")
    return {"Terms": [present(_terms_fields(pool, terms), *wanted) for terms in page], **following}


OPERATIONS = {
    "CreateTerms": create_terms,
    "DescribeTerms": describe_terms,
    "DescribeTermsByClient": describe_terms_by_client,
    "UpdateTerms": update_terms,
    "DeleteTerms": delete_terms,
    "ListTerms": list_terms,
}
