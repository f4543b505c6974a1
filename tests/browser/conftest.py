"""A real browser: Debian's chromium without a window, driven through its DevTools protocol.

aiohttp, which Ray's dashboard brings, speaks to it: no package of its own is needed.
https://chromedevtools.github.io/devtools-protocol/
"""

import asyncio
import base64
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE_S = 60.0
WINDOW = (1500, 1100)  # pixels


class Browser:
    """One tab."""

    def __init__(self, folder: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._number = 0
        profile = folder / "profile"
        quiet = "--disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update"
        self._process = subprocess.Popen(
            [
                str(CHROMIUM),
                "--headless",
                "--no-sandbox",
                *quiet.split(),
                "--disable-sync",
                "--disable-dev-shm-usage",
                "--remote-debugging-port=0",
                "--remote-allow-origins=*",
                f"--user-data-dir={profile}",
                f"--window-size={WINDOW[0]},{WINDOW[1]}",
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        port = profile / "DevToolsActivePort"
        self.wait(lambda: port.exists() and port.read_text().count("\n") > 0, "chromium's port")
        self._run(self._connect(port.read_text().splitlines()[0]))

    def _run(self, work: Any) -> Any:
        return self._loop.run_until_complete(work)

    async def _connect(self, port: str) -> None:
        self._session = aiohttp.ClientSession()
        async with self._session.get(f"http://127.0.0.1:{port}/json/list") as answer:
            [page] = [target for target in await answer.json() if target["type"] == "page"]
        self._socket = await self._session.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0)

    def call(self, method: str, **parameters: Any) -> Any:
        """One command of the protocol; its result."""
        return self._run(self._call(method, parameters))

    async def _call(self, method: str, parameters: dict[str, Any]) -> Any:
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": parameters})
        while True:
            message = json.loads((await self._socket.receive(timeout=PATIENCE_S)).data)
            if message.get("id") == self._number:
                assert "error" not in message, f"{method}: {message['error']}"
                return message["result"]

    def evaluate(self, script: str) -> Any:
        return self.call("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def open(self, url: str) -> None:
        self.call("Page.navigate", url="about:blank")  # the other page may differ behind the # alone
        self.call("Page.navigate", url=url)

    def text(self) -> str:
        """What is visible, also inside what the page draws with a shadow or scrolls."""
        return str(self.evaluate("document.body ? document.body.innerText : ''"))

    def shows(self, *words: str) -> str:
        """Wait until the page shows all of these; its text."""
        self.wait(lambda: all(word in self.text() for word in words), words, self.text)
        return self.text()

    def wait(self, done: Callable[[], Any], what: Any, found: Callable[[], str] = lambda: "") -> None:
        until = time.monotonic() + PATIENCE_S
        while not done():
            assert time.monotonic() < until, f"waited for {what}, found:\n{found()}"
            time.sleep(0.1)

    def click(self, text: str) -> None:
        """Click the innermost element that shows exactly this."""
        script = f"""(() => {{
            const all = [...document.querySelectorAll('a, button, span, div, label, p, h1, h2, h3, h4')];
            const hits = all.filter(e => e.innerText && e.innerText.trim() === {json.dumps(text)});
            if (!hits.length) return false;
            hits[hits.length - 1].click();
            return true;
        }})()"""
        self.wait(lambda: self.evaluate(script), f"something to click that says {text}", self.text)

    def screenshot(self, path: Path) -> Path:
        """A picture of the window."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))
        print(f"screenshot: {path}")
        return path

    def close(self) -> None:
        self._run(self._session.close())
        self._process.terminate()
        self._process.wait()
        self._loop.close()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("chromium is not installed (Debian: apt-get install chromium)")
    made = Browser(tmp_path_factory.mktemp("browser"))
    yield made
    made.close()
