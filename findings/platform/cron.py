"""Schedules as Kubernetes, Velero, CloudNativePG and AWS write them, and the longest time between two runs. PURE."""

import itertools
import re
from dataclasses import dataclass
from datetime import date, timedelta

from findings.platform.units import seconds

_MACROS = {
    "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
}  # fmt: skip
_NAMES = {
    name: number
    for names, first in (("jan feb mar apr may jun jul aug sep oct nov dec", 1), ("sun mon tue wed thu fri sat", 0))
    for number, name in enumerate(names.split(), start=first)
}
_FROM = date(2023, 1, 1)
_DAYS = 3 * 365  # a leap year is among them
_AWS = re.compile(r"(cron|rate)\((.*)\)\Z")


@dataclass(frozen=True)
class Cron:
    """When it runs. `month_days` and `week_days` are None where the field is a star."""

    minutes: frozenset[int]
    hours: frozenset[int]
    month_days: frozenset[int] | None
    months: frozenset[int]
    week_days: frozenset[int] | None  # 0 is Sunday

    def runs_on(self, day: date) -> bool:
        """Where both kinds of days are restricted, either is enough."""
        if day.month not in self.months:
            return False
        in_month = self.month_days is None or day.day in self.month_days
        in_week = self.week_days is None or day.isoweekday() % 7 in self.week_days
        if self.month_days is not None and self.week_days is not None:
            return in_month or in_week
        return in_month and in_week


def parse(text: str) -> Cron | None:
    """Five fields; six with seconds before them; None for anything else (L, W and # of Quartz are not read)."""
    fields = _MACROS.get(text.strip().lower(), text).split()
    if len(fields) == 6:
        fields = fields[1:]
    if len(fields) != 5:
        return None
    read = [
        _field(field, low, high)
        for field, (low, high) in zip(fields, ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7)), strict=True)
    ]
    minutes, hours, month_days, months, week_days = read
    if minutes is None or hours is None or month_days is None or months is None or week_days is None:
        return None
    return Cron(
        minutes,
        hours,
        None if fields[2] in "*?" else month_days,
        months,
        None if fields[4] in "*?" else frozenset(day % 7 for day in week_days),
    )


def _field(text: str, low: int, high: int) -> frozenset[int] | None:
    found: set[int] = set()
    for part in text.lower().split(","):
        span, has_step, step_text = part.partition("/")
        step = int(step_text) if step_text.isdigit() else 0 if has_step else 1
        first, has_end, last = span.partition("-")
        if span in ("*", "?"):
            begin, end = low, high
        else:
            begin, end = _number(first), _number(last) if has_end else high if has_step else _number(first)
        if step < 1 or not low <= begin <= end <= high:
            return None
        found.update(range(begin, end + 1, step))
    return frozenset(found)


def _number(text: str) -> int:
    return int(text) if text.isdigit() and len(text) < 4 else _NAMES.get(text, -1)


def longest_gap_minutes(text: str) -> float | None:
    """The longest time between two runs of a schedule, of any of its spellings; None when it is none of them."""
    text = text.strip()
    if text.startswith("@every "):
        length = seconds(text[7:])
        return None if not length else length / 60
    aws = _AWS.match(text)
    if aws and aws[1] == "rate":
        length = seconds(aws[2])
        return None if not length else length / 60
    if aws:
        fields = aws[2].split()
        cron = parse(_from_aws(fields)) if len(fields) == 6 else None  # its sixth field is the year
    else:
        cron = parse(text)
    return _gap(cron) if cron is not None else None


def _from_aws(fields: list[str]) -> str:
    """AWS counts Sunday as 1."""
    day_of_week = re.sub(r"(?<![/\d])\d+", lambda found: str(int(found[0]) - 1), fields[4])
    return " ".join([*fields[:4], day_of_week])


def _gap(cron: Cron) -> float | None:
    times = sorted(hour * 60 + minute for hour in cron.hours for minute in cron.minutes)
    within = max((after - before for before, after in itertools.pairwise(times)), default=0)
    days = [day for day in range(_DAYS) if cron.runs_on(_FROM + timedelta(days=day))]
    if not days:
        return None
    apart = max((after - before for before, after in itertools.pairwise(days)), default=_DAYS)
    return float(max(within, apart * 24 * 60 - (times[-1] - times[0])))
