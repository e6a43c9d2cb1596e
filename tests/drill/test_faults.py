"""The whole product as `make run` has it, with something killed in the middle of an import: what is left is what an
undisturbed import leaves, within a minute.

At five points of an import × kill -9 of the worker's child, of its parent, of everything; Redis emptied and killed;
PostgreSQL killed. With short leases, to get through it all, and the gravest once more with the settings as they come.
"""

import contextlib
import http.client
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from platform_risk.core.imports import faults
from platform_risk.local import processes
from tests.drill.test_run import ROOT, Run
from tests.factories import sarif, sarif_result
from tests.outcome import Rows, outcome

pytestmark = [
    pytest.mark.drill,
    pytest.mark.skipif(not processes.LINUX, reason="looks for left-over processes in /proc"),
]

WITHIN = 60.0
DAY = datetime.now(UTC).replace(microsecond=0) - timedelta(days=30)
FIRST = sarif(*(sarif_result(f"R{n % 7}", f"src/{n}.py", n + 1) for n in range(3_000)))
# 1,000 are gone, 1,000 moved, 1,000 as they were and 1,000 new; one cannot be read.
SECOND = sarif(
    *(sarif_result(f"R{n % 7}", f"src/{n}.py", n + (2 if n < 2_000 else 1)) for n in range(1_000, 4_000)),
    *(sarif_result(f"R{n % 7}", f"src/{n}.py", n + 1) for n in range(4_000, 5_000)),
    {"ruleId": "R1", "message": {"text": 7}},
)


class Product(Run):
    """A running product that is sent reports as a build server sends them."""

    def __init__(self, folder: Path, **settings: str) -> None:
        super().__init__(folder / "data", folder / "log")
        self.order = folder / "fault"
        self.taken = folder / "fault.taken"
        self.environment |= {"PLATFORM_RISK_FAULT": str(self.order), **settings}
        self.token = ""

    def manage(self, *arguments: str) -> str:
        command = [sys.executable, "-W", "ignore", "manage.py", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=True
        ).stdout.strip()

    def send(self, content: bytes, service: str, day: int) -> int:
        """POST /api/v1/imports/; returns the import's number."""
        boundary = secrets.token_hex(16)
        observed_at = (DAY + timedelta(days=day)).isoformat()
        fields = {"service": service, "observed_at": observed_at, "complete": "yes"}
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in fields.items()
        ]
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="report.sarif"\r\n\r\n'
        body = b"".join([*parts, head.encode(), content, f"\r\n--{boundary}--\r\n".encode()])
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": f"multipart/form-data; boundary={boundary}",
        }
        web = http.client.HTTPConnection(urlsplit(self.url or "").netloc, timeout=30)
        try:
            web.request("POST", "/api/v1/imports/", body, headers)
            answer = web.getresponse()
            text = answer.read()
        finally:
            web.close()
        assert answer.status == 202, text
        return int(json.loads(text)["id"])

    def rows(self, query: str, parameters: dict[str, Any]) -> Rows:
        with self.database() as database:
            return database.execute(query, parameters).fetchall()

    def state(self, number: int) -> tuple[str, int]:
        """State and attempts of an import; ("", 0) while the database is away."""
        with contextlib.suppress(OSError, psycopg.OperationalError):
            [(state, attempt)] = self.rows(
                "SELECT state, attempt FROM core_import WHERE id = %(import)s", {"import": number}
            )
            return str(state), int(attempt)
        return "", 0

    def finished(self, number: int, seconds: float = WITHIN) -> None:
        self.until(lambda: self.state(number)[0] in ("done", "failed", "cancelled"), seconds)
        assert self.state(number)[0] == "done"

    def left(self, service: str) -> dict[str, Rows]:
        [(number,)] = self.rows("SELECT id FROM core_service WHERE slug = %(slug)s", {"slug": service})
        return outcome(self.rows, int(number))

    # Faults

    def order_fault(self, point: str, signal_number: int) -> None:
        self.taken.unlink(missing_ok=True)
        draft = self.order.with_suffix(".draft")
        draft.write_text(f"{point} {int(signal_number)}")
        draft.rename(self.order)

    def wait_for_fault(self) -> int:
        """The process that came to the point."""
        self.until(self.taken.exists, 30)
        return int(self.taken.read_text())

    def kill(self, name: str) -> None:
        os.kill(self.pid(name), signal.SIGKILL)

    def kill_and_await(self, name: str) -> None:
        """Kills one of the servers; the supervisor brings it back."""
        before = self.pid(name)
        os.kill(before, signal.SIGKILL)

        def is_back() -> bool:
            with contextlib.suppress(OSError, ValueError):
                return self.pid(name) != before
            return False

        self.until(is_back, 30)

    def kill_everything(self) -> None:
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert self.process is not None
        self.process.wait(10)

    def empty_redis(self) -> None:
        with redis.Redis.from_url((self.data / "run" / "redis-url").read_text().strip()) as client:
            client.flushall()

    def ready(self) -> None:
        self.until(self.is_ready, 60)


def kill_child(product: Product, child: int) -> None:
    os.kill(child, signal.SIGKILL)


def kill_parent(product: Product, child: int) -> None:
    product.kill("worker")


def kill_all(product: Product, child: int) -> None:
    product.kill_everything()
    product.start()


def empty_and_kill_redis(product: Product, child: int) -> None:
    product.empty_redis()
    product.kill_and_await("redis")
    os.kill(child, signal.SIGCONT)


def kill_postgres(product: Product, child: int) -> None:
    product.kill_and_await("postgres")
    os.kill(child, signal.SIGCONT)


FAULTS: dict[str, Callable[[Product, int], None]] = {
    "child": kill_child,
    "parent": kill_parent,
    "everything": kill_all,
    "redis": empty_and_kill_redis,
    "postgres": kill_postgres,
}


@contextlib.contextmanager
def running(**settings: str) -> Iterator[Product]:
    folder = Path(tempfile.mkdtemp(prefix="pr-")).resolve()
    folder.chmod(0o711)
    product = Product(folder, **settings)
    try:
        product.start()
        product.token = product.manage("create_token", "drill", "--scope", "write")
        yield product
    finally:
        for pid in product.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if product.process is not None:
            product.process.wait(10)
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    with running(PLATFORM_RISK_IMPORT_LEASE="4s") as product:
        yield product


@pytest.fixture(scope="module")
def expected(product: Product) -> dict[str, Rows]:
    return undisturbed(product)


def undisturbed(product: Product) -> dict[str, Rows]:
    for day, content in enumerate((FIRST, SECOND)):
        product.finished(product.send(content, "undisturbed", day))
    left = product.left("undisturbed")
    assert len(left["findings"]) == 5_000
    assert len(left["effects"]) == 2_000
    assert len(left["rejects"]) == 1
    return left


def disturbed(product: Product, service: str, point: str, fault: Callable[[Product, int], None]) -> float:
    """Sends both reports, the second with the fault; returns how long after it the import was done."""
    product.ready()
    product.finished(product.send(FIRST, service, 0))
    product.order_fault(point, signal.SIGSTOP)
    number = product.send(SECOND, service, 1)
    child = product.wait_for_fault()
    begun = time.monotonic()
    fault(product, child)
    product.finished(number)
    took = time.monotonic() - begun
    assert product.state(number)[1] <= 3
    return took


@pytest.mark.parametrize("point", faults.POINTS)
@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_dies_at_whatever_point_the_import_leaves_what_an_undisturbed_one_does(
    product: Product, expected: dict[str, Rows], point: str, fault: str
) -> None:
    service = f"{fault}-{point.replace('_', '-')}"
    took = disturbed(product, service, point, FAULTS[fault])
    assert took < WITHIN
    assert product.left(service) == expected


@pytest.mark.parametrize("fault", ["child", "parent", "everything"])
def test_with_the_settings_as_they_come_it_is_done_within_a_minute(fault: str) -> None:
    with running() as product:
        expected = undisturbed(product)
        took = disturbed(product, "checkout", "before_commit", FAULTS[fault])
        assert took < WITHIN
        assert product.left("checkout") == expected


def test_an_import_whose_message_redis_lost_is_found_by_the_sweeper(
    product: Product, expected: dict[str, Rows]
) -> None:
    product.ready()
    worker = product.pid("worker")
    os.kill(worker, signal.SIGSTOP)  # it takes no message
    try:
        numbers = [product.send(FIRST, "lost", 0)]
        product.empty_redis()
    finally:
        os.kill(worker, signal.SIGCONT)
    product.finished(numbers[0])
    product.finished(product.send(SECOND, "lost", 1))
    assert product.left("lost") == expected


def test_a_worker_that_wakes_up_after_its_import_was_taken_over_changes_nothing(
    product: Product, expected: dict[str, Rows]
) -> None:
    product.ready()
    product.finished(product.send(FIRST, "late", 0))
    product.order_fault("claimed", signal.SIGSTOP)
    number = product.send(SECOND, "late", 1)
    child = product.wait_for_fault()
    product.finished(number)  # by another, while the first one still sleeps
    assert product.state(number) == ("done", 2)
    assert product.left("late") == expected
    os.kill(child, signal.SIGCONT)
    product.until(lambda: f"import {number}: attempt 1 was fenced off" in product.text, 30)
    assert product.left("late") == expected
