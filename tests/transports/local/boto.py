"""boto3 as the client, over HTTP, and its model as the oracle of shapes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import boto3

from srpcore_transports.credentials import Credentials
from srpcore_transports.local import LocalUserPool

KEYS = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")


@contextlib.contextmanager
def connected(pool: LocalUserPool) -> Iterator[Any]:
    """Serve *pool*, which was made with :data:`KEYS`, and yield a boto3 client of it whose replies are checked."""
    with pool.serve() as server:
        client = boto3.client(
            "cognito-idp",
            region_name=pool.region,
            endpoint_url=server.url,
            aws_access_key_id=KEYS.access_key_id,
            aws_secret_access_key=KEYS.secret_access_key,
        )
        client.meta.events.register("before-parse.cognito-idp", _check_shape)
        try:
            yield client
        finally:
            client.close()


def _check_shape(operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
    """Refuse a reply with members that the model does not have, or without those it requires."""
    import json

    if response_dict["status_code"] >= 300:
        code = json.loads(response_dict["body"])["__type"]
        allowed = {shape.name for shape in operation_model.error_shapes}
        assert code in allowed | OF_ANY_OPERATION, f"{operation_model.name} has no {code}"
        return
    document = json.loads(response_dict["body"])
    if operation_model.output_shape is None:
        assert document == {}, operation_model.name
    else:
        assert not list(strangers(operation_model.output_shape, document, operation_model.name))


OF_ANY_OPERATION = {"SerializationException", "MissingAuthenticationTokenException", "UnknownOperationException"}


def strangers(shape: Any, value: Any, path: str) -> Iterator[str]:
    """Yield what *value* has and *shape* has not, and the other way round."""
    if shape.type_name == "structure":
        if getattr(shape, "is_document_type", False):
            return
        if not isinstance(value, dict):
            yield f"{path} is no structure"
            return
        for name, member in value.items():
            if name in shape.members:
                yield from strangers(shape.members[name], member, f"{path}.{name}")
            else:
                yield f"{path}.{name}"
        yield from (f"{path}.{name} is missing" for name in shape.required_members if name not in value)
    elif shape.type_name == "list":
        if not isinstance(value, list):
            yield f"{path} is no list"
            return
        for item in value:
            yield from strangers(shape.member, item, f"{path}[]")
    elif shape.type_name == "map":
        for item in value.values():
            yield from strangers(shape.value, item, f"{path}{{}}")
    else:
        yield from _odd_scalar(shape, value, path)


def _odd_scalar(shape: Any, value: Any, path: str) -> Iterator[str]:
    kinds: dict[str, Any] = {"string": str, "integer": int, "boolean": bool, "timestamp": (int, float)}
    if shape.type_name in kinds and not isinstance(value, kinds[shape.type_name]):
        yield f"{path} is {type(value).__name__}, not {shape.type_name}"
    elif shape.type_name == "string":
        if getattr(shape, "enum", None) and value not in shape.enum:
            yield f"{path} is not of the enumeration"
        if not shape.metadata.get("min", 0) <= len(value) <= shape.metadata.get("max", 1 << 20):
            yield f"{path} has a length out of bounds"
