"""The real command line as a process: run to its end, serving in the background, or at a terminal."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import boto3
from botocore.config import Config

SRPCORE = [sys.executable, "-m", "srpcore"]
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDOFTHETESTS", "AWS_SECRET_ACCESS_KEY": "the-secret-key-of-the-tests"}
DEADLINE = 60.0

# The tests may run in the background of a script, where SIGINT is ignored, and a process inherits that.
_CTRL_C = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
"""

# The terminal at standard input becomes the controlling terminal of a new session, as in a terminal window.
_IN_A_WINDOW = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "srpcore", *sys.argv[1:]])
"""

# The same, but a signal never interrupts a system call of the main thread: another thread gets it.
SIGNALS_GO_TO_ANOTHER_THREAD = """
import fcntl, signal, sys, termios, threading
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
threading.Thread(target=threading.Event().wait, daemon=True).start()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
from srpcore.cli import main
sys.exit(main())
"""

# The command line starts in the background, as after `srpcore login &`. Once it is stopped, it comes to the foreground.
IN_THE_BACKGROUND = """
import fcntl, os, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
child = os.fork()
if child == 0:
    os.setpgid(0, 0)
    os.execv(sys.executable, [sys.executable, "-m", "srpcore", *sys.argv[1:]])
_, status = os.waitpid(child, os.WUNTRACED)
print("stopped by", signal.Signals(os.WSTOPSIG(status)).name, flush=True)
os.tcsetpgrp(0, child)
os.kill(child, signal.SIGCONT)
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status))
"""

# There is a terminal at standard input, but no controlling terminal: /dev/tty cannot be opened.
WITHOUT_CONTROLLING_TERMINAL = """
import os, sys
os.execv(sys.executable, [sys.executable, "-m", "srpcore", *sys.argv[1:]])
"""


def environment(**settings: str) -> dict[str, str]:
    """Return the environment without what the command line or AWS read of it, and with *settings*."""
    ours = re.compile(
        r"AWS_|SRPCORE_|COGNITO_|NO_COLOR|PYTHON(IOENCODING|UTF8|UNBUFFERED|DONTWRITEBYTECODE)|TERM|.*_PROXY",
        re.IGNORECASE,
    )
    return {name: value for name, value in os.environ.items() if not ours.match(name)} | {"TERM": "xterm"} | settings


@dataclass(frozen=True)
class Result:
    """How a process ended."""

    status: int
    stdout: str
    stderr: str

    def refused(self, status: int | None = None) -> str:
        """Check that this is one clear error, with *status* if it is given, and return its line."""
        assert self.status in ({*range(1, 8)} if status is None else {status}), self
        assert self.stdout == ""
        assert "Traceback" not in self.stderr
        assert self.stderr.startswith("srpcore: ")
        assert self.stderr.count("\n") == 1
        return self.stderr


def run(*arguments: str, stdin: str | bytes = "", **settings: str) -> Result:
    """Run the command line to its end."""
    done = subprocess.run(
        [*SRPCORE, *arguments],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        env=environment(**settings),
        timeout=DEADLINE,
        check=False,
    )
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


@contextmanager
def stopped(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """Yield *process*, and end it whatever happens."""
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process.stdout is not None:
            process.stdout.close()


@dataclass
class Server:
    """A running ``srpcore serve --json``."""

    process: subprocess.Popen[bytes]
    log: Path
    line: str
    url: str
    user_pool_id: str
    client_id: str
    client_secret: str | None = None
    username: str | None = None
    password: str | None = None

    def client(self, **settings: Any) -> Any:
        """Return a boto3 client for the server, with the keys of its environment unless *settings* say otherwise."""
        keys = {
            "aws_access_key_id": KEYS["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": KEYS["AWS_SECRET_ACCESS_KEY"],
        }
        region = self.user_pool_id.partition("_")[0]
        options = {"region_name": region, "endpoint_url": self.url, **keys, **settings}
        options.setdefault("config", Config(retries={"total_max_attempts": 1}, proxies={}))
        return boto3.client("cognito-idp", **options)

    def pool(self) -> list[str]:
        """Return the options that name the pool and its client."""
        return ["--user-pool-id", self.user_pool_id, "--client-id", self.client_id, "--endpoint-url", self.url]

    def await_code(self, destination: str) -> str:
        """Return the last code that was printed for *destination*, once there is one."""
        found = awaited(lambda: re.findall(rf"to {re.escape(destination)} .*: (\S+)\n", self.log.read_text()))
        return str(found[-1])

    def stop(self, number: signal.Signals) -> int:
        """Send the signal, and return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(DEADLINE)


def awaited(ask: Callable[[], list[str]]) -> list[str]:
    """Return what *ask* returns, once it is true."""
    deadline = time.monotonic() + DEADLINE
    while not (answer := ask()):
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.01)
    return answer


@contextmanager
def serving(*options: str, keys: Mapping[str, str] = KEYS) -> Iterator[Server]:
    """Run ``srpcore serve --json --port 0`` and yield it."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "stderr")
        with (
            log.open("wb") as stderr,
            stopped(
                subprocess.Popen(
                    [*SRPCORE, "serve", "--json", "--port", "0", *options],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=stderr,
                    env=environment(**keys),
                )
            ) as process,
        ):
            assert process.stdout is not None
            line = process.stdout.readline().decode()
            assert line, log.read_text()
            yield Server(process, log, line, **json.loads(line))


class Terminal:
    """The command line at a terminal: what it shows is read, what a person types is written."""

    def __init__(
        self,
        *arguments: str,
        stdout: int | None = None,
        stderr: int | None = None,
        settings: Mapping[str, str] | None = None,
        program: str = _IN_A_WINDOW,
    ) -> None:
        self._master, self._slave = os.openpty()
        self.shown = ""
        self._seen = 0
        self.process = subprocess.Popen(
            [sys.executable, "-c", _CTRL_C + program, *arguments],
            stdin=self._slave,
            stdout=self._slave if stdout is None else stdout,
            stderr=self._slave if stderr is None else stderr,
            env=environment(**settings or {}),
            start_new_session=True,
        )

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with stopped(self.process):
            pass
        os.close(self._slave)
        os.close(self._master)

    def await_text(self, text: str) -> None:
        """Read until *text* is shown, after what was awaited before."""
        deadline = time.monotonic() + DEADLINE
        while text not in self.shown[self._seen :]:
            ended = self.process.poll() is not None
            assert self._read() or not ended, f"it ended without {text!r}: {self.shown!r}"
            assert time.monotonic() < deadline, f"no {text!r} in {self.shown!r}"
        self._seen = self.shown.index(text, self._seen) + len(text)

    def await_sleep(self) -> None:
        """Wait until the main thread of the process sleeps in the kernel. Only Linux shows it; elsewhere, return."""
        deadline = time.monotonic() + DEADLINE
        stat = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/stat")
        while stat.exists() and stat.read_text().rpartition(") ")[2][0] != "S":
            assert time.monotonic() < deadline, "the process does not sleep"
            time.sleep(0.001)

    def echoes(self) -> bool:
        """Return whether the terminal shows what is typed."""
        # Windows has no termios, and the tests without a terminal use this module there.
        import termios

        return bool(termios.tcgetattr(self._slave)[3] & termios.ECHO)

    def type(self, text: str) -> None:
        """Type *text*."""
        os.write(self._master, text.encode())

    def answer(self, question: str, text: str) -> None:
        """Wait for *question*, and type *text* and the Enter key."""
        self.await_text(question)
        self.type(f"{text}\n")

    def end(self) -> int:
        """Wait for the end of the process, read what is left, and return the exit status."""
        deadline = time.monotonic() + DEADLINE
        while self.process.poll() is None:
            assert time.monotonic() < deadline, self.shown
            self._read()
        while self._read():
            pass
        return self.process.wait()

    def _read(self) -> bool:
        if not select.select([self._master], [], [], 0.05)[0]:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError:
            # How Linux may say that nobody has the terminal open any more.
            return False
        self.shown += data.decode(errors="replace")
        return True
