"""User pool ids, and what follows from one: region, endpoint, issuers, and the URL of the key set."""

from __future__ import annotations

import os
import re

from .exceptions.base import ConfigurationError
from .exceptions.context import without_context

__all__ = [
    "Pool",
    "check_endpoint",
    "configured_endpoint",
    "default_endpoint",
    "dns_suffix",
    "is_loopback",
    "other_endpoint",
    "plain_http_allowed",
    "switch",
]

# The service model has the pattern [\w-]+_[0-9a-zA-Z]+. The part before the underscore is a region, which contains no
# underscore.
# These are sets and not regular expressions: compiling one takes a new process far longer than checking a pool id.
_IN_AWS_REGION = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
_IN_SUFFIX = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
_IN_REGION = _IN_SUFFIX | {"-"}

_SUFFIXES = {"cn-": "amazonaws.com.cn", "eusc-": "amazonaws.eu"}
_DUAL_STACK_SUFFIXES = {"cn-": "api.amazonwebservices.com.cn", "eusc-": "api.amazonwebservices.eu"}

_NOT_A_URL = (
    "endpoint is not a URL of the form https://host[:port][/path]; for an emulator it is, for example, "
    "http://127.0.0.1:9229"
)

# The hosts of default_endpoint(), in every region.
_AWS_ENDPOINT = (
    r"https://cognito-idp(-fips)?\.[a-z0-9-]+\."
    r"(amazonaws\.com(\.cn)?|amazonaws\.eu|api\.aws|api\.amazonwebservices\.(com\.cn|eu))/?"
)

# In these regions the FIPS endpoint answers over IPv6 too, so it does not have a separate dual-stack name (source: the
# endpoint rules of the service).
_FIPS_IS_DUAL_STACK = ("us-east-1", "us-east-2", "us-west-1", "us-west-2")


def dns_suffix(region: str) -> str:
    """Return the DNS suffix of the AWS partition of *region*, for example ``amazonaws.com``."""
    return next((suffix for prefix, suffix in _SUFFIXES.items() if region.startswith(prefix)), "amazonaws.com")


def default_endpoint(region: str, *, use_fips: bool = False, use_dualstack: bool = False) -> str:
    """Return the URL of the service in *region*, without a slash at the end.

    The issuer of tokens does not depend on *use_fips* and *use_dualstack*: it always has the standard name.

    Args:
        region: the name of an AWS region, for example ``eu-west-1``.
        use_fips: return the endpoint with cryptography that is validated by FIPS 140.
        use_dualstack: return the endpoint that answers over IPv6 too.

    Raises:
        ConfigurationError: *region* does not have the form of a region name.
    """
    if not _consists_of(_IN_AWS_REGION, region):
        raise ConfigurationError(f"region must be a name such as eu-west-1, not {region!r:.80}")
    service = "cognito-idp-fips" if use_fips else "cognito-idp"
    suffix = _dual_stack_suffix(region, use_fips) if use_dualstack else dns_suffix(region)
    return f"https://{service}.{region}.{suffix}"


def _dual_stack_suffix(region: str, use_fips: bool) -> str:
    suffix = next((suffix for prefix, suffix in _DUAL_STACK_SUFFIXES.items() if region.startswith(prefix)), "api.aws")
    commercial = suffix == "api.aws" and not region.startswith("us-gov-")
    plain = region in _FIPS_IS_DUAL_STACK if use_fips else commercial
    return dns_suffix(region) if plain else suffix


def configured_endpoint() -> str | None:
    """Return the endpoint that is set in the environment, or None. The variables have the same order as in AWS SDKs."""
    for name in ("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", "AWS_ENDPOINT_URL"):
        if os.environ.get(name):
            return os.environ[name]
    return None


def other_endpoint(url: object) -> str | None:
    """Return *url*, the endpoint of a transport, or None if it is one of AWS's own endpoints or not a string.

    The key set of a pool and the issuer of its tokens are at the same place as an endpoint that is not AWS's. AWS's
    endpoints (FIPS, dual-stack) do not change them.
    """
    # Nearly every other endpoint differs in its first characters, and then the pattern need not be compiled.
    is_aws = isinstance(url, str) and url.startswith("https://cognito-idp") and re.fullmatch(_AWS_ENDPOINT, url)
    return url if isinstance(url, str) and not is_aws else None


_SWITCH = {**dict.fromkeys(("true", "1", "yes", "on"), True), **dict.fromkeys(("", "false", "0", "no", "off"), False)}


def plain_http_allowed(allow_http: bool | None) -> bool:
    """Return *allow_http*, or if it is None whether the environment variable SRPCORE_ALLOW_HTTP says so.

    Only clients and transports may call this. A verifier does not, because an environment variable must not change
    which keys it trusts.

    Raises:
        ConfigurationError: see :func:`switch`.
    """
    return switch("allow_http", allow_http, "SRPCORE_ALLOW_HTTP")


def switch(option: str, given: bool | None, variable: str) -> bool:
    """Return *given*, the value of the argument *option*, or if it is None the value of an environment variable.

    Raises:
        ConfigurationError: *given* is not True, False or None; or it is None, and the variable has another value than
            ``true``, ``1``, ``yes``, ``on``, ``false``, ``0``, ``no``, ``off`` and an empty one.
    """
    if given is None:
        value = os.environ.get(variable, "").strip().lower()
        if value not in _SWITCH:
            raise ConfigurationError(f"invalid {variable} {value!r:.80}: use 'true' or 'false'")
        return _SWITCH[value]
    if not isinstance(given, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f"{option} must be True or False, not {given!r:.80}")
    return given


@without_context
def check_endpoint(url: str, *, allow_http: bool = False) -> str:
    """Return *url* without a slash at the end, after checking that passwords may be sent to it.

    Args:
        url: the endpoint, ``https://host[:port][/path]``.
        allow_http: whether plain http to another computer is accepted. It never protects passwords or tokens.

    Raises:
        ConfigurationError: *url* is not an http(s) URL, contains a user name or a query, or is plain http to another
            computer.
    """
    if not isinstance(url, str) or any(map(_is_not_in_endpoint, url)):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(_NOT_A_URL)
    try:
        from ._urls import split_url  # imported only here, because few verifiers need it

        parts = split_url(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ConfigurationError(_NOT_A_URL) from None
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc:
        raise ConfigurationError(_NOT_A_URL)
    if parts.scheme == "http" and not allow_http and not is_loopback(host):
        raise ConfigurationError(
            f"plain http to {host} would send passwords in the clear: use https, or pass allow_http=True if it is an "
            "emulator (clients also read SRPCORE_ALLOW_HTTP=true)"
        )
    return url.rstrip("/")


def _is_not_in_endpoint(character: str) -> bool:
    # urlsplit() silently removes some of these characters and accepts others as part of the host. Refuse all of them.
    return character <= " " or character in "\x7f\\?#" or character.isspace()


# RFC 1122, section 3.2.1.3: 127.0.0.0/8. A name that only looks like an address would go to a resolver.
_LOOPBACK = r"127(\.(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])){3}"


def is_loopback(host: str) -> bool:
    """Return whether *host*, a name or an IP address, is this machine: plain http to it does not leave the machine."""
    return host in ("localhost", "::1") or bool(re.fullmatch(_LOOPBACK, host))


def _consists_of(characters: frozenset[str], value: object) -> bool:
    """Return whether *value* is a string of one or more of *characters*."""
    return isinstance(value, str) and value != "" and characters.issuperset(value)


class Pool:
    """One user pool: its id, its region, and the endpoint where it is reached.

    ``endpoint_url`` is set for emulators. The issuer of their tokens is either the issuer that AWS uses or
    ``<endpoint>/<pool id>``. ``allow_http`` is as in :func:`check_endpoint`.

    Raises:
        ConfigurationError: the pool id, the region or the endpoint does not have a valid form.
    """

    # Deliberately not a dataclass: importing dataclasses takes longer than everything else that a verifier imports, and
    # adds to the cold start of AWS Lambda.
    __slots__ = ("endpoint_url", "region", "user_pool_id")

    def __init__(
        self, user_pool_id: str, region: str = "", endpoint_url: str | None = None, *, allow_http: bool = False
    ) -> None:
        home, _, suffix = user_pool_id.partition("_") if isinstance(user_pool_id, str) else ("", "", "")  # pyright: ignore[reportUnnecessaryIsInstance]
        if not _consists_of(_IN_REGION, home) or not _consists_of(_IN_SUFFIX, suffix):
            raise ConfigurationError(f"user_pool_id must look like eu-west-1_AbCd12345, not {user_pool_id!r:.80}")
        self.user_pool_id = user_pool_id
        self.region = region or home
        if not _consists_of(_IN_REGION, self.region):
            raise ConfigurationError(f"region must be a name such as eu-west-1, not {self.region!r:.80}")
        self.endpoint_url = None if endpoint_url is None else check_endpoint(endpoint_url, allow_http=allow_http)

    def __repr__(self) -> str:
        return f"Pool({self.user_pool_id!r}, {self.region!r}, {self.endpoint_url!r})"

    @property
    def suffix(self) -> str:
        """The part of the pool id after the underscore. In SRP it precedes the user's id in *x* and in the claim."""
        return self.user_pool_id.split("_", 1)[1]

    @property
    def url(self) -> str:
        """The URL of the pool: the base of the key set's URL, and for an emulator an accepted issuer."""
        return f"{self.endpoint_url or default_endpoint(self.region)}/{self.user_pool_id}"

    @property
    def jwks_url(self) -> str:
        """The URL of the pool's JSON Web Key Set."""
        return f"{self.url}/.well-known/jwks.json"

    @property
    def issuers(self) -> tuple[str, ...]:
        """The values of ``iss`` of this pool: the older and the newer form of AWS, and :attr:`url` for an emulator.

        A replica of a pool in another region issues tokens with the issuer of the home region, which is in the pool id.
        """
        home = self.user_pool_id.split("_", 1)[0]
        forms = [
            f"https://{service}.{region}.{dns_suffix(region)}/{self.user_pool_id}"
            for region in dict.fromkeys((self.region, home))
            for service in ("cognito-idp", "issuer-cognito-idp")
        ]
        return tuple(forms) if self.endpoint_url is None else (*forms, self.url)
