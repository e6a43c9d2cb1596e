"""The first view of the overview in Chromium, with the demo: what goes over the wire, and when its largest part is
painted (largest contentful paint). The aim is less than 150 KB of page, styles and scripts.

The product is started as `make run` starts it. Each view has a cache of its own: nothing is kept from the one before.
"Slow" is a processor four times as slow and a line of 1.6 Mbit/s with 150 ms each way, as browsers' own tools have it.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.sync_api import Browser, StorageState, sync_playwright

from bench import measure

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM = os.environ.get("PLATFORM_RISK_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome") or ""
VIEWS = int(os.environ.get("BENCH_ROUNDS", "7"))
AIM_KB = 150
PAGES = {"overview": "/", "risk": "/risk/", "findings": "/findings/?q=is:open+-is:other_branch"}
_PAINTED = """() => new Promise(done => {
  let last = 0;
  new PerformanceObserver(list => { for (const entry of list.getEntries()) last = entry.startTime; })
    .observe({type: "largest-contentful-paint", buffered: true});
  setTimeout(() => done(last), 500);
})"""
_SENT = """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .map(each => [each.initiatorType, each.name, each.encodedBodySize])"""


def until(told: Callable[[], Any], process: "subprocess.Popen[bytes]", log: Path) -> Any:
    for _ in range(1200):
        found = told()
        if found:
            return found
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise RuntimeError(log.read_text()[-2000:])


def measured(browser: Browser, site: str, signed_in: StorageState, path: str, *, slow: bool) -> tuple[float, list[Any]]:
    context = browser.new_context(storage_state=signed_in, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    if slow:
        session = context.new_cdp_session(page)
        session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
        line = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 94_000}
        session.send("Network.enable")
        session.send("Network.emulateNetworkConditions", line)
    page.goto(site + path, wait_until="load")
    painted = float(page.evaluate(_PAINTED))
    sent: list[Any] = page.evaluate(_SENT)
    context.close()
    return painted, sent


def kilobytes(sent: list[Any], *ends: str) -> float:
    return float(sum(size for kind, name, size in sent if name.endswith(ends) or (kind in ends))) / 1000


def views(browser: Browser, site: str, password: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{site}/sign-in/")
    page.fill("[name=username]", "admin")
    page.fill("[name=password]", password)
    page.click("main button[type=submit], form button[type=submit]")
    page.wait_for_url(f"{site}/")
    signed_in = context.storage_state()
    context.close()
    rows: list[list[object]] = []
    for name, path in PAGES.items():
        for slow in (False, True):
            found = [measured(browser, site, signed_in, path, slow=slow) for _ in range(VIEWS)]
            times = [painted for painted, _ in found]
            sent = found[-1][1]
            parts = [kilobytes(sent, "navigation"), kilobytes(sent, ".css"), kilobytes(sent, ".js")]
            rows.append(
                [name, "slow" if slow else "as it is", min(times), measure.percentile(times, 50), max(times), *parts,
                 sum(parts)]
            )  # fmt: skip
    headers = ("page", "line", "least ms", "p50 ms", "most ms", "HTML KB", "CSS KB", "JS KB", "sum KB")
    measure.show(f"Largest contentful paint, {VIEWS} first views each; aim: sum < {AIM_KB} KB", headers, rows)


def main() -> None:
    if not CHROMIUM:
        print("no Chromium: apt-get install chromium")
        return
    folder = Path(tempfile.mkdtemp(prefix="pr-"))  # short: sockets in it have a path of 107 characters at most
    folder.chmod(0o711)
    data, log = folder / "data", folder / "log"
    environment = os.environ | {
        "DATABASE_URL": "", "REDIS_URL": "", "PLATFORM_RISK_DATA": str(data), "PORT": "0", "PLATFORM_RISK_DEMO": "1",
    }  # fmt: skip
    with log.open("wb") as file:
        process = subprocess.Popen(
            (sys.executable, "-m", "platform_risk.local"), cwd=ROOT, env=environment, stdout=file, stderr=file,
            start_new_session=True,
        )  # fmt: skip
    try:
        ready = until(lambda: re.search(r"^ready (http://\S+)$", log.read_text(), re.MULTILINE), process, log)
        until(lambda: (data / "demo-done").exists(), process, log)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            views(browser, ready[1], (data / "admin-password").read_text().strip())
            browser.close()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
