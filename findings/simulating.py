"""Draws the years of a portfolio, as a worker: claimed, with progress, dropped when its inputs changed meanwhile."""

import logging
import time
from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from findings import estimating
from findings.models import Estimate, Simulation
from findings.risk.inputs import Risk
from findings.risk.portfolio import Member, drawn

logger = logging.getLogger(__name__)
_PROGRESS_SECONDS = 1.0
_STUCK = timedelta(minutes=15)
KEPT = timedelta(days=7)


class _ChangedError(Exception):
    """What it was asked for is no more: whoever looks asks for the new one."""


def run(simulation_id: int) -> None:
    """Safe to call twice: one of them claims it."""
    now = timezone.now()
    free = Q(state="queued") | Q(state="running", started_at__lt=now - _STUCK)
    if not Simulation.objects.filter(free, pk=simulation_id).update(state="running", started_at=now, done=0):
        return
    row = Simulation.objects.get(pk=simulation_id)
    try:
        result = drawn(_members(row), years=row.years, seed=row.seed, tick=_Progress(row))
    except _ChangedError:
        Simulation.objects.filter(pk=row.pk).delete()
        return
    except (ValueError, ArithmeticError, MemoryError):
        logger.exception("simulation %s failed", row.pk)
        Simulation.objects.filter(pk=row.pk).update(state="failed", finished_at=timezone.now())
        return
    Simulation.objects.filter(pk=row.pk).update(
        state="done", done=row.total, result=result, units=[], finished_at=timezone.now()
    )


class _Progress:
    def __init__(self, row: Simulation) -> None:
        self._pk, self._told = row.pk, time.monotonic()

    def __call__(self, done: int) -> None:
        if time.monotonic() - self._told < _PROGRESS_SECONDS:
            return
        self._told = time.monotonic()
        # Its start moves along, so that only one that stands still counts as stuck.
        if not Simulation.objects.filter(pk=self._pk).update(done=done, started_at=timezone.now()):
            raise _ChangedError


def _members(row: Simulation) -> Iterator[Member]:
    """Service by service, and in an order that the years depend on as little as their luck does on ids: sums of the
    same numbers differ in their last digits when they are added in another order."""
    rows = Estimate.objects.in_bulk([unit[0] for unit in row.units])
    known = estimating.Statements.of({each.service_id for each in rows.values()})
    if any(unit[0] not in rows or rows[unit[0]].input_hash != unit[-1] for unit in row.units):
        raise _ChangedError
    names = estimating.names_of(rows.values(), known)
    ordered = sorted((names[key], str(team or ""), lane, count, key) for key, _, team, lane, count, _ in row.units)
    for name, team, lane, count, key in ordered:
        estimate = rows[key]
        inputs = estimating.assembled(estimate, known).inputs
        # A key of its own for each part: the years of a whole are the sum of its parts' years.
        yield Member(Risk(f"{name}/{team}/{lane}", inputs, known.services[estimate.service_id].slug), count, team, lane)


def waiting() -> list[int]:
    """What a lost message left behind."""
    now = timezone.now()
    free = Q(state="queued", created_at__lt=now - timedelta(minutes=1))
    free |= Q(state="running", started_at__lt=now - _STUCK)
    return list(Simulation.objects.filter(free).values_list("pk", flat=True)[:20])


def forget_old() -> None:
    Simulation.objects.filter(created_at__lt=timezone.now() - KEPT).delete()
