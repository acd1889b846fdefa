"""The replay transport: it answers from a cassette, without a network."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from os import PathLike
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from srpcore._fork import ForkSafeLock
from srpcore.clock import Clock, system_clock
from srpcore.exceptions.base import ConfigurationError, TransportError, TransportTimeout
from srpcore.pool import Pool
from srpcore.protocol import Operation, Reply

from .cassette import Call, Cassette
from .errors import UnmatchedCall, UnusedCalls
from .expansion import Expansion
from .matching import Bindings, differences
from .signing import key_set

__all__ = ["Mode", "ReplayTransport"]

Mode: TypeAlias = Literal["strict", "unordered", "once"]

_FIRST_POOL, _FIRST_CLIENT = "<UserPoolId 1>", "<ClientId 1>"


class _Candidate(NamedTuple):
    number: int
    call: Call
    found: list[str]


class ReplayTransport:
    """Answer from the cassette at *path*, without network, service or secrets.

    A login with SRP can be replayed although *a* and the clock differ, because only the form of the proof is checked.
    User names, passwords and other values that the program chooses may differ from the recorded ones: the first value
    that the program sends where ``<Username 1>`` was recorded becomes the value of that placeholder. Codes and time
    stamps may have any value. Tokens are signed with the PUBLISHED TEST KEY (:mod:`.signing`), whose key set
    :meth:`fetch` returns. Their times follow *clock*, so a strict verifier accepts them.

    Threads and tasks may share a transport.

    Args:
        path: the cassette.
        mode: ``"strict"``: the calls must be made in the recorded order, each once. ``"once"``: in any order, each
            once. ``"unordered"``: in any order; when all matching calls are used, the last one answers again.
        clock: the wall clock, in seconds since 1970.
        user_pool_id: the pool that the program uses, if it is not the recorded one. Tokens are issued for that pool.
        sleep: waits for the seconds that a slow answer took (``time.sleep``); None means that nothing waits.

    Raises:
        CassetteError: the file does not exist, or is not a cassette of this version.
        ConfigurationError: an argument cannot be used.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        *,
        mode: Mode = "strict",
        clock: Clock = system_clock,
        user_pool_id: str | None = None,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        if mode not in ("strict", "unordered", "once"):
            raise ConfigurationError('mode must be "strict", "unordered" or "once"')
        cassette = Cassette.read(Path(path))
        self._calls = [call for call in cassette.calls if call.operation is not None]
        self._fetches = [call for call in cassette.calls if call.operation is None]
        self._mode: Mode = mode
        self._clock = clock
        self._sleep = sleep
        self._bindings = Bindings(cassette.pools)
        if user_pool_id is not None:
            self._bindings.bind(_FIRST_POOL, Pool(user_pool_id).user_pool_id)
        self._used: list[int] = []
        self._start: float | None = None
        self._unmatched: UnmatchedCall | None = None
        self._lock = ForkSafeLock()

    @property
    def user_pool_id(self) -> str:
        """The first pool of the cassette, for a program that does not have one."""
        with self._lock.lock:
            return self._bindings.value_of(_FIRST_POOL)

    @property
    def client_id(self) -> str:
        """The id of an app client, for a program that does not have one."""
        with self._lock.lock:
            return self._bindings.value_of(_FIRST_CLIENT)

    @property
    def unused(self) -> list[str]:
        """The numbers and names of the recorded calls that were not made, without the fetches of key sets."""
        return [f"{index + 1} {call.operation}" for index, call in enumerate(self._calls) if index not in self._used]

    def assert_all_matched(self) -> None:
        """Check that every call matched a recorded one.

        Raises:
            UnmatchedCall: the first call that did not match, even if the program caught the error at that time.
        """
        if self._unmatched is not None:
            raise self._unmatched

    def assert_all_used(self) -> None:
        """Check that every call matched a recorded one, and that every recorded call was made.

        Raises:
            UnmatchedCall: the first call that did not match, even if the program caught the error at that time.
            UnusedCalls: recorded calls were not made.
        """
        self.assert_all_matched()
        if self.unused:
            raise UnusedCalls(self.unused)

    def call(self, operation: Operation) -> Reply:
        """Return the recorded answer, even if it is an error.

        Raises:
            UnmatchedCall: the call matches no recorded one. The message names the most similar one and the differences.
            TransportError: it was raised while recording, too.
            ConfigurationError: there are tokens to sign, and PyJWT or cryptography is not installed.
        """
        with self._lock.lock:
            number, call = self._match(operation)
            document = None if call.reply is None else self._expansion().document(call.reply)
        self._wait_or_fail(call)
        headers = {} if call.retry_after is None else {"retry-after": call.retry_after}
        return Reply(
            {
                **(document or {}),
                "ResponseMetadata": {
                    "RequestId": f"00000000-0000-4000-8000-{number:012d}",
                    "HTTPStatusCode": call.status,
                    "HTTPHeaders": headers,
                    "RetryAttempts": 0,
                },
            }
        )

    def fetch(self, url: str) -> bytes:
        """Return the key set of the published test key, for the key set of any pool.

        Programs cache key sets, so the order and the number of the fetches do not matter. But if a recorded fetch
        failed, the corresponding fetch fails too.

        Raises:
            TransportError: *url* is not that of a key set, or the error was raised while recording, too.
            ConfigurationError: PyJWT or cryptography is not installed.
        """
        if not url.endswith("/.well-known/jwks.json"):
            raise TransportError("a recording contains only key sets, and the URL is not that of one")
        with self._lock.lock:
            recorded = self._fetches.pop(0) if self._fetches else None
        if recorded is not None:
            self._wait_or_fail(recorded)
        return key_set()

    def close(self) -> None:
        """Do nothing. A replay has no connections, and later calls continue where it was."""

    def __enter__(self) -> ReplayTransport:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _wait_or_fail(self, call: Call) -> None:
        if self._sleep is not None and call.seconds:
            self._sleep(call.seconds)
        if call.failure is not None:
            name, _, reason = call.failure.partition(": ")
            error = TransportTimeout if name == "TransportTimeout" else TransportError
            raise error(f"the recorded call failed with {call.failure}", reason=reason)

    def _expansion(self) -> Expansion:
        now = self._clock()
        if self._start is None:
            self._start = now
        return Expansion(self._bindings, now, self._start)

    def _match(self, operation: Operation) -> tuple[int, Call]:
        for index in self._candidates():
            call = self._calls[index]
            if call.operation != operation.name:
                continue
            bindings = self._bindings.copy()
            if not differences(call.request, operation.parameters, bindings):
                self._bindings = bindings
                # Moved to the end, because in the mode "unordered" the call that was used last answers again.
                self._used = [*(other for other in self._used if other != index), index]
                return index + 1, call
        raise self._unmatched_call(operation)

    def _candidates(self) -> Iterable[int]:
        left = [index for index in range(len(self._calls)) if index not in self._used]
        if self._mode == "strict":
            return left[:1]
        return left if self._mode == "once" else (*left, *reversed(self._used))

    def _unmatched_call(self, operation: Operation) -> UnmatchedCall:
        left = [index for index in range(len(self._calls)) if index not in self._used]
        candidates = [self._candidate(index, operation) for index in left]
        error = _error_for(operation, candidates, self._mode)
        self._unmatched = self._unmatched or error
        return error

    def _candidate(self, index: int, operation: Operation) -> _Candidate:
        call = self._calls[index]
        found = differences(call.request, operation.parameters, self._bindings.copy())
        return _Candidate(index + 1, call, found)


def _error_for(operation: Operation, candidates: list[_Candidate], mode: Mode) -> UnmatchedCall:
    if not candidates:
        return UnmatchedCall(f"{operation.name}: all recorded calls are used; record again", operation.name, None, ())
    first = candidates[0]
    nearest = min(candidates, key=lambda one: (one.call.operation != operation.name, len(one.found)))
    message = f"{operation.name}: no recorded call matches"
    if mode == "strict":
        message += f"; expected call {first.number}, {first.call.operation}"
        if first is not nearest and first.call.operation == operation.name:
            message += f" (differences: {'; '.join(first.found)})"
    if nearest.call.operation != operation.name:
        found = [f"the operation: expected {nearest.call.operation}"]
    else:
        found = nearest.found or ["only the order"]
    message += f"; most similar is call {nearest.number}, {nearest.call.operation}; differences: {'; '.join(found)}"
    return UnmatchedCall(message, operation.name, nearest.number, found)
