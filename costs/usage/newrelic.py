"""New Relic's consumption, as NRQL answers: NrConsumption, NrDailyUsage, NrMTDConsumption. PURE.

A gigabyte is 10^9 bytes. NrMTDConsumption counts up from the month's first day, UTC: it is differenced, never summed.
So its single events can be read, where those of NrConsumption cannot: of the latter an answer holds but the newest.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

from costs.usage.reading import at_milliseconds, at_seconds, json, number
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
# What only those of NrMTDConsumption have: they tell the month so far.
_SO_FAR = ("GigabytesIngestedBillable", "billableConsumption", "freeConsumption", "freeLimit")
_COMPUTE = re.compile(r"\w*CCU\Z")  # metrics whose consumption is compute; of others it is users, or checks
_SUBJECTS = ("usageMetric", "facet", "productLine", "metric")


@dataclass(frozen=True)
class _Told:
    """What one row tells of some days; `how`: "sum", or "latest" of what counts up through the month."""

    how: str
    what: str
    value: Decimal
    first: date
    last: date
    at: datetime


def read(content: bytes) -> Usage:
    rows = list(_rows(json(content)))
    _refuse_other_queries(rows)
    usage = Usage(FORMAT, "newrelic")
    by_day: dict[tuple[str, str], dict[date, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    cumulative: dict[tuple[str, str, str], dict[date, tuple[Decimal, str]]] = defaultdict(dict)
    others = 0
    for pointer, row in rows:
        told = _told_so_far(row) if is_so_far(row) else _told(row)
        if told is None:
            others += 1
        elif isinstance(told, str):
            usage.reject(pointer, told, row)
        else:
            usage.observed_at = max(usage.observed_at or told.at, told.at)
            what, subject = told.what, _subject(row)
            if told.how == "sum":
                for day, part in _even(told.first, told.last, told.value):
                    by_day[what, subject][day] += part
            else:
                of = cumulative[what, subject, str(row.get("consumingAccountId") or "")]
                of[told.last] = max((told.value, pointer), of.get(told.last, (told.value, pointer)))
    for (what, subject, _), stated in cumulative.items():
        for day, part in differenced(_rising(usage, stated)).items():
            by_day[what, subject][day] += part
    _add(usage, by_day)
    if cumulative:
        usage.notes.append("Figures that count up through a month were turned into each day’s own.")
    if any(_are_days_missing(stated) for stated in cumulative.values()):
        usage.notes.append(
            "What came on days without such a figure was taken to be even: the sum is the month’s so far, which day"
            " took how much is not known, and the last day may not be over."
        )
    if others:
        usage.notes.append(f"Events of other consumption, such as users, were left out: {others:,}.")
    return usage


def _add(usage: Usage, by_day: Mapping[tuple[str, str], Mapping[date, Decimal]]) -> None:
    for (what, subject), days in by_day.items():
        for day, value in sorted(days.items()):
            if what == "consumption":
                usage.add(Measure.COMPUTE_UNITS, value, subject, day=day)
            else:
                usage.add(Measure.INGESTED_BYTES, value * GIGABYTE, subject, day=day)


def _refuse_other_queries(rows: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """Single events, of which an answer holds but the newest, are no sums by day: their total would be too small."""
    if not rows:
        raise UsageError(
            "wrong_shape", "There are no results in it.", pointer="/data/actor/account/nrql/results",
            remedy=f"Save NerdGraph’s whole answer to {_QUERY}.",
        )  # fmt: skip
    so_far = [row for _, row in rows if is_so_far(row)]
    rest = [(pointer, row) for pointer, row in rows if not is_so_far(row)]
    fields = dict.fromkeys(name for _, row in rest or rows for name in row)
    if so_far and not rest:
        if any(_told_so_far(row) is not None for row in so_far):
            return
        missing, said = "GigabytesIngested", "no GigabytesIngested: they tell of users, or of something else"
    elif "beginTimeSeconds" not in fields:
        has = "a timestamp" if "timestamp" in fields else "no time"
        missing = "beginTimeSeconds"
        said = f"{has} and no beginTimeSeconds: single events or one sum, and no sums by day"
    elif not any(_AMOUNT.match(name) for name in fields):
        missing, said = "sum.GigabytesIngested", "neither GigabytesIngested nor consumption"
    else:
        return
    raise UsageError(
        "wrong_shape", f"It is New Relic’s, but its rows have {said}.", pointer=f"{(rest or rows)[0][0]}/{missing}",
        remedy=f"Ask NerdGraph for {_QUERY}, and save its whole answer. Of NrMTDConsumption, SELECT * will do, too.",
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
    return "timestamp" in row and sum(name in row for name in (*_OF_EVENTS, *_SO_FAR)) > 1


def is_so_far(row: Mapping[str, Any]) -> bool:
    return "beginTimeSeconds" not in row and is_event(row) and any(name in row for name in _SO_FAR)


def differenced(by_day: Mapping[date, Decimal]) -> dict[date, Decimal]:
    """Each day's own part of what counts up from the first of each month.

    The sum over a month is its last figure. Days without a figure share evenly in what the next one has more.
    """
    found: dict[date, Decimal] = {}
    before, so_far = date.min, Decimal(0)
    for day, value in sorted(by_day.items()):
        if (before.year, before.month) != (day.year, day.month):
            before, so_far = day.replace(day=1) - timedelta(days=1), Decimal(0)
        found |= _even(before + timedelta(days=1), day, value - so_far)
        before, so_far = day, value
    return found


def _are_days_missing(stated: Mapping[date, Any]) -> bool:
    """Whether a day before the last has no figure of its own."""
    return any(day.day > 1 and day - timedelta(days=1) not in stated for day in stated)


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


def _told(row: Mapping[str, Any]) -> _Told | str:
    """What a window tells, or what is wrong with it."""
    found = _amount(row)
    begin, end = at_seconds(row.get("beginTimeSeconds")), at_seconds(row.get("endTimeSeconds"))
    if begin is None:
        return "Its beginTimeSeconds is missing or no time."
    if found is None:
        return "Its GigabytesIngested (or consumption) is missing, below zero or no number."
    how, what, value = found
    last = begin.date()
    if end and how == "sum":
        last = max(end.date() - timedelta(days=1), last)
    elif end:
        last = (end - timedelta(seconds=1)).date()
    return _Told(how, what, value, begin.date(), last, end or begin)


def _told_so_far(row: Mapping[str, Any]) -> _Told | str | None:
    """What an event of NrMTDConsumption tells, or what is wrong with it. None: it is of something else."""
    is_compute = _COMPUTE.match(str(row.get("metric"))) is not None
    what = next((name for name in ("GigabytesIngested", *(["consumption"] if is_compute else [])) if name in row), None)
    if what is None:
        return None
    value, at = number(row[what]), at_milliseconds(row.get("timestamp"))
    if value is None or value < 0:
        return f"Its {what} is below zero or no number."
    if at is None:
        return "Its timestamp is no time."
    # What comes after midnight may still be of the month that has ended.
    last, month = at.date(), at_milliseconds(row.get("monthTimestamp"))
    if month is not None and (month.year, month.month) < (at.year, at.month):
        last = last.replace(day=1) - timedelta(days=1)
    return _Told("latest", what, value, last, last, at)


def _subject(row: Mapping[str, Any]) -> str:
    for name in _SUBJECTS:
        value = row.get(name)
        if isinstance(value, list):
            return ", ".join(str(each) for each in value)
        if value:
            return str(value)
    return ""


def _even(first: date, last: date, value: Decimal) -> Iterator[tuple[date, Decimal]]:
    """A window of several days is taken to be even."""
    days = min((last - first).days + 1, _MOST_DAYS)
    part = value / days
    for at in range(days - 1):
        yield first + timedelta(days=at), part
    yield first + timedelta(days=days - 1), value - part * (days - 1)
