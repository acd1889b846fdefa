"""Read from a terminal so that Ctrl-C always ends the wait.

Theory of operation
===================

Ctrl-C makes the terminal send SIGINT to the process. Python does not raise KeyboardInterrupt at that moment: a small
handler in C sets a flag, and the interpreter checks the flag between two instructions. If the process is already
waiting in read(2), the signal ends that call early, and the interpreter checks the flag. But there is a gap::

    the interpreter checks the flag: it is not set
                                                        SIGINT arrives, the handler sets the flag
    read(2) begins to wait
                                                        no second signal arrives, so nothing ends the wait

The Ctrl-C is lost until the user presses the next key, and the program seems to hang. A busy machine can stop the
process in the gap for a long time. The same happens if the system delivers the signal to another thread.

`signal.set_wakeup_fd` closes the gap: the handler in C also writes a byte to a pipe, and this module waits with
poll(2) for the terminal and the pipe together. The byte stays in the pipe until it is read, so the wait ends whether
the signal arrives before poll(2) or during it::

                 +-------- nothing to read --------+
                 v                                 |
    +--> poll(terminal, pipe) --- terminal ---> read(2) --> a line, or the end of input
    |            |
    |           pipe
    |            v
    |    empty the pipe; the flag was set before the byte was written, so the interpreter
    |    runs the handlers here, and the handler of SIGINT raises KeyboardInterrupt
    |            |
    +------------+ (any other signal)

read(2) must not wait either: Ctrl-C makes the terminal discard a line that was typed but not yet read, possibly after
poll(2) has reported it. So the terminal is opened a second time, with O_NONBLOCK. That flag belongs to the open file,
and standard input is the same open file in the shell that started the process, so the flag is never set there.
If the terminal cannot be opened again (after ``su``, for example, it belongs to another user), standard input is used
as it is, and only the gap between poll(2) and read(2) remains.

If the process is in the background, read(2) stops it until the user brings it to the foreground. That is why read(2)
comes first and poll(2) only if there is nothing to read.

select(2) fails for descriptors above 1023, which a program that calls this package may have. It is used only on macOS,
because poll(2) does not support terminals there.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import sys
import termios
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

__all__ = ["Selector", "Terminal"]

# More than the longest line that a terminal keeps: 4096 bytes on Linux.
_SIZE = 65536
# As in getpass: TCSAFLUSH drops what was typed before the question, and TCSASOFT (BSD only) leaves the speed as it is.
_DISCARD_INPUT: int = termios.TCSAFLUSH | getattr(termios, "TCSASOFT", 0)
_LOCAL_FLAGS = 3  # the index of c_lflag in what tcgetattr returns
Selector: type[selectors.BaseSelector] = (
    selectors.SelectSelector if sys.platform == "darwin" else selectors.PollSelector
)


class Terminal:
    """A terminal to read answers from. Use it as a context manager: it closes what it opened."""

    def __init__(self, descriptor: int, *, shared: bool) -> None:
        """Use *descriptor*. If it is *shared* with other code, it may block, and it is not closed at the end."""
        self._descriptor = descriptor
        self._shared = shared
        self._signals = _SignalPipe()

    @classmethod
    def controlling(cls) -> Terminal:
        """Open the terminal that controls this process, even if standard input is not that terminal.

        Raises:
            OSError: the process does not have one.
        """
        return cls(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK), shared=False)

    @classmethod
    def at(cls, descriptor: int) -> Terminal:
        """Open the terminal at *descriptor* again, or use *descriptor* itself if that is not possible."""
        try:
            opened = os.open(os.ttyname(descriptor), os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError:
            return cls(descriptor, shared=True)
        return cls(opened, shared=False)

    def __enter__(self) -> Self:
        self._signals.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._signals.close()
        if not self._shared:
            os.close(self._descriptor)

    def read_line(self) -> bytes:
        """Return the next line with its newline, or ``b""`` at the end of input.

        The newline is missing if the input ends within the line.

        Raises:
            OSError: the terminal cannot be read.
        """
        size = _SIZE if self._reads_lines() else 1
        line = b""
        while not line.endswith(b"\n") and (data := self._read(size)):
            line += data
        return line

    def read_all(self) -> bytes:
        """Return everything up to the end of input.

        Raises:
            OSError: the terminal cannot be read.
        """
        parts: list[bytes] = []
        while data := self._read(_SIZE):
            parts.append(data)
        return b"".join(parts)

    def read_secret(self, show_question: Callable[[], None]) -> bytes:
        """Return the next line as `read_line` does, and do not show what is typed.

        What was typed before the question is discarded. *show_question* is called after that, so an answer that is
        typed as soon as the question is shown is not lost.

        Raises:
            OSError: the terminal cannot be read, or its settings cannot be changed.
        """
        try:
            shown = termios.tcgetattr(self._descriptor)
            hidden = [*shown]
            hidden[_LOCAL_FLAGS] &= ~termios.ECHO
            try:
                termios.tcsetattr(self._descriptor, _DISCARD_INPUT, hidden)
                show_question()
                return self.read_line()
            finally:
                # The interpreter checks for signals when a Python function begins and after a call of a C function.
                # Only C functions are called here, so another Ctrl-C cannot prevent the calls.
                try:
                    termios.tcsetattr(self._descriptor, _DISCARD_INPUT, shown)
                except termios.error:
                    # A signal ended the wait for the terminal's output. TCSANOW does not wait.
                    termios.tcsetattr(self._descriptor, termios.TCSANOW, shown)
        except termios.error as error:
            # termios.error is not a subclass of OSError, but it has the same arguments.
            raise OSError(*error.args) from None

    def write(self, data: bytes) -> None:
        """Write *data*. If the user has stopped the output (Ctrl-S), wait.

        Raises:
            OSError: the terminal cannot be written to.
        """
        while data:
            try:
                data = data[os.write(self._descriptor, data) :]
            except BlockingIOError:
                self._signals.wait(self._descriptor, selectors.EVENT_WRITE)

    def _reads_lines(self) -> bool:
        """Return whether one read(2) returns at most one line. If not, it is used for single bytes only."""
        try:
            return bool(termios.tcgetattr(self._descriptor)[_LOCAL_FLAGS] & termios.ICANON)
        except termios.error:
            return True

    def _read(self, size: int) -> bytes:
        if self._shared:
            self._signals.wait(self._descriptor, selectors.EVENT_READ)
        while True:
            try:
                return os.read(self._descriptor, size)
            except BlockingIOError:
                self._signals.wait(self._descriptor, selectors.EVENT_READ)


class _SignalPipe:
    """A pipe that gets a byte for every signal that has a handler in Python, while it is open.

    Outside the main thread it does nothing: Python runs the handlers in the main thread only.
    """

    def __init__(self) -> None:
        self._pipe: list[int] = []
        self._previous = -1

    def open(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        self._pipe += os.pipe()
        for descriptor in self._pipe:
            os.set_blocking(descriptor, False)
        # One byte is enough, so a full pipe is not worth a warning.
        self._previous = signal.set_wakeup_fd(self._pipe[1], warn_on_full_buffer=False)

    def close(self) -> None:
        if not self._pipe:
            return
        # Do this first, because a signal must not write to a closed descriptor.
        signal.set_wakeup_fd(self._previous)
        self._take()
        for descriptor in self._pipe:
            os.close(descriptor)

    def wait(self, descriptor: int, event: int) -> None:
        """Return when *descriptor* is ready for *event*. Handlers of signals run meanwhile, and may raise an exception.

        Args:
            descriptor: the descriptor of the terminal.
            event: ``selectors.EVENT_READ`` or ``selectors.EVENT_WRITE``.
        """
        with Selector() as selector:
            selector.register(descriptor, event)
            for pipe in self._pipe[:1]:  # the end to read from, unless the pipe is not open
                selector.register(pipe, selectors.EVENT_READ)
            ready = False
            while not ready:
                ready = any(key.fd == descriptor for key, _ in selector.select())
                self._take()

    def _take(self) -> None:
        """Empty the pipe, and pass the bytes on to the part of the program that waited for them before (asyncio)."""
        if not self._pipe:
            return
        with contextlib.suppress(BlockingIOError):
            data = os.read(self._pipe[0], _SIZE)
            if self._previous != -1:
                os.write(self._previous, data)
