"""The page at ``/`` for people: it shows pools, users, devices, messages and the last calls, and changes nothing.

The page is one file, ``page.html``, that loads nothing else. Its script fetches :data:`DATA_PATH` every second. It gets
status 304 while nothing has changed, which costs the server very little.

Nothing here needs a signature, so three things protect what is shown:

- It has no secrets: every member of the data is listed below, and a record is never copied as a whole. The
  exceptions are the messages of the outbox with their codes and temporary passwords, which are there to be read.
- Only the page itself can read the data. There are no CORS headers, also for origins that may call the operations;
  requests that the browser marks as another site's or origin's are refused; other sites cannot put the page in a frame.
- The Host header must be a name that nobody else can make resolve to this computer (DNS rebinding), also if the server
  accepts every name for the operations.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from functools import cached_property
from importlib.resources import files
from typing import Any

from ..api.errors import Refusal
from ..model.calls import Call
from ..model.outbox import PURPOSES, Message
from ..model.pools import AppClient, Group, PoolRecord
from ..model.users import DeviceRecord, User
from ..operations.dispatch import Response, error_response
from ..storage.service import Service
from ..storage.state import State
from .hosts import AllowedHosts
from .request_reader import Request

__all__ = ["DATA_PATH", "Page"]

DATA_PATH = "/_srpcore/page"
"""Where the page fetches its data."""

# The maximum numbers of what is shown. They limit the work of one request.
_POOLS = 20
_OF_A_POOL = 50  # app clients, groups
_USERS = 100
_MESSAGES = 100

_OWN_SITE = (None, "same-origin", "none")  # "none": a person typed the address. Older browsers do not send the header.
_INLINE = re.compile(rb"<(style|script)>(.*?)</\1>", re.DOTALL)


class Page:
    """The page of one server. Any number of threads may call it."""

    def __init__(self, service: Service, hosts: AllowedHosts) -> None:
        self._service, self._hosts = service, hosts
        self._start = secrets.token_hex(8)  # versions of another start must not look like those of this one

    def accepts(self, request: Request) -> bool:
        """Return whether *request* is for the page, not for an operation."""
        return request.path == DATA_PATH or (request.path == "/" and request.method == "GET")

    def respond(self, request: Request) -> Response:
        """Return the page or its data.

        Raises:
            Refusal: the Host header has a name of somebody else, or the request comes from another site.
        """
        if not self._hosts.accept_page_host(request.headers["host"]):
            raise _forbidden(
                "Open this page as localhost or by the IP address, or start the server with --allowed-host."
            )
        if request.path == "/":
            return self._page
        if request.method != "GET":
            refused = error_response(Refusal("MethodNotAllowedException", "Use GET.", 405))
            refused.headers["allow"] = "GET"
            return refused
        if request.headers.get("sec-fetch-site") not in _OWN_SITE:
            raise _forbidden("Only the page of this server can read this.")
        return self._data(request.headers.get("if-none-match"))

    @cached_property
    def _page(self) -> Response:
        html = files("srpcore_transports.local.http").joinpath("page.html").read_bytes()
        hashes = {kind.decode(): _hash(content) for kind, content in _INLINE.findall(html)}
        policy = (
            f"default-src 'none'; script-src '{hashes['script']}'; style-src '{hashes['style']}'; connect-src 'self'; "
            "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
            "require-trusted-types-for 'script'; trusted-types 'none'"
        )
        return _response(html, {"content-type": "text/html; charset=utf-8", "content-security-policy": policy})

    def _data(self, known: str | None) -> Response:
        # The version is taken first: if something changes in between, the page fetches once more than necessary.
        version = self._version()
        if known == version:
            return Response(304, {"etag": version, "cache-control": "no-store"}, b"")
        document = {
            "pools": State(self._service).run(_pools),
            "messages": _messages(self._service.outbox.messages),
            "calls": [_call(call) for call in reversed(self._service.calls.latest())],
        }
        body = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
        return _response(body, {"content-type": "application/json", "etag": version})

    def _version(self) -> str:
        service, database = self._service, self._service.database
        changes = f"{database.restored}-{database.connection.total_changes}"
        return f'"{self._start}-{changes}-{service.calls.count}-{len(service.outbox.messages)}"'


def _response(body: bytes, headers: dict[str, str]) -> Response:
    return Response(
        200,
        {
            **headers,
            "content-length": str(len(body)),
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
            "cross-origin-resource-policy": "same-origin",
            "referrer-policy": "no-referrer",
        },
        body,
    )


def _hash(content: bytes) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(content).digest()).decode('ascii')}"


def _forbidden(message: str) -> Refusal:
    return Refusal("ForbiddenException", message, 403)


def _pools(state: State) -> list[dict[str, Any]]:
    return [_pool(state, pool) for pool in state.pools.all(None)[-_POOLS:]]


def _pool(state: State, pool: PoolRecord) -> dict[str, Any]:
    return {
        "id": pool.id,
        "name": pool.settings.get("PoolName"),
        "created": pool.created,
        "mfa": pool.mfa,
        "userCount": state.users.count(pool),
        "users": [_user(user, groups) for user, groups in state.users.newest(pool, _USERS)],
        "clients": [_client(client) for _, client in state.clients.rows(pool, limit=_OF_A_POOL)],
        "groups": [_group(group) for _, group in state.groups.rows(pool, limit=_OF_A_POOL)],
    }


def _user(user: User, groups: list[str]) -> dict[str, Any]:
    return {
        "username": user.username,
        "sub": user.sub,
        "status": user.status,
        "enabled": user.enabled,
        "created": user.created,
        "modified": user.modified,
        "attributes": user.attributes,
        "groups": groups,
        "mfa": sorted(user.enabled_mfa),
        "preferredMfa": user.preferred_mfa,
        "passkeys": len(user.passkeys),
        "devices": [_device(device) for device in user.devices.values()],
    }


def _device(device: DeviceRecord) -> dict[str, Any]:
    return {
        "key": device.key,
        "name": device.name,
        "created": device.created,
        "authenticated": device.authenticated,
        "confirmed": device.confirmed,
        "remembered": device.remembered,
    }


def _client(client: AppClient) -> dict[str, Any]:
    return {
        "id": client.client_id,
        "name": client.settings.get("ClientName"),
        "flows": client.flows,
        "secrets": len(client.secrets),
    }


def _group(group: Group) -> dict[str, Any]:
    return {"name": group.name, "description": group.description, "precedence": group.precedence}


def _messages(messages: list[Message]) -> list[dict[str, Any]]:
    first = max(0, len(messages) - _MESSAGES)
    return [_message(number, message) for number, message in enumerate(messages[first:], first)][::-1]


def _message(number: int, message: Message) -> dict[str, Any]:
    return {
        "number": number,
        "username": message.username,
        "destination": message.destination,
        "medium": message.medium,
        "purpose": PURPOSES.get(message.purpose, message.purpose),
        "code": message.code,
        "subject": message.subject,
        "text": message.text,
    }


def _call(call: Call) -> dict[str, Any]:
    return {
        "number": call.number,
        "time": call.time,
        "operation": call.operation,
        "status": call.status,
        "error": call.error,
        "username": call.username,
        "seconds": call.seconds,
    }
