"""Every read of the cube, from visible_to(user) on. Net of credits and refunds, unless grouped by charge category."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import F, Max, Min, QuerySet, Sum

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
    rows: QuerySet[Any] = (DayTotal if table == "totals" else ChargeDay).objects.visible_to(user)
    return _grouped(_narrowed(rows, question, user, table, "day"), question, table, "day")


def monthly(question: Question, user: User) -> QuerySet[Any]:
    """Rows {month, …}; of a period that begins or ends within a month, the whole month. Raises UnknownName."""
    rows = _narrowed(ChargeMonth.objects.visible_to(user), question, user, "months", "month")
    return _grouped(rows, question, "months", "month")


def _grouped(rows: QuerySet[Any], question: Question, table: str, when: str) -> QuerySet[Any]:
    # Named apart from the columns: a dimension called service would hide the relation of that name.
    named = {f"by_{name}": F(_path(name, table)) for name in question.group_by}
    grouped = rows.values(when, "currency", **named)
    found: QuerySet[Any] = grouped.annotate(sum_billed=Sum("billed"), sum_effective=Sum("effective")).order_by(
        when, *named, "currency"
    )
    return found


def currencies(user: User) -> list[str]:
    """The user's, by what is spent in them, most first."""
    rows = ChargeMonth.objects.visible_to(user).values("currency").annotate(total=Sum("effective")).order_by("-total")
    return [row["currency"] for row in rows]


def bounds(user: User) -> tuple[date | None, date | None]:
    """The first and the last day of what the user sees."""
    found = DayTotal.objects.visible_to(user).aggregate(first=Min("day"), last=Max("day"))
    return found["first"], found["last"]


def scopes(user: User) -> QuerySet[BillScope]:
    """Bills as such concern every team: for managers and administrators."""
    return BillScope.objects.all() if user.sees_unowned else BillScope.objects.none()


def versions_of(user: User) -> QuerySet[BillVersion]:
    return BillVersion.objects.filter(scope__in=scopes(user)).select_related("scope", "import_row")


def resource_months(user: User, month: date) -> QuerySet[ResourceMonth]:
    return ResourceMonth.objects.visible_to(user).filter(month=month)


def total(rows: Iterable[dict[str, Any]], name: str = "sum_effective") -> Decimal:
    return sum((row[name] for row in rows), Decimal(0))
