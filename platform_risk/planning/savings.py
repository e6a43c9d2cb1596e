"""What bills and usage say of remedies that are done and were to save money. Every function takes the user: what they
may not see is neither claimed nor seen."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Max, Sum

from costs.models import DayTotal, UsageFigure
from costs.usage.records import UNITS, Measure
from platform_risk.core.models import User
from platform_risk.planning.models import Remedy
from platform_risk.planning.seen import WINDOW_DAYS, MoneySeen, UsageSeen, is_about, money_seen, usage_seen

# What is measured of what a check is about.
MEASURES: Mapping[str, tuple[Measure, ...]] = {
    "metric-volume": (Measure.POINTS, Measure.ACTIVE_SERIES),
    "entity-churn": (Measure.ENTITIES, Measure.ENTITIES_DEAD),
    "log-retention": (Measure.INGESTED_BYTES, Measure.STORED_BYTES),
}


@dataclass(frozen=True)
class Savings:
    """Of one remedy that is done; empty where it claimed no money."""

    money: tuple[MoneySeen, ...] = ()
    usage: tuple[UsageSeen, ...] = ()


def savings(user: User, done: Sequence[Remedy], slugs: Mapping[str, int]) -> dict[int, Savings]:
    """By remedy. `slugs`: the services that the user sees. Three queries where any claimed money, however many did."""
    claims = {remedy.pk: _claimed(remedy, slugs) for remedy in done}
    claims = {pk: claimed for pk, claimed in claims.items() if claimed}
    if not claims:
        return {}
    claiming = [remedy for remedy in done if remedy.pk in claims]
    services = {slug for claimed in claims.values() for _, slug in claimed}
    days = [_done_on(remedy) for remedy in claiming]
    span = timedelta(days=WINDOW_DAYS + 2)
    begin, end = min(days) - span, max(days) + span
    charges = _Charges(user, services, begin, end)
    usage = _usage(user, {slugs[slug] for slug in services}, begin, end)
    return {
        remedy.pk: Savings(
            tuple(_money(remedy, claims[remedy.pk], claiming, claims, charges)),
            tuple(_measured(remedy, {slugs[slug] for _, slug in claims[remedy.pk]}, usage)),
        )
        for remedy in claiming
    }


def _done_on(remedy: Remedy) -> date:
    assert remedy.done_at is not None, "what is done has a day on which it was"
    return remedy.done_at.date()


def _claimed(remedy: Remedy, slugs: Mapping[str, int]) -> dict[tuple[str, str], Decimal]:
    """(currency, service) → what it was to save a month."""
    return {
        (each["currency"], each["service"]): Decimal(each["monthly"])
        for each in remedy.claimed or ()
        if each.get("monthly") and each.get("service") in slugs
    }


class _Charges:
    """Days of the services in question, by service, currency and the cloud's service. The newest day of the bills is
    left out: it is rarely complete."""

    def __init__(self, user: User, services: Iterable[str], begin: date, end: date) -> None:
        rows = DayTotal.objects.visible_to(user)
        newest = rows.aggregate(Max("day"))["day__max"]
        rows = rows.filter(service__slug__in=set(services), day__gte=begin, day__lt=min(end, newest or end))
        told = rows.values_list("service__slug", "currency", "cloud_service", "day").annotate(cost=Sum("effective"))
        self._amounts: dict[tuple[str, str], list[tuple[str, date, Decimal]]] = defaultdict(list)
        for service, currency, cloud_service, day, cost in told.order_by():
            self._amounts[currency, service].append((cloud_service, day, cost))

    def of(self, checks: Sequence[str], currency: str, services: Iterable[str]) -> dict[date, Decimal]:
        days: dict[date, Decimal] = {}
        for service in services:
            for cloud_service, day, cost in self._amounts.get((currency, service), ()):
                days[day] = days.get(day, Decimal(0)) + (cost if is_about(checks, cloud_service) else 0)
        return days


def _money(
    remedy: Remedy,
    claimed: Mapping[tuple[str, str], Decimal],
    claiming: Sequence[Remedy],
    claims: Mapping[int, Mapping[tuple[str, str], Decimal]],
    charges: _Charges,
) -> Iterable[MoneySeen]:
    done_on = _done_on(remedy)
    for currency in sorted({currency for currency, _ in claimed}):
        services = {service for of, service in claimed if of == currency}
        others = [
            other.title
            for other in claiming
            if other.pk != remedy.pk
            and abs((_done_on(other) - done_on).days) <= WINDOW_DAYS
            and services & {service for _, service in claims[other.pk]}
        ]
        amount = sum((claimed[currency, service] for service in services), Decimal(0))
        days = charges.of(remedy.checks, currency, services)
        yield money_seen(currency, amount, days, done_on, others=others)


_Usage = dict[Measure, dict[int, tuple[int | None, dict[date, Decimal]]]]


def _usage(user: User, services: Iterable[int], begin: date, end: date) -> _Usage:
    """Measure → the place that measured → (its service, what it measured by day). A file that names no days tells of
    the day on which it was made."""
    wanted = {measure.value for measures in MEASURES.values() for measure in measures}
    rows = (
        UsageFigure.objects.visible_to(user)
        .filter(measure__in=wanted, scope__service__in=set(services), import_row__is_applied=True)
        .filter(import_row__observed_at__date__gte=begin)
        .values_list("measure", "scope_id", "scope__service_id", "day", "import_row__observed_at")
        .annotate(total=Sum("value"))
        .order_by("import_row__observed_at", "import_row_id")
    )
    found: _Usage = defaultdict(dict)
    for measure, scope, service, day, observed_at, total in rows:
        at: Any = day or observed_at.date()
        if total is not None and begin <= at < end:
            found[Measure(measure)].setdefault(scope, (service, {}))[1][at] = total
    return found


def _measured(remedy: Remedy, services: set[int], usage: _Usage) -> Iterable[UsageSeen]:
    for measure in dict.fromkeys(each for check in remedy.checks for each in MEASURES.get(check, ())):
        places = {scope: days for scope, (service, days) in usage.get(measure, {}).items() if service in services}
        seen = usage_seen(measure.value.replace("_", " "), UNITS[measure], places, _done_on(remedy))
        if seen is not None:
            yield seen
