"""The pair ``(a, A)`` of ``AWSSRP``: drawn at its first use, for one exchange in one process.

::

    the constructor                   no pair
        │ the first use of small_a_value or large_a_value, also by get_auth_params()
        ▼
    a pair of this process            SRP_A is sent
        │ process_challenge(B)
        ▼
    a pair bound to B                 the same B is answered again; another B is refused
        │ get_auth_params(), or the next login: the next exchange
        ▼
    no pair

A child that was forked has no pair, even if its parent has one. Otherwise the parent and its children would all send
the same SRP_A, and each would answer another B. For the same reason, a snapshot of the process (AWS Lambda SnapStart)
has no pair.

``authenticate_user()`` draws one pair for the password and another for the device. Programs that call the methods
themselves may send one ``large_a_value`` for both. Therefore each kind is bound to a B separately. Calling
``get_auth_params()`` again before an answer keeps the pair; a new login draws one if the pair was sent before.
"""

from __future__ import annotations

import os
import sys

from .._fork import forget_in_snapshot
from ..crypto import cognito
from ..crypto.key_exchange import Ephemeral, secret_exponent
from ..crypto.randomness import RandomBits, system_random_bits
from ..exceptions.base import ConfigurationError, UnsafeServerValue
from .functions import get_random

__all__ = ["ExchangePair"]


class _Bound:
    """The pairs that have answered a B."""

    __slots__ = ("__weakref__", "answered")

    def __init__(self) -> None:
        self.answered: dict[tuple[str, Ephemeral], int] = {}
        """The B that each pair has answered. The key is the kind, ``password`` or ``device``, and the pair."""
        forget_in_snapshot(self, _Bound.forget)

    def forget(self) -> None:
        """Forget all pairs."""
        self.answered = {}


class _State:
    """The present pair of one process. A deleted or missing value is drawn, or computed, at its next use."""

    __slots__ = ("__weakref__", "process", "sent", "values")

    def __init__(self) -> None:
        self.process: int | None = os.getpid()
        """The process that the pair belongs to; None if it was forgotten before a snapshot."""
        self.sent = False
        """Whether SRP_A was sent, or was returned to be sent."""
        self.values: dict[str, int] = {}
        """The secret exponent ``a`` and the public value ``A``, as far as they are known."""
        forget_in_snapshot(self, _State.forget)

    def forget(self) -> None:
        """Forget the pair. If there was one, the next use draws another, and a challenge to it is not answered."""
        if self.values:
            self.process, self.values = None, {}

    def belongs_to_another(self) -> bool:
        """Return whether there is a pair that another process has drawn, or this one before a snapshot."""
        return self.process is None or ("a" in self.values and self.process != os.getpid())


class ExchangePair:
    """The part of ``AWSSRP`` that draws the pair, and binds it to the B that it answers.

    The attributes are created at first use, because some programs make an object without calling ``__init__``.
    """

    _random_bits: RandomBits = staticmethod(system_random_bits)
    _pair_state: _State | None = None
    _pair_bound: _Bound | None = None

    def generate_random_small_a(self) -> int:
        """Return a new secret exponent *a* of 256 random bits (RFC 5054 demands at least 256)."""
        # A program's test may replace aws_srp.get_random, which pycognito calls here.
        present = vars(sys.modules[__name__.rpartition(".")[0]])["get_random"]
        if present is not get_random:
            return int(present(128)) % cognito.GROUP.N
        return secret_exponent(self._random_bits)

    def calculate_a(self) -> int:
        """Return ``A = g^a mod N`` for ``small_a_value``."""
        return cognito.client_pair(self.small_a_value).public

    @property
    def small_a_value(self) -> int:
        """The secret exponent *a*. It is drawn when it is first read, and again in a forked child."""
        values = self._state().values
        # setdefault() is one step for the interpreter, so all threads that come here together get the same value.
        return values["a"] if "a" in values else values.setdefault("a", self.generate_random_small_a())

    @small_a_value.setter
    def small_a_value(self, value: int) -> None:
        self._forget_pair().values["a"] = value

    @small_a_value.deleter
    def small_a_value(self) -> None:
        self._forget_pair()

    @property
    def large_a_value(self) -> int:
        """The public value ``A = g^a mod N``, computed when it is first read."""
        values = self._state().values
        return values["A"] if "A" in values else values.setdefault("A", self.calculate_a())

    @large_a_value.setter
    def large_a_value(self, value: int) -> None:
        self._state().values["A"] = value

    @large_a_value.deleter
    def large_a_value(self) -> None:
        self._state().values.pop("A", None)

    def _state(self) -> _State:
        state = self._pair_state
        return self._forget_pair() if state is None or state.process != os.getpid() else state

    def _forget_pair(self) -> _State:
        """Forget the pair, so that the next use draws one. Return the empty state."""
        self._pair_state = _State()
        return self._pair_state

    def _begin_exchange(self) -> None:
        """Prepare to send SRP_A in a new exchange: forget the pair if it was sent before."""
        if self._state().sent or self._is_bound():
            self._forget_pair()
        self._state().sent = True

    def _pair(self) -> Ephemeral:
        return Ephemeral(self.small_a_value, self.large_a_value)

    def _is_bound(self) -> bool:
        """Return whether the present pair has answered a B."""
        return "a" in self._state().values and any(
            pair == self._pair() for _, pair in (self._pair_bound.answered if self._pair_bound else ())
        )

    def _pair_for(self, kind: str, B: int) -> Ephemeral:
        """Return the pair that answers *B*, and bind it to *B*. *kind* is ``password`` or ``device``.

        Raises:
            UnsafeServerValue: the pair has answered another B.
            ConfigurationError: the pair was drawn by the parent process.
        """
        holder: _Bound = vars(self).setdefault("_pair_bound", _Bound())
        bound = holder.answered
        for (of, pair), answered in list(bound.items()):
            if (of, answered) == (kind, B):
                return pair  # the same challenge again, perhaps after get_auth_params() has drawn the next pair
        state = self._pair_state
        if state is not None and state.belongs_to_another():
            raise ConfigurationError(
                "SRP_A was sent by another process, or before a snapshot: call get_auth_params() in this one, and send "
                "what it returns"
            )
        pair = self._pair()
        if bound.setdefault((kind, pair), B) != B:
            raise UnsafeServerValue(
                "unsafe value from the server: a second B for the same SRP_A; call get_auth_params() to begin again"
            )
        # The pairs of earlier exchanges are not needed any more.
        for key in [key for key in bound if key[1] != pair]:
            bound.pop(key, None)
        return pair
