"""Check an exported pool before it is imported.

The document may have been edited, or damaged. What the operations of a pool never store must not be imported either:
with it, operations would fail later, or tokens of one user would reach another one. So the checks are those of the
operations that create the same records. Nothing is changed until all of them have passed.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import cast

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm

from srpcore.crypto import cognito, totp
from srpcore.exceptions.base import ConfigurationError
from srpcore.service_model import ENUMS

from ..api import validation
from ..api.errors import Refusal
from ..auth import session_limit, webauthn
from ..model import attributes
from ..model.addresses import ADDRESSES
from ..model.clock import is_time
from ..model.pools import AppClient, Group, IdentityProvider, PoolRecord, Resource
from ..model.signing import from_pem
from ..model.users import DeviceRecord, Passkey, User
from ..storage import export
from ..storage.export import Export
from . import defaults

__all__ = ["parse"]

_MOST_ATTRIBUTES = 50  # of Schema in CreateUserPool; AddCustomAttributes can add more
_FACTORS = {"SMS_MFA", "SOFTWARE_TOKEN_MFA", "EMAIL_OTP"}
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")


class _Link(msgspec.Struct):
    Sub: str
    UserId: str
    ProviderName: str


class _ImportJob(msgspec.Struct):
    JobName: str
    UserPoolId: str
    PreSignedUrl: str
    Status: str
    ImportedUsers: int
    SkippedUsers: int
    FailedUsers: int


class _Replica(msgspec.Struct):
    Status: str


class _Recovery(msgspec.Struct):
    RestoreStatus: str
    RestoreTimestamp: float


class _Style(msgspec.Struct):
    CSSVersion: str
    CSS: str = ""
    ImageUrl: str = ""


class _Certificate(msgspec.Struct):
    Certificate: str


_RESOURCES: dict[str, tuple[str, str] | type[msgspec.Struct] | None] = {
    "domain": ("CreateUserPoolDomain", "Domain"),
    "resource_server": ("CreateResourceServer", "Identifier"),
    "branding": ("CreateManagedLoginBranding", ""),
    "terms": ("CreateTerms", ""),
    "cimd_policy": ("CreateCIMDPolicy", ""),
    "linked_identity": _Link,
    "import_job": _ImportJob,
    "replica": _Replica,
    "recovery": _Recovery,
    "document": None,
}
"""How the settings of each kind are checked: by an operation and the parameter that is the name, or by their types."""

_DOCUMENTS: dict[str, tuple[str, str] | type[msgspec.Struct]] = {
    session_limit.KIND: ("SetUserPoolSessionConfiguration", ""),
    "client_session_configuration": ("SetUserPoolClientSessionConfiguration", "ClientId"),
    "risk_configuration": ("SetRiskConfiguration", ""),
    "log_delivery_configuration": ("SetLogDeliveryConfiguration", ""),
    "ui_customization": _Style,
    "signing_certificate": _Certificate,
}
"""The same for the documents, by the part of their name before the slash. The part after it is the app client."""


def parse(document: bytes | str) -> Export:
    """Return an exported pool that can be imported.

    Raises:
        ConfigurationError: the document is not an export of a pool, or it has a value that a pool never stores.
    """
    found = export.parse(document)
    _check_pool(found.pool)
    for number, client in enumerate(found.clients):
        _check_client(f"clients[{number}]", found.pool, client)
    _require_unique("clients", "client_id", "app client", [client.client_id for client in found.clients])
    for number, group in enumerate(found.groups):
        _check_group(f"groups[{number}]", found.pool, group)
    _require_unique("groups", "name", "group", [group.name for group in found.groups])
    for number, provider in enumerate(found.providers):
        _check_provider(f"providers[{number}]", found.pool, provider)
    _require_unique("providers", "name", "provider", [provider.name for provider in found.providers])
    _check_resources(found)
    _check_users(found)
    return found


@contextmanager
def _errors_name(place: str) -> Generator[None]:
    """Turn an error in the ``with`` block into a ConfigurationError that names the *place* in the document."""
    try:
        yield
    except Refusal as error:
        raise _invalid(place, error.message.strip()) from None
    except (ConfigurationError, ValueError, TypeError, msgspec.MsgspecError, UnsupportedAlgorithm) as error:
        raise _invalid(place, str(error)) from None


def _invalid(place: str, reason: str) -> ConfigurationError:
    return ConfigurationError(f"invalid export: {place}: {reason}")


def _require_unique(place: str, name: str, kind: str, values: Iterable[object]) -> None:
    seen = set[object]()
    for number, value in enumerate(values):
        if value is not None and value in seen:
            raise _invalid(f"{place}[{number}].{name}", f"another {kind} has it")
        seen.add(value)


Dated = PoolRecord | AppClient | Group | IdentityProvider | Resource | User | DeviceRecord


def _check_times(place: str, record: Dated) -> None:
    for name in ("created", "modified"):
        value = getattr(record, name)
        if not is_time(value):
            raise _invalid(f"{place}.{name}", f"{value!r} is not a time in seconds since 1970")


def _check_pool(pool: PoolRecord) -> None:
    with _errors_name("pool.id"):
        validation.check("DescribeUserPool", {"UserPoolId": pool.id})
    _check_times("pool", pool)
    with _errors_name("pool.settings"):
        for part in _parts(pool.settings.get("Schema")):
            defaults.check_pool({**pool.settings, "Schema": part})
    if pool.key is not None:
        try:
            from_pem(pool.key)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise _invalid("pool.key", "not a PEM with an unencrypted RSA key of at least 2048 bits") from None


def _parts(schema: object) -> list[object]:
    """Return *schema* in lists that are short enough for CreateUserPool."""
    if not isinstance(schema, list):
        return [schema]
    attributes = cast("list[object]", schema)
    parts = [attributes[start : start + _MOST_ATTRIBUTES] for start in range(0, len(attributes), _MOST_ATTRIBUTES)]
    return [*parts] or [None]


def _check_client(place: str, pool: PoolRecord, client: AppClient) -> None:
    _check_times(place, client)
    with _errors_name(f"{place}.client_id"):
        defaults.check_client_id(client.client_id)
    # UpdateUserPoolClient stores its parameter ClientId, too.
    settings = {name: value for name, value in client.settings.items() if name not in ("ClientId", "UserPoolId")}
    with _errors_name(f"{place}.settings"):
        defaults.check_client(settings)
    if client.second_secret is not None and client.secret is None:
        raise _invalid(f"{place}.second_secret", "the app client has no first secret")
    for secret in client.secrets:
        with _errors_name(f"{place}.secret"):
            parameters = {"UserPoolId": pool.id, "ClientId": client.client_id, "ClientSecret": secret.value}
            validation.check("AddUserPoolClientSecret", parameters)
        if not is_time(secret.created):
            raise _invalid(f"{place}.secret", f"created at {secret.created!r}, which is not a time")


def _check_group(place: str, pool: PoolRecord, group: Group) -> None:
    _check_times(place, group)
    values = {"Description": group.description, "Precedence": group.precedence, "RoleArn": group.role}
    with _errors_name(place):
        validation.check("CreateGroup", {"UserPoolId": pool.id, "GroupName": group.name, **values})


def _check_provider(place: str, pool: PoolRecord, provider: IdentityProvider) -> None:
    _check_times(place, provider)
    with _errors_name(place):
        parameters = {"UserPoolId": pool.id, "ProviderName": provider.name, **provider.settings}
        validation.check("CreateIdentityProvider", parameters)


def _check_resources(found: Export) -> None:
    for kind, resources in found.resources.items():
        if kind not in _RESOURCES:
            raise _invalid(f"resources.{kind:.80}", f"unknown kind; use one of {', '.join(_RESOURCES)}")
        for number, resource in enumerate(resources):
            place = f"resources.{kind}[{number}]"
            _check_times(place, resource)
            with _errors_name(place):
                _check_resource(found.pool, kind, resource)
        _require_unique(f"resources.{kind}", "name", kind, [resource.name for resource in resources])


def _check_resource(pool: PoolRecord, kind: str, resource: Resource) -> None:
    rule, name = _RESOURCES[kind], resource.name
    if rule is None:
        document, _, name = resource.name.partition("/")
        if document not in _DOCUMENTS:
            raise ConfigurationError(f"unknown document {document!r:.80}: use one of {', '.join(_DOCUMENTS)}")
        rule = _DOCUMENTS[document]
    if resource.settings.get("UserPoolId", pool.id) != pool.id:
        raise ConfigurationError("it belongs to another pool (UserPoolId)")
    if kind == "resource_server" and resource.settings.get("Scopes") is None:
        raise ConfigurationError("Scopes is missing")
    if isinstance(rule, tuple):
        operation, parameter = rule
        named = {parameter: name} if parameter else {}
        validation.check(operation, {**resource.settings, "UserPoolId": pool.id, **named})
    else:
        msgspec.convert(resource.settings, rule)


def _check_users(found: Export) -> None:
    pool, groups = found.pool, {group.name for group in found.groups}
    for number, entry in enumerate(found.users):
        place = f"users[{number}]"
        _check_user(place, pool, entry.user)
        for name in entry.groups:
            if name not in groups:
                raise _invalid(f"{place}.groups", f"the pool has no group {name!r:.80}: add it to groups")
    users = [entry.user for entry in found.users]
    _require_unique("users", "username", "user", [pool.fold(user.username) for user in users])
    _require_unique("users", "sub", "user", [user.sub for user in users])
    for alias in set(pool.names("AliasAttributes")).intersection(ADDRESSES):
        values = [pool.fold(user.attributes[alias]) if user.verified(alias) else None for user in users]
        _require_unique("users", f"attributes.{alias}", "user", values)
    owners = dict[str, int]()
    for number, user in enumerate(users):
        for passkey in user.passkeys:
            if owners.setdefault(passkey, number) != number:
                raise _invalid(f"users[{number}].passkeys", f"another user has {passkey!r:.80}")


def _check_user(place: str, pool: PoolRecord, user: User) -> None:
    _check_times(place, user)
    with _errors_name(f"{place}.username"):
        validation.check("AdminGetUser", {"UserPoolId": pool.id, "Username": user.username})
    if not _is_uuid(user.sub):
        raise _invalid(f"{place}.sub", f"{user.sub!r:.80} is not a UUID in lower case")
    if user.status not in ENUMS["UserStatusType"]:
        raise _invalid(f"{place}.status", f"{user.status!r:.80} is not one of {', '.join(ENUMS['UserStatusType'])}")
    _check_attributes(f"{place}.attributes", pool, user)
    _check_factors(place, user)
    for verifier in (user.password, *user.previous_passwords):
        if verifier is not None and not 0 < verifier.value < cognito.GROUP.N:
            raise _invalid(f"{place}.password", "the verifier is not between 0 and N")
    for key, device in user.devices.items():
        _check_times(f"{place}.devices", device)
        if key != device.key:
            raise _invalid(f"{place}.devices", f"the device {key!r:.80} has another key")
    for key, passkey in user.passkeys.items():
        _check_passkey(f"{place}.passkeys", key, passkey)
    for code in user.codes.values():
        if code.attribute not in ADDRESSES:
            raise _invalid(
                f"{place}.codes", f"the attribute {code.attribute!r:.80} is not one of {', '.join(ADDRESSES)}"
            )


def _is_uuid(value: str) -> bool:
    try:
        return str(uuid.UUID(value)) == value
    except ValueError:
        return False


def _check_attributes(place: str, pool: PoolRecord, user: User) -> None:
    if user.attributes.get("sub") != user.sub:
        raise _invalid(f"{place}.sub", "it differs from the user's sub")
    with _errors_name(place):
        # These two are not attributes that an operation can write.
        given = {name: value for name, value in user.attributes.items() if name not in ("sub", "identities")}
        attributes.check(pool, given)
    with _errors_name(f"{place}.identities"):
        msgspec.json.decode(user.attributes.get("identities", "[]"), type=list[_Identity])


class _Identity(msgspec.Struct, rename="camel"):
    user_id: str
    provider_name: str
    primary: bool
    date_created: int


def _check_factors(place: str, user: User) -> None:
    for name, secret in (("totp_secret", user.totp_secret), ("totp_pending", user.totp_pending)):
        if secret is not None:
            with _errors_name(f"{place}.{name}"):
                totp.decode_secret(secret)
    if not user.enabled_mfa <= _FACTORS:
        raise _invalid(f"{place}.enabled_mfa", f"use only {', '.join(sorted(_FACTORS))}")


def _check_passkey(place: str, key: str, passkey: Passkey) -> None:
    if key != passkey.id or not _BASE64URL.fullmatch(key):
        raise _invalid(place, f"{key!r:.80} is not the id of this passkey in base64url")
    if not is_time(passkey.created):
        raise _invalid(place, f"created at {passkey.created!r}, which is not a time")
    with _errors_name(place):
        webauthn.decode_key(passkey.key)
