"""One headless Chromium for many pages, driven over its debugging pipe: messages of JSON, each ended by a nought byte.

Nothing is installed for it and no port is opened. A page is looked at as a file of this machine.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--hide-scrollbars", "--remote-debugging-pipe",
)  # fmt: skip
PATIENCE = 120.0  # seconds for one answer


class Chromium:
    """A browser with one tab. A context manager, which ends it."""

    def __init__(self, profile: Path) -> None:
        (theirs_in, self._out), (self._in, theirs_out) = os.pipe(), os.pipe()
        # The browser reads its third and writes its fourth file. Both ends are moved out of the way first.
        command = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
        self._process = subprocess.Popen(
            ["bash", "-c", command, "bash", str(PROGRAM), *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(theirs_in, theirs_out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(theirs_in)
        os.close(theirs_out)
        self._number, self._rest, self._session = 0, b"", ""
        self.requests: list[str] = []
        self._loaded = False
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime"):
            self.ask(f"{domain}.enable")

    def __enter__(self) -> Chromium:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._session = ""
        try:
            self.ask("Browser.close")
            self._process.wait(20)
        finally:
            self._process.kill()
            self._process.wait()
            os.close(self._out)
            os.close(self._in)

    def open(
        self, address: str, *, width: int = 1200, height: int = 900, media: Mapping[str, str] | None = None
    ) -> None:
        """Show a page in a window of this size. ``media``: features as in CSS, such as prefers-contrast: more."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        features = [{"name": name, "value": value} for name, value in (media or {}).items()]
        self.ask("Emulation.setEmulatedMedia", media="", features=features)
        self.requests, self._loaded = [], False
        self.ask("Page.navigate", url=address)
        self._until(lambda: self._loaded)

    def run(self, script: str) -> Any:
        """The value of an expression, awaited where it is a promise."""
        answer = self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise AssertionError(f"the page's script failed: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def picture(self, area: Mapping[str, float] | None = None) -> bytes:
        """A PNG of the window, or of an area of the whole page: x, y, width, height."""
        clip = {"clip": {**area, "scale": 1}, "captureBeyondViewport": True} if area else {}
        return base64.b64decode(self.ask("Page.captureScreenshot", format="png", **clip)["data"])

    def printed(self) -> bytes:
        """The page as a PDF, of the size and with the margins that its style sheet asks for."""
        answer = self.ask(
            "Page.printToPDF", preferCSSPageSize=True, printBackground=False, generateDocumentOutline=True
        )
        return base64.b64decode(answer["data"])

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        number = self._number
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        content = json.dumps(message).encode() + b"\0"
        while content:
            content = content[os.write(self._out, content) :]
        answers: list[dict[str, Any]] = []
        self._until(lambda: bool(answers), lambda found: answers.append(found) if found.get("id") == number else None)
        if "error" in answers[0]:
            raise AssertionError(f"{method}: {answers[0]['error']}")
        result: dict[str, Any] = answers[0]["result"]
        return result

    def _until(self, done: Any, told: Any = lambda found: None) -> None:
        """Read messages until ``done``; each is noted, and ``told``."""
        ends = time.monotonic() + PATIENCE
        while not done():
            while b"\0" not in self._rest:
                if not select.select([self._in], [], [], max(0.0, ends - time.monotonic()))[0]:
                    raise AssertionError(f"the browser gave no answer within {PATIENCE:.0f} seconds")
                read = os.read(self._in, 1 << 20)
                if not read:
                    raise AssertionError("the browser ended")
                self._rest += read
            line, _, self._rest = self._rest.partition(b"\0")
            found = json.loads(line)
            self._note(found)
            told(found)

    def _note(self, found: Mapping[str, Any]) -> None:
        if found.get("method") == "Page.loadEventFired":
            self._loaded = True
        if found.get("method") == "Network.requestWillBeSent":
            address = str(found["params"]["request"]["url"])
            if not address.startswith("data:"):
                self.requests.append(address)
