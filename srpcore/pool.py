"""What a user pool id stands for: its region, partition, endpoint, issuers and key set."""

from __future__ import annotations

import os
import re

from .exceptions.base import ConfigurationError

__all__ = ["Pool", "check_endpoint", "configured_endpoint", "default_endpoint", "dns_suffix", "is_loopback"]

# The model's pattern is [\w-]+_[0-9a-zA-Z]+; the region in front has no underscore.
_POOL_ID = re.compile(r"(?P<region>[A-Za-z0-9-]+)_(?P<suffix>[0-9A-Za-z]+)")
_REGION = re.compile(r"[A-Za-z0-9-]+")

# urlsplit drops some of these, and takes others for a part of the host; none belongs there.
_NOT_IN_ENDPOINT = re.compile(r"[\x00-\x20\x7f\s\\?#]")

_SUFFIXES = {"cn-": "amazonaws.com.cn", "eusc-": "amazonaws.eu"}
_DUAL_STACK_SUFFIXES = {"cn-": "api.amazonwebservices.com.cn", "eusc-": "api.amazonwebservices.eu"}

# Here the plain FIPS names answer over IPv6 too; the service's endpoint rules name these four.
_FIPS_IS_DUAL_STACK = ("us-east-1", "us-east-2", "us-west-1", "us-west-2")


def dns_suffix(region: str) -> str:
    """Return the DNS suffix of the partition that *region* is in."""
    return next((suffix for prefix, suffix in _SUFFIXES.items() if region.startswith(prefix)), "amazonaws.com")


def default_endpoint(region: str, *, use_fips: bool = False, use_dualstack: bool = False) -> str:
    """Return the service's URL in *region*, without a slash at the end.

    *use_fips* takes the one whose cryptography is validated by FIPS 140, *use_dualstack* one that answers over IPv6
    too. An issuer follows neither: it always has the plain name.

    Raises:
        ConfigurationError: *region* is not the name of a region.
    """
    if not isinstance(region, str) or not re.fullmatch(r"[a-z0-9-]+", region):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError("region must be a name such as eu-west-1")
    service = "cognito-idp-fips" if use_fips else "cognito-idp"
    suffix = _dual_stack_suffix(region, use_fips) if use_dualstack else dns_suffix(region)
    return f"https://{service}.{region}.{suffix}"


def _dual_stack_suffix(region: str, use_fips: bool) -> str:
    suffix = next((suffix for prefix, suffix in _DUAL_STACK_SUFFIXES.items() if region.startswith(prefix)), "api.aws")
    commercial = suffix == "api.aws" and not region.startswith("us-gov-")
    plain = region in _FIPS_IS_DUAL_STACK if use_fips else commercial
    return dns_suffix(region) if plain else suffix


def configured_endpoint() -> str | None:
    """Return the endpoint that the environment names, in the order of the AWS SDKs, or None."""
    for name in ("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", "AWS_ENDPOINT_URL"):
        if os.environ.get(name):
            return os.environ[name]
    return None


def check_endpoint(url: str, *, allow_http: bool = False) -> str:
    """Return *url* without a slash at the end, if it may be trusted with passwords.

    Raises:
        ConfigurationError: it is no http(s) URL, carries a user or a query, or is plain http to another machine.
    """
    if not isinstance(url, str) or _NOT_IN_ENDPOINT.search(url):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError("the endpoint is not a URL of the form https://host[:port][/path]")
    try:
        from urllib.parse import urlsplit  # few verifiers need it, and it is slow to load

        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ConfigurationError("the endpoint is not a URL: give https://host[:port]") from None
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc:
        raise ConfigurationError("the endpoint is not a URL of the form https://host[:port][/path]")
    if parts.scheme == "http" and not allow_http and not is_loopback(host):
        raise ConfigurationError(f"plain http to {host} would send passwords in the clear: use https")
    return url.rstrip("/")


# RFC 1122, section 3.2.1.3: 127.0.0.0/8. A name that only looks like an address would go to a resolver.
_LOOPBACK = re.compile(r"127(\.(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])){3}")


def is_loopback(host: str) -> bool:
    """Return whether *host*, a name or an IP address, is this machine: plain http to it does not leave the machine."""
    return host in ("localhost", "::1") or bool(_LOOPBACK.fullmatch(host))


class Pool:
    """One user pool, by its id, and where it is reached.

    ``endpoint_url`` is set for emulators: their tokens may name either the AWS issuer or ``<endpoint>/<pool id>``.

    Raises:
        ConfigurationError: the id, the region or the endpoint cannot be one.
    """

    # No dataclass: to load those takes longer than all the rest of a verifier, and a cold start waits for it.
    __slots__ = ("endpoint_url", "region", "user_pool_id")

    def __init__(self, user_pool_id: str, region: str = "", endpoint_url: str | None = None) -> None:
        match = _POOL_ID.fullmatch(user_pool_id) if isinstance(user_pool_id, str) else None  # pyright: ignore[reportUnnecessaryIsInstance]
        if match is None:
            raise ConfigurationError("user_pool_id must look like eu-west-1_AbCd12345")
        self.user_pool_id = user_pool_id
        self.region = region or match["region"]
        if not isinstance(self.region, str) or not _REGION.fullmatch(self.region):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError("region must be a name such as eu-west-1")
        self.endpoint_url = None if endpoint_url is None else check_endpoint(endpoint_url)

    def __repr__(self) -> str:
        return f"Pool({self.user_pool_id!r}, {self.region!r}, {self.endpoint_url!r})"

    @property
    def suffix(self) -> str:
        """What follows the underscore: it stands before the user's id in *x* and in the claim."""
        return self.user_pool_id.split("_", 1)[1]

    @property
    def url(self) -> str:
        """The base of the key set's URL, and the issuer that an emulator may use."""
        return f"{self.endpoint_url or default_endpoint(self.region)}/{self.user_pool_id}"

    @property
    def jwks_url(self) -> str:
        """Where the pool's JSON Web Key Set is."""
        return f"{self.url}/.well-known/jwks.json"

    @property
    def issuers(self) -> tuple[str, ...]:
        """The values of ``iss`` that name this pool: AWS's older and newer form, and the emulator's if there is one."""
        suffix = dns_suffix(self.region)
        forms = (
            f"https://cognito-idp.{self.region}.{suffix}/{self.user_pool_id}",
            f"https://issuer-cognito-idp.{self.region}.{suffix}/{self.user_pool_id}",
        )
        return forms if self.endpoint_url is None else (*forms, self.url)
