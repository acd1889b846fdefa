"""Pool ids, issuers and endpoints, beside botocore's own resolver."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from srpcore.exceptions import ConfigurationError
from srpcore.pool import Pool, check_endpoint, configured_endpoint, default_endpoint, dns_suffix

SPECIFIC, GENERAL = "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", "AWS_ENDPOINT_URL"


@cache
def oracle() -> Any:
    from botocore.endpoint_provider import EndpointProvider
    from botocore.loaders import Loader

    loader = Loader()
    rules = loader.load_service_model("cognito-idp", "endpoint-rule-set-1")
    return EndpointProvider(rules, loader.load_data("partitions"))


def regions() -> list[str]:
    import botocore.session
    from botocore.loaders import Loader

    session = botocore.session.get_session()
    found = [
        region
        for partition in ("aws", "aws-cn", "aws-us-gov", "aws-eusc")
        for region in session.get_available_regions("cognito-idp", partition, allow_non_regional=False)
    ]
    listed = Loader().load_data("partitions")["partitions"]
    wanted = {"aws", "aws-cn", "aws-us-gov", "aws-eusc"}
    found += [name for part in listed if part["id"] in wanted for name in part["regions"] if "global" not in name]
    return sorted(set(found))


@pytest.mark.counterpart
def test_default_endpoint_equals_that_of_botocore_in_every_region() -> None:
    for region in regions():
        resolved = oracle().resolve_endpoint(Region=region, UseFIPS=False, UseDualStack=False)
        assert default_endpoint(region) == resolved.url
        assert resolved.url.endswith(f".{dns_suffix(region)}")


@pytest.mark.counterpart
@pytest.mark.parametrize(("fips", "dualstack"), [(True, False), (False, True), (True, True)])
def test_fips_and_dualstack_endpoints_equal_those_of_botocore_in_every_region(fips: bool, dualstack: bool) -> None:
    for region in regions():
        resolved = oracle().resolve_endpoint(Region=region, UseFIPS=fips, UseDualStack=dualstack)
        assert default_endpoint(region, use_fips=fips, use_dualstack=dualstack) == resolved.url


def test_the_issuer_does_not_depend_on_fips_or_dualstack(monkeypatch: pytest.MonkeyPatch) -> None:
    pools = [Pool(f"{region}_AbCd12345") for region in ("us-gov-west-1", "cn-north-1", "eusc-de-east-1", "us-east-1")]
    before = [(pool.issuers, pool.jwks_url) for pool in pools]
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    monkeypatch.setenv("AWS_USE_DUALSTACK_ENDPOINT", "true")
    assert [(pool.issuers, pool.jwks_url) for pool in pools] == before
    assert not any("fips" in url or ".api." in url for issuers, _ in before for url in issuers)


@pytest.mark.counterpart
def test_botocore_has_every_partition_of_the_test() -> None:
    for region in ("eu-west-1", "cn-north-1", "us-gov-west-1", "eusc-de-east-1"):
        assert region in regions()


@pytest.mark.parametrize(
    "region", ["", "EU-WEST-1", "eu west 1", "evil.com/", "eu_west_1", "eu-west-1\n", "é", None, 5, b"a"]
)
def test_an_invalid_region_is_refused(region: Any) -> None:
    for variant in ({}, {"use_fips": True}, {"use_dualstack": True}):
        with pytest.raises(ConfigurationError, match="region must be a name such as"):
            default_endpoint(region, **variant)
    if region != "" and region != "EU-WEST-1" and region is not None:
        with pytest.raises(ConfigurationError, match="region must be a name such as"):
            Pool("eu-west-1_AbCd12345", region)


# Pools.


def test_a_pool_id_gives_region_issuer_and_key_address() -> None:
    pool = Pool("eu-west-1_AbCd12345")
    assert (pool.region, pool.suffix, pool.endpoint_url) == ("eu-west-1", "AbCd12345", None)
    assert pool.url == "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCd12345"
    assert pool.jwks_url == "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCd12345/.well-known/jwks.json"
    assert pool.issuers == (
        "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCd12345",
        "https://issuer-cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCd12345",
    )


def test_a_pool_may_be_in_another_region_and_partition() -> None:
    pool = Pool("eu-west-1_X", "cn-north-1")
    assert (pool.region, pool.suffix) == ("cn-north-1", "X")
    assert pool.issuers[0] == pool.url == "https://cognito-idp.cn-north-1.amazonaws.com.cn/eu-west-1_X"
    assert pool.issuers[1] == "https://issuer-cognito-idp.cn-north-1.amazonaws.com.cn/eu-west-1_X"
    assert pool.issuers[2:] == Pool("eu-west-1_X").issuers
    assert Pool("eusc-de-east-1_X").url == "https://cognito-idp.eusc-de-east-1.amazonaws.eu/eusc-de-east-1_X"


def test_a_pool_of_an_emulator_uses_its_keys_and_accepts_its_issuer() -> None:
    pool = Pool("local_X", endpoint_url="http://127.0.0.1:5100/")
    assert pool.endpoint_url == "http://127.0.0.1:5100"
    assert pool.jwks_url == "http://127.0.0.1:5100/local_X/.well-known/jwks.json"
    assert pool.issuers == (*Pool("local_X").issuers, "http://127.0.0.1:5100/local_X")


def test_a_pool_with_an_endpoint_that_may_not_be_used_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="in the clear"):
        Pool("local_X", endpoint_url="http://example.com")
    with pytest.raises(ConfigurationError):
        Pool("local_X", endpoint_url="")


@pytest.mark.parametrize(
    "pool_id",
    [
        "", "_", "eu-west-1", "eu-west-1_", "_AbCd", "eu-west-1_Ab_Cd", "eu-west-1_Ab-Cd", "eu-west-1_AbCd\n", " eu-west-1_AbCd",
        "eu_west_1_AbCd", "eu-west-1_Ab/Cd", "eu-west-1_Äb", "eu-west-1_１２", "../_x", "évil_X", None, 5, b"eu-west-1_X", ["eu-west-1_X"],
    ],
)  # fmt: skip
def test_a_malformed_pool_id_is_refused(pool_id: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^user_pool_id must look like eu-west-1_AbCd12345, not "):
        Pool(pool_id)


ANYTHING = st.one_of(
    st.text(),
    st.text("_-/.:@?#\n\\aZ9é１", max_size=12),
    st.builds("{}_{}".format, st.text("abZ1-é. ", max_size=5), st.text("aZ1_-\n", max_size=5)),
    st.none(),
    st.integers(),
    st.binary(max_size=5),
    st.lists(st.text(max_size=3), max_size=2),
)


@given(pool_id=ANYTHING, region=st.one_of(st.just(""), st.text("ab-1./:", max_size=5), ANYTHING))
@example("eu-west-1_AbCd12345", "")
def test_any_id_and_region_is_accepted_unchanged_or_refused(pool_id: Any, region: Any) -> None:
    try:
        pool = Pool(pool_id, region)
    except ConfigurationError:
        return
    assert pool_id == f"{pool_id.split('_')[0]}_{pool.suffix}"
    assert pool.suffix.isascii()
    assert pool.suffix.isalnum()
    assert pool.issuers[0].startswith(f"https://cognito-idp.{pool.region}.amazonaws.")
    assert pool.issuers[0].count("/") == 3


# Endpoints.


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("https://example.com", "https://example.com"),
        ("https://example.com/", "https://example.com"),
        ("https://example.com:8443/base/", "https://example.com:8443/base"),
        ("HTTPS://Example.com", "HTTPS://Example.com"),
        ("https://10.0.0.1", "https://10.0.0.1"),
        ("https://[2001:db8::1]:443", "https://[2001:db8::1]:443"),
        ("https://bücher.example", "https://bücher.example"),
        ("https://127.0.0.1.example.com", "https://127.0.0.1.example.com"),
        ("http://localhost:5100", "http://localhost:5100"),
        ("http://LOCALHOST", "http://LOCALHOST"),
        ("http://127.0.0.1:0", "http://127.0.0.1:0"),
        ("http://127.255.0.254:65535//", "http://127.255.0.254:65535"),
        ("http://[::1]:5100", "http://[::1]:5100"),
    ],
)
def test_valid_endpoints_are_accepted(url: str, taken: str) -> None:
    assert check_endpoint(url) == taken


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com", "http://10.0.0.1", "http://128.0.0.1", "http://127.0.0.1.example.com", "http://127.0.0", "http://0.0.0.0",
        "http://127.0.0.256", "http://127.999.1.1", "http://1270.0.0.1", "http://localhost.example.com", "http://notlocalhost",
        "http://[::2]", "http://[::ffff:10.0.0.1]", "http://١٢٧.0.0.1", "http://127.0.0.१",
    ],
)  # fmt: skip
def test_plain_http_is_refused_except_to_this_machine(url: str) -> None:
    with pytest.raises(ConfigurationError, match="in the clear: use https"):
        check_endpoint(url)
    assert check_endpoint(url, allow_http=True) == url


@pytest.mark.parametrize(
    "url",
    [
        "", "example.com", "//example.com", "https://", "https:///path", "https:example.com", "ftp://example.com", "file:///etc/passwd",
        "https://user@example.com", "https://user:password@example.com", "https://@example.com", "http://127.0.0.1@example.com",
        "https://example.com?a=b", "https://example.com?", "https://example.com#a", "https://example.com/#",
        "https://example.com:99999", "https://example.com:-1", "https://example.com:a", "https://[::1", "https://exa mple.com",
        "https://example.com\r\nHost: evil", "https://exa\nmple.com", "\thttps://example.com", "https://example.com ", "https://example.com\x00",
        "https://example.com\\@evil", "https://example.com\\evil", "https://example.com\u2028", "https://exam℀ple.com", None, 5, b"https://example.com", ["https://example.com"],
    ],
)  # fmt: skip
@pytest.mark.parametrize("allow_http", [False, True])
def test_a_malformed_endpoint_is_refused(url: Any, allow_http: bool) -> None:
    with pytest.raises(ConfigurationError, match=r"^endpoint is not a URL") as caught:
        check_endpoint(url, allow_http=allow_http)
    assert caught.value.__cause__ is None
    assert "password" not in str(caught.value)


@given(
    st.one_of(
        ANYTHING,
        st.builds(
            "{}://{}{}{}".format,
            st.sampled_from(["http", "https", "HTTP", "ws", ""]),
            st.one_of(
                st.sampled_from(["localhost", "127.0.0.1", "[::1]", "a@b", "example.com", "[", "127.0.0.0.1"]),
                st.text(max_size=8),
            ),
            st.one_of(st.just(""), st.integers(-2, 70000).map(lambda port: f":{port}"), st.text(":0a１", max_size=3)),
            st.sampled_from(["", "/", "//", "/a", "?", "#", "/a?b", "\n", "@"]),
        ),
    )
)
def test_any_endpoint_is_accepted_or_refused(url: Any) -> None:
    try:
        taken = check_endpoint(url)
    except ConfigurationError:
        return
    assert url.startswith(taken)
    assert set(url[len(taken) :]) <= {"/"}
    assert not set("@?#\\\n\r\t ") & set(taken.split("/")[2])
    assert taken.lower().startswith("https://") or taken.lower().startswith(
        ("http://localhost", "http://127.", "http://[::1]")
    )
    assert check_endpoint(taken) == taken


def test_configured_endpoint_follows_the_order_of_the_sdks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SPECIFIC, raising=False)
    monkeypatch.delenv(GENERAL, raising=False)
    assert configured_endpoint() is None
    monkeypatch.setenv(GENERAL, "https://general")
    assert configured_endpoint() == "https://general"
    monkeypatch.setenv(SPECIFIC, "https://specific")
    assert configured_endpoint() == "https://specific"
    monkeypatch.setenv(SPECIFIC, "")
    assert configured_endpoint() == "https://general"
    monkeypatch.setenv(GENERAL, "")
    assert configured_endpoint() is None


@pytest.mark.counterpart
@pytest.mark.parametrize("specific", ["https://specific", None])
@pytest.mark.parametrize("general", ["https://general", None])
def test_configured_endpoint_equals_that_of_botocore(
    specific: str | None, general: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    import botocore.session

    for name, value in ((SPECIFIC, specific), (GENERAL, general)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    client = botocore.session.Session().create_client("cognito-idp", region_name="eu-west-1")
    client.close()
    assert (configured_endpoint() or default_endpoint("eu-west-1")) == client.meta.endpoint_url
