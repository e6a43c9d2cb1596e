"""New Relic's consumption, as NRQL answers: NrConsumption, NrDailyUsage, NrMTDConsumption. PURE.

A gigabyte is 10^9 bytes. NrMTDConsumption counts up from the month's first day: it is differenced, never summed.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

from costs.usage.reading import at_seconds, json, number
from costs.usage.records import Measure, Usage, UsageError

FORMAT = "newrelic-consumption"
GIGABYTE = 10**9
_MOST_DAYS = 62
_AMOUNT = re.compile(r"(?:(sum|latest|max)\.)?(GigabytesIngested|consumption)\Z")
_QUERY = (
    "FROM NrConsumption SELECT sum(GigabytesIngested) FACET usageMetric SINCE 30 days ago TIMESERIES 1 day LIMIT MAX"
)
# What an event of consumption has, and hardly anything else.
_OF_EVENTS = ("GigabytesIngested", "usageMetric", "consumingAccountId", "productLine", "estimatedCost")
_SUBJECTS = ("usageMetric", "facet", "productLine", "metric")


def read(content: bytes) -> Usage:
    rows = list(_rows(json(content)))
    _refuse_other_queries(rows)
    usage = Usage(FORMAT, "newrelic")
    by_day: dict[tuple[str, str], dict[date, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    cumulative: dict[tuple[str, str], dict[date, tuple[Decimal, str]]] = defaultdict(dict)
    for pointer, row in rows:
        found = _amount(row)
        begin, end = at_seconds(row.get("beginTimeSeconds")), at_seconds(row.get("endTimeSeconds"))
        if found is None or begin is None:
            wrong = "beginTimeSeconds is missing or no time"
            if begin is not None:
                wrong = "GigabytesIngested (or consumption) is missing, below zero or no number"
            usage.reject(pointer, f"Its {wrong}.", row)
            continue
        how, what, value = found
        key = what, _subject(row)
        usage.observed_at = max(usage.observed_at or begin, end or begin)
        if how == "sum":
            for day, part in _split(begin.date(), end.date() if end else None, value):
                by_day[key][day] += part
        else:
            last = (end - timedelta(seconds=1) if end else begin).date()
            cumulative[key][last] = max((value, pointer), cumulative[key].get(last, (value, pointer)))
    for key, stated in cumulative.items():
        for day, part in differenced(_rising(usage, stated)).items():
            by_day[key][day] += part
    for (what, subject), days in by_day.items():
        for day, value in sorted(days.items()):
            if what == "consumption":
                usage.add(Measure.COMPUTE_UNITS, value, subject, day=day)
            else:
                usage.add(Measure.INGESTED_BYTES, value * GIGABYTE, subject, day=day)
    if cumulative:
        usage.notes.append("Figures that count up through a month were turned into each day’s own.")
    return usage


def _refuse_other_queries(rows: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """Single events, of which an answer holds but the newest, are no sums by day: their total would be too small."""
    if not rows:
        raise UsageError(
            "wrong_shape", "There are no results in it.", pointer="/data/actor/account/nrql/results",
            remedy=f"Save NerdGraph’s whole answer to {_QUERY}.",
        )  # fmt: skip
    fields = dict.fromkeys(name for _, row in rows for name in row)
    if "beginTimeSeconds" not in fields:
        has = "a timestamp" if "timestamp" in fields else "no time"
        missing = "beginTimeSeconds"
        said = f"{has} and no beginTimeSeconds: single events or one sum, and no sums by day"
    elif not any(_AMOUNT.match(name) for name in fields):
        missing, said = "sum.GigabytesIngested", "neither GigabytesIngested nor consumption"
    else:
        return
    raise UsageError(
        "wrong_shape", f"It is New Relic’s, but its rows have {said}.", pointer=f"{rows[0][0]}/{missing}",
        remedy=f"Ask NerdGraph for {_QUERY}, and save its whole answer.",
    )  # fmt: skip


def _rising(usage: Usage, stated: Mapping[date, tuple[Decimal, str]]) -> dict[date, Decimal]:
    """Without figures below an earlier one of their month: what counts up does not go down, and no day takes away."""
    found: dict[date, Decimal] = {}
    most, month = Decimal(0), (0, 0)
    for day, (value, pointer) in sorted(stated.items()):
        if (day.year, day.month) != month:
            most, month = Decimal(0), (day.year, day.month)
        if value < most:
            usage.reject(
                pointer, f"It counts up through the month, and is below the {most} of an earlier day.", str(value)
            )
            continue
        found[day] = most = value
    return found


def is_answer(root: Any) -> bool:
    """Whether its results are NRQL's: many a scanner calls its own so."""
    rows = (row for _, row in islice(_rows(root), 50))
    return any("beginTimeSeconds" in row or _amount(row) is not None or is_event(row) for row in rows)


def is_event(row: Mapping[str, Any]) -> bool:
    return "timestamp" in row and sum(name in row for name in _OF_EVENTS) > 1


def differenced(by_day: Mapping[date, Decimal]) -> dict[date, Decimal]:
    """Each day's own part of what counts up from the first of each month.

    The sum over a month is its last figure. What came on days without a figure is the next one's.
    """
    found: dict[date, Decimal] = {}
    before: tuple[date, Decimal] | None = None
    for day, value in sorted(by_day.items()):
        new_month = before is None or (before[0].year, before[0].month) != (day.year, day.month)
        found[day] = value if before is None or new_month else value - before[1]
        before = day, value
    return found


def _rows(node: Any, pointer: str = "", depth: int = 0) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every list called results, wherever NerdGraph's aliases have put it."""
    if depth > 12:
        return
    if isinstance(node, list):
        yield from ((f"{pointer}/{at}", row) for at, row in enumerate(node) if isinstance(row, Mapping))
        return
    if not isinstance(node, Mapping):
        return
    for name, value in node.items():
        if name == "results" and isinstance(value, list):
            yield from _rows(value, f"{pointer}/results", depth + 1)
        elif isinstance(value, Mapping):
            yield from _rows(value, f"{pointer}/{name}", depth + 1)


def _amount(row: Mapping[str, Any]) -> tuple[str, str, Decimal] | None:
    """(sum or latest, what, how much)."""
    for name, value in row.items():
        found = _AMOUNT.match(name)
        amount = number(value)
        if found and amount is not None and amount >= 0:
            return ("latest" if found[1] in ("latest", "max") else "sum"), found[2], amount
    return None


def _subject(row: Mapping[str, Any]) -> str:
    for name in _SUBJECTS:
        value = row.get(name)
        if isinstance(value, list):
            return ", ".join(str(each) for each in value)
        if value:
            return str(value)
    return ""


def _split(first: date, end: date | None, value: Decimal) -> Iterator[tuple[date, Decimal]]:
    """A window of several days is taken to be even."""
    days = min(max((end - first).days, 1), _MOST_DAYS) if end else 1
    part = value / days
    for number_ in range(days - 1):
        yield first + timedelta(days=number_), part
    yield first + timedelta(days=days - 1), value - part * (days - 1)
