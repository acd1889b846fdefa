"""The TLS settings of the transports: one SSL context for each set of settings, shared by the whole process.

Theory of operation
===================

Reading the certificate authorities of a system takes about 20 ms. A program may make a new client, and with it a new
transport, for every request that it serves. So contexts are kept for the process::

    shared_tls(path, roots)
      settings = the path, the variables that OpenSSL and the ssl module read, the class and function of the context,
                 and the roots to load first
      Is there a context for these settings, and are its files unchanged?
        yes: return it
        no:  read the files, and keep the new context instead of the old one

For AWS's endpoints only Amazon's roots are loaded from the files at first (:mod:`~srpcore_transports.trust_anchors`
explains when and why). Such a context is replaced by one with all authorities when the certificate of a server is
refused, except if it is that of another host. The replacement is kept under the same settings, so it is used for all
later connections, until the files change.

A file is unchanged if its device, inode, size and times are. They are compared at each call, which is made for each new
connection, so a changed bundle counts from the next connection on. The certificate store of Windows has no such times,
and a pipe can be read only once: a change of these is noticed only by the next process.

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
import sys
from collections.abc import Callable, Iterable
from stat import S_ISDIR, S_ISREG
from typing import Any, TypeAlias, cast

from srpcore._fork import ForkSafeLock, forget_in_snapshot, reset_in_child
from srpcore._values import Value, replace
from srpcore.exceptions.base import ConfigurationError

from .environment import variable
from .trust_anchors import may_change_with_more_authorities, roots_in
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
    """An SSL context, and the TLS sessions of the connections that were made with it. Threads may share it.

    Args:
        context: the context.
        load_all: if the context has only some authorities of its files, returns one with all of them.
    """

    def __init__(self, context: ssl.SSLContext, load_all: Callable[[], SharedTls] | None = None) -> None:
        self.context = context
        self._load_all = load_all
        self._sessions: dict[Origin, ssl.SSLSession] = {}
        self._lock = ForkSafeLock()
        forget_in_snapshot(self, SharedTls._forget_sessions)

    def with_all_authorities(self, verify_code: int) -> SharedTls | None:
        """Return what to connect with instead, after the certificate of a server was refused; None if that is final.

        The result is used for all later connections too. Loading it may take 20 ms.

        Args:
            verify_code: OpenSSL's reason, ``verify_code`` of ``ssl.SSLCertVerificationError``; 0 for any other error.

        Raises:
            ConfigurationError: the file with the authorities cannot be read any more.
        """
        if self._load_all is None or not may_change_with_more_authorities(verify_code):
            return None
        return self._load_all()

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

    def _forget_sessions(self) -> None:
        """Forget all sessions. Every process that is started from a snapshot would resume the same one."""
        with self._lock.lock:
            self._sessions = {}

    def forget_session(self, origin: Origin) -> None:
        """Forget the session for *origin*, because a handshake with it has failed."""
        self._sessions.pop(origin, None)


class _Settings(Value):
    """Everything that a context is made from, except the contents of files."""

    __slots__ = ("cafile", "default_file", "default_folder", "key_log", "kind", "make", "roots")

    cafile: str | None
    default_file: str | None
    default_folder: str | None
    key_log: str | None
    make: object
    kind: object
    roots: frozenset[str] | None
    """The fingerprints of the certificates to load first; None: load all."""

    def __init__(
        self,
        cafile: str | None,
        default_file: str | None,
        default_folder: str | None,
        key_log: str | None,
        make: object,
        kind: object,
        roots: frozenset[str] | None,
    ) -> None:
        self._set(
            cafile=cafile,
            default_file=default_file,
            default_folder=default_folder,
            key_log=key_log,
            make=make,
            kind=kind,
            roots=roots,
        )


class _Cache:
    """The contexts of this process."""

    def __init__(self) -> None:
        self._lock = ForkSafeLock()
        self._made: dict[_Settings, tuple[list[_Stamp], SharedTls]] = {}
        reset_in_child(self, _Cache._after_fork)

    def find(self, settings: _Settings) -> SharedTls | None:
        """Return the context for *settings* if it was made already and its files are unchanged. No file is read."""
        made = self._made.get(settings)
        return made[1] if made is not None and made[0] == _stamps(settings) else None

    def get(self, settings: _Settings) -> SharedTls:
        """Return the context for *settings*. It is made by the first thread; the others wait for it."""
        with self._lock.lock:
            return self._get(settings)

    def replace(self, cafile: str | None, roots: frozenset[str]) -> SharedTls:
        """Return a context with all authorities, and use it from now on instead of the one with *roots*."""
        with self._lock.lock:
            # As the environment is now, because the ssl module reads it again.
            settings = _settings(cafile, roots)
            stamps = _stamps(settings)
            return self._keep(settings, stamps, self._get(replace(settings, roots=None)))

    def _get(self, settings: _Settings) -> SharedTls:
        # The caller holds the lock.
        found = self.find(settings)
        if found is not None:
            return found
        # Before the files are read: if one of them is replaced meanwhile, the next call reads it again.
        stamps = _stamps(settings)
        return self._keep(settings, stamps, self._make(settings))

    def _make(self, settings: _Settings) -> SharedTls:
        cafile, roots = settings.cafile, settings.roots
        if roots is None:
            return SharedTls(_make_context(settings))
        context = _context_with_roots(settings, roots)
        if context is None:
            return self._get(replace(settings, roots=None))
        return SharedTls(context, lambda: self.replace(cafile, roots))

    def _keep(self, settings: _Settings, stamps: list[_Stamp], shared: SharedTls) -> SharedTls:
        self._made.pop(settings, None)
        self._made[settings] = stamps, shared
        if len(self._made) > MAX_CONTEXTS:
            self._made.pop(next(iter(self._made)))
        return shared

    def _after_fork(self) -> None:
        """Forget the contexts in a child process (see the module)."""
        self._made = {}


_contexts = _Cache()


def shared_tls(path: str | os.PathLike[str] | None, roots: frozenset[str] | None = None) -> SharedTls:
    """Return a context that verifies host name and certificate, with TLS 1.2 or newer, as the files are now.

    Args:
        path: a PEM file with the trusted certificate authorities, or None for the authorities of the system.
        roots: the fingerprints of those to load first, from :func:`~srpcore_transports.trust_anchors.roots_of`, or None
            to load all.

    Raises:
        ConfigurationError: the file cannot be read, or contains no certificate.
    """
    return _contexts.get(_settings(path, roots))


def shared_tls_if_made(path: str | os.PathLike[str] | None, roots: frozenset[str] | None = None) -> SharedTls | None:
    """Like :func:`shared_tls`, but return None instead of reading a file."""
    return _contexts.find(_settings(path, roots))


def ca_bundle_path(ca_bundle: str | os.PathLike[str] | None) -> str | os.PathLike[str] | None:
    """Return the file with the trusted certificate authorities, or None for those of the system.

    *ca_bundle* is the argument, or ``AWS_CA_BUNDLE``. The places after these two are looked up here, in the order that
    :class:`~srpcore_transports.options.TransportOptions` describes.
    """
    return ca_bundle or _profile_bundle() or variable("REQUESTS_CA_BUNDLE")


def _make_context(settings: _Settings) -> ssl.SSLContext:
    """Return a context with all authorities."""
    cafile = settings.cafile
    try:
        context = ssl.create_default_context(cafile=cafile)
    except OSError as error:
        # ssl.SSLError is an OSError: it is raised if the file exists and contains no certificate.
        raise ConfigurationError(
            f"the CA bundle {os.fsdecode(cafile or '')!r} cannot be read ({error.strerror}): give a PEM file in "
            "ca_bundle or AWS_CA_BUNDLE"
        ) from error
    return _finished(context)


def _context_with_roots(settings: _Settings, roots: frozenset[str]) -> ssl.SSLContext | None:
    """Return a context with those authorities of the files that are among *roots*, or None if all must be loaded.

    It has the settings of ``ssl.create_default_context``, and those that :func:`_make_context` adds.
    """
    if _replaced(settings.kind) or _replaced(settings.make):
        # Another class may get its authorities from other places, for example truststore's.
        return None
    file, folders = settings.cafile, ""
    if file is None:
        # The places that OpenSSL reads. On Windows, the ssl module adds the certificate store of the system.
        file, folders = _default_places(settings)
        if sys.platform == "win32" or not folders:
            return None
    chosen = roots_in(file, roots)
    if not chosen:
        return None
    context = ssl.create_default_context(cadata=chosen)
    if folders:
        # OpenSSL searches these for each authority that it needs, so they need not be read before.
        context.load_verify_locations(capath=folders)
    return _finished(context)


def _replaced(thing: object) -> bool:
    return getattr(thing, "__module__", None) != "ssl"


def _finished(context: ssl.SSLContext) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(_ALPN)
    # httpcore sets the protocols again before each connection. OpenSSL frees the old list then, while another thread,
    # which needs no GIL in OpenSSL, may be copying it.
    cast(Any, context).set_alpn_protocols = _refuse_other_protocols
    return context


def _refuse_other_protocols(protocols: Iterable[str]) -> None:
    if [*protocols] != _ALPN:
        raise ValueError("a shared SSL context cannot be changed: make one of your own")


def _settings(path: str | os.PathLike[str] | None, roots: frozenset[str] | None = None) -> _Settings:
    # create_default_context() reads SSLKEYLOGFILE, and OpenSSL the other two. The two members after them differ after a
    # program has replaced a part of the ssl module, for example with truststore.inject_into_ssl().
    return _Settings(
        None if path is None else os.fspath(path),
        os.environ.get("SSL_CERT_FILE"),
        os.environ.get("SSL_CERT_DIR"),
        os.environ.get("SSLKEYLOGFILE"),
        ssl.create_default_context,
        ssl.SSLContext,
        roots,
    )


def _default_places(settings: _Settings) -> tuple[str, str]:
    """Return the file and the directories in which OpenSSL looks for authorities if none are given.

    A variable that is set to an empty string names no place.
    """
    default = ssl.get_default_verify_paths()
    file, folders = settings.default_file, settings.default_folder
    return default.openssl_cafile if file is None else file, default.openssl_capath if folders is None else folders


def _stamps(settings: _Settings) -> list[_Stamp]:
    if settings.cafile is not None:
        return [_stamp(settings.cafile)]
    file, folders = _default_places(settings)
    return [_stamp(file), *map(_stamp, folders.split(os.pathsep))]


def _stamp(path: str | bytes) -> _Stamp:
    try:
        found = os.stat(path)  # noqa: PTH116 - importing pathlib is slow
    except (OSError, ValueError):
        return None
    if not (S_ISREG(found.st_mode) or S_ISDIR(found.st_mode)):
        # A pipe can be read only once, and its times change when it is read.
        return found.st_dev, found.st_ino
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _profile_bundle() -> str | None:
    # The profile is read only if there is a file: importing the parser and the credentials takes longer than making the
    # context, and an AWS Lambda function would wait for that during a cold start.
    files = (("AWS_CONFIG_FILE", "~/.aws/config"), ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"))
    if not any(os.path.isfile(os.path.expanduser(os.environ.get(*file))) for file in files):  # noqa: PTH111, PTH113
        return None
    from .credentials.profiles import profile_setting

    return profile_setting("ca_bundle")
