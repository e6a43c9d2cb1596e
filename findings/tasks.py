"""Celery's side of findings: tasks take ids, re-read, and may run twice."""

from celery import shared_task

from findings import bulk, services


@shared_task(name="findings.upkeep")
def upkeep() -> dict[str, int]:
    return services.wake_and_expire()


@shared_task(name="findings.compact_rollups")
def compact_rollups() -> None:
    services.compact_rollups()


@shared_task(name="findings.run_bulk")
def run_bulk(bulk_id: int) -> None:
    bulk.run(bulk_id)
