"""Celery's side of costs: tasks re-read, and may run twice."""

import json

from celery import shared_task
from django.db import transaction

from costs import ahead, load, ownership
from platform_risk.core.imports.runner import Job
from platform_risk.core.models import User

MOST_VIEWS = 40


@shared_task(name="costs.reallocate")
def reallocate() -> int:
    """Whose charges are, by the rules of now: after a change, and every ten minutes for what a lost message left."""
    return ownership.reallocate()


def enqueue_reallocation(service_id: int | None) -> None:
    reallocate.delay()


@shared_task(name="costs.look_ahead")
def look_ahead() -> int:
    """Computes the forecasts that people will look at, once for all who see the same, those who came last first:
    after a bill, and every few minutes for what a lost message or a change of teams left. Returns for how many."""
    views: dict[str, User] = {}
    for user in User.objects.filter(is_active=True).order_by("-last_login", "pk").iterator():
        sees = "all" if user.is_admin else json.dumps([sorted(user.team_ids), user.sees_unowned])
        views.setdefault(sees, user)
        if len(views) == MOST_VIEWS:
            break
    for user in views.values():
        ahead.prepare(user)
    return len(views)


def load_bill(job: Job) -> None:
    load.load_bill(job)
    _look_ahead_soon()


def undo_bill(import_id: int) -> None:
    load.undo_bill(import_id)
    _look_ahead_soon()


def _look_ahead_soon() -> None:
    # Robust: with a broker that is down the next regular look finds it.
    transaction.on_commit(lambda: look_ahead.apply_async(expires=600), robust=True)
