"""The product as `make run` starts it, with the demo, and a browser to use it: made once by each test process.

Skipped, loudly, without a browser; under CI=true the Makefile refuses to begin without one.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, StorageState, sync_playwright

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
# A folder for a picture of every page, to look at: PICTURES=build/pictures make test
PICTURES = Path(os.environ["PICTURES"]) if os.environ.get("PICTURES") else None
CHROMIUM = os.environ.get("PLATFORM_RISK_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome") or ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if not CHROMIUM:
                item.add_marker(pytest.mark.skip(reason="no Chromium: apt-get install chromium"))


@dataclass
class Site:
    """A running product. `get` asks its API as the administrator."""

    url: str
    password: str
    token: str
    signed_in: StorageState = field(default_factory=StorageState)

    def get(self, path: str) -> Any:
        request = urllib.request.Request(f"{self.url}/api/v1{path}", headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)


@pytest.fixture(scope="session")
def running() -> Iterator[Site]:
    # Short, because sockets in it have a path of 107 characters at most.
    folder = Path(tempfile.mkdtemp(prefix="pr-"))
    data, log = folder / "data", folder / "log"
    environment = os.environ | {
        "DATABASE_URL": "", "REDIS_URL": "", "PLATFORM_RISK_DATA": str(data), "PORT": "0", "PLATFORM_RISK_DEMO": "1",
        "PLATFORM_RISK_WEB_PROCESSES": "1", "PLATFORM_RISK_WORKER_PROCESSES": "1",
    }  # fmt: skip
    with log.open("wb") as file:
        process = subprocess.Popen(
            (sys.executable, "-m", "platform_risk.local"), cwd=ROOT, env=environment, stdout=file, stderr=file,
            start_new_session=True,
        )  # fmt: skip
    try:
        ready = _until(lambda: re.search(r"^ready (http://\S+)$", log.read_text(), re.MULTILINE), process, log)
        _until(lambda: (data / "demo-done").exists(), process, log)
        command = (sys.executable, "manage.py", "create_token", "browser-tests", "--scope", "admin")
        made = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
        token = made.stdout.strip()
        yield Site(ready[1], (data / "admin-password").read_text().strip(), token)
    finally:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(30)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)


def _until(condition: Callable[[], Any], process: "subprocess.Popen[bytes]", log: Path) -> Any:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if found := condition():
            return found
        assert process.poll() is None, log.read_text()
        time.sleep(0.1)
    raise AssertionError(f"not ready after two minutes:\n{log.read_text()}")


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """No longer than these tests: while its event loop runs, Django takes this thread for an asynchronous one."""
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield started
        started.close()


@pytest.fixture
def site(running: Site, browser: Browser) -> Site:
    if not running.signed_in.get("cookies"):
        page = browser.new_page(base_url=running.url)
        page.goto("/sign-in/")
        page.fill("[name=username]", "admin")
        page.fill("[name=password]", running.password)
        page.click("main button[type=submit]")
        page.wait_for_url("**/")
        running.signed_in = page.context.storage_state()
        page.context.close()
    return running


class Opened:
    """`opened(width=390, theme="dark")` is a page signed in as admin. What consoles say, `said` remembers."""

    def __init__(self, browser: Browser, site: Site) -> None:
        self._browser = browser
        self._site = site
        self._contexts: dict[tuple[Any, ...], BrowserContext] = {}
        # A tab that is opened costs a process and a second of a core: those of earlier tests are used again.
        self._idle: dict[tuple[Any, ...], list[Page]] = defaultdict(list)
        self._used: list[tuple[tuple[Any, ...], Page]] = []
        self.said: list[str] = []

    def __call__(self, *, width: int = 1440, height: int = 950, theme: Any = "light", signed_in: bool = True) -> Page:
        key = (width, height, theme, signed_in)
        page = self._idle[key].pop() if self._idle[key] else self._new(*key)
        self._used.append((key, page))
        return page

    def _new(self, width: int, height: int, theme: Any, signed_in: bool) -> Page:
        # Contexts are kept: a new one would fetch and compile every script again.
        key = (width, height, theme, signed_in)
        if key not in self._contexts:
            self._contexts[key] = self._browser.new_context(
                base_url=self._site.url, viewport={"width": width, "height": height}, color_scheme=theme,
                reduced_motion="reduce", storage_state=self._site.signed_in if signed_in else None,
            )  # fmt: skip
        page = self._contexts[key].new_page()
        page.set_default_timeout(15_000)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.said.append(f"{page.url}: {error}"))
        return page

    def put_back(self) -> None:
        """The test is over. Its tabs stay where they are: an address elsewhere would start another process."""
        for key, page in self._used:
            if not key[-1]:  # whoever signed in there would stay so
                self._contexts.pop(key).close()
            elif not page.is_closed():
                self._idle[key].append(page)
        self._used = []

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.said.append(f"{message.location.get('url', '')}: {message.text}")

    def close(self) -> None:
        for context in self._contexts.values():
            context.close()


@pytest.fixture(scope="module")
def _opened(running: Site, browser: Browser) -> Iterator[Opened]:
    pages = Opened(browser, running)
    yield pages
    pages.close()


@pytest.fixture
def opened(_opened: Opened, site: Site) -> Iterator[Opened]:
    yield _opened
    _opened.put_back()
    said, _opened.said = _opened.said, []
    assert said == []
