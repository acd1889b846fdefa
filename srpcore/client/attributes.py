"""What ``Cognito`` and ``AsyncCognito`` share: the constructor, the attributes, and helpers for building requests."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, cast

from .._pickling import NotPickled
from ..clock import Clock, system_clock
from ..crypto.device import Device
from ..crypto.encoding import utf8
from ..crypto.randomness import RandomBits, system_random_bits
from ..exceptions.base import AccessTokenRequired, ConfigurationError
from ..flows.login_context import AppClient, LoginContext, challenge_parameters, pool_or_placeholder
from ..pool import Pool, check_endpoint, configured_endpoint, other_endpoint, plain_http_allowed
from ..protocol import AsyncTransport, JsonObject, Transport
from ..resolve import botocore_transport, transport_endpoint
from ..service_time import ServiceTime
from ..tokens.policy import Strings, strings
from .login_state import LoggedOut, LoginState

if TYPE_CHECKING:
    from ..store import TokenStore

__all__ = ["CognitoAttributes"]

_IN_REGION = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")


class CognitoAttributes(NotPickled):
    """One user of one user pool, seen through one app client. The constructor and the attributes are pycognito's."""

    _instead_of_pickling = (
        "it has connections and locks. Give it a store (store=...) and call restore() on another object, or keep "
        "user.tokens and give them to the constructor"
    )

    client: Any  # a property in each of the two classes

    # Some objects are made without our constructor: by a subclass that does not call it, by a test that replaces it, or
    # by a program's own pickling, which sets pycognito's attributes. These defaults let every method work on such an
    # object, as far as the attributes that it has suffice.
    username: str | None = None
    id_token: str | None = None
    access_token: str | None = None
    refresh_token: str | None = None
    client_secret: str | None = None
    token_type: str | None = None
    expires_in: int | None = None
    expires_datetime: datetime | None = None
    id_claims: Mapping[str, Any] | None = None
    access_claims: Mapping[str, Any] | None = None
    custom_attributes: dict[str, Any] | None = None
    base_attributes: dict[str, Any] | None = None
    pool_jwk: Mapping[str, Any] | None = None
    mfa_tokens: JsonObject | None = None
    device: Device | None = None
    new_device_metadata: Mapping[str, str] | None = None
    pool_domain_url: str | None = None
    _store: TokenStore | None = None
    _clock: Clock = staticmethod(system_clock)
    _random_bits: RandomBits = staticmethod(system_random_bits)
    _allow_http: bool | None = None
    _issuers: tuple[str, ...] | None = None
    _login: LoginState = LoggedOut()

    def __init__(
        self,
        user_pool_id: str,
        client_id: str,
        user_pool_region: str | None = None,
        username: str | None = None,
        id_token: str | None = None,
        refresh_token: str | None = None,
        access_token: str | None = None,
        client_secret: str | None = None,
        access_key: str | None = None,
        secret_key: str | None = None,
        session: object = None,
        botocore_config: object = None,
        boto3_client_kwargs: Mapping[str, object] | None = None,
        *,
        transport: Transport | AsyncTransport | str | None = None,
        endpoint_url: str | None = None,
        allow_http: bool | None = None,
        issuer: Strings | None = None,
        device: Device | None = None,
        store: TokenStore | None = None,
        clock: Clock = system_clock,
        random_bits: RandomBits = system_random_bits,
    ) -> None:
        """Prepare an object for one user. Nothing is sent until a method is called.

        Args:
            user_pool_id: the user pool's id, for example ``eu-west-1_AbCd12345``.
            client_id: the app client's id.
            user_pool_region: the AWS region, if it differs from the one in the pool's id.
            username: the user's name or alias.
            id_token, refresh_token, access_token: tokens from an earlier login. They are not verified here; call
                :meth:`verify_tokens` if you need that.
            client_secret: the app client's secret, if it has one.
            access_key, secret_key: an AWS access key id and its secret, for the operations that need AWS credentials.
            session, botocore_config, boto3_client_kwargs: if any of these is given, the botocore transport is used, and
                *transport* must not name another one.
            transport: ``"https"``, ``"httpx"``, ``"botocore"`` or a transport object. The default is the environment
                variable SRPCORE_TRANSPORT, and https if that is not set.
            endpoint_url: the URL of the service if it is not AWS. The default is the environment variable
                AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER, else AWS_ENDPOINT_URL; or the endpoint of the transport
                object that was given. The keys are fetched from there, and ``<endpoint>/<pool id>`` is an accepted
                issuer too.
            allow_http: accept an endpoint with plain http on another machine, for example an emulator in another
                container. Passwords are then readable on the network. The default is the environment variable
                SRPCORE_ALLOW_HTTP (``true``, ``1``, ``yes`` or ``on``), or the setting of the transport object that
                was given.
            issuer: the value or values of ``iss`` to accept instead of AWS's and the endpoint's, for example for an
                emulator that names another URL than its own. The keys are fetched from the same place as without it.
            device: a device that was remembered after an earlier login.
            store: keeps the tokens and the device for other processes: see :meth:`restore`.
            clock: returns the time in seconds since the epoch.
            random_bits: called with a number of bits, returns an integer of that many secret random bits.

        Raises:
            ConfigurationError: the pool id, the endpoint, the keys or the transport cannot be used, or *transport* is
                combined with arguments of boto3.
        """
        self.user_pool_id = user_pool_id
        self.client_id = client_id
        # The pool id is checked when it is used: the tests of many programs make objects with a placeholder.
        self.user_pool_region = user_pool_region or _region_of(user_pool_id)
        self.username = username
        self.id_token = id_token
        self.access_token = access_token
        self.refresh_token = refresh_token
        self.client_secret = client_secret
        # These are set although the class has the same defaults: programs read `vars(user)`.
        self.token_type = self.expires_in = self.expires_datetime = None
        self.id_claims = self.access_claims = None
        self.custom_attributes = self.base_attributes = None
        self.pool_jwk = self.mfa_tokens = self.new_device_metadata = None
        self.device = device
        if store is not None and not hasattr(store, "load"):
            raise ConfigurationError(f"store must be a FileStore or another store, not {type(store).__name__}")
        self._store = store
        self._clock = clock
        self._random_bits = random_bits

        issuers = strings("issuer", issuer)
        self._issuers = (issuers,) if isinstance(issuers, str) else None if issuers is None else tuple(issuers)
        self._allow_http = None if allow_http is None else plain_http_allowed(allow_http)
        explicit = cast(str | None, (boto3_client_kwargs or {}).get("endpoint_url")) or endpoint_url
        keys = _key_pair(access_key, secret_key)
        over_boto3 = session is not None or botocore_config is not None or boto3_client_kwargs is not None
        if over_boto3 and transport not in (None, "botocore"):
            raise ConfigurationError(
                "transport cannot be combined with session, botocore_config or boto3_client_kwargs: give one of them"
            )
        if transport is not None and not isinstance(transport, str):
            self._follow_endpoint(transport, explicit)
            self._use_transport(transport)
        else:
            self.pool_domain_url = explicit or configured_endpoint()
            if over_boto3:
                self._open_boto3_transport(session, botocore_config, boto3_client_kwargs, keys)
            else:
                self._open_transport_by_name(transport, user_pool_region, keys)
        self._assign_client()

    def _open_boto3_transport(
        self,
        session: object,
        config: object,
        client_kwargs: Mapping[str, object] | None,
        keys: tuple[str, str] | None,
    ) -> None:
        arguments: dict[str, Any] = dict(client_kwargs or {})
        # Only what is set, as in pycognito: the tests of some programs check the call.
        present = {"region_name": self.user_pool_region, "endpoint_url": self.pool_domain_url}
        arguments |= {name: value for name, value in present.items() if value}
        arguments |= {"config": config} if config is not None else {}
        arguments |= dict(zip(("aws_access_key_id", "aws_secret_access_key"), keys or (), strict=False))
        allow_http = self._allow_http
        self._open_transport(lambda: botocore_transport(arguments, session, allow_http=allow_http))

    def _open_transport_by_name(self, name: str | None, region: str | None, keys: tuple[str, str] | None) -> None:
        endpoint = self.pool_domain_url
        if endpoint is not None:
            endpoint = check_endpoint(endpoint, allow_http=plain_http_allowed(self._allow_http))
        # Of a placeholder such as <YOUR_POOL_ID>, keep what can be a part of a host name.
        region = region or "".join(filter(_IN_REGION.__contains__, self.user_pool_region.lower())) or "unknown"
        self._open_named_transport(name, region=region, endpoint_url=endpoint, keys=keys, allow_http=self._allow_http)

    @cached_property
    def user_pool_region(self) -> str:
        """The AWS region of the pool."""
        return Pool(self.user_pool_id).region  # the constructor sets the attribute, so it does not call this

    def _open_default_transport(self) -> Any:
        """Make the default transport and return it, for an object that was made without our constructor."""
        pool = self._pool
        self._open_named_transport(
            None,
            region=pool.region,
            endpoint_url=pool.endpoint_url or configured_endpoint(),
            keys=None,
            allow_http=self._allow_http,
        )
        return self.__dict__["_transport"]

    # Abstract without ABCMeta: a program may give a subclass a metaclass of its own.
    @abstractmethod
    def _open_transport(self, make: Callable[[], Transport]) -> None:
        """Make a transport with *make*. This object closes it."""

    @abstractmethod
    def _open_named_transport(self, name: str | None, **arguments: Any) -> None:
        """Make the transport *name*. This object closes it."""

    @abstractmethod
    def _use_transport(self, transport: Any) -> None:
        """Use a transport that the caller made. The caller closes it."""

    @abstractmethod
    def _assign_client(self) -> None:
        """Set ``client``, as pycognito does, if a subclass or a test has replaced our property."""

    def _follow_endpoint(self, transport: Any, explicit: str | None = None) -> None:
        """Set ``pool_domain_url`` to the endpoint of *transport*: the key set and the issuer are at that endpoint.

        It stays unchanged if *transport* sends to AWS. If *explicit* is given, it is used instead. If *transport* was
        made with ``allow_http=True``, plain http is allowed for the key set too.
        """
        url, allowed = transport_endpoint(transport)
        self.pool_domain_url = explicit or other_endpoint(url) or self.pool_domain_url
        if self._allow_http is None and allowed:
            self._allow_http = True

    @property
    def _service_time(self) -> ServiceTime:
        """The service's clock, measured at the last response; reset if a program sets another clock."""
        known: ServiceTime | None = self.__dict__.get("_known_service_time")
        if known is None or known.clock is not self._clock:
            known = self.__dict__["_known_service_time"] = ServiceTime(self._clock)
        return known

    @property
    def user_pool_url(self) -> str:
        """The pool's URL. Its key set is at ``<this URL>/.well-known/jwks.json``."""
        return _cached_url(self._pool)

    @property
    def _pool(self) -> Pool:
        # Without an endpoint of its own the pool is at AWS, with https, so the environment need not be read.
        allow_http = self.pool_domain_url is not None and plain_http_allowed(self._allow_http)
        return _cached_pool(self.user_pool_id, self.user_pool_region, self.pool_domain_url, allow_http=allow_http)

    @property
    def _app(self) -> AppClient:
        if not self._botocore_validates:
            return AppClient(self._pool, self.client_id, self.client_secret)
        # A program's test may use a placeholder instead of a pool id, with a mock of the client.
        endpoint = self.pool_domain_url
        allow_http = endpoint is not None and plain_http_allowed(self._allow_http)
        pool = pool_or_placeholder(self.user_pool_id, self.user_pool_region, endpoint, allow_http=allow_http)
        return AppClient(pool, self.client_id, self.client_secret)

    def _login_context(
        self, client_metadata: Mapping[str, str] | None = None, challenge: JsonObject | None = None
    ) -> LoginContext:
        named = challenge_parameters(challenge or {})
        canonical = named.get("USERNAME") or self._login.account.username or named.get("USER_ID_FOR_SRP")
        return LoginContext(
            self._app,
            self.username or canonical or "",
            canonical=canonical,
            device=self.device,
            client_metadata=client_metadata,
            clock=self._clock,
            random_bits=self._random_bits,
        )

    def _require_access_token(self) -> str:
        if not self.access_token and not self._botocore_validates:
            raise AccessTokenRequired("no access token: log in first")
        return cast(str, self.access_token)

    @property
    def _botocore_validates(self) -> bool:
        """Return whether a botocore client validates the parameters of a request.

        If so, nothing is refused before botocore does it: programs that were written for pycognito expect botocore's
        ParamValidationError.
        """
        return getattr(getattr(self, "_sender", None), "botocore_client", None) is not None

    def _check_string(self, value: str, *, name: str) -> None:
        if isinstance(value, str) or not self._botocore_validates:  # pyright: ignore[reportUnnecessaryIsInstance]
            utf8(value, name=name)

    @property
    def _client_id(self) -> str:
        return self.client_id if self._botocore_validates else self._app.client_id

    def _add_secret_hash(self, parameters: dict[str, Any], key: str) -> None:
        if self.client_secret is not None:
            # SECRET_HASH must be computed over the name in the request. That is not always this object's name: an
            # operation may be about another user.
            name = parameters.get("Username") or parameters.get("USERNAME") or self.username
            parameters[key] = self._app.secret_hash(name or "")

    def _set_attributes(self, response: JsonObject, attribute_dict: Mapping[str, Any]) -> None:
        status = response.get("HTTPStatusCode", response.get("ResponseMetadata", {}).get("HTTPStatusCode", 200))
        if status == 200:
            for key, value in attribute_dict.items():
                setattr(self, key, value)


# A program may set `user_pool_id` and its neighbours at any time, so each request looks its Pool up by the present
# values. A cache makes that cheap, because a program has few pools.
_cached_pool = lru_cache(maxsize=64)(Pool)


@lru_cache(maxsize=64)
def _cached_url(pool: Pool) -> str:
    return pool.url


def _region_of(user_pool_id: str) -> str:
    if not isinstance(user_pool_id, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f"user_pool_id must be a string such as eu-west-1_AbCd12345, not {user_pool_id!r:.80}")
    return user_pool_id.split("_", 1)[0]


def _key_pair(access_key: str | None, secret_key: str | None) -> tuple[str, str] | None:
    if access_key is None and secret_key is None:
        return None
    if access_key is None or secret_key is None:
        raise ConfigurationError("access_key and secret_key go together: give both or neither")
    return access_key, secret_key
