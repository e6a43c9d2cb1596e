"""What the pages of spend show, put together from the cube."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from costs import selectors, showback, spend_charts
from costs.bills.records import NO_CURRENCY
from costs.changing import Change, taken_apart
from costs.cube_query import DIMENSIONS, Question
from platform_risk.core.models import User

COSTS = {"effective": "Effective", "billed": "Billed"}
NOBODY = "nobody’s"
REST, UNNAMED = "Everything else", "not named"
MOST_SERIES, MOST_COLUMNS, MOST_ROWS = 7, 12, 200


def shown_name(dimension: str, value: str | None) -> str:
    return value or (NOBODY if dimension in ("service", "team") else UNNAMED)


def currency_words(currency: str) -> str:
    return "no currency" if currency == NO_CURRENCY else currency


def previous(month: date) -> date:
    return (month - timedelta(days=1)).replace(day=1)


def following(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)


def minus_months(month: date, count: int) -> date:
    for _ in range(count):
        month = previous(month)
    return month


def compared(last: date) -> tuple[date, date]:
    """The two whole months up to a day: one that runs has not spent yet what the one before has."""
    month = last.replace(day=1)
    after = month if last == following(month) - timedelta(days=1) else previous(month)
    return previous(after), after


@dataclass(frozen=True)
class Overview:
    """Of one user and currency. `first` and `last` are the days of which anything is known."""

    first: date
    last: date
    month: date
    so_far: Decimal
    same_days_before: Decimal
    month_before: Decimal
    year: Decimal
    unallocated: Decimal | None  # given to no team, what is shared by a rule included; None: not this user's to see
    shared: Decimal  # of it, what rules of shared cost split over the teams
    by: list[tuple[str, Decimal, Decimal]]  # name, this month, the month before
    times: list[date]
    series: dict[str, list[Decimal]]
    totals: list[Decimal]
    figure: str
    compared: tuple[date, date]
    movers: list[Change]

    @property
    def change(self) -> Decimal:
        return self.so_far - self.same_days_before

    @property
    def is_whole(self) -> bool:
        return self.last == following(self.month) - timedelta(days=1)

    @property
    def begins(self) -> date:
        """The month of the first bill: before it nothing is known, which is not nothing."""
        return self.first.replace(day=1)

    @property
    def months_before(self) -> int:
        """Of the twelve before this one, those of which anything can be known."""
        return sum(self.begins <= time < self.month for time in self.times)


def overview(user: User, currency: str, dimension: str, cost: str, first: date, last: date) -> Overview:
    month = last.replace(day=1)
    before, end = previous(month), following(month)
    start = minus_months(month, 12)
    question = Question(start, end, (dimension,), (currency,))
    rows = selectors.summed(question, user, "month", cost)
    times = [minus_months(month, back) for back in range(12, -1, -1)]
    series = _series(rows, "month", times, dimension, cost)
    totals = [sum((values[at] for values in series.values()), Decimal(0)) for at in range(len(times))]
    both: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for row in rows:
        if row["month"] in (month, before):
            name = shown_name(dimension, row[f"by_{dimension}"])
            both[name][row["month"] == before] += row[f"sum_{cost}"]
    both_months = compared(last)
    same = replace(question, start=before, end=min(before + (last - month) + timedelta(days=1), month), group_by=())
    unallocated, shared = None, Decimal(0)
    if user.sees_unowned:
        free = Question(month, end, ("team",), (currency,))
        unallocated = _sum((row for row in selectors.summed(free, user, "", cost) if row["by_team"] is None), cost)
        shared = unallocated - _nobodys(user, month, currency, cost)
    return Overview(
        first=first,
        last=last,
        month=month,
        so_far=totals[-1],
        same_days_before=_sum(selectors.summed(same, user, "", cost), cost),
        month_before=totals[-2],
        year=sum(totals[:-1], Decimal(0)),
        unallocated=unallocated,
        shared=shared,
        by=sorted(((name, now, then) for name, (now, then) in both.items()), key=lambda row: (-abs(row[1]), row[0])),
        times=times,
        series=series,
        totals=totals,
        figure=spend_charts.stacked([f"{time:%b %Y}" for time in times], series, currency_words(currency)),
        compared=both_months,
        movers=_named(taken_apart(selectors.changes(user, *both_months, currency, dimension, cost)), dimension),
    )


def _nobodys(user: User, month: date, currency: str, cost: str) -> Decimal:
    """As Showback has it: what no team was given and no rule splits."""
    shares = showback.of_month(month, user)
    return sum(
        (getattr(each.total, cost) for each in shares if each.team is None and each.currency == currency), Decimal(0)
    )


def _named(changes: list[Change], dimension: str) -> list[Change]:
    for change in changes:
        change.name = shown_name(dimension, change.name)
    return changes


def _sum(rows: Iterable[dict[str, Any]], cost: str) -> Decimal:
    return sum((row[f"sum_{cost}"] for row in rows), Decimal(0))


def _series(
    rows: Iterable[dict[str, Any]], when: str, times: Sequence[date], dimension: str, cost: str
) -> dict[str, list[Decimal]]:
    """A list of amounts for each name, the heaviest first; beyond a few names the rest is one."""
    places = {time: at for at, time in enumerate(times)}
    found: dict[str, list[Decimal]] = {}
    for row in rows:
        name = shown_name(dimension, row[f"by_{dimension}"])
        values = found.setdefault(name, [Decimal(0)] * len(times))
        values[places[row[when]]] += row[f"sum_{cost}"]
    ranked = sorted(found, key=lambda name: (-sum(abs(value) for value in found[name]), name))
    kept = {name: found[name] for name in ranked[:MOST_SERIES]}
    if len(ranked) > MOST_SERIES:
        kept[REST] = [sum((found[name][at] for name in ranked[MOST_SERIES:]), Decimal(0)) for at in range(len(times))]
    return kept


@dataclass(frozen=True)
class Explored:
    """A table of one dimension by another (or by time), and its first dimension over time."""

    columns: list[str]
    rows: list[tuple[str, list[Decimal], Decimal]]
    column_totals: list[Decimal]
    total: Decimal
    times: list[date]
    series: dict[str, list[Decimal]]
    figure: str
    hidden_rows: int


def explore(user: User, question: Question, across: str, step: str, cost: str) -> Explored:
    """`question` is grouped by the first dimension and has both bounds; `across` is the second one, or "time".
    Raises selectors.UnknownName."""
    (dimension,) = question.group_by
    assert question.start is not None
    assert question.end is not None
    rows = selectors.summed(question, user, step, cost)
    times = _times(question.start, question.end, step)
    series = _series(rows, step, times, dimension, cost)
    words = "%d %b %Y" if step == "day" else "%b %Y"
    cells: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    if across == "time":
        columns = [f"{time:{words}}" for time in times]
        for row in rows:
            key = shown_name(dimension, row[f"by_{dimension}"]), f"{row[step]:{words}}"
            cells[key] += row[f"sum_{cost}"]
    else:
        for row in selectors.summed(replace(question, group_by=(dimension, across)), user, "", cost):
            key = shown_name(dimension, row[f"by_{dimension}"]), shown_name(across, row[f"by_{across}"])
            cells[key] += row[f"sum_{cost}"]
        columns = _folded(cells)
    names = sorted(
        {name for name, _ in cells}, key=lambda name: (-sum(abs(cells[name, each]) for each in columns), name)
    )
    table = [(name, [cells[name, each] for each in columns]) for name in names]
    totals = [sum((values[at] for _, values in table), Decimal(0)) for at in range(len(columns))]
    currency = question.currency[0] if question.currency else ""
    return Explored(
        columns=columns,
        rows=[(name, values, sum(values, Decimal(0))) for name, values in table],
        column_totals=totals,
        total=sum(totals, Decimal(0)),
        times=times,
        series=series,
        figure=spend_charts.stacked(
            [f"{time:%b %Y}" if step == "month" else f"{time}" for time in times], series, currency_words(currency)
        ),
        hidden_rows=max(len(table) - MOST_ROWS, 0),
    )


def _folded(cells: dict[tuple[str, str], Decimal]) -> list[str]:
    """The columns, the heaviest first; beyond a few the rest becomes one."""
    weights: dict[str, Decimal] = defaultdict(Decimal)
    for (_, column), amount in cells.items():
        weights[column] += abs(amount)
    ranked = sorted(weights, key=lambda column: (-weights[column], column))
    if len(ranked) <= MOST_COLUMNS:
        return ranked
    rest = set(ranked[MOST_COLUMNS - 1 :])
    for (name, column), amount in list(cells.items()):
        if column in rest:
            cells[name, REST] += amount
    return [*ranked[: MOST_COLUMNS - 1], REST]


def _times(start: date, end: date, step: str) -> list[date]:
    if step == "day":
        return [start + timedelta(days=at) for at in range((end - start).days)]
    found, month = [], start.replace(day=1)
    while month < end:
        found.append(month)
        month = following(month)
    return found


def dimensions() -> list[tuple[str, str]]:
    return [(name, dimension.label) for name, dimension in DIMENSIONS.items()]
