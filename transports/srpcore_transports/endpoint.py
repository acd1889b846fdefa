"""The endpoint of the service: its region, its URL, and which URLs may be requested at all."""

from __future__ import annotations

from srpcore._urls import split_url
from srpcore.exceptions.base import ConfigurationError
from srpcore.exceptions.context import without_context
from srpcore.pool import check_endpoint, configured_endpoint, default_endpoint, plain_http_allowed

from .environment import flag, variable
from .urls import check_characters

__all__ = ["Endpoint"]


class Endpoint:
    """One endpoint of Cognito user pools. The arguments are those of HttpsTransport.

    Attributes:
        region: the region that signatures are made for; None if only the URL is known.
        url: the URL that operations are sent to, without a slash at the end.
        host: the host name of the URL.
        allow_http: whether plain http to other machines is accepted.

    Raises:
        ConfigurationError: an argument or an environment variable cannot be used, or there is neither a region nor an
            endpoint.
    """

    __slots__ = ("allow_http", "host", "region", "url")

    def __init__(
        self,
        region: str | None,
        endpoint_url: str | None,
        *,
        use_fips: bool | None,
        use_dualstack: bool | None,
        allow_http: bool | None,
    ) -> None:
        self.region = region or variable("AWS_REGION", "AWS_DEFAULT_REGION") or _profile_region()
        given = endpoint_url or configured_endpoint()
        if given and (use_fips or use_dualstack):
            raise ConfigurationError(
                "use_fips and use_dualstack cannot change an endpoint URL: give the URL alone, or neither of the two"
            )
        url = given or _regional_url(self.region, use_fips, use_dualstack)
        self.allow_http = plain_http_allowed(allow_http)
        self.url = check_endpoint(url, allow_http=self.allow_http)
        check_characters(self.url)
        self.host = split_url(self.url).hostname or ""

    @without_context
    def check_fetch(self, url: str) -> str:
        """Return the host name of *url* if a document may be fetched from it.

        Plain http is refused except to this machine, or with *allow_http*.

        Raises:
            ConfigurationError: *url* cannot be fetched safely.
        """
        try:
            parts = split_url(url)
        except ValueError:
            raise ConfigurationError("not a URL to fetch from: use https://host[:port]/path") from None
        check_endpoint(f"{parts.scheme}://{parts.netloc}", allow_http=self.allow_http)
        check_characters(url)
        return parts.hostname or ""


def _profile_region() -> str | None:
    # Imported only if it is needed: a program that gives a region and signs nothing never loads the credentials.
    from .credentials import profile_region

    return profile_region()


def _regional_url(region: str | None, use_fips: bool | None, use_dualstack: bool | None) -> str:
    if not region:
        raise ConfigurationError("there is neither a region nor an endpoint: give a region, or set AWS_REGION")
    return default_endpoint(
        region,
        use_fips=flag("AWS_USE_FIPS_ENDPOINT") if use_fips is None else use_fips,
        use_dualstack=flag("AWS_USE_DUALSTACK_ENDPOINT") if use_dualstack is None else use_dualstack,
    )
