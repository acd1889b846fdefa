"""boto3 as the client, over HTTP, and its model as the oracle of shapes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import boto3
from botocore.config import Config

from srpcore_transports.local import LocalUserPool
from support.reply_shapes import differences

from .client import KEYS as KEYS


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
            # Do not wait and try again after LimitExceededException.
            config=Config(retries={"max_attempts": 0}),
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
        assert not list(differences(operation_model.output_shape, document, operation_model.name))


OF_ANY_OPERATION = {"SerializationException", "MissingAuthenticationTokenException", "UnknownOperationException"}
