"""A worker that is killed in the middle of an import, two that take the same one, one that is too late.

Workers are processes of their own, on this test's database. tests/drill/test_faults.py does the same to the whole
product.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from django.db import connection, transaction
from django.utils import timezone

from findings import stating
from findings.models import Effect, Finding, History
from findings.tasks import look_again
from platform_risk.core import tasks
from platform_risk.core.imports import faults, runner
from platform_risk.core.imports import services as imports
from platform_risk.core.models import Import, ImportState, Service, User
from tests.factories import make_service, sarif, sarif_result, upload
from tests.findings.stale import stale
from tests.outcome import Rows, outcome

pytestmark = pytest.mark.usefixtures("transactional_db")

ROOT = Path(__file__).resolve().parents[2]
DAY = timezone.now() - timedelta(days=30)
UNREADABLE: Any = {"ruleId": "R1", "message": {"text": 7}}
# More than the worker reads between two looks at whether it is still wanted.
FIRST = sarif(*(sarif_result(f"R{n % 7}", f"src/{n}.py", n + 1) for n in range(600)), UNREADABLE)
# Of these 100 are gone, 100 moved, 400 as they were and 100 new; what could not be read still cannot.
SECOND = sarif(
    *(sarif_result(f"R{n % 7}", f"src/{n}.py", n + (2 if n < 200 else 1)) for n in range(100, 700)),
    UNREADABLE,
)
LONG = sarif(*(sarif_result("R1", f"src/{n}.py") for n in range(1_600)))


def ask(query: str, parameters: dict[str, int]) -> Rows:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return list(cursor.fetchall())


def left(service: Service) -> dict[str, Rows]:
    return outcome(ask, service.pk)


@pytest.fixture
def worker(tmp_path: Path) -> Callable[..., "subprocess.Popen[bytes]"]:
    """Starts a process that runs one import, on the database and the files of this test."""
    url = urlsplit(os.environ["DATABASE_URL"])
    database = url._replace(path="/" + quote(connection.settings_dict["NAME"])).geturl()
    environment = os.environ | {
        "DATABASE_URL": database,
        "PLATFORM_RISK_STORAGE": str(tmp_path / "files"),
        "PLATFORM_RISK_FAULT": str(tmp_path / "fault"),
        "DJANGO_SETTINGS_MODULE": "platform_risk.settings",
    }
    run = "from platform_risk.core import tasks; tasks.run_import(int(sys.argv[1]))"

    def start(row: Import, *first: str) -> "subprocess.Popen[bytes]":
        code = "\n".join(("import django, os, sys", "django.setup()", *first, run))
        return subprocess.Popen([sys.executable, "-W", "ignore", "-c", code, str(row.pk)], cwd=ROOT, env=environment)

    return start


def undisturbed() -> dict[str, Rows]:
    service = make_service("undisturbed")
    upload(FIRST, service, observed_at=DAY)
    row = upload(SECOND, service, observed_at=DAY + timedelta(days=1))
    counted = {name: count for name, count in imports.counts(row).items() if count}
    expected = {"read": 601, "new": 100, "changed": 100, "unchanged": 400, "closed": 100, "rejected": 1}
    assert (row.state, counted) == ("done", expected)
    return left(service)


# A machine that does much else takes this long to start a worker; on a quiet one nobody waits for it.
PATIENCE = 90


def until(condition: Callable[[], Any], seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("point", faults.POINTS)
def test_an_import_whose_worker_is_killed_is_resumed_and_leaves_what_an_undisturbed_one_does(
    point: str, tmp_path: Path, worker: Callable[..., "subprocess.Popen[bytes]"]
) -> None:
    expected = undisturbed()
    service = make_service("checkout")
    upload(FIRST, service, observed_at=DAY)
    before = left(service)
    row = upload(SECOND, service, observed_at=DAY + timedelta(days=1), run=False)
    (tmp_path / "fault").write_text(f"{point} {int(signal.SIGKILL)}")
    killed = worker(row)
    assert killed.wait(PATIENCE) == -signal.SIGKILL
    assert (tmp_path / "fault.taken").read_text() == str(killed.pid)
    row.refresh_from_db()
    if point == "after_commit":
        assert row.state == ImportState.DONE
    else:
        assert row.state == ImportState.RUNNING
        found = left(service)
        assert {**found, "imports": found["imports"][:1]} == before
        Import.objects.filter(pk=row.pk).update(lease_expires_at=timezone.now())  # the drill waits for it
        assert runner.unfinished() == [row.pk]
    runner.run(row.pk)
    row.refresh_from_db()
    assert (row.state, row.attempt) == (ImportState.DONE, 1 if point == "after_commit" else 2)
    assert left(service) == expected
    assert runner.unfinished() == []


def test_figures_that_an_import_left_to_be_computed_again_are_so_though_its_worker_is_killed_before_it_does(
    checkout: Service, alice: User, worker: Callable[..., "subprocess.Popen[bytes]"]
) -> None:
    row = upload(FIRST, checkout, run=False)
    with transaction.atomic():  # an input is stated all the while
        stating.state(
            user=alice, through="api", service=checkout, name="recover", kind="number", numbers={"value": 7},
            basis="A drill",
        )  # fmt: skip
        killed = worker(
            row, "from findings import estimating", "estimating.look_again = lambda _: os.kill(os.getpid(), 9)"
        )
        assert killed.wait(20) == -signal.SIGKILL
    assert Import.objects.get(pk=row.pk).state == ImportState.DONE
    assert stale() != []
    runner.run(row.pk)  # its message comes again: it is done
    assert [look_again(), look_again()] == [1, 0]
    assert stale() == []


def test_two_workers_that_take_the_same_import_at_once_apply_it_once(
    worker: Callable[..., "subprocess.Popen[bytes]"],
) -> None:
    expected = undisturbed()
    service = make_service("checkout")
    upload(FIRST, service, observed_at=DAY)
    row = upload(SECOND, service, observed_at=DAY + timedelta(days=1), run=False)
    assert [one.wait(PATIENCE) for one in [worker(row), worker(row)]] == [0, 0]
    row.refresh_from_db()
    assert (row.state, row.attempt) == (ImportState.DONE, 1)
    assert left(service) == expected


def elsewhere(work: Callable[[], object]) -> None:
    """As another worker: on a connection of its own, to its end."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()


class At:
    """Does something, once, when a load comes to a named point; remembers the points it came to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, point: str, work: Callable[[], object]) -> None:
        self.point, self.work = point, work
        self.passed: list[str] = []
        monkeypatch.setattr(faults, "at", self)

    def __call__(self, point: str) -> None:
        self.passed.append(point)
        if point == self.point and self.passed.count(point) == 1:
            self.work()


def nothing_applied(service: Service) -> bool:
    return not (Finding.objects.filter(service=service).exists() or Effect.objects.exists() or History.objects.exists())


def test_a_worker_whose_import_was_taken_over_applies_nothing(
    checkout: Service, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.IMPORT_HEARTBEAT_SECONDS = 3600  # it does not learn of it in time: only the fence is left
    row = upload(FIRST, checkout, run=False)
    taken: list[Import | None] = []

    def take_over() -> None:
        Import.objects.filter(pk=row.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
        taken.append(runner.claim(row.pk))

    points = At(monkeypatch, "after_copy", lambda: elsewhere(take_over))
    runner.run(row.pk)
    assert points.passed == ["claimed", "mid_parse", "after_copy"]
    assert [each.attempt for each in taken if each is not None] == [2]
    row.refresh_from_db()
    assert (row.state, row.attempt, row.new) == (ImportState.RUNNING, 2, 0)  # the other one's
    assert nothing_applied(checkout)


def test_a_worker_that_learns_in_time_that_its_import_was_taken_over_stops_reading(
    checkout: Service, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.IMPORT_HEARTBEAT_SECONDS = 0.02
    row = upload(LONG, checkout, run=False)

    def take_over() -> None:
        Import.objects.filter(pk=row.pk).update(attempt=2)
        time.sleep(0.5)

    points = At(monkeypatch, "mid_parse", lambda: elsewhere(take_over))
    runner.run(row.pk)
    assert points.passed == ["claimed", "mid_parse"]
    assert nothing_applied(checkout)


def test_a_cancelled_import_stops_in_the_middle_and_applies_nothing(
    checkout: Service, alice: User, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.IMPORT_HEARTBEAT_SECONDS = 0.02
    row = upload(LONG, checkout, run=False)

    def cancel() -> None:
        imports.cancel(Import.objects.get(pk=row.pk), user=alice)
        time.sleep(0.5)

    At(monkeypatch, "mid_parse", lambda: elsewhere(cancel))
    runner.run(row.pk)
    row.refresh_from_db()
    assert row.state == ImportState.CANCELLED
    assert row.finished_at is not None
    assert 0 < row.records_done < 1_600
    assert nothing_applied(checkout)
    assert runner.unfinished() == []


def test_progress_is_seen_by_others_while_the_load_goes_on(
    checkout: Service, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.IMPORT_HEARTBEAT_SECONDS = 0.02
    row = upload(LONG, checkout, run=False)
    seen: list[tuple[int, int, int]] = []

    def look() -> None:
        until(lambda: Import.objects.filter(pk=row.pk, records_done__gt=0).exists())
        now = Import.objects.get(pk=row.pk)
        seen.append((now.bytes_done, now.bytes_total, now.records_done))

    At(monkeypatch, "mid_parse", lambda: elsewhere(look))
    runner.run(row.pk)
    row.refresh_from_db()
    [(done, total, records)] = seen
    assert 0 < done < total == row.bytes_total == row.bytes_done
    assert 0 < records < row.records_done == 1_600


def test_the_sweeper_enqueues_what_nobody_works_on(checkout: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    enqueued: list[int] = []
    monkeypatch.setattr(tasks.run_import, "delay", enqueued.append)
    lost, fresh, held, left_behind, done = (upload(FIRST, checkout, run=False) for _ in range(5))
    now = timezone.now()
    Import.objects.filter(pk=lost.pk).update(created_at=now - timedelta(seconds=11))
    running = Import.objects.filter(pk__in=[held.pk, left_behind.pk])
    running.update(state=ImportState.RUNNING, lease_expires_at=now + timedelta(seconds=30))
    Import.objects.filter(pk=left_behind.pk).update(lease_expires_at=now - timedelta(seconds=1))
    Import.objects.filter(pk=done.pk).update(state=ImportState.DONE, created_at=now - timedelta(hours=1))
    assert tasks.sweep_imports() == 2
    assert enqueued == [lost.pk, left_behind.pk]
    assert fresh.pk not in enqueued


def test_an_import_that_takes_its_worker_down_each_time_fails_in_the_end(checkout: Service) -> None:
    row = upload(FIRST, checkout, run=False)
    Import.objects.filter(pk=row.pk).update(
        state=ImportState.RUNNING, attempt=runner.MOST_ATTEMPTS, lease_expires_at=timezone.now() - timedelta(seconds=1)
    )
    assert runner.unfinished() == [row.pk]
    runner.run(row.pk)
    row.refresh_from_db()
    assert (row.state, row.error["code"]) == (ImportState.FAILED, "gave_up")
    assert nothing_applied(checkout)
