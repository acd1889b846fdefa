"""``srpcore keys``: print the key set of a user pool, for a verifier that must not fetch it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ..exceptions.base import ConfigurationError, TransportError
from ..pool import Pool, default_endpoint
from ..resolve import transport_module
from ..tokens.jwks import parse_fetched_key_set
from ..tokens.strict_json import json_object
from .exit_status import PoolNotFound
from .settings import settings_of

__all__ = ["keys"]


def keys(arguments: argparse.Namespace) -> int:
    """Fetch the key set of a user pool and print it as JSON.

    Nothing is printed or written unless a verifier would accept the key set, so that the program that deploys a
    function fails instead of the function.

    Raises:
        PoolNotFound: the endpoint does not have this pool.
        SrpcoreError: the pool id or the endpoint is invalid, or the key set could not be fetched or has no usable key.
    """
    if None not in (arguments.pool, arguments.user_pool_id) and arguments.pool != arguments.user_pool_id:
        raise ConfigurationError(
            f"two user pools were given, {arguments.pool!r} and {arguments.user_pool_id!r}: give one"
        )
    arguments.user_pool_id = arguments.user_pool_id or arguments.pool
    settings = settings_of(arguments)
    pool = Pool(
        settings.required("user_pool_id"),
        # Not from AWS_ENDPOINT_URL: an environment variable must not change which keys are trusted.
        endpoint_url=settings.trusted_endpoint(),
        allow_http=settings.allow_http,
    )
    with transport_module("https").HttpsTransport(
        region=pool.region, endpoint_url=pool.endpoint_url, allow_http=settings.allow_http
    ) as transport:
        try:
            document: bytes = transport.fetch(pool.jwks_url)
        except TransportError as error:
            if error.status != 404:
                raise
            raise PoolNotFound(
                f"the pool {pool.user_pool_id} does not exist at {pool.endpoint_url or default_endpoint(pool.region)}: "
                "check the user pool id"
            ) from None
    parse_fetched_key_set(document, pool.jwks_url)
    shown = json.dumps(json_object(document), indent=2) + "\n"
    if arguments.output is None:
        print(shown, end="")
    else:
        Path(arguments.output).write_text(shown, "utf-8")
    return 0
