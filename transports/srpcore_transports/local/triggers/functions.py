"""Invoke a Lambda function, which is a Python callable or an HTTP endpoint, within a time limit.

A callable gets a copy of the event that has gone through JSON, and its result goes through JSON too, as between the
service and a real function: the function can neither change the pool's data nor return a value that is not JSON.

An endpoint serves the Invoke operation of the Lambda API, as SAM (``sam local start-lambda``) and the runtime interface
emulator in AWS's container images do: the event is sent with POST, and the body of the response is what the function
returned. If the function raised an exception, the response has the header X-Amz-Function-Error (SAM), or only a body
with ``errorMessage`` (the emulator).
"""

from __future__ import annotations

import contextvars
import io
import json
import logging
import queue
import re
import socket
import threading
import uuid
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPException
from typing import Any, TypeAlias, TypeVar, cast
from urllib.parse import SplitResult, urlsplit

from srpcore.clock import monotonic_clock
from srpcore.exceptions.base import ConfigurationError

from ..api import json_input
from ..model.aws_names import lambda_function_arn

__all__ = ["FunctionError", "Handler", "InvocationError", "LambdaContext", "call", "check_url"]

T = TypeVar("T")

Handler: TypeAlias = Callable[[dict[str, Any], Any], object]
"""A Lambda handler ``handler(event, context)``. It returns the event with ``response`` filled in."""

_ATTEMPTS = 3
_LONGEST_ANSWER = 6 * 1024 * 1024  # Lambda's own limit for a synchronous invocation
# What ends a function, but not the program. Other exceptions, such as those of pytest.fail(), reach the caller.
_FAILURES = (Exception, SystemExit, GeneratorExit, KeyboardInterrupt)

_log = logging.getLogger(__name__)


class FunctionError(Exception):
    """The function raised an exception. The argument is its message."""


class InvocationError(Exception):
    """The function could not be invoked, or did not answer in time. The argument is the reason."""


class LambdaContext:
    """The context argument of a handler, with the attributes of AWS Lambda's context object."""

    function_version = "$LATEST"
    memory_limit_in_mb = "128"
    identity = None
    client_context = None

    def __init__(self, function_name: str, region: str, timeout: float | None) -> None:
        self.function_name = function_name
        self.invoked_function_arn = lambda_function_arn(region, function_name)
        self.aws_request_id = str(uuid.uuid4())
        self.log_group_name = f"/aws/lambda/{function_name}"
        self.log_stream_name = f"[{self.function_version}]{self.aws_request_id}"
        self._deadline = None if timeout is None else monotonic_clock() + timeout

    def get_remaining_time_in_millis(self) -> int:
        """Return how many milliseconds are left until the time limit; a large number if there is no limit."""
        if self._deadline is None:
            return 900_000
        return max(0, int((self._deadline - monotonic_clock()) * 1000))


def check_url(url: str) -> None:
    """Check that *url* can be the endpoint of a function.

    Raises:
        ConfigurationError: it is not a URL with the scheme http, a host and a path.
    """
    try:
        parts = urlsplit(url)
        complete = bool(parts.hostname) and parts.port != 0 and parts.path.startswith("/")
        complete = complete and re.fullmatch("[!-~]+", url) is not None  # http.client's errors would quote the query
    except ValueError:
        parts, complete = urlsplit(""), False
    if parts.scheme != "http" or not complete or parts.username is not None:
        raise ConfigurationError(
            f"trigger {url!r:.200} is not the http URL of a function: use for example "
            "http://127.0.0.1:3001/2015-03-31/functions/NAME/invocations"
        )


def call(function: Handler | str, name: str, event: Mapping[str, Any], timeout: float | None) -> object:
    """Invoke *function* with *event* and return what it returned; None if :func:`.json_input.parse` refuses it.

    The service waits 5 seconds, and invokes a function that has not answered up to two more times ("Customizing user
    pool workflows with Lambda triggers" in the developer guide).

    Args:
        function: a callable, or the URL of an endpoint.
        name: the name of the function, for the context object.
        timeout: the time limit of each attempt in seconds; None for no limit.

    Raises:
        FunctionError: the function raised an exception.
        InvocationError: the endpoint cannot be reached, or no attempt was finished in time.
    """
    body = json.dumps(event)
    for _ in range(_ATTEMPTS):
        try:
            return _within(timeout, lambda: _attempt(function, name, str(event["region"]), body, timeout))
        except TimeoutError:
            _log.info("trigger %s did not answer within %s seconds", name, timeout)
    # The service's own message, from answers in public issue threads.
    raise InvocationError("Socket timeout while invoking Lambda function")


def _within(timeout: float | None, work: Callable[[], T]) -> T:
    if timeout is None:
        return work()
    outcomes: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            outcomes.put((work(), None))
        except BaseException as error:  # noqa: BLE001 - it is raised again in the caller's thread
            outcomes.put((None, error))

    # A thread cannot be stopped from outside. A daemon thread that hangs at least does not keep the process alive.
    copied = contextvars.copy_context()
    threading.Thread(target=copied.run, args=(run,), name="srpcore-trigger", daemon=True).start()
    try:
        # The queue measures the time by the operating system's monotonic clock, also while a test has frozen the time.
        result, error = outcomes.get(timeout=timeout)
    except queue.Empty:
        raise TimeoutError from None
    if error is not None:
        raise error
    return cast(T, result)


def _attempt(function: Handler | str, name: str, region: str, body: str, timeout: float | None) -> object:
    if callable(function):
        return _call_handler(function, body, LambdaContext(name, region, timeout))
    return _post(function, name, body, timeout)


def _call_handler(handler: Handler, body: str, context: LambdaContext) -> object:
    try:
        returned = handler(json.loads(body), context)
    except _FAILURES as error:
        # In the main thread this is Ctrl-C: the program must end. In any other thread only the handler can raise it.
        if isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread():
            raise
        # The client sees only the message, so log the traceback.
        _log.info("trigger %s raised an exception", context.function_name, exc_info=True)
        raise FunctionError(_printable(_message(error))) from error
    try:
        result = json.dumps(returned, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise FunctionError(f"Unable to marshal response: {error}") from error
    return _parse_result(result.encode("utf-8"))


def _message(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - the class of the handler's exception may be broken
        return f"{type(error).__name__} (its message cannot be read)"
    return text if isinstance(error, Exception) else f"{type(error).__name__}: {text}".removesuffix(": ")


def _post(url: str, name: str, body: str, timeout: float | None) -> object:
    parts = urlsplit(url)
    connection = _Connection(parts, timeout)
    try:
        connection.request("POST", _target(parts), body.encode("utf-8"), {"Content-Type": "application/json"})
        response = connection.getresponse()
        content = response.read(_LONGEST_ANSWER + 1)
    except TimeoutError:
        raise
    except (OSError, HTTPException, UnicodeError) as error:
        _log_endpoint(name, parts, f"{type(error).__name__}: {error}")
        raise InvocationError("the endpoint cannot be reached, or its answer is not valid HTTP") from error
    finally:
        connection.release()
    if response.length and len(content) <= _LONGEST_ANSWER:
        # read(amount) does not check it.
        _log_endpoint(name, parts, f"the answer ended {response.length} bytes too early")
        raise InvocationError("the answer of the endpoint is not complete")
    if response.status != 200:
        _log_endpoint(name, parts, f"HTTP status {response.status}")
        raise InvocationError(f"the endpoint answered with HTTP status {response.status}")
    return _parse(content, failed=response.getheader("X-Amz-Function-Error") is not None)


def _log_endpoint(name: str, parts: SplitResult, reason: str) -> None:
    # Clients are not authenticated, so they are sent neither the address nor the reason. The query may be a secret (the
    # key of a function), so it is not logged either.
    _log.warning("trigger %s: cannot invoke %s: %s", name, parts._replace(query="", fragment="").geturl(), reason)


class _Connection(HTTPConnection):
    """A connection whose time limit is for the whole call, from the connect() to the end of the body.

    A socket's timeout begins again with each byte that is received. If an endpoint sent a byte now and then, the call
    would go on for ever, after its caller has given up.
    """

    def __init__(self, parts: SplitResult, timeout: float | None) -> None:
        super().__init__(parts.hostname or "", parts.port or 80, timeout=timeout)
        self._deadline = None if timeout is None else monotonic_clock() + timeout
        self._connected: socket.socket | None = None

    def connect(self) -> None:
        super().connect()
        self._connected = cast(socket.socket, self.sock)
        self.sock = cast(Any, _TimedSocket(self._connected, self._deadline))

    def release(self) -> None:
        """Close the connection. :meth:`close` is called by http.client too, before the body is read."""
        self.close()
        if self._connected is not None:
            self._connected.close()


class _TimedSocket:
    """What http.client needs of a socket. A call that is not finished at *deadline* raises TimeoutError."""

    def __init__(self, sock: socket.socket, deadline: float | None) -> None:
        self._socket, self._deadline = sock, deadline

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self))

    def sendall(self, data: bytes) -> None:
        self._limited().sendall(data)

    def receive_into(self, buffer: Any) -> int:
        return self._limited().recv_into(buffer)

    def close(self) -> None:
        pass  # see _Connection.release

    def _limited(self) -> socket.socket:
        if self._deadline is not None:
            left = self._deadline - monotonic_clock()
            if left <= 0:
                raise TimeoutError
            self._socket.settimeout(left)
        return self._socket


class _TimedReader(io.RawIOBase):
    def __init__(self, sock: _TimedSocket) -> None:
        self._socket = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        return self._socket.receive_into(buffer)


def _target(parts: SplitResult) -> str:
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _parse(content: bytes, *, failed: bool) -> object:
    returned = None if len(content) > _LONGEST_ANSWER else _parse_result(content)
    message = cast(dict[str, object], returned).get("errorMessage") if isinstance(returned, dict) else None
    if failed or message is not None:
        raise FunctionError(_printable(str(message or "Unhandled")))
    return cast(object, returned)


def _parse_result(content: bytes) -> object:
    try:
        return json_input.parse(content)
    except ValueError:
        return None


def _printable(message: str) -> str:
    """Return *message* in a form that the client can be sent: without lone surrogates."""
    return message.encode("utf-8", "backslashreplace").decode("utf-8")
