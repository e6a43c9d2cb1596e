"""Celery's side of findings: tasks take ids, re-read, and may run twice."""

from celery import shared_task

from findings import bulk, services


@shared_task(name="findings.upkeep")
def upkeep() -> dict[str, int]:
    """Every ten minutes: what the clock does, and what a lost message has left undone."""
    for bulk_id in bulk.left_behind():
        run_bulk.delay(bulk_id)
    return services.wake_and_expire() | {"moved": services.reassign_teams(None)}


@shared_task(name="findings.compact_rollups")
def compact_rollups() -> None:
    services.compact_rollups()


@shared_task(name="findings.run_bulk")
def run_bulk(bulk_id: int) -> None:
    bulk.run(bulk_id)


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
