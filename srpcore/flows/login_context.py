"""One login under way: the app client, the user, and the parameters that every request of the login carries."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, cast

from .._values import Value
from ..clock import Clock, system_clock
from ..crypto.device import Device
from ..crypto.encoding import utf8
from ..crypto.randomness import RandomBits, system_random_bits
from ..exceptions.base import ConfigurationError, InvalidRequest, UnsafeServerValue
from ..pool import Pool, check_endpoint
from ..protocol import Flow, JsonObject
from . import ask
from .transitions import Expected, check_expected

__all__ = ["AppClient", "LoginContext", "authentication_result", "challenge_parameters", "pool_or_placeholder"]


class AppClient(Value):
    """The app client that the login is made with: its pool, its id, and its secret if it has one."""

    __slots__ = ("client_id", "client_secret", "pool")
    _hidden = frozenset({"client_secret"})

    pool: Pool
    client_id: str
    client_secret: str | None

    def __init__(self, pool: Pool, client_id: str, client_secret: str | None = None) -> None:
        if not utf8(client_id, name="client_id"):
            raise InvalidRequest("client_id is empty: give the id of the app client")
        self._set(pool=pool, client_id=client_id, client_secret=client_secret)

    def secret_hash(self, username: str) -> str | None:
        """Return SECRET_HASH for *username*, or None if the app client does not have a secret."""
        if self.client_secret is None:
            return None
        from ..crypto.secret_hash import secret_hash  # many app clients have no secret

        return secret_hash(username, self.client_id, self.client_secret)


class _PlaceholderPool(Pool):
    """A pool whose id is not valid, for requests that do not need the id.

    SECRET_HASH and many requests do not contain the pool id. The tests of programs send them to a mock of a client,
    with a placeholder such as ``your-user-pool-id``.
    """

    __slots__ = ()

    def __init__(self, user_pool_id: str, region: str, endpoint_url: str | None) -> None:
        self.user_pool_id = user_pool_id
        self.region = region
        self.endpoint_url = endpoint_url

    # Each of these depends on the id, so Pool() raises its error. `jwks_url` is made of `url`.

    @property
    def suffix(self) -> str:
        return Pool(self.user_pool_id, self.region).suffix

    @property
    def url(self) -> str:
        return Pool(self.user_pool_id, self.region).url

    @property
    def issuers(self) -> tuple[str, ...]:
        return Pool(self.user_pool_id, self.region).issuers


def pool_or_placeholder(
    user_pool_id: str, region: str = "", endpoint_url: str | None = None, *, allow_http: bool = False
) -> Pool:
    """Return the pool. If its id or region is not valid, the error is raised later, by the property that needs it.

    Raises:
        ConfigurationError: the endpoint is not valid, or is plain http to another computer without *allow_http*.
    """
    endpoint = None if endpoint_url is None else check_endpoint(endpoint_url, allow_http=allow_http)
    try:
        return Pool(user_pool_id, region, endpoint, allow_http=allow_http)
    except ConfigurationError:
        return _PlaceholderPool(user_pool_id, region, endpoint)


class LoginContext:
    """One login under way.

    Args:
        app: the app client.
        username: the name as the user typed it, which may be an alias.
        canonical: the service's own name for the user, which the first challenge contains; None until then.
        device: the device to prove. Set to None if the service no longer knows it.
        client_metadata: passed to the pool's Lambda triggers.
        clock: returns the time in seconds since the epoch.
        random_bits: called with a number of bits, returns an integer of that many secret random bits.
        admin: whether to send AdminInitiateAuth and AdminRespondToAuthChallenge, which need AWS credentials.
        user_context: UserContextData, or ContextData if *admin* is true.
    """

    def __init__(
        self,
        app: AppClient,
        username: str,
        canonical: str | None = None,
        device: Device | None = None,
        client_metadata: Mapping[str, str] | None = None,
        clock: Clock = system_clock,
        random_bits: RandomBits = system_random_bits,
        admin: bool = False,
        user_context: Mapping[str, Any] | None = None,
    ) -> None:
        if client_metadata is not None and not isinstance(client_metadata, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError("client_metadata must be a dictionary of strings")
        self.app = app
        self.username = username
        self.canonical = canonical
        self.device = device
        self.client_metadata = client_metadata
        self.clock = clock
        self.random_bits = random_bits
        self.admin = admin
        self.user_context = user_context

    @property
    def name(self) -> str:
        """USERNAME of a request: the canonical name if it is known, else the name as typed.

        Raises:
            InvalidRequest: the name is missing or empty.
            ConfigurationError: it cannot be encoded as UTF-8.
        """
        # The name is checked when it is used and not earlier: a program that overrides get_auth_params may send a name
        # of its own.
        name: str | None = self.canonical or self.username
        if name is None or not utf8(name, name="username"):
            raise InvalidRequest("no username: pass username= to Cognito, with the user's name or alias")
        return name

    @property
    def now(self) -> datetime:
        """The present time of the clock, in UTC."""
        return datetime.fromtimestamp(self.clock(), tz=timezone.utc)

    def initiate(self, auth_flow: str, parameters: Mapping[str, str], *, expected: Expected) -> Flow[JsonObject]:
        """Send InitiateAuth with the AuthParameters *parameters*, and return the reply.

        Raises:
            ServiceError: the service refused the login.
            UnexpectedChallenge: the reply is not *expected*.
        """
        request = {"AuthFlow": auth_flow, "AuthParameters": dict(parameters)}
        reply = yield from ask(*self._request("InitiateAuth", request))
        return self._note_username(check_expected(reply, expected, auth_flow))

    def respond(self, challenge: JsonObject, responses: Mapping[str, str], *, expected: Expected) -> Flow[JsonObject]:
        """Answer *challenge* with the ChallengeResponses *responses*, and return the next reply.

        *challenge* is the reply that has the ``ChallengeName``. Its Session is sent with the answer.

        Raises:
            ServiceError: the service refused the answer.
            UnexpectedChallenge: the reply is not *expected*.
        """
        request = {
            "ChallengeName": challenge["ChallengeName"],
            "ChallengeResponses": dict(responses),
            "Session": challenge.get("Session"),
        }
        reply = yield from ask(*self._request("RespondToAuthChallenge", request))
        return self._note_username(check_expected(reply, expected, f"the answer to {challenge['ChallengeName']}"))

    def _request(self, operation: str, members: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Return the operation, or the administrator's version of it, and all parameters of the request."""
        common = {"ClientId": self.app.client_id, "ClientMetadata": self.client_metadata}
        if not self.admin:
            return operation, {**members, **common, "UserContextData": self.user_context}
        pool_id = self.app.pool.user_pool_id
        return f"Admin{operation}", {**members, **common, "UserPoolId": pool_id, "ContextData": self.user_context}

    def identified(self, parameters: Mapping[str, str]) -> dict[str, str]:
        """Return *parameters* and what every request of a login contains: USERNAME, SECRET_HASH and DEVICE_KEY.

        SECRET_HASH is left out if the app client does not have a secret, and DEVICE_KEY without a device. DEVICE_KEY
        must be in the answer to an MFA challenge too: without it, the service registers the same device again as a new
        one.
        """
        name = self.name
        carried: dict[str, str | None] = {
            "USERNAME": name,
            "SECRET_HASH": self.app.secret_hash(name),
            "DEVICE_KEY": self.device.key if self.device else None,
        }
        return {**{key: value for key, value in carried.items() if value is not None}, **parameters}

    def _note_username(self, reply: JsonObject) -> JsonObject:
        """Store the canonical username if *reply* has it, and return *reply*."""
        parameters = challenge_parameters(reply)
        self.canonical = parameters.get("USERNAME") or self.canonical or parameters.get("USER_ID_FOR_SRP")
        return reply


def challenge_parameters(reply: JsonObject) -> dict[str, Any]:
    """Return the ChallengeParameters of *reply*, or an empty dictionary if it has none.

    Raises:
        UnsafeServerValue: they are not a JSON object.
    """
    return _object(reply, "ChallengeParameters")


def authentication_result(reply: JsonObject) -> dict[str, Any]:
    """Return the AuthenticationResult of *reply*, or an empty dictionary if it has none.

    Raises:
        UnsafeServerValue: it is not a JSON object, a member has a wrong type, or ExpiresIn is out of range.
    """
    result = _object(reply, "AuthenticationResult")
    for name, kinds in _RESULT_TYPES.items():
        value = result.get(name)
        if value is not None and (not isinstance(value, kinds) or isinstance(value, bool)):
            raise UnsafeServerValue(f"unsafe value from the server: {name} has a wrong type ({type(value).__name__})")
    # Only compare: arithmetic with an integer of 400 digits raises OverflowError. Every comparison with NaN is false.
    if not 0 <= (result.get("ExpiresIn") or 0) <= _LONGEST_VALIDITY:
        raise UnsafeServerValue("unsafe value from the server: ExpiresIn is not a number of seconds within 100 years")
    return result


_LONGEST_VALIDITY = 100 * 365 * 86400  # seconds; a token of the service is valid for a day at most

_RESULT_TYPES: dict[str, type | tuple[type, ...]] = {
    "AccessToken": str,
    "IdToken": str,
    "RefreshToken": str,
    "TokenType": str,
    "ExpiresIn": (int, float),
    "NewDeviceMetadata": dict,
}


def _object(reply: JsonObject, name: str) -> dict[str, Any]:
    value: object = reply.get(name) or {}
    if not isinstance(value, dict):
        raise UnsafeServerValue(f"unsafe value from the server: {name} is not a JSON object")
    return cast(dict[str, Any], value)
