"""The SSL contexts that the transports of one process share: how often a bundle is read, and what is never shared."""

from __future__ import annotations

import os
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias, cast

import pytest
import trustme

from srpcore.exceptions import TransportError
from srpcore_transports import tls as tls_module
from srpcore_transports.https import HttpsTransport
from srpcore_transports.httpx import HttpxTransport
from srpcore_transports.tls import MAX_CONTEXTS, MAX_SESSIONS, shared_tls
from srpcore_transports.urls import Origin
from support.http_transports import MAKERS, MakeTransport, served
from support.loopback import LoopbackServer, Request, answer, tls, write_bundle
from support.serving_aws import SIGN_IN, echo

pytestmark = pytest.mark.usefixtures("bare_environment", "no_leaks")


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[threading.Thread]:
    """Return a list that gets the thread of each reading of certificate authorities."""
    threads: list[threading.Thread] = []

    def counted(name: str) -> Any:
        real = getattr(ssl.SSLContext, name)

        def load(*arguments: Any, **named: Any) -> Any:
            threads.append(threading.current_thread())
            return real(*arguments, **named)

        return load

    for name in ("load_verify_locations", "load_default_certs"):
        monkeypatch.setattr(ssl.SSLContext, name, counted(name))
    return threads


@pytest.fixture
def own_bundle(tmp_path: Path) -> str:
    """Return the path of a bundle that no other test uses."""
    return write_bundle(tmp_path)


def replace_bundle(path: str, authority: trustme.CA | None = None) -> None:
    folder = Path(path).parent / "new"
    folder.mkdir(exist_ok=True)
    Path(write_bundle(folder, authority)).replace(path)


@pytest.mark.parametrize("make", [*MAKERS.values()], ids=[*MAKERS])
def test_the_bundle_is_read_once_for_many_transports(
    make: MakeTransport, own_bundle: str, loads: list[threading.Thread]
) -> None:
    for _ in range(4):
        with served(make, own_bundle) as (_, transport):
            transport.call(SIGN_IN)
    assert len(loads) == 1


def test_the_authorities_of_the_system_are_read_once_for_many_transports(loads: list[threading.Thread]) -> None:
    for _ in range(4):
        with served(HttpsTransport, "") as (_, transport):
            transport._tls()
    assert len(loads) <= 1
    assert shared_tls(None) is shared_tls(None)


def test_threads_that_begin_together_read_the_bundle_once(own_bundle: str, loads: list[threading.Thread]) -> None:
    barrier, found = threading.Barrier(8), list[object]()

    def begin() -> None:
        barrier.wait(20)
        found.append(shared_tls(own_bundle))

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(found) == 8
    assert len({*found}) == len(loads) == 1


@pytest.mark.parametrize("make", [*MAKERS.values()], ids=[*MAKERS])
def test_a_changed_bundle_counts_from_the_next_connection_on(
    make: MakeTransport, own_bundle: str, loads: list[threading.Thread]
) -> None:
    other = trustme.CA()
    with (
        LoopbackServer(echo, tls("localhost")) as server,
        LoopbackServer(echo, tls("localhost", issuer=other)) as other_server,
        make("eu-west-1", server.url, ca_bundle=own_bundle, max_attempts=1) as transport,
        make("eu-west-1", other_server.url, ca_bundle=own_bundle, max_attempts=1) as other_transport,
    ):
        transport.call(SIGN_IN)
        with pytest.raises(TransportError, match="certificate verification failed"):
            other_transport.call(SIGN_IN)
        replace_bundle(own_bundle, other)
        other_transport.call(SIGN_IN)
        server.drop_connections()
        with pytest.raises(TransportError, match="certificate verification failed"):
            transport.call(SIGN_IN)
    assert len(loads) == 2


def test_a_bundle_that_is_overwritten_in_place_is_read_again(own_bundle: str) -> None:
    before = shared_tls(own_bundle)
    path = Path(own_bundle)
    status = path.stat()
    text = path.read_text("ascii")
    path.write_text(text, "ascii")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    after = shared_tls(own_bundle)
    assert after is not before
    path.write_text(text + "\n", "ascii")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert shared_tls(own_bundle) is not after


def test_a_changed_bundle_is_read_in_a_thread_and_not_on_the_event_loop(
    own_bundle: str, loads: list[threading.Thread]
) -> None:
    with served(MAKERS["httpx on a loop"], own_bundle) as (_, transport):
        transport.call(SIGN_IN)
        replace_bundle(own_bundle)
        transport.call(SIGN_IN)
    assert len(loads) == 2
    assert threading.main_thread() not in loads


def test_a_client_of_httpx_with_an_old_bundle_is_closed_when_it_was_idle(
    own_bundle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(HttpxTransport, own_bundle) as (server, transport):
        transport.call(SIGN_IN)
        replace_bundle(own_bundle)
        transport.call(SIGN_IN)
        old, new = transport._pool._clients.values()
        old.idle_since -= 60
        transport.call(SIGN_IN)
        assert [*transport._pool._clients.values()] == [new]
        assert old.client.is_closed
        assert server.connections == 2


def in_another_way(*, cafile: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile or ssl.get_default_verify_paths().openssl_cafile)
    return context


Change: TypeAlias = Callable[[pytest.MonkeyPatch, Path], object]

# Each changes one setting that a context is made from.
CHANGES: dict[str, Change] = {
    "another path": lambda patch, folder: None,
    "a key log": lambda patch, folder: patch.setenv("SSLKEYLOGFILE", str(folder / "keys.log")),
    "another file of the system": lambda patch, folder: patch.setenv("SSL_CERT_FILE", str(folder / "authority.pem")),
    "another folder of the system": lambda patch, folder: patch.setenv("SSL_CERT_DIR", str(folder)),
    "another function": lambda patch, folder: patch.setattr(ssl, "create_default_context", in_another_way),
}


def test_a_certificate_that_is_added_to_the_directory_of_the_system_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    before = shared_tls(None)
    assert shared_tls(None) is before
    (tmp_path / "12345678.0").touch()
    assert shared_tls(None) is not before


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("system", [False, True])
def test_different_settings_never_share_a_context(
    change: str, system: bool, own_bundle: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = None if system else own_bundle
    before = shared_tls(path)
    CHANGES[change](monkeypatch, tmp_path)
    if change == "another path":
        (tmp_path / "other").mkdir()
        path = write_bundle(tmp_path / "other")
    after = shared_tls(path)
    assert after is not before
    assert after.context is not before.context
    assert shared_tls(path) is after
    if change == "a key log":
        logs = [cast(str | None, shared.context.keylog_filename) for shared in (before, after)]
        assert logs == [None, str(tmp_path / "keys.log")]
        after.context.keylog_filename = cast(str, None)  # closes the file
        tls_module._contexts._made.clear()


def test_a_context_is_not_shared_after_ssl_context_was_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    before = tls_module._settings(None)
    monkeypatch.setattr(ssl, "SSLContext", type("SSLContext", (ssl.SSLContext,), {}))  # as truststore does
    assert tls_module._settings(None) != before


def test_a_shared_context_verifies_and_offers_http_1_1(own_bundle: str) -> None:
    context = shared_tls(own_bundle).context
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    with (
        LoopbackServer(echo, offering("h2", "http/1.1")) as server,
        HttpsTransport("eu-west-1", server.url, ca_bundle=own_bundle) as transport,
    ):
        transport.call(SIGN_IN)
        (idle,) = transport._idle._idle
        assert cast(ssl.SSLSocket, idle.connection.sock).selected_alpn_protocol() == "http/1.1"


def offering(*protocols: str) -> ssl.SSLContext:
    context = tls("localhost")
    context.set_alpn_protocols(protocols)
    return context


def test_the_protocols_of_a_shared_context_cannot_be_changed(own_bundle: str) -> None:
    context = shared_tls(own_bundle).context
    context.set_alpn_protocols(["http/1.1"])
    with pytest.raises(ValueError, match="a shared SSL context cannot be changed"):
        context.set_alpn_protocols(["http/1.1", "h2"])


def test_a_process_keeps_a_limited_number_of_contexts(tmp_path: Path) -> None:
    first = Path(write_bundle(tmp_path))
    paths = [first.with_name(f"{number}.pem") for number in range(MAX_CONTEXTS + 3)]
    for path in paths:
        path.write_bytes(first.read_bytes())
        shared_tls(path)
    assert len(tls_module._contexts._made) == MAX_CONTEXTS
    assert shared_tls(paths[-1]) is shared_tls(paths[-1])


# TLS sessions


@pytest.fixture
def session_reads(monkeypatch: pytest.MonkeyPatch) -> list[ssl.SSLSession | None]:
    """Return a list that gets each value of SSLSocket.session that is read."""
    read: list[ssl.SSLSession | None] = []
    real = cast(Any, ssl.SSLSocket).session

    def get(sock: ssl.SSLSocket) -> ssl.SSLSession | None:
        read.append(real.fget(sock))
        return read[-1]

    monkeypatch.setattr(ssl.SSLSocket, "session", property(get, real.fset))
    return read


def test_the_session_is_read_once_for_each_full_handshake(
    own_bundle: str, session_reads: list[ssl.SSLSession | None]
) -> None:
    with served(HttpsTransport, own_bundle, max_attempts=2) as (server, transport):
        for _ in range(3):
            for _ in range(3):
                transport.call(SIGN_IN)
            server.drop_connections()
        assert server.connections == 3
    assert len(session_reads) == 1


def test_transports_share_tls_sessions_only_with_the_same_authorities(own_bundle: str, tmp_path: Path) -> None:
    reused: list[bool | None] = []

    def handler(request: Request, connection: Any) -> bytes:
        reused.append(connection.session_reused)
        return answer()

    (tmp_path / "other").mkdir()
    other = write_bundle(tmp_path / "other")
    with LoopbackServer(handler, tls("localhost")) as server:
        for bundle in (own_bundle, own_bundle, other, other, own_bundle):
            with HttpsTransport("eu-west-1", server.url, ca_bundle=bundle) as transport:
                transport.call(SIGN_IN)
    assert reused == [False, True, False, True, True]


def test_a_session_is_forgotten_when_a_handshake_fails(own_bundle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(HttpsTransport, own_bundle, max_attempts=1) as (server, transport):
        transport.call(SIGN_IN)
        origin = Origin("https", "localhost", server.port)
        assert transport._tls().session(origin) is not None
        transport.close()
        monkeypatch.setattr(server, "greet", lambda connection: connection.close())
        with pytest.raises(TransportError):
            transport.call(SIGN_IN)
        assert transport._tls().session(origin) is None


def test_a_context_keeps_a_limited_number_of_sessions(own_bundle: str) -> None:
    shared = shared_tls(own_bundle)
    with served(HttpsTransport, own_bundle) as (_, transport):
        transport.call(SIGN_IN)
        (idle,) = transport._idle._idle
        origins = [Origin("https", f"host{number}", 443) for number in range(MAX_SESSIONS + 3)]
        for origin in origins:
            shared.keep_session(origin, idle.connection.sock)
    assert len(shared._sessions) == MAX_SESSIONS
    assert shared.session(origins[0]) is None
    assert shared.session(origins[-1]) is not None
