"""Where findings stand: in the cells of the matrix, and at places of the scatter. Every function takes the user;
counted are open findings of default branches that the user may see, from the rollup wherever no filter asks for more.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import product
from typing import Any

from django.db.models import Case, CharField, Count, F, FloatField, Q, QuerySet, Sum, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, NullIf

from findings import selectors
from findings.models import Estimate, RiskRollup
from findings.query import Query
from findings.risk.bands import Band
from findings.risk.estimates import matrix_of
from platform_risk.core.models import User

_COUNTED = Sum("count")
# Filters that the rollup, or the estimates it counts, can answer; what is at the end of it is a column of Estimate.
_OF_ROLLUP = ("service", "team", "lane")
_OF_ESTIMATE = {"severity": "severity", "class": "risk_class", "check": "check_id"}
# What the rollup counts anyway
_ALWAYS = (("is", "open", True), ("is", "other_branch", False))


# --- the matrix


@dataclass
class Cell:
    """Sums are None where nothing in it is known; money also where several currencies are."""

    likelihood: int
    impact: int
    band: Band
    count: int = 0
    bad_minutes_per_year: float | None = None
    losses: dict[str, Decimal] = field(default_factory=dict)

    @property
    def annual_loss(self) -> Decimal | None:
        return next(iter(self.losses.values())) if len(self.losses) == 1 else None

    @property
    def currency(self) -> str | None:
        return next(iter(self.losses)) if len(self.losses) == 1 else None

    def add(self, count: int, minutes: float | None, loss: Decimal | None, currency: str) -> None:
        self.count += count
        if minutes is not None:
            self.bad_minutes_per_year = (self.bad_minutes_per_year or 0.0) + minutes
        if loss is not None:
            self.losses[currency] = self.losses.get(currency, Decimal(0)) + loss


@dataclass(frozen=True)
class Matrix:
    version: str
    unit: str
    view: str
    cells: list[Cell]
    unplaced: int
    closed: int  # by remedies; of the view `after` alone

    def at(self, likelihood: int, impact: int) -> Cell:
        return self.cells[(likelihood - 1) * 5 + impact - 1]

    @property
    def placed(self) -> int:
        return sum(cell.count for cell in self.cells)


def matrix(user: User, *, unit: str = "minutes", view: str = "current", query: Query | None = None) -> Matrix:
    """Raises QueryError for a filter that names what the user may not see."""
    of = matrix_of(unit)
    cells = [Cell(row, column, of.band(row, column)) for row, column in product(range(1, 6), range(1, 6))]
    unplaced = closed = 0
    remedied = selectors.remedied_checks() if view == "after" else frozenset()
    columns = selectors.placement_columns(unit, view)
    for row in _placed(user, columns, query or Query()):
        if row["check"] in remedied:
            closed += row["n"]
        elif row["likelihood"] is None:
            unplaced += row["n"]
        else:
            cell = cells[(row["likelihood"] - 1) * 5 + row["impact"] - 1]
            cell.add(row["n"], row["minutes"], row["loss"], row["currency"])
    return Matrix(of.version, unit, view, cells, unplaced, closed)


def _placed(user: User, columns: selectors.Placement, query: Query) -> Iterable[Mapping[str, Any]]:
    names = {
        "likelihood": F(f"estimate__{columns.likelihood}"),
        "impact": F(f"estimate__{columns.impact}"),
        "currency": Coalesce("estimate__currency", _text("")),
        "check": Coalesce("estimate__check_id", _text("")),
    }
    quick = _quickly(user, query)
    if quick is not None:
        return (
            quick.values(**names)
            .annotate(
                n=_COUNTED,
                minutes=Sum(F("count") * F(f"estimate__{columns.minutes}")),
                loss=Sum(F("count") * F(f"estimate__{columns.loss}")),
            )
            .filter(n__gt=0)
            .order_by()
        )
    rows = selectors.found(query, user).open().on_default_branch()
    return (
        rows.order_by()
        .values(**names)
        .annotate(n=Count("*"), minutes=Sum(f"estimate__{columns.minutes}"), loss=Sum(f"estimate__{columns.loss}"))
    )


def _text(value: str) -> Value:
    return Value(value, output_field=CharField())


def _quickly(user: User, query: Query) -> QuerySet[RiskRollup] | None:
    """The rollup's rows for a filter that it can answer; None: only the findings themselves can tell."""
    rows = selectors.risk_rollup(user)
    if query.words:
        return None
    for wanted, filters in ((True, query.wanted), (False, query.excluded)):
        for name, values in filters.items():
            if all((name, value, wanted) in _ALWAYS for value in values):
                continue
            condition = _condition(name, values, user)
            if condition is None:
                return None
            rows = rows.filter(condition if wanted else ~condition)
    return rows


def _condition(name: str, values: Sequence[str], user: User) -> Q | None:
    if name in _OF_ROLLUP:
        return selectors.condition(name, values, user)
    if name in _OF_ESTIMATE:
        keys = Estimate.objects.filter(**{f"{_OF_ESTIMATE[name]}__in": list(values)}).values("key")
        return Q(risk_key__in=keys)
    return None


# --- places, for the scatter


@dataclass(frozen=True)
class Standing:
    """Findings of one check (of scanners: of one class) in one service that stand in the same cell of the matrix: what
    one list shows."""

    check: str
    risk_class: str  # "" where there is a check
    service: str
    frequency: float  # mean of the findings
    per_event: float  # mean of their events
    count: int
    band: str
    likelihood: int
    impact: int


def standings(
    user: User, *, unit: str = "minutes", view: str = "current", query: Query | None = None, shown: int = 400
) -> list[Standing]:
    """What the matrix of the same unit, view and filter counts, at its own places: the most findings first. Raises
    QueryError for a filter that names what the user may not see."""
    columns, query = selectors.placement_columns(unit, view), query or Query()
    quick = _quickly(user, query)
    rows: Any = quick  # of one model or the other
    weight: Combinable = Cast("count", FloatField())
    if quick is None:
        rows, weight = selectors.found(query, user).open().on_default_branch(), Value(1.0, FloatField())
    if view == "after":
        rows = rows.exclude(estimate__check_id__in=selectors.remedied_checks())
    rows = rows.alias(often=_often(unit), each=_per_event(unit, view), weight=weight)
    groups = (
        rows.filter(often__gt=0, each__gt=0, weight__gt=0, **{f"estimate__{columns.likelihood}__isnull": False})
        .order_by()
        .values(
            check=F("estimate__check_id"),
            of_class=Case(When(estimate__check_id="", then="estimate__risk_class"), default=_text("")),
            of_service=F("service__slug"),
            band=F(f"estimate__{columns.band}"),
            row=F(f"estimate__{columns.likelihood}"),
            column=F(f"estimate__{columns.impact}"),
        )
        .annotate(
            n=Sum("weight"),
            mean_often=Sum(F("often") * F("weight")) / Sum("weight"),
            mean_each=Sum(F("often") * F("each") * F("weight")) / Sum(F("often") * F("weight")),
        )
    )
    return [
        Standing(
            row["check"], row["of_class"], row["of_service"], row["mean_often"], row["mean_each"], round(row["n"]),
            row["band"], row["row"], row["column"],
        )
        for row in groups.order_by("-n", "of_service", "check", "of_class", "row", "column")[:shown]
    ]  # fmt: skip


def _often(unit: str) -> Combinable:
    """What only costs, month by month, counts as one event a year, as in the matrix."""
    often = F("estimate__frequency")
    return Coalesce(often, Value(1.0)) if unit == "money" else often


def _per_event(unit: str, view: str) -> Combinable:
    """Without its controls a risk happens as often as with them: only what an event costs differs."""
    often = NullIf(_often(unit), Value(0.0))
    if unit == "minutes":
        return F("estimate__inherent_minutes") / often if view == "inherent" else F("estimate__minutes_per_event")
    now = Cast(Coalesce("estimate__loss_per_event", "estimate__annual_loss"), FloatField())
    if view != "inherent":
        return now
    more = Cast(F("estimate__inherent_loss") - F("estimate__annual_loss"), FloatField())
    return now + more / often
