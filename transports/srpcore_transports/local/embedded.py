"""LocalUserPool: an embedded server of user pools, as a transport in the same process and over HTTP."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Self
from urllib.parse import urlsplit

from srpcore import aws_json
from srpcore.clock import Clock, system_clock
from srpcore.exceptions.base import ConfigurationError, TransportError
from srpcore.pool import Pool, check_endpoint, default_endpoint
from srpcore.protocol import Operation, Reply

from ..credentials import Credentials, from_environment
from . import well_known
from .api.errors import Refusal
from .http.server import LocalServer
from .model.outbox import Outbox
from .model.seed import SeedSource, name_of, read_seed
from .operations import defaults, dispatch, import_jobs, pool_import
from .operations.first_pool import FirstPool, first_ids
from .operations.seed import add_seed
from .storage import export
from .storage.service import Service
from .storage.state import State
from .storage.state_file import checked_path
from .triggers.configuration import NO_TRIGGERS, Triggers, lambda_config

__all__ = ["LocalUserPool"]


class LocalUserPool:
    """A server of user pools. It starts with one pool and one app client, and more can be created.

    The object is a transport. Calls in the same process are trusted, so an administrator's operations need no
    signature. Over HTTP (:meth:`serve`) they must be signed with *credentials*.

    A forked child of the process has a copy of a pool in memory, as it was between two requests: ``fork()`` waits for
    the transaction that is running. If that takes ten seconds, or the state is in a file, calls in the child raise
    ConfigurationError.

    Args:
        region: the AWS region in the ids of the pools, for example ``us-east-1``. A pool that is created by a signed
            request over HTTP gets the region of the signature.
        clock: returns the current time in seconds since the epoch. Sessions, codes, timestamps and tokens use it.
        issuer: the part of the issuer (``iss``) before ``/<pool id>``. By default it fits the URL of the request for
            calls over HTTP (:meth:`serve`), and is AWS's own issuer for calls in the same process.
        credentials: the AWS keys with which an administrator signs requests over HTTP; None reads the environment
            variables ``AWS_ACCESS_KEY_ID`` and so on.
        remember_devices: track devices, and remember each device that is confirmed.
        client_secret: generate a secret for the first app client.
        triggers: Lambda triggers. The first pool uses all of them. Any other pool uses those whose kinds its
            LambdaConfig names, with any function ARN, and so does the first pool if *pool_settings* has LambdaConfig.
        pool_settings: parameters of CreateUserPool for the first pool; they override its defaults.
        client_settings: parameters of CreateUserPoolClient for the first app client; they override its defaults.
        user_pool_id: the id of the first pool, for an app whose id is fixed. The region in it replaces *region*. By
            default the id is random.
        client_id: the id of the first app client. By default it is random.
        seed: a JSON or TOML file with pools, app clients, groups and users that are added if they do not exist (see
            the guide), or a dictionary of the same form. *user_pool_id* and *client_id* are by default those of its
            first pool and of the first app client of that. Its settings override the other arguments.
        state: a file that keeps everything, except the outbox. It is created if it does not exist, and gets the mode
            0600: it holds signing keys, verifiers and TOTP secrets. Only one process can use it at a time. The first
            pool is the one in it with *user_pool_id*, by default the oldest one; the first app client is found in the
            same way. Settings apply only to what is created now. None keeps everything in memory.
        strict: refuse operations and settings that have no effect in a local pool (see the guide), so that a test
            cannot rely on them by mistake.

    Raises:
        ConfigurationError: a setting has a value that the service would not accept; or the file cannot be used, is in
            use, or is not the state of a local pool.
    """

    def __init__(
        self,
        *,
        region: str = "us-east-1",
        clock: Clock = system_clock,
        issuer: str | None = None,
        credentials: Credentials | None = None,
        remember_devices: bool = False,
        client_secret: bool = False,
        triggers: Triggers | None = None,
        pool_settings: Mapping[str, object] | None = None,
        client_settings: Mapping[str, object] | None = None,
        user_pool_id: str | None = None,
        client_id: str | None = None,
        state: str | os.PathLike[str] | None = None,
        seed: SeedSource | None = None,
        strict: bool = False,
    ) -> None:
        defaults.check_client_id(client_id)
        given = None if seed is None else read_seed(seed)
        if given is not None:
            user_pool_id, client_id = first_ids(given, user_pool_id, client_id)
        if user_pool_id is not None:
            region = Pool(user_pool_id).region
        default_endpoint(region)  # raises if this is not the name of a region
        self._credentials = credentials or from_environment()
        base = None if issuer is None else _checked_issuer(issuer)
        path = None if state is None else checked_path(state)
        pool_parameters = {
            **defaults.POOL,
            **({"DeviceConfiguration": defaults.REMEMBERED_DEVICES} if remember_devices else {}),
            **({} if triggers is None else {"LambdaConfig": lambda_config(triggers, region)}),
            **(pool_settings or {}),
        }
        client_parameters = {**defaults.CLIENT, "GenerateSecret": client_secret, **(client_settings or {})}
        defaults.check_settings(pool_parameters, client_parameters, strict=strict)
        self._service = Service.open(region, clock, base, triggers or NO_TRIGGERS, path, strict=strict)
        wanted = FirstPool(user_pool_id, client_id, pool_parameters, client_parameters, self._signing_key)
        try:
            if given is not None and seed is not None:
                add_seed(self._service, given, name_of(seed), wanted)
            State(self._service).run(import_jobs.end_interrupted)
            client = State(self._service).run(wanted.find_or_add)
        except BaseException:
            self._service.database.close()
            raise
        self.region = Pool(client.user_pool_id).region
        self.user_pool_id: str = client.user_pool_id
        self.client_id: str = client.client_id
        self.client_secret: str | None = client.secret

    @staticmethod
    def _signing_key() -> str | None:
        """Return the signing key of the first pool as a PEM, or None to generate one when it is needed.

        Subclasses override this.
        """
        return None

    @property
    def outbox(self) -> Outbox:
        """The messages that the service would have sent by e-mail or SMS."""
        return self._service.outbox

    def call(self, operation: Operation) -> Reply:
        """Return the reply to *operation*, without checking a signature.

        The request and the reply are converted to JSON and back, so the result is the same as over HTTP.

        Raises:
            ConfigurationError: a parameter cannot be converted to JSON.
        """
        _, body = aws_json.encode(operation)
        response = dispatch.answer(self._service, operation.name, body)
        return aws_json.decode(response.status, response.headers, response.body)

    def fetch(self, url: str) -> bytes:
        """Return the document at *url*, whose path ends with ``/<pool id>/.well-known/jwks.json``.

        The host and the beginning of the path are ignored. ``openid-configuration`` works, too.

        Raises:
            TransportError: the URL does not name a pool of this server, or not one of these documents.
        """
        body = self.document(urlsplit(url).path)
        if body is None:
            raise TransportError(f"local user pool has no document at {urlsplit(url).path!r}: check the user pool id")
        return body

    def document(self, path: str, issuer_base: str | None = None) -> bytes | None:
        """Return the key set or the OpenID configuration that *path* names, or None if there is no such document.

        Args:
            issuer_base: the part of the issuer before ``/<pool id>``, unless *issuer* was given; None for AWS's own.
        """
        return well_known.document(self._service, path, issuer_base)

    def serve(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        allowed_hosts: Iterable[str] = (),
        control: bool | str = False,
        page: bool | None = None,
    ) -> LocalServer:
        """Start an HTTP server for the pools in a background thread, and return it.

        The issuer of tokens that are requested over HTTP is ``http://<Host header>/<pool id>``, unless *issuer* was
        given.

        Args:
            host: the address to listen on. Any other than a loopback address lets other machines connect.
            port: the TCP port; 0 picks a free one.
            allowed_hosts: more host names by which clients may call a server on loopback, such as
                ``host.docker.internal``, and whose web pages may read the responses. ``*`` allows every name.
            control: let tests in other processes move the clock, read the outbox, which has the codes of all users, and
                reset the pools, by requests to ``/_srpcore/``. True lets all programs of this computer do so, and needs
                a loopback address. A string is a token of at least 16 characters that each request must send in the
                header ``x-srpcore-control``, and allows any address.
            page: show users, messages with their codes, and the last calls at ``/`` to everybody who can connect; None
                does so on a loopback address only.

        Raises:
            ConfigurationError: *control* is True on an address that is not loopback, or is not a valid token.
            OSError: the server cannot listen on the address.
        """
        return LocalServer(
            self._service, self.document, self._credentials, host, port, allowed_hosts, control=control, page=page
        )

    def export_pool(self, user_pool_id: str | None = None) -> bytes:
        """Return a pool as a JSON document for :meth:`import_pool`.

        It has the settings, app clients, groups, users and all the rest, except logins in progress, tokens and events
        of users. It holds secrets: signing key, client secrets, verifiers, TOTP secrets.

        Args:
            user_pool_id: the id of the pool; None for the first pool.

        Raises:
            ConfigurationError: the pool does not exist.
        """
        try:
            return State(self._service).run(lambda state: export.export_pool(state, user_pool_id or self.user_pool_id))
        except Refusal as error:
            raise ConfigurationError(f"cannot export: {error.message}") from None

    def import_pool(self, document: bytes | str, *, replace: bool = False) -> str:
        """Add a pool that :meth:`export_pool` has returned, and return its id.

        Args:
            replace: delete a pool of the same id first, with its users.

        Raises:
            ConfigurationError: *document* is not an export or has a value that a pool never stores, or a pool of the
                same id or an app client of it exists. Nothing was changed then.
        """
        parsed = pool_import.parse(document)
        return State(self._service).run(lambda state: export.import_pool(state, parsed, replace=replace))

    def close(self) -> None:
        """Close the file of the state, if there is one. Calls raise ConfigurationError from then on.

        Close the servers of the pool first: otherwise they answer each request with an internal error that says so. A
        pool in memory has nothing to release, and can still be used.
        """
        if self._service.database.path is not None:
            self._service.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"LocalUserPool(user_pool_id={self.user_pool_id!r}, client_id={self.client_id!r})"


def _checked_issuer(issuer: str) -> str:
    try:
        return check_endpoint(issuer, allow_http=True)
    except ConfigurationError:
        raise ConfigurationError(
            f"invalid issuer {issuer!r:.80}: use the URL before /<pool id>, for example https://id.example"
        ) from None
