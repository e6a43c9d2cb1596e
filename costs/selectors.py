"""Every read of the cube, from visible_to(user) on. Net of credits and refunds, unless grouped by charge category."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, DateField, F, Max, Min, Q, QuerySet, Sum
from django.db.models.functions import Cast, TruncMonth
from django.utils import timezone

from costs.changing import KeyChange
from costs.cube_query import DIMENSIONS, Question
from costs.models import BillScope, BillVersion, ChargeDay, ChargeMonth, DayTotal, ResourceMonth
from platform_risk.core.models import Environment, Service, Team, User


class UnknownName(Exception):
    """A filter names what is not there, or not for this user."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(message)
        self.parameter = parameter


def _path(name: str, table: str) -> str:
    """The column of a dimension in a table: totals, days or months."""
    dimension = DIMENSIONS[name]
    if table == "totals":
        return dimension.totals
    return f"version__{dimension.key}" if table == "days" and name == "billing_account" else dimension.key


def _narrowed(rows: QuerySet[Any], question: Question, user: User, table: str, when: str) -> QuerySet[Any]:
    if question.start is not None:
        rows = rows.filter(**{f"{when}__gte": question.start})
    if question.end is not None:
        rows = rows.filter(**{f"{when}__lt": question.end})
    if question.currency:
        rows = rows.filter(currency__in=question.currency)
    for name, values in question.filters.items():
        rows = rows.filter(**{f"{_path(name, table)}__in": _checked(name, values, user)})
    return rows


def _checked(name: str, values: Iterable[str], user: User) -> list[str]:
    known: QuerySet[Any] | None = None
    if name == "service":
        known = Service.objects.visible_to(user)
    elif name == "team":
        known = Team.objects.all() if user.is_admin else Team.objects.filter(pk__in=user.team_ids)
    elif name == "environment":
        known = Environment.objects.all()
    wanted = list(values)
    if known is not None:
        there = set(known.filter(slug__in=wanted).values_list("slug", flat=True))
        for value in wanted:
            if value not in there:
                raise UnknownName(name, f"No {name} “{value[:60]}” that you may see.")
    return wanted


def daily(question: Question, user: User) -> QuerySet[Any]:
    """Rows {day, …dimensions, currency, billed, effective}, by day. Raises UnknownName."""
    table = "totals" if question.from_totals else "days"
    # Named apart from the columns: a dimension called service would hide the relation of that name.
    named = {f"by_{name}": F(_path(name, table)) for name in question.group_by}
    grouped = _rows(question, user, table).values("day", "currency", **named)
    found: QuerySet[Any] = grouped.annotate(sum_billed=Sum("billed"), sum_effective=Sum("effective")).order_by(
        "day", *named, "currency"
    )
    return found


# Dimensions that stand in a table as ids, by whose names they are asked for.
_NAMED: dict[str, Any] = {"service": Service, "team": Team, "environment": Environment}


def summed(question: Question, user: User, when: str, cost: str) -> list[dict[str, Any]]:
    """For a page: rows {day or month, by_…, sum_…} of one cost, by `when`; of the whole period where that is "".

    Grouped by ids and named afterwards, which takes a third less of the time. Raises UnknownName.
    """
    table = _coarsest(question) if when != "day" else "totals" if question.from_totals else "days"
    rows = _rows(question, user, table)
    if when == "month" and table != "months":
        rows = rows.annotate(month=Cast(TruncMonth("day"), DateField()))
    paths = {f"by_{name}": F(_path(name, table).replace("__slug", "_id")) for name in question.group_by}
    times = (when,) if when else () if paths else ("currency",)
    found = list(rows.values(*times, **paths).annotate(**{f"sum_{cost}": Sum(cost)}).order_by(*times))
    for name in question.group_by:
        if name in _NAMED:
            by = f"by_{name}"
            slugs = dict(_NAMED[name].objects.filter(pk__in={row[by] for row in found}).values_list("pk", "slug"))
            for row in found:
                row[by] = slugs.get(row[by])
    return found


def _coarsest(question: Question) -> str:
    """The smallest table that can answer: months where the period begins and ends with one."""
    if all(day is None or day.day == 1 for day in (question.start, question.end)):
        return "months"
    return "totals" if question.from_totals else "days"


def _rows(question: Question, user: User, table: str) -> QuerySet[Any]:
    rows: QuerySet[Any]
    if table == "months":
        return _narrowed(ChargeMonth.objects.visible_to(user), question, user, table, "month")
    rows = DayTotal.objects.visible_to(user) if table == "totals" else ChargeDay.objects.visible_to(user)
    return _narrowed(rows, question, user, table, "day")


def changes(user: User, before: date, after: date, currency: str, dimension: str, cost: str) -> list[KeyChange]:
    """What each key cost in two months, by one dimension: for what is new, gone, dearer or more."""
    rows = (
        ChargeMonth.objects.visible_to(user)
        .filter(month__in=(before, after), currency=currency)
        .values("key_id", "charge_category", name=F(_path(dimension, "months")))
        .annotate(
            cost_before=Sum(cost, filter=Q(month=before), default=Decimal(0)),
            cost_after=Sum(cost, filter=Q(month=after), default=Decimal(0)),
            lines_before=Count("id", filter=Q(month=before)),
            lines_after=Count("id", filter=Q(month=after)),
            quantity_before=Sum("quantity", filter=Q(month=before)),
            quantity_after=Sum("quantity", filter=Q(month=after)),
        )
    )
    return [
        KeyChange(
            name=row["name"] or "",
            before=row["cost_before"] if row["lines_before"] else None,
            after=row["cost_after"] if row["lines_after"] else None,
            quantity_before=row["quantity_before"],
            quantity_after=row["quantity_after"],
        )
        for row in rows
    ]


def resource_changes(user: User, before: date, after: date, currency: str, cost: str, most: int) -> list[Any]:
    """Resources that are only in one of the two months, the dearest first: {resource, month, cloud_service, cost}."""
    rows = ResourceMonth.objects.visible_to(user).filter(month__in=(before, after), currency=currency)
    found = (
        rows.values("resource")
        .annotate(first=Min("month"), last=Max("month"), cost=Sum(cost), cloud_service=Min("key__cloud_service"))
        .filter(first=F("last"))
        .order_by("-cost", "resource")
    )
    return list(found[:most])


def has_costs(user: User) -> bool:
    return DayTotal.objects.visible_to(user).exists()


def currencies(user: User) -> list[str]:
    """The user's, by what is spent in them, most first."""
    rows = ChargeMonth.objects.visible_to(user)
    names = list(rows.order_by("currency").values_list("currency", flat=True).distinct())
    if len(names) < 2:
        return names  # the usual case, and no sum of everything for it
    totals = dict(rows.values_list("currency").annotate(total=Sum("effective")))
    return sorted(names, key=lambda name: (-totals[name], name))


def bounds(user: User, currency: str) -> tuple[date | None, date | None]:
    """The first and the last day of what the user sees in a currency; days to come are not counted."""
    rows = DayTotal.objects.visible_to(user).filter(currency=currency, day__lte=timezone.now().date())
    found = rows.aggregate(first=Min("day"), last=Max("day"))
    return found["first"], found["last"]


def scopes(user: User) -> QuerySet[BillScope]:
    """Bills as such concern every team: for managers and administrators."""
    return BillScope.objects.all() if user.sees_unowned else BillScope.objects.none()


def versions_of(user: User) -> QuerySet[BillVersion]:
    return BillVersion.objects.filter(scope__in=scopes(user)).select_related("scope", "import_row")
