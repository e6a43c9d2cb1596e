"""Celery's side of costs: tasks re-read, and may run twice."""

from celery import shared_task

from costs import ownership


@shared_task(name="costs.reallocate")
def reallocate() -> int:
    """Whose charges are, by the rules of now: after a change, and every ten minutes for what a lost message left."""
    return ownership.reallocate()


def enqueue_reallocation(service_id: int | None) -> None:
    reallocate.delay()
