"""Chromium without a window, by its DevTools protocol: what a person would see of a page."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from websockets.sync.client import connect

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from websockets.sync.client import ClientConnection

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""Browsers that do, the first that is on the path; the Makefile's list is the same."""

_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
)
_LISTENING = re.compile(r"DevTools listening on (ws://\S+)")
_SECONDS = 60


class BrowserError(RuntimeError):
    """There is no browser, or it did not do what it was asked to do."""


@dataclass
class Page:
    """A page as it is shown.

    Attributes:
        requests: The addresses that were asked for, the page's own first.
        complaints: What the console showed.
    """

    _socket: ClientConnection
    _session: str = ""
    _sent: int = 0
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self, path: Path, *, width: int, dark: bool) -> None:
        """Show a file, and wait until it is loaded.

        Args:
            path: The file.
            width: Width of the view in pixels; a phone's, if it is less than 600.
            dark: Whether the reader prefers dark colours.
        """
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(f"{domain}.enable")
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=844,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Page.navigate", url=path.resolve().as_uri())
        while self._next().get("method") != "Page.loadEventFired":
            pass

    def evaluate(self, script: str) -> Any:
        """Return the value of an expression of JavaScript.

        Raises:
            BrowserError: The expression failed.
        """
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in answer:
            raise BrowserError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def picture(self, height: int, scale: float) -> bytes:
        """Return the page as PNG, down to a height in pixels."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {**size, "height": height, "scale": scale}
        taken = self.call("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
        return base64.b64decode(taken["data"])

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Return the answer to a command of the DevTools protocol.

        Raises:
            BrowserError: The browser refused it.
        """
        self._sent += 1
        number = self._sent
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._socket.send(json.dumps(message))
        while (answer := self._next()).get("id") != number:
            pass
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    def _next(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self._socket.recv(_SECONDS))
        parameters = message.get("params", {})
        match message.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(parameters["request"]["url"])
            case "Log.entryAdded":
                self.complaints.append(parameters["entry"]["text"])
            case "Runtime.consoleAPICalled" | "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(parameters))
        return message


@contextmanager
def browser() -> Iterator[Page]:
    """Start a browser with an empty profile, and end it afterwards.

    Raises:
        BrowserError: None is installed.
    """
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        raise BrowserError(
            f"none of {', '.join(NAMES)} is on the path: install Chromium (Debian: "
            "apt-get install chromium-headless-shell fonts-dejavu-core; as root, "
            "`make browser` does it)"
        )
    with (
        TemporaryDirectory(ignore_cleanup_errors=True) as profile,
        subprocess.Popen(
            [program, *_OPTIONS, f"--user-data-dir={profile}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        try:
            assert process.stderr
            with connect(_address(process.stderr), max_size=None) as socket:
                yield Page(socket)
        finally:
            process.kill()


def _address(output: Iterable[str]) -> str:
    lines = []
    for line in output:
        if found := _LISTENING.search(line):
            return found[1]
        lines.append(line)
    raise BrowserError(f"the browser did not start: {''.join(lines)}")
