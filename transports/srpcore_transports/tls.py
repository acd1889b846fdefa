"""The TLS settings of the transports: one SSL context for each set of settings, shared by the whole process.

Theory of operation
===================

Reading the certificate authorities of a system takes about 20 ms. A program may make a new client, and with it a new
transport, for every request that it serves. So contexts are kept for the process::

    shared_tls(path)
      settings = the path, the variables that OpenSSL and the ssl module read, the class and function of the context
      Is there a context for these settings, and are its files unchanged?
        yes: return it
        no:  read the files, and keep the new context instead of the old one

A file is unchanged if its device, inode, size and times are. They are compared at each call, which is made for each new
connection, so a changed bundle counts from the next connection on. The certificate store of Windows has no such times:
a change of it is noticed only by the next process.

What makes sharing safe:

- Settings that differ never share a context. The transports have no option that turns verification off or gives a
  client certificate; if they get one, it belongs in the settings here.
- Nobody changes a context after it was made.
- A forked child starts with none. Another thread of the parent may hold a lock inside OpenSSL while it forks, and only
  that thread could release it.

TLS sessions belong to the context that they were made with, so they are shared in the same way. A session is resumed
only with the same certificate authorities that its server was verified with.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterable
from typing import Any, NamedTuple, TypeAlias, cast

from srpcore._fork import ForkSafeLock, reset_in_child
from srpcore.exceptions.base import ConfigurationError

from .environment import variable
from .urls import Origin

__all__ = ["MAX_CONTEXTS", "MAX_SESSIONS", "SharedTls", "ca_bundle_path", "shared_tls", "shared_tls_if_made"]

MAX_CONTEXTS = 16
"""How many contexts a process keeps. One with the authorities of a system needs about a megabyte."""

MAX_SESSIONS = 64
"""How many TLS sessions are kept for one context, one for each server."""

_ALPN = ["http/1.1"]

_Stamp: TypeAlias = tuple[int, ...] | None
"""The identity of a file's content: device, inode, size and times; None if there is no file."""


class SharedTls:
    """An SSL context, and the TLS sessions of the connections that were made with it. Threads may share it."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context = context
        self._sessions: dict[Origin, ssl.SSLSession] = {}
        self._lock = ForkSafeLock()

    def session(self, origin: Origin) -> ssl.SSLSession | None:
        """Return the session of an earlier connection to *origin*, which makes the handshake shorter, or None."""
        return self._sessions.get(origin)

    def keep_session(self, origin: Origin, connection: ssl.SSLSocket) -> None:
        """Keep the session of *connection*. Call this once, after the first response.

        With TLS 1.3 the server sends the session after the handshake, so it cannot be read before.
        """
        # Each read of SSLSocket.session loses about 6 KB of memory on CPython 3.11, and on early versions of 3.12 and
        # 3.13 (https://github.com/python/cpython/issues/116810). So it is read only after a full handshake. A session
        # that was resumed can be resumed again, until the server refuses it and a full handshake follows.
        if connection.session_reused:
            return
        session = connection.session
        if session is None:
            return
        with self._lock.lock:
            self._sessions[origin] = session
            if len(self._sessions) > MAX_SESSIONS:
                self._sessions.pop(next(iter(self._sessions)))

    def forget_session(self, origin: Origin) -> None:
        """Forget the session for *origin*, because a handshake with it has failed."""
        self._sessions.pop(origin, None)


class _Settings(NamedTuple):
    """Everything that a context is made from, except the contents of files."""

    cafile: str | bytes | None
    default_file: str | None
    default_folder: str | None
    key_log: str | None
    make: object
    kind: object


class _Cache:
    """The contexts of this process."""

    def __init__(self) -> None:
        self._lock = ForkSafeLock()
        self._made: dict[_Settings, tuple[list[_Stamp], SharedTls]] = {}
        reset_in_child(self, _Cache._after_fork)

    def find(self, cafile: str | bytes | None) -> SharedTls | None:
        """Return the context for *cafile* if it was made already and its files are unchanged. No file is read."""
        settings = _settings(cafile)
        made = self._made.get(settings)
        return made[1] if made is not None and made[0] == _stamps(settings) else None

    def get(self, cafile: str | bytes | None) -> SharedTls:
        """Return the context for *cafile*. It is made by the first thread; the others wait for it."""
        with self._lock.lock:
            found = self.find(cafile)
            if found is None:
                settings = _settings(cafile)
                # Before the files are read: if one of them is replaced meanwhile, the next call reads it again.
                stamps = _stamps(settings)
                found = SharedTls(_make_context(cafile))
                self._made.pop(settings, None)
                self._made[settings] = stamps, found
                if len(self._made) > MAX_CONTEXTS:
                    self._made.pop(next(iter(self._made)))
            return found

    def _after_fork(self) -> None:
        """Forget the contexts in a child process (see the module)."""
        self._made = {}


_contexts = _Cache()


def shared_tls(path: str | os.PathLike[str] | None) -> SharedTls:
    """Return a context that verifies host name and certificate, with TLS 1.2 or newer, as the files are now.

    Args:
        path: a PEM file with the trusted certificate authorities, or None for the authorities of the system.

    Raises:
        ConfigurationError: the file cannot be read, or contains no certificate.
    """
    return _contexts.get(None if path is None else os.fspath(path))


def shared_tls_if_made(path: str | os.PathLike[str] | None) -> SharedTls | None:
    """Like :func:`shared_tls`, but return None instead of reading a file."""
    return _contexts.find(None if path is None else os.fspath(path))


def ca_bundle_path(ca_bundle: str | os.PathLike[str] | None) -> str | os.PathLike[str] | None:
    """Return the file with the trusted certificate authorities, or None for those of the system.

    *ca_bundle* is the argument, or ``AWS_CA_BUNDLE``. The places after these two are looked up here, in the order that
    :class:`~srpcore_transports.options.TransportOptions` describes.
    """
    return ca_bundle or _profile_bundle() or variable("REQUESTS_CA_BUNDLE")


def _make_context(cafile: str | bytes | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=cafile)
    except OSError as error:
        # ssl.SSLError is an OSError: it is raised if the file exists and contains no certificate.
        raise ConfigurationError(
            f"the CA bundle {os.fsdecode(cafile or '')!r} cannot be read ({error.strerror}): give a PEM file in "
            "ca_bundle or AWS_CA_BUNDLE"
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(_ALPN)
    # httpcore sets the protocols again before each connection. OpenSSL frees the old list then, while another thread,
    # which needs no GIL in OpenSSL, may be copying it.
    cast(Any, context).set_alpn_protocols = _refuse_other_protocols
    return context


def _refuse_other_protocols(protocols: Iterable[str]) -> None:
    if [*protocols] != _ALPN:
        raise ValueError("a shared SSL context cannot be changed: make one of your own")


def _settings(cafile: str | bytes | None) -> _Settings:
    # create_default_context() reads SSLKEYLOGFILE, and OpenSSL the other two. The last two members differ after a
    # program has replaced a part of the ssl module, for example with truststore.inject_into_ssl().
    return _Settings(
        cafile,
        os.environ.get("SSL_CERT_FILE"),
        os.environ.get("SSL_CERT_DIR"),
        os.environ.get("SSLKEYLOGFILE"),
        ssl.create_default_context,
        ssl.SSLContext,
    )


def _stamps(settings: _Settings) -> list[_Stamp]:
    if settings.cafile is not None:
        return [_stamp(settings.cafile)]
    default = ssl.get_default_verify_paths()
    folders = settings.default_folder or default.openssl_capath
    return [_stamp(settings.default_file or default.openssl_cafile), *map(_stamp, folders.split(os.pathsep))]


def _stamp(path: str | bytes) -> _Stamp:
    try:
        found = os.stat(path)  # noqa: PTH116 - importing pathlib is slow
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _profile_bundle() -> str | None:
    # The profile is read only if there is a file: importing the parser and the credentials takes longer than making the
    # context, and an AWS Lambda function would wait for that during a cold start.
    files = (("AWS_CONFIG_FILE", "~/.aws/config"), ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"))
    if not any(os.path.isfile(os.path.expanduser(os.environ.get(*file))) for file in files):  # noqa: PTH111, PTH113
        return None
    from .credentials.profiles import profile_setting

    return profile_setting("ca_bundle")
