"""The probes, one module for each subject. Importing this package registers all of them."""

from . import (
    app_clients,
    devices,
    groups,
    hidden_users,
    infrastructure,
    lists,
    login,
    mfa,
    operations,
    passwords,
    schema,
    sign_up,
    tokens,
    user_pools,
    users,
    validation,
)

__all__ = [
    "app_clients",
    "devices",
    "groups",
    "hidden_users",
    "infrastructure",
    "lists",
    "login",
    "mfa",
    "operations",
    "passwords",
    "schema",
    "sign_up",
    "tokens",
    "user_pools",
    "users",
    "validation",
]
