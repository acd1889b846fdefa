"""Region and endpoint: from the arguments, from the environment, and beside botocore's."""

from __future__ import annotations

from typing import Any

import pytest

from srpcore.exceptions import ConfigurationError
from srpcore_transports.https import HttpsTransport

pytestmark = pytest.mark.usefixtures("bare_environment", "no_leaks")


class NotSent(Exception):
    pass


def sent_by_botocore(region: str) -> str:
    """Return the URL that botocore would send to: its client's meta.endpoint_url does not know the variants."""
    import botocore.session

    def take(request: Any, **_: Any) -> None:
        raise NotSent(request.url)

    client: Any = botocore.session.Session().create_client("cognito-idp", region)
    client.meta.events.register("before-send", take)
    with pytest.raises(NotSent) as caught:
        client.revoke_token(Token="t", ClientId="c")
    client.close()
    return str(caught.value)


@pytest.mark.counterpart
@pytest.mark.parametrize(
    ("fips", "dualstack", "host"),
    [
        ("true", None, "cognito-idp-fips.us-gov-west-1.amazonaws.com"),
        (None, "True", "cognito-idp.us-gov-west-1.api.aws"),
        ("TRUE", "true", "cognito-idp-fips.us-gov-west-1.api.aws"),
        ("1", "yes", "cognito-idp.us-gov-west-1.amazonaws.com"),
        ("", "false", "cognito-idp.us-gov-west-1.amazonaws.com"),
    ],
)
def test_fips_and_dualstack_endpoints_equal_those_of_botocore(
    fips: str | None, dualstack: str | None, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("AWS_USE_FIPS_ENDPOINT", fips), ("AWS_USE_DUALSTACK_ENDPOINT", dualstack)):
        if value is not None:
            monkeypatch.setenv(name, value)
    assert HttpsTransport("us-gov-west-1").endpoint_url == f"https://{host}"
    assert sent_by_botocore("us-gov-west-1") == f"https://{host}/"


def test_arguments_win_over_the_variables_of_fips_and_dualstack(monkeypatch: pytest.MonkeyPatch) -> None:
    with_both = HttpsTransport("eu-west-1", use_fips=True, use_dualstack=True)
    assert with_both.endpoint_url == "https://cognito-idp-fips.eu-west-1.api.aws"
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    monkeypatch.setenv("AWS_USE_DUALSTACK_ENDPOINT", "true")
    plain = HttpsTransport("us-gov-west-1", use_fips=False, use_dualstack=False)
    assert plain.endpoint_url == "https://cognito-idp.us-gov-west-1.amazonaws.com"


def test_fips_and_dualstack_cannot_be_combined_with_an_endpoint_url(monkeypatch: pytest.MonkeyPatch) -> None:
    for variant in ({"use_fips": True}, {"use_dualstack": True}):
        with pytest.raises(ConfigurationError, match="cannot change an endpoint URL"):
            HttpsTransport("eu-west-1", "https://a.example", **variant)  # type: ignore[arg-type]
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    assert HttpsTransport("eu-west-1", "https://a.example").endpoint_url == "https://a.example"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://b.example")
    with pytest.raises(ConfigurationError, match="cannot change an endpoint URL"):
        HttpsTransport("eu-west-1", use_fips=True)


def test_the_endpoint_follows_from_the_region(monkeypatch: pytest.MonkeyPatch) -> None:
    assert HttpsTransport("cn-north-1").endpoint_url == "https://cognito-idp.cn-north-1.amazonaws.com.cn"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-2")
    assert HttpsTransport().endpoint_url == "https://cognito-idp.eu-west-2.amazonaws.com"
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    assert HttpsTransport().region == "eu-west-3"
    assert HttpsTransport("eu-west-1").region == "eu-west-1"


def test_the_endpoint_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://every.example/")
    assert HttpsTransport().endpoint_url == "https://every.example"
    monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", "https://one.example")
    assert HttpsTransport("eu-west-1").endpoint_url == "https://one.example"
    assert HttpsTransport("eu-west-1", "https://two.example").endpoint_url == "https://two.example"


def test_http_to_another_machine_must_be_allowed_explicitly() -> None:
    assert HttpsTransport(endpoint_url="http://example.com", allow_http=True).endpoint_url == "http://example.com"
