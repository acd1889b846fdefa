"""Dispatch: call the handler of an operation with the JSON body of a request, and make the HTTP response."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any, cast

from srpcore.clock import monotonic_clock
from srpcore.service_model import CONTENT_TYPE

from ..api import validation
from ..api.errors import Refusal
from ..api.parameters import Parameters
from ..auth import client_tokens, devices, initiate, mfa, passkeys, refresh, respond, token_exchange
from ..model.calls import given_username
from ..operations import (
    admin_users,
    app_clients,
    auth_events,
    branding,
    cimd_policies,
    client_secrets,
    custom_attributes,
    domains,
    forgot_password,
    groups,
    identity_providers,
    import_jobs,
    linked_users,
    list_users,
    profile,
    provisioned_limits,
    recoveries,
    replicas,
    resource_servers,
    session_configuration,
    sessions,
    sign_up,
    signing_certificate,
    stored,
    tags,
    terms,
    threat_protection,
    user_pools,
    user_settings,
)
from ..storage.state import Handler, Service

__all__ = ["OPERATIONS", "Response", "answer", "refusal", "response"]

OPERATIONS: dict[str, Handler] = {
    **initiate.OPERATIONS,
    **respond.OPERATIONS,
    **refresh.OPERATIONS,
    **devices.OPERATIONS,
    **mfa.OPERATIONS,
    **sign_up.OPERATIONS,
    **forgot_password.OPERATIONS,
    **profile.OPERATIONS,
    **admin_users.OPERATIONS,
    **list_users.OPERATIONS,
    **groups.OPERATIONS,
    **passkeys.OPERATIONS,
    **sessions.OPERATIONS,
    **user_pools.OPERATIONS,
    **app_clients.OPERATIONS,
    **identity_providers.OPERATIONS,
    **domains.OPERATIONS,
    **resource_servers.OPERATIONS,
    **tags.OPERATIONS,
    **custom_attributes.OPERATIONS,
    **linked_users.OPERATIONS,
    **client_secrets.OPERATIONS,
    **session_configuration.OPERATIONS,
    **user_settings.OPERATIONS,
    **auth_events.OPERATIONS,
    **import_jobs.OPERATIONS,
    **threat_protection.OPERATIONS,
    **branding.OPERATIONS,
    **terms.OPERATIONS,
    **replicas.OPERATIONS,
    **cimd_policies.OPERATIONS,
    **recoveries.OPERATIONS,
    **provisioned_limits.OPERATIONS,
    **signing_certificate.OPERATIONS,
    **client_tokens.OPERATIONS,
    **token_exchange.OPERATIONS,
}
"""The handlers of all supported operations, by the names of the API reference."""


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response. The names of its headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)


def answer(
    service: Service, name: str, body: bytes, issuer_base: str | None = None, region: str | None = None
) -> Response:
    """Call the operation *name* with the JSON *body* and return the response.

    An error of the service (:class:`Refusal`) is returned as a response, not raised. The call is added to
    ``service.calls``.

    Args:
        issuer_base: the part of the issuer of new tokens before ``/<pool id>``, if the service has none for all
            requests; None for AWS's own issuer.
        region: the region to which the request was sent; None if the request does not have one.
    """
    started, username = monotonic_clock(), None
    status, code = 500, cast("str | None", "InternalErrorException")  # unless the call ends in one of the ways below
    try:
        handler = OPERATIONS.get(name)
        if handler is None:
            raise Refusal("UnknownOperationException", f"srpcore's local pool does not implement {name!r:.99}")
        parameters = _parse_body(body)
        username = given_username(parameters)
        validation.check(name, parameters)
        if service.strict:
            stored.check_strict(name, parameters)
        try:
            document = service.run(lambda state: handler(state, parameters), issuer_base, region)
        finally:
            # A request that was refused may have sent a message before.
            service.outbox.announce()
        status, code = 200, None
        return response(200, document)
    except Refusal as error:
        status, code = error.status, error.code
        return refusal(error)
    finally:
        service.calls.add(service.clock(), name, status, code, username, monotonic_clock() - started)


def _parse_body(body: bytes) -> Parameters:
    try:
        document = json.loads(body or b"{}")
        # JSON can escape a lone surrogate (\ud800), which has no UTF-8 encoding. Refuse it here: if a handler stored
        # it, later responses could not be encoded.
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise Refusal("SerializationException", "The request body is not JSON in UTF-8") from None
    if not isinstance(document, dict):
        raise Refusal("SerializationException", "Start of structure or map found where not expected.")
    return cast(Parameters, document)


def response(status: int, document: dict[str, Any]) -> Response:
    """Return a response with *document* as JSON."""
    body = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    headers = {
        "content-type": CONTENT_TYPE,
        "content-length": str(len(body)),
        "x-amzn-requestid": str(uuid.uuid4()),
    }
    return Response(status, headers, body)


def refusal(error: Refusal) -> Response:
    """Return the response for *error*: ``{"__type": ..., "message": ...}``, and the header ``x-amzn-errortype``."""
    refused = response(error.status, {"__type": error.code, "message": error.message})
    refused.headers["x-amzn-errortype"] = f"{error.code}:"
    return refused
