"""Drive Chromium through chromedriver: W3C WebDriver, and section 11 of Web Authentication level 3.

WebDriver is JSON over HTTP. The few commands that are needed here do not justify a client library.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from support.ports import reserved_port

from .programs import program

__all__ = ["Browser", "browser"]

# The last four keep Chromium from calling its maker's servers.
_ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",  # it does not start as root otherwise
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
]
# Only bounds a hang. A cold start of Chromium on a busy machine takes many seconds.
_SECONDS = 90


class Browser:
    """A browser with one empty profile."""

    def __init__(self, port: int, folder: Path) -> None:
        self._port = port
        options = {
            "binary": program("chromium", "chromium"),
            "args": [*_ARGUMENTS, f"--user-data-dir={folder}"],
        }
        capabilities = {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "WARNING"},
            "webauthn:virtualAuthenticators": True,
        }
        session = self._send("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})
        self._path = f"/session/{session['sessionId']}"
        self._command("/timeouts", {"script": _SECONDS * 1000, "pageLoad": _SECONDS * 1000})

    def open(self, url: str) -> None:
        """Show the page at *url*."""
        self._command("/url", {"url": url})

    def run(self, function: str, *arguments: object) -> Any:
        """Return what the asynchronous JavaScript *function* resolves to, called with *arguments* in the page."""
        script = (
            "const done = arguments[arguments.length - 1];"
            f"({function})(...Array.from(arguments).slice(0, -1))"
            ".then(value => done({value}), error => done({error: String(error)}));"
        )
        result = self._command("/execute/async", {"script": script, "args": arguments})
        assert "error" not in result, result["error"]
        return result["value"]

    def devtools(self, command: str, **parameters: object) -> Any:
        """Return the result of a *command* of the Chrome DevTools Protocol."""
        return self._command("/goog/cdp/execute", {"cmd": command, "params": parameters})

    def console(self) -> list[str]:
        """Return the warnings and errors that pages have written to the console since the last call."""
        return [entry["message"] for entry in self._command("/se/log", {"type": "browser"})]

    @contextmanager
    def authenticator(self, **options: object) -> Generator[None]:
        """Plug in a virtual authenticator, which makes keys and signs without a person, and remove it at the end."""
        identifier = self._command("/webauthn/authenticator", options)
        try:
            yield
        finally:
            self._send("DELETE", f"{self._path}/webauthn/authenticator/{identifier}")

    def close(self) -> None:
        """End the browser."""
        self._send("DELETE", self._path)

    def _command(self, path: str, parameters: Mapping[str, object]) -> Any:
        return self._send("POST", self._path + path, parameters)

    def _send(self, method: str, path: str, parameters: Mapping[str, object] | None = None) -> Any:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=_SECONDS)
        try:
            body = None if parameters is None else json.dumps(parameters)
            connection.request(method, path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            value = json.loads(response.read())["value"]
        finally:
            connection.close()
        assert response.status == 200, f"{method} {path}: {value}"
        return value


@contextmanager
def browser(folder: Path) -> Generator[Browser]:
    """Start chromedriver and a browser with its profile in *folder*, and end both."""
    # With --port=0, chromedriver takes a free port of ::1, and fails if another program has that port of 127.0.0.1.
    with (
        reserved_port() as port,
        (folder / "chromedriver.log").open("wb") as errors,
        subprocess.Popen(
            [program("chromedriver", "chromium-driver"), f"--port={port}"],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as driver,
    ):
        assert driver.stdout is not None
        try:
            printed: list[str] = []
            for line in driver.stdout:
                printed.append(line)
                if "started successfully" in line:
                    break
            else:
                raise AssertionError(f"chromedriver ended: {''.join(printed)}")
            running = Browser(port, folder / "profile")
            try:
                yield running
            finally:
                running.close()
        finally:
            driver.terminate()
