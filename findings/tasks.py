"""Celery's side of findings: tasks take ids, re-read, and may run twice."""

from celery import shared_task
from django.db import transaction

from findings import bulk, estimating, judging, load, portfolio, services, simulating
from findings.models import Simulation
from findings.portfolio import Part
from platform_risk.core.imports.runner import Job
from platform_risk.core.models import User
from platform_risk.core.tasks import run_import


@shared_task(name="findings.upkeep")
def upkeep() -> dict[str, int]:
    """Every ten minutes: what the clock does, and what a lost message has left undone."""
    for bulk_id in bulk.left_behind():
        run_bulk.delay(bulk_id)
    for simulation_id in simulating.waiting():
        simulate.delay(simulation_id)
    simulating.forget_old()
    judge_again()
    done = services.wake_and_expire() | {"moved": services.reassign_teams(None)}
    return done | {"estimated": estimating.upkeep()}


def load_platform(job: Job) -> None:
    """The loader of configuration: its alert rules may watch what other imports describe."""
    load.load_platform(job)
    enqueue_judging()


def undo_platform(import_id: int) -> None:
    load.undo_scan(import_id)
    enqueue_judging()


@shared_task(name="findings.judge_again")
def judge_again() -> int:
    """After alert rules have come, changed or gone; and every ten minutes, for what a lost message has left."""
    rows = judging.judge_again()
    for import_id in rows:
        run_import.delay(import_id)
    return len(rows)


def enqueue_judging() -> None:
    """Robust: with the broker away upkeep finds what is to be judged again."""
    transaction.on_commit(lambda: judge_again.delay(), robust=True)


@shared_task(name="findings.look_again")
def look_again() -> int:
    """Every half a minute: figures that imports left to be computed again, and whose process was lost before it did."""
    return estimating.look_again_where_noted()


@shared_task(name="findings.compact_rollups")
def compact_rollups() -> None:
    services.compact_rollups()


@shared_task(name="findings.run_bulk")
def run_bulk(bulk_id: int) -> None:
    bulk.run(bulk_id)


@shared_task(name="findings.simulate")
def simulate(simulation_id: int) -> None:
    simulating.run(simulation_id)


def drawn(user: User, part: Part) -> Simulation | None:
    """The drawn years of a portfolio; a worker is called where nobody draws them yet."""
    row, made = portfolio.simulation(user, part)
    if row is not None and made:
        enqueue_simulation(row.pk)
    return row


def enqueue_simulation(simulation_id: int) -> None:
    """Robust: with the broker away the row still stands, and upkeep finds it."""
    transaction.on_commit(lambda: simulate.delay(simulation_id), robust=True)


@shared_task(name="findings.reassign_teams")
def reassign_teams(service_id: int | None) -> int:
    return services.reassign_teams(service_id)


@shared_task(name="findings.follow_default_branch")
def follow_default_branch(service_id: int) -> int:
    return services.follow_default_branch(service_id)


def enqueue_reassignment(service_id: int | None) -> None:
    reassign_teams.delay(service_id)


def enqueue_default_branch(service_id: int | None) -> None:
    if service_id is not None:
        follow_default_branch.delay(service_id)
