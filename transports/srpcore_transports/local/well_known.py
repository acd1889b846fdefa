"""The public documents of a pool: its key set and its OpenID configuration (OpenID Connect Discovery, section 4).

Their URLs are ``<issuer>/.well-known/jwks.json`` and ``<issuer>/.well-known/openid-configuration``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeAlias

from .api.errors import Refusal
from .steps import Step
from .storage.service import Service
from .storage.signing_keys import signing_key
from .storage.state import State

__all__ = ["document"]


def document(service: Service, path: str, issuer_base: str | None = None) -> bytes | None:
    """Return the document that *path* names as JSON, or None if there is no such document.

    Args:
        issuer_base: the part of the issuer before ``/<pool id>``, if the service has none for all requests; None for
            AWS's own issuer.
    """
    pool_id, _, name = path.rpartition("/.well-known/")
    make = _DOCUMENTS.get(name)
    if make is None:
        return None

    def read() -> _Document:
        return State(service, issuer_base).run(lambda state: make(state, pool_id.rpartition("/")[2]))

    try:
        found = read()
    except Refusal:
        # The pools were reset while a key was generated. Nothing was changed, so the request can be repeated.
        found = read()
    return None if found is None else json.dumps(found).encode("utf-8")


def _key_set(state: State, pool_id: str) -> Step[dict[str, object] | None]:
    pool = state.pools.get(None, pool_id)
    return None if pool is None else {"keys": [(yield from signing_key(pool)).jwk()]}


def _openid_configuration(state: State, pool_id: str) -> dict[str, object] | None:
    pool = state.pools.get(None, pool_id)
    if pool is None:
        return None
    issuer = state.issuer(pool)
    return {
        "issuer": issuer,
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "id_token_signing_alg_values_supported": ["RS256"],
        "subject_types_supported": ["public"],
    }


_Document: TypeAlias = "dict[str, object] | None"
_DOCUMENTS: dict[str, Callable[[State, str], _Document | Step[_Document]]] = {
    "jwks.json": _key_set,
    "openid-configuration": _openid_configuration,
}
