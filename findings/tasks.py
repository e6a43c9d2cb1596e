"""Celery's side of findings: tasks take ids, re-read, and may run twice."""

from celery import shared_task
from django.db import transaction

from findings import bulk, estimating, portfolio, services, simulating
from findings.models import Simulation
from findings.portfolio import Part
from platform_risk.core.models import User


@shared_task(name="findings.upkeep")
def upkeep() -> dict[str, int]:
    """Every ten minutes: what the clock does, and what a lost message has left undone."""
    for bulk_id in bulk.left_behind():
        run_bulk.delay(bulk_id)
    for simulation_id in simulating.waiting():
        simulate.delay(simulation_id)
    simulating.forget_old()
    done = services.wake_and_expire() | {"moved": services.reassign_teams(None)}
    return done | {"estimated": estimating.upkeep()}


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
