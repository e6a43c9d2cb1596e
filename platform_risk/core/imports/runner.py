"""Carrying an import out: claim it, keep the lease alive, load it, or say why not.

The row is the truth. A worker claims it with a conditional update that also raises `attempt`; the load transaction ends
with an update that names the attempt and must hit one row (the fence), so that a worker whose lease ran out while it
was stopped or cut off cannot apply what another has taken over. The sweeper enqueues again what nobody holds.
"""

import contextlib
import logging
import signal
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from platform_risk.core.imports import faults
from platform_risk.core.imports.loaders import (
    ImportCancelledError,
    ImportFailedError,
    LeaseLostError,
    loader_of,
)
from platform_risk.core.models import Import, ImportState

logger = logging.getLogger(__name__)

# A file that takes its worker down each time (out of memory, a crash in a library) must not do so for ever.
MOST_ATTEMPTS = 5
_ASKED_EVERY = 1.0  # seconds


class Job:
    """One attempt at one import. `progress` is written by the heartbeat, so that the load itself stays undisturbed."""

    def __init__(self, row: Import) -> None:
        self.row = row
        self.attempt = row.attempt
        self.bytes_done = 0
        self.bytes_total = row.size_bytes
        self.records_done = 0
        self._stop = threading.Event()
        self._lost = False
        self._cancelled = False

    def check(self) -> None:
        """Called between records: stops work that nobody wants any more."""
        if self._lost:
            raise LeaseLostError
        if self._cancelled:
            raise ImportCancelledError

    def beat(self) -> None:
        """Renews the lease and reports progress; learns of a cancellation or that the lease is gone."""
        mine = Import.objects.filter(pk=self.row.pk, attempt=self.attempt, state=ImportState.RUNNING)
        alive = mine.update(
            lease_expires_at=timezone.now() + timedelta(seconds=settings.IMPORT_LEASE_SECONDS),
            bytes_done=self.bytes_done,
            bytes_total=self.bytes_total,
            records_done=self.records_done,
        )
        if not alive:
            self._lost = True
        elif mine.filter(cancel_requested_at__isnull=False).exists():
            self._cancelled = True

    def finish(self, **columns: Any) -> None:
        """The last statement of the load transaction. Raises LeaseLostError (and so rolls back) when fenced off."""
        done = Import.objects.filter(pk=self.row.pk, attempt=self.attempt, state=ImportState.RUNNING).update(
            state=ImportState.DONE,
            finished_at=timezone.now(),
            lease_expires_at=None,
            error=None,
            bytes_done=self.bytes_total,
            bytes_total=self.bytes_total,
            records_done=self.records_done,
            **columns,
        )
        if done != 1:
            raise LeaseLostError

    def _beat_until_stopped(self) -> None:
        # A thread of its own with a connection of its own: the load's transaction must not hold the progress back.
        try:
            while not self._stop.wait(settings.IMPORT_HEARTBEAT_SECONDS):
                # A missed beat is no harm: the lease outlives several, and the fence decides in the end.
                with contextlib.suppress(OperationalError, InterfaceError):
                    self.beat()
        finally:
            connection.close()

    @contextlib.contextmanager
    def interruptible(self, seconds: float) -> Iterator[None]:
        """For work that cannot ask by itself whether it may go on: it is asked for it once a second, and ends after so
        many seconds. Raises ImportFailedError, or what `check` does. Only in the main thread of a process, where
        signals arrive; elsewhere nothing is interrupted."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        until = time.monotonic() + seconds

        def ring(*_: object) -> None:
            self.check()
            if time.monotonic() > until:
                raise ImportFailedError(
                    "too_long",
                    f"Reading and judging it was given up after {seconds:g} s.",
                    remedy="Hand in fewer files at a time, or have PLATFORM_RISK_IMPORT_THINKING raised.",
                )

        before = signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, _ASKED_EVERY, _ASKED_EVERY)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    @contextlib.contextmanager
    def beating(self) -> Iterator[None]:
        thread = threading.Thread(target=self._beat_until_stopped, name=f"import-{self.row.pk}-lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join(timeout=10)


def _unheld(now: Any) -> Q:
    return Q(state=ImportState.QUEUED) | Q(state=ImportState.RUNNING, lease_expires_at__lt=now)


def claim(import_id: int) -> Import | None:
    """Takes the import if nobody holds it; None when it is finished, or another worker got there first."""
    now = timezone.now()
    got = Import.objects.filter(_unheld(now), pk=import_id).update(
        state=ImportState.RUNNING,
        attempt=F("attempt") + 1,
        started_at=now,
        bytes_done=0,
        records_done=0,
        lease_expires_at=now + timedelta(seconds=settings.IMPORT_LEASE_SECONDS),
    )
    return Import.objects.select_related("service", "environment", "created_by").get(pk=import_id) if got else None


def _end(job: Job, state: ImportState, error: dict[str, Any] | None) -> None:
    Import.objects.filter(pk=job.row.pk, attempt=job.attempt, state=ImportState.RUNNING).update(
        state=state, error=error, finished_at=timezone.now(), lease_expires_at=None, records_done=job.records_done
    )


def _failure(error: ImportFailedError) -> dict[str, Any]:
    return {"code": error.code, "message": error.message, "location": error.location, "remedy": error.remedy}


def run(import_id: int) -> None:
    """One attempt, to its end. Safe to call twice, at once or later: claim and fence let one of them count."""
    row = claim(import_id)
    if row is None:
        return
    job = Job(row)
    if row.attempt > MOST_ATTEMPTS:
        message = f"Its worker ended {MOST_ATTEMPTS} times while loading it."
        remedy = "Split the file, or give the worker more memory; then upload it again."
        _end(job, ImportState.FAILED, {"code": "gave_up", "message": message, "location": {}, "remedy": remedy})
        return
    faults.at("claimed")
    try:
        with job.beating():
            _load(job)
    except LeaseLostError:
        logger.warning("import %s: attempt %s was fenced off", row.pk, job.attempt)
    except ImportCancelledError:
        _end(job, ImportState.CANCELLED, None)
    except ImportFailedError as error:
        _end(job, ImportState.FAILED, _failure(error))
    except (OperationalError, InterfaceError):
        # The database went away: the lease runs out and the sweeper resumes the work.
        logger.warning("import %s: the database went away; it will be resumed", row.pk)
        connection.close()


def _load(job: Job) -> None:
    load = loader_of(job.row.kind)
    if load is None:
        raise ImportFailedError(
            "unknown_kind",
            f"Nothing here reads imports of kind {job.row.kind} yet.",
            remedy="Upload a scan report (SARIF, Checkov JSON, CSV or JSON list), or configuration as kind platform.",
        )
    try:
        load(job)
    except (OperationalError, InterfaceError, LeaseLostError, ImportCancelledError, ImportFailedError):
        raise
    except DatabaseError as error:
        logger.exception("import %s: the database refused it", job.row.pk)
        raise ImportFailedError(
            "refused_by_database",
            f"The database refused a value ({type(error).__name__}). Nothing was applied.",
            remedy="This is a defect of Platform Risk: please report it with the file's format and size.",
        ) from error
    except (MemoryError, RecursionError, OSError, ValueError, TypeError, LookupError, ArithmeticError) as error:
        # The worker lives on, and the user learns that it is not their fault.
        logger.exception("import %s: unexpected error", job.row.pk)
        raise ImportFailedError(
            "internal",
            f"An unexpected error ended the import ({type(error).__name__}). Nothing was applied.",
            remedy="Try again; if it fails again, report it with the file's format and size.",
        ) from error


def unfinished(limit: int = 100) -> list[int]:
    """Imports that nobody works on: what a lost broker or a killed worker left behind.

    A queued one gets a moment first, since its own message is usually on its way.
    """
    now = timezone.now()
    waiting = Q(state=ImportState.QUEUED, created_at__lt=now - timedelta(seconds=10))
    left = Q(state=ImportState.RUNNING, lease_expires_at__lt=now)
    return list(Import.objects.filter(waiting | left).order_by("id").values_list("id", flat=True)[:limit])


@contextlib.contextmanager
def locked(target_id: int) -> Iterator[None]:
    """One writer per target at a time. The lock belongs to the transaction, so no crash can leave it behind."""
    assert transaction.get_connection().in_atomic_block, "the lock would be gone at once"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [0x5CA7, target_id])
    yield


def wait_for(import_id: int, seconds: float = 60) -> Import:
    """Polls until the import is finished: for the demo and for commands that wait."""
    deadline = time.monotonic() + seconds
    while True:
        row = Import.objects.get(pk=import_id)
        if row.state not in (ImportState.QUEUED, ImportState.RUNNING) or time.monotonic() > deadline:
            return row
        time.sleep(0.2)
