"""Answer from a cassette, and from nothing else."""

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
    """Answer from the cassette at *path*: no network, no service, no secret.

    SRP log-ins replay although *a* and the clock differ, because the proof is checked by its shape alone. User names,
    passwords and whatever else the program gives may differ from the recording's: what comes first in the place of
    ``<Username 1>`` is what it means from then on. Codes and time stamps may be any. Tokens are signed with the
    PUBLISHED TEST KEY (:mod:`.signing`), whose key set is what :meth:`fetch` returns; their times are those of *clock*,
    so that a strict verifier accepts them.

    Threads and tasks may share it.

    Args:
        path: the cassette.
        mode: ``"strict"``, the calls come in the recorded order and once; ``"unordered"``, in any order, and the last
            call that matches answers again when all are used; ``"once"``, in any order and each once.
        clock: the time, in seconds since the epoch.
        user_pool_id: the pool that the program names, if it is not the recording's: tokens are that pool's.
        sleep: waits as many seconds as a slow answer took (``time.sleep``); None waits for nothing.

    Raises:
        CassetteError: there is no such file, or it is no cassette of this version.
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
        """The first pool of the cassette, for a program that has none of its own."""
        with self._lock:
            return self._bindings.value_of(_FIRST_POOL)

    @property
    def client_id(self) -> str:
        """An app client's id, for a program that has none of its own."""
        with self._lock:
            return self._bindings.value_of(_FIRST_CLIENT)

    @property
    def unused(self) -> list[str]:
        """The recorded calls that were not made: their numbers and operations. Fetches of key sets do not count."""
        return [f"{index + 1} {call.operation}" for index, call in enumerate(self._calls) if index not in self._used]

    def assert_all_matched(self) -> None:
        """Demand that every call was matched.

        Raises:
            UnmatchedCall: the first call that nothing recorded matched, even if the program passed over the error.
        """
        if self._unmatched is not None:
            raise self._unmatched

    def assert_all_used(self) -> None:
        """Demand that every call was matched and every recorded call was made.

        Raises:
            UnmatchedCall: the first call that nothing recorded matched, even if the program passed over the error.
            UnusedCalls: there are recorded calls that were not made.
        """
        self.assert_all_matched()
        if self.unused:
            raise UnusedCalls(self.unused)

    def call(self, operation: Operation) -> Reply:
        """Return the recorded answer, an error document included.

        Raises:
            UnmatchedCall: there is none; the message says which recorded call came nearest, and what differed.
            TransportError: the recording had no answer, either.
            ConfigurationError: PyJWT or cryptography is not installed, and there are tokens to sign.
        """
        with self._lock:
            number, call = self._match(operation)
            document = None if call.reply is None else self._expansion().document(call.reply)
        self._end(call)
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
        """Return the published test key's key set: whichever was recorded, and however often.

        Programs keep key sets for as long as they like, so that neither order nor number matters; but where a recorded
        fetch failed, so does this one.

        Raises:
            TransportError: *url* is no key set's, or the recording had no answer, either.
            ConfigurationError: PyJWT or cryptography is not installed.
        """
        if not url.endswith("/.well-known/jwks.json"):
            raise TransportError("a recording has no document at that address")
        with self._lock:
            recorded = self._fetches.pop(0) if self._fetches else None
        if recorded is not None:
            self._end(recorded)
        return key_set()

    def close(self) -> None:
        """Do nothing: a replay holds nothing that must be released, and goes on where it was."""

    def __enter__(self) -> ReplayTransport:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _end(self, call: Call) -> None:
        if self._sleep is not None and call.seconds:
            self._sleep(call.seconds)
        if call.failure is not None:
            error = TransportTimeout if call.failure == "TransportTimeout" else TransportError
            raise error(f"no answer was recorded here ({call.failure})")

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
                # At its end: of those that are used, the last one answers again.
                self._used = [*(other for other in self._used if other != index), index]
                return index + 1, call
        raise self._refusal(operation)

    def _candidates(self) -> Iterable[int]:
        left = [index for index in range(len(self._calls)) if index not in self._used]
        if self._mode == "strict":
            return left[:1]
        return left if self._mode == "once" else (*left, *reversed(self._used))

    def _refusal(self, operation: Operation) -> UnmatchedCall:
        left = [index for index in range(len(self._calls)) if index not in self._used]
        candidates = [self._candidate(index, operation) for index in left]
        error = _unmatched(operation, candidates, self._mode)
        self._unmatched = self._unmatched or error
        return error

    def _candidate(self, index: int, operation: Operation) -> _Candidate:
        call = self._calls[index]
        found = differences(call.request, operation.parameters, self._bindings.copy())
        return _Candidate(index + 1, call, found)


def _unmatched(operation: Operation, candidates: list[_Candidate], mode: Mode) -> UnmatchedCall:
    if not candidates:
        return UnmatchedCall(f"{operation.name}: every recorded call is used; record again", operation.name, None, ())
    first = candidates[0]
    nearest = min(candidates, key=lambda one: (one.call.operation != operation.name, len(one.found)))
    message = f"{operation.name}: no recorded call matches"
    if mode == "strict":
        message += f"; recorded call {first.number}, {first.call.operation}, is due"
        if first is not nearest and first.call.operation == operation.name:
            message += f", but: {'; '.join(first.found)}"
    if nearest.call.operation != operation.name:
        found = [f"the operation: {nearest.call.operation} was recorded"]
    else:
        found = nearest.found or ["nothing but the order"]
    message += (
        f"; call {nearest.number}, {nearest.call.operation}, comes nearest, and what differs is: {'; '.join(found)}"
    )
    return UnmatchedCall(message, operation.name, nearest.number, found)
