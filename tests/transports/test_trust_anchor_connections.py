"""Connections with only a part of a CA bundle: when the rest is loaded, and that the same servers are trusted.

The servers are on this machine. The fingerprint of their root is in the private table of the module, as if it were one
of Amazon's and ``localhost`` one of AWS's endpoints.
"""

from __future__ import annotations

import asyncio
import math
import re
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from functools import cache
from hashlib import sha1, sha256
from pathlib import Path
from socket import socket
from typing import Any

import certifi
import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from srpcore.exceptions import ConfigurationError, TransportError, TransportTimeout
from srpcore_transports import tls as tls_module
from srpcore_transports import trust_anchors
from srpcore_transports.attempts import Attempt
from srpcore_transports.https import HttpsTransport
from srpcore_transports.httpx import AsyncHttpxTransport, HttpxTransport
from srpcore_transports.httpx.request import HttpxRequest, Phase
from srpcore_transports.options import Limits, TransportOptions
from srpcore_transports.tls import SharedTls, shared_tls
from support.forks import in_a_child
from support.http_transports import MakeTransport
from support.loopback import Handler, LoopbackServer, Request, answer, forward, proxy_server, tls
from support.serving_aws import SIGN_IN, echo

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("bare_environment", "no_leaks")]

ROOT, OTHER, STRANGER = trustme.CA(), trustme.CA(), trustme.CA()
"""The root that is loaded first; another authority in the bundle; an authority that is in no bundle."""


def fingerprint(authority: trustme.CA) -> str:
    return sha256(ssl.PEM_cert_to_DER_cert(authority.cert_pem.bytes().decode())).hexdigest()


def bundle_of(folder: Path, *authorities: trustme.CA) -> str:
    path = folder / "bundle.pem"
    path.write_bytes(b"".join(authority.cert_pem.bytes() for authority in (*crowd(), *authorities)))
    return str(path)


@cache
def crowd() -> tuple[trustme.CA, ...]:
    return tuple(trustme.CA() for _ in range(8))


@pytest.fixture(autouse=True)
def _roots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(trust_anchors._OTHER_HOSTS, "localhost", frozenset({fingerprint(ROOT)}))
    for name in ("REQUESTS_CA_BUNDLE", "SRPCORE_WHOLE_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def many(tmp_path: Path) -> str:
    """Return the path of a bundle with many authorities, ROOT and OTHER among them."""
    return bundle_of(tmp_path, OTHER, ROOT)


@contextmanager
def served(
    make: MakeTransport, bundle: str, context: ssl.SSLContext, handler: Handler = echo, **options: Any
) -> Iterator[tuple[LoopbackServer, Any]]:
    with (
        LoopbackServer(handler, context) as server,
        make(
            "eu-west-1", server.url, **{"ca_bundle": bundle, "max_attempts": 1, "timeout": 20, **options}
        ) as transport,
    ):
        yield server, transport


def loaded(path: str) -> int:
    """Return how many authorities the context for the server has now."""
    return len(shared_tls(path, trust_anchors.roots_of("localhost")).context.get_ca_certs())


def refusal(transport: Any) -> str:
    with pytest.raises(TransportError, match="certificate verification failed") as caught:
        transport.call(SIGN_IN)
    error = caught.value
    assert (error.may_have_arrived, error.transient, error.reason) == (False, False, "tls")
    assert error.__cause__ is None
    return re.sub(r"localhost:\d+", "localhost", str(error))


def test_only_the_root_of_the_server_is_loaded(make: MakeTransport, many: str) -> None:
    with served(make, many, tls("localhost", issuer=ROOT)) as (server, transport):
        transport.call(SIGN_IN)
        assert server.connections == len(server.requests) == loaded(many) == 1


def test_the_rest_is_loaded_once_for_a_server_of_another_authority(make: MakeTransport, many: str) -> None:
    events: list[Any] = []
    hooks: dict[str, Any] = {"on_request": events.append, "on_response": events.append}
    with served(make, many, tls("localhost", issuer=OTHER), **hooks) as (server, transport):
        transport.call(SIGN_IN)
        assert (server.connections, len(server.requests)) == (2, 1)
        # The second connection is not another attempt.
        assert [type(event).__name__ for event in events] == ["RequestEvent", "ResponseEvent"]
        assert (events[0].attempt, events[1].error, events[1].will_retry) == (1, None, False)
        assert loaded(many) == 10
        # The process remembers it.
        with make("eu-west-1", server.url, ca_bundle=many, max_attempts=1) as another:
            another.call(SIGN_IN)
        assert (server.connections, len(server.requests)) == (3, 2)


@pytest.mark.parametrize("listed", [(ROOT, STRANGER), (STRANGER,)], ids=["beside another root", "alone"])
def test_a_root_that_is_not_in_the_bundle_is_not_trusted_although_its_fingerprint_is_known(
    make: MakeTransport, many: str, monkeypatch: pytest.MonkeyPatch, listed: tuple[trustme.CA, ...]
) -> None:
    monkeypatch.setitem(trust_anchors._OTHER_HOSTS, "localhost", frozenset(map(fingerprint, listed)))
    for _ in range(2):
        with served(make, many, tls("localhost", issuer=STRANGER)) as (server, transport):
            refusal(transport)
            refusal(transport)
            assert server.requests == []
    assert loaded(many) == 10


def test_an_unknown_authority_is_refused_with_the_same_message(make: MakeTransport, many: str) -> None:
    with served(make, many, tls("localhost", issuer=STRANGER)) as (server, transport):
        messages = [refusal(transport), refusal(transport)]
        # The whole bundle was tried in a second connection, once.
        assert server.connections == 3
        assert server.requests == []
    with served(make, many, tls("localhost", issuer=STRANGER), whole_ca_bundle=True) as (_, transport):
        assert [refusal(transport)] * 2 == messages


@cache
def expired(issuer: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issuer.issue_cert("localhost", not_after=datetime(2021, 1, 1, tzinfo=timezone.utc)).configure_cert(context)
    return context


FAULTS = {
    "a wrong host name": tls("example.com", issuer=ROOT),
    "an expired certificate": expired(ROOT),
}
# More authorities cannot change the name of a server.
CONNECTIONS = {"a wrong host name": 1, "an expired certificate": 2}


@pytest.mark.parametrize("fault", FAULTS)
def test_other_faults_of_a_certificate_are_refused(make: MakeTransport, many: str, fault: str) -> None:
    with served(make, many, FAULTS[fault]) as (server, transport):
        message = refusal(transport)
        assert (server.connections, server.requests) == (CONNECTIONS[fault], [])
        assert loaded(many) == (1 if CONNECTIONS[fault] == 1 else 10)
    with served(make, many, FAULTS[fault], whole_ca_bundle=True) as (_, transport):
        assert refusal(transport) == message


@pytest.mark.parametrize("other", [tls("example.com", issuer=OTHER), expired(OTHER)], ids=[*FAULTS])
def test_the_whole_bundle_finds_other_faults_too(make: MakeTransport, many: str, other: ssl.SSLContext) -> None:
    with served(make, many, other) as (server, transport):
        message = refusal(transport)
        assert (server.connections, server.requests) == (2, [])
    with served(make, many, other, whole_ca_bundle=True) as (_, transport):
        assert refusal(transport) == message


def test_a_proxy_that_inspects_tls_and_sends_its_own_root_is_accepted(
    make: MakeTransport, many: str, tmp_path: Path
) -> None:
    context, leaf = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), OTHER.issue_cert("localhost")
    chain = tmp_path / "chain.pem"
    chain.write_bytes(leaf.private_key_and_cert_chain_pem.bytes() + OTHER.cert_pem.bytes())
    context.load_cert_chain(chain)
    with served(make, many, context) as (server, transport):
        transport.call(SIGN_IN)
        assert (server.connections, len(server.requests)) == (2, 1)


def test_a_proxy_that_inspects_the_connection_to_aws_is_accepted(
    make: MakeTransport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, path = "cognito-idp.eu-west-1.amazonaws.com", tmp_path / "bundle.pem"
    path.write_bytes(Path(certifi.where()).read_bytes() + OTHER.cert_pem.bytes())
    with LoopbackServer(echo, tls(host, issuer=OTHER)) as server:

        def inspect(request: Request, client: socket) -> bytes:
            return forward(replace(request, target=f"127.0.0.1:{server.port}"), client)

        with LoopbackServer(inspect) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
            for _ in range(2):
                with make("eu-west-1", ca_bundle=str(path), max_attempts=1) as transport:
                    transport.call(SIGN_IN)
            assert [request.target for request in proxy.requests] == [f"{host}:443"] * 3
        assert [request.headers["host"] for request in server.requests] == [host] * 2


def test_a_chain_that_ends_within_the_roots_is_completed_by_the_rest(
    make: MakeTransport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = OTHER.create_child_ca()
    monkeypatch.setitem(trust_anchors._OTHER_HOSTS, "localhost", frozenset({fingerprint(child)}))
    with served(make, bundle_of(tmp_path, child, OTHER), tls("localhost", issuer=child)) as (server, transport):
        transport.call(SIGN_IN)
        # From CPython 3.13 on, an intermediate certificate is an anchor by default (VERIFY_X509_PARTIAL_CHAIN).
        assert server.connections == (1 if sys.version_info >= (3, 13) else 2)
        assert len(server.requests) == 1


def self_signed(folder: Path) -> tuple[ssl.SSLContext, bytes]:
    """Return a server's context with a certificate that it signed itself, and that certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a server")])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1234, now - timedelta(1), now + timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(Encoding.PEM)
    path = folder / "server.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context, pem


def test_a_certificate_of_a_server_that_is_itself_in_the_bundle_is_accepted(
    make: MakeTransport, many: str, tmp_path: Path
) -> None:
    context, pem = self_signed(tmp_path)
    with served(make, many, context) as (server, transport):
        refusal(transport)
        assert server.requests == []
        Path(many).write_bytes(Path(many).read_bytes() + pem)
        transport.call(SIGN_IN)
        assert len(server.requests) == 1


def test_both_connections_go_through_the_proxy(make: MakeTransport, many: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with proxy_server() as proxy, served(make, many, tls("localhost", issuer=OTHER)) as (server, transport):
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        transport.call(SIGN_IN)
        transport.close()
        target = f"localhost:{server.port}"
        assert [(request.method, request.target) for request in proxy.requests] == [("CONNECT", target)] * 2
        assert len(server.requests) == 1


def certificate(
    subject: str, key: ec.EllipticCurvePrivateKey, issuer: str, issuer_key: ec.EllipticCurvePrivateKey, **more: Any
) -> bytes:
    """Return a certificate in PEM.

    Args:
        subject: the name of its holder. ``localhost`` is a server, any other one an authority.
        key: the key of the holder.
        issuer: the name of the authority that signs it.
        issuer_key: the key of that authority.
        more: *days* until it expires, a day by default, or negative; *ca*, whether it may sign others.
    """
    now, server = datetime.now(timezone.utc), subject == "localhost"
    signer, holder = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]) for name in (issuer, subject)]
    until = now + timedelta(more.get("days", 1))
    builder = (
        x509.CertificateBuilder(
            signer, holder, key.public_key(), x509.random_serial_number(), now - timedelta(9), until
        )
        .add_extension(x509.BasicConstraints(ca=more.get("ca", not server), path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if server:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(subject)]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256()).public_bytes(Encoding.PEM)


@pytest.mark.parametrize(
    ("more", "connections"),
    [({}, 1), ({"days": -1}, 2), ({"ca": False}, 2)],
    ids=["valid", "expired", "not of an authority"],
)
def test_a_cross_signed_certificate_does_not_matter_if_the_bundle_has_its_root(
    make: MakeTransport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: dict[str, Any], connections: int
) -> None:
    old, new, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    roots = [certificate("old", old, "old", old), certificate("new", new, "new", new)]
    cross = certificate("new", new, "old", old, **more)
    private = server_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    bundle, chain, context = tmp_path / "bundle.pem", tmp_path / "chain.pem", ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    bundle.write_bytes(b"".join(roots))
    chain.write_bytes(private + certificate("localhost", server_key, "new", new) + cross)
    context.load_cert_chain(chain)
    first = frozenset({sha256(ssl.PEM_cert_to_DER_cert(roots[0].decode())).hexdigest()})
    monkeypatch.setitem(trust_anchors._OTHER_HOSTS, "localhost", first)
    with served(make, str(bundle), context) as (server, transport):
        transport.call(SIGN_IN)
        assert (server.connections, len(server.requests)) == (connections, 1)


class SlowServer(LoopbackServer):
    """A server that waits before each TLS handshake."""

    def greet(self, connection: socket) -> ssl.SSLContext | None:
        time.sleep(0.25)
        return super().greet(connection)


def test_the_time_for_connecting_covers_both_connections(make: MakeTransport, many: str) -> None:
    with (
        SlowServer(echo, tls("localhost", issuer=OTHER)) as server,
        make("eu-west-1", server.url, ca_bundle=many, max_attempts=1, connect_timeout=0.4) as transport,
    ):
        with pytest.raises(
            TransportTimeout, match=r"connecting to localhost:\d+: no answer within 0\.4 seconds"
        ) as caught:
            transport.call(SIGN_IN)
        assert (caught.value.may_have_arrived, server.requests) == (False, [])


def test_the_time_for_a_call_covers_both_connections(make: MakeTransport, many: str) -> None:
    with (
        SlowServer(echo, tls("localhost", issuer=OTHER)) as server,
        make("eu-west-1", server.url, ca_bundle=many, max_attempts=3, total_timeout=0.4) as transport,
    ):
        with pytest.raises(TransportTimeout):
            transport.call(SIGN_IN)
        assert server.requests == []


def test_no_second_connection_is_made_after_the_time_for_connecting(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("srpcore_transports.httpx.request.monotonic_clock", lambda: now[0])
    limits = Limits(connect=0.01, read=10, size=100)
    request = HttpxRequest(Attempt(math.inf, True), "GET", "https://localhost/", {}, None, proxy=None, limits=limits)
    request.connect_again()
    now[0] += 0.02
    request.phase = Phase.CONNECTING
    with pytest.raises(TransportTimeout, match=r"connecting to localhost: no answer within 0\.01 seconds"):
        request.connect_again()


def test_a_changed_bundle_counts_after_the_whole_bundle_was_loaded(
    make: MakeTransport, many: str, tmp_path: Path
) -> None:
    with served(make, many, tls("localhost", issuer=OTHER)) as (server, transport):
        transport.call(SIGN_IN)
        assert loaded(many) == 10
        bundle_of(tmp_path, ROOT)
        server.drop_connections()
        refusal(transport)
        assert len(server.requests) == 1
    with served(make, many, tls("localhost", issuer=ROOT)) as (server, transport):
        bundle_of(tmp_path, ROOT, OTHER)
        transport.call(SIGN_IN)
        assert server.connections == loaded(many) == 1


def test_a_root_that_was_removed_from_the_bundle_is_not_trusted_any_more(
    make: MakeTransport, many: str, tmp_path: Path
) -> None:
    with served(make, many, tls("localhost", issuer=ROOT)) as (server, transport):
        transport.call(SIGN_IN)
        bundle_of(tmp_path, OTHER)
        server.drop_connections()
        refusal(transport)
        assert len(server.requests) == 1


def test_a_bundle_that_disappears_between_the_two_connections_is_named(make: MakeTransport, many: str) -> None:
    class Removing(LoopbackServer):
        def greet(self, connection: socket) -> ssl.SSLContext | None:
            Path(many).unlink()
            return super().greet(connection)

    with (
        Removing(echo, tls("localhost", issuer=OTHER)) as server,
        make("eu-west-1", server.url, ca_bundle=many, max_attempts=1) as transport,
        pytest.raises(ConfigurationError, match=r"the CA bundle '.*bundle\.pem' cannot be read"),
    ):
        transport.call(SIGN_IN)


@pytest.fixture
def contexts(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """Return a list that gets the argument of each call of ssl.create_default_context."""
    arguments: list[set[str]] = []
    real = ssl.create_default_context

    def counted(**given: Any) -> ssl.SSLContext:
        arguments.append({*given})
        with suppress(RuntimeError):
            asyncio.get_running_loop()
            pytest.fail("a file was read on the event loop")
        return real(**given)

    counted.__module__ = "ssl"
    monkeypatch.setattr(ssl, "create_default_context", counted)
    return arguments


@pytest.mark.parametrize("kind", [HttpsTransport, HttpxTransport])
def test_threads_that_need_the_rest_together_load_it_once(
    kind: MakeTransport, many: str, contexts: list[set[str]]
) -> None:
    with served(kind, many, tls("localhost", issuer=OTHER)) as (server, transport):
        threads = [threading.Thread(target=transport.call, args=(SIGN_IN,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert len(server.requests) == 4
    assert contexts == [{"cadata"}, {"cafile"}]


def test_tasks_that_need_the_rest_together_load_it_once(many: str, contexts: list[set[str]]) -> None:
    async def call_four_times(url: str) -> None:
        async with AsyncHttpxTransport("eu-west-1", url, ca_bundle=many, max_attempts=1) as transport:
            await asyncio.gather(*(transport.call(SIGN_IN) for _ in range(4)))

    with LoopbackServer(echo, tls("localhost", issuer=OTHER)) as server:
        asyncio.run(call_four_times(server.url))
        assert len(server.requests) == 4
    assert contexts == [{"cadata"}, {"cafile"}]


@pytest.mark.parametrize("issuer", [ROOT, OTHER], ids=["the root", "all"])
def test_the_event_loop_finds_what_was_loaded_without_a_thread(
    many: str, issuer: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def call_twice(url: str) -> None:
        async with AsyncHttpxTransport("eu-west-1", url, ca_bundle=many, max_attempts=1) as transport:
            await transport.call(SIGN_IN)
            monkeypatch.setattr(transport, "_load_in_thread", None)
            await transport.call(SIGN_IN)

    with LoopbackServer(echo, tls("localhost", issuer=issuer)) as server:
        asyncio.run(call_twice(server.url))
        assert len(server.requests) == 2


def test_the_session_of_the_second_connection_is_resumed(many: str) -> None:
    reused: list[bool | None] = []

    def handler(request: Request, connection: Any) -> bytes:
        reused.append(connection.session_reused)
        return answer()

    with served(HttpsTransport, many, tls("localhost", issuer=OTHER), handler, max_attempts=2) as (server, transport):
        for _ in range(3):
            transport.call(SIGN_IN)
            server.drop_connections()
    assert reused == [False, True, True]


def test_a_forked_child_begins_with_the_roots_again(many: str) -> None:
    with served(HttpsTransport, many, tls("localhost", issuer=OTHER)) as (server, transport):
        transport.call(SIGN_IN)
        whole = transport._tls()

        def call_in_the_child() -> None:
            assert loaded(many) == 1
            transport.call(SIGN_IN)
            assert loaded(many) == 10

        assert in_a_child(call_in_the_child) == 0
        assert transport._tls() is whole
        assert (server.connections, len(server.requests)) == (4, 2)


# The settings of the context


def settings_of(context: ssl.SSLContext) -> dict[str, object]:
    names = (
        "check_hostname hostname_checks_common_name keylog_filename maximum_version minimum_version num_tickets options "
        "post_handshake_auth protocol security_level verify_flags verify_mode"
    )
    ciphers = [cipher["name"] for cipher in context.get_ciphers()]
    return {name: getattr(context, name) for name in names.split()} | {"ciphers": ciphers}


def test_a_context_with_a_part_of_the_bundle_has_all_settings_of_the_default_context(
    many: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys.log"))
    part, whole = shared_tls(many, trust_anchors.roots_of("localhost")).context, shared_tls(many).context
    assert settings_of(part) == settings_of(whole)
    assert part.keylog_filename == str(tmp_path / "keys.log")
    with pytest.raises(ValueError, match="a shared SSL context cannot be changed"):
        part.set_alpn_protocols(["h2"])
    for context in (part, whole):
        context.keylog_filename = None  # type: ignore[assignment]  # closes the file
    tls_module._contexts._made.clear()


def test_a_bundle_without_one_of_the_roots_is_loaded_at_once(make: MakeTransport, tmp_path: Path) -> None:
    path = bundle_of(tmp_path, OTHER)
    with served(make, path, tls("localhost", issuer=OTHER)) as (server, transport):
        transport.call(SIGN_IN)
        assert server.connections == 1
    assert shared_tls(path, trust_anchors.roots_of("localhost")) is shared_tls(path)


def test_a_replaced_ssl_context_gets_all_authorities(many: str, monkeypatch: pytest.MonkeyPatch) -> None:
    roots = frozenset({fingerprint(ROOT)})
    assert tls_module._context_with_roots(tls_module._settings(many, roots), roots) is not None
    monkeypatch.setattr(ssl, "SSLContext", type("SSLContext", (ssl.SSLContext,), {}))  # as truststore does
    assert tls_module._context_with_roots(tls_module._settings(many, roots), roots) is None


def test_a_replaced_function_gets_all_authorities(many: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = ssl.create_default_context
    monkeypatch.setattr(ssl, "create_default_context", lambda **arguments: real(**arguments))
    assert loaded(many) == 10


# The authorities of the system


def by_default() -> SharedTls:
    return shared_tls(None, trust_anchors.roots_of("localhost"))


def test_the_file_of_the_system_is_read_in_the_same_way(
    many: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("SSL_CERT_FILE", many)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "empty"))
    assert len(by_default().context.get_ca_certs()) == 1
    with served(HttpsTransport, "", tls("localhost", issuer=OTHER)) as (server, transport):
        transport.call(SIGN_IN)
        assert (server.connections, len(server.requests)) == (2, 1)
    assert len(by_default().context.get_ca_certs()) == 10


def test_the_directory_of_the_system_is_searched_without_a_second_connection(
    many: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "hashed"
    folder.mkdir()
    (folder / f"{subject_hash(STRANGER)}.0").write_bytes(STRANGER.cert_pem.bytes())
    monkeypatch.setenv("SSL_CERT_FILE", many)
    monkeypatch.setenv("SSL_CERT_DIR", f"{tmp_path}:{folder}")
    with served(HttpsTransport, "", tls("localhost", issuer=STRANGER)) as (server, transport):
        transport.call(SIGN_IN)
        assert (server.connections, len(server.requests)) == (1, 1)


def subject_hash(authority: trustme.CA) -> str:
    """Return the name that OpenSSL gives a certificate in a directory.

    It is the SHA-1 of the attributes of the subject, with each value as a UTF8String in lower case.
    """
    certificate = x509.load_pem_x509_certificate(authority.cert_pem.bytes())
    parts = []
    for part in certificate.subject.rdns:
        (attribute,) = part
        lower = x509.NameAttribute(attribute.oid, str(attribute.value).lower(), x509.name._ASN1Type.UTF8String)
        encoded = x509.Name([lower]).public_bytes()
        parts.append(encoded[2:])  # without the outer SEQUENCE
    return sha1(b"".join(parts), usedforsecurity=False).digest()[:4][::-1].hex()


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_openssl_decides_what_an_empty_variable_means(name: str, many: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", many)
    monkeypatch.setenv("SSL_CERT_DIR", str(Path(many).parent))
    assert by_default() is not shared_tls(None)
    monkeypatch.setenv(name, "")
    assert by_default() is shared_tls(None)


def test_all_authorities_are_loaded_on_windows(many: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", many)
    monkeypatch.setattr(sys, "platform", "win32")
    settings = tls_module._settings(None, trust_anchors.roots_of("localhost"))
    assert tls_module._context_with_roots(settings, frozenset({fingerprint(ROOT)})) is None


# The switch


def test_the_whole_bundle_is_loaded_at_once_if_the_program_wants_it(make: MakeTransport, many: str) -> None:
    with served(make, many, tls("localhost", issuer=OTHER), whole_ca_bundle=True) as (server, transport):
        transport.call(SIGN_IN)
        assert server.connections == 1


@pytest.mark.parametrize(
    ("argument", "variable", "whole"),
    [
        (None, None, False),
        (None, "true", True),
        (None, "1", True),
        (None, "false", False),
        (None, "", False),
        (False, "true", False),
        (True, "false", True),
        (True, "nonsense", True),
    ],
)
def test_the_argument_counts_more_than_the_variable(
    argument: bool | None, variable: str | None, whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if variable is not None:
        monkeypatch.setenv("SRPCORE_WHOLE_CA_BUNDLE", variable)
    assert TransportOptions("eu-west-1", whole_ca_bundle=argument).whole_ca_bundle is whole


def test_another_value_of_the_switch_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="whole_ca_bundle must be True or False, not 1"):
        TransportOptions("eu-west-1", whole_ca_bundle=1)  # type: ignore[arg-type]
    monkeypatch.setenv("SRPCORE_WHOLE_CA_BUNDLE", "perhaps")
    with pytest.raises(ConfigurationError, match="invalid SRPCORE_WHOLE_CA_BUNDLE 'perhaps': use 'true' or 'false'"):
        TransportOptions("eu-west-1")
