"""When a route is muted: times that Alertmanager and Grafana leave out, as far as they come to always or never. PURE.

Source: Alertmanager, time_interval: what an interval does not state leaves no time out; Grafana, mute timings and
active time intervals, which have the same fields.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from findings.platform.yaml_reader import Map
from platform_risk.quantities.records import record

_DAY = 24 * 60  # minutes
_WEEK = (1 << 7 * _DAY) - 1  # one bit for each minute
_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
# What else an interval may state, and the spans that leave no day out.
_WHOLE = {
    "days_of_month": ("1:31", "1:-1"), "daysOfMonth": ("1:31", "1:-1"), "months": ("1:12", "january:december"),
    "years": (),
}  # fmt: skip
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})\Z")


@record(frozen=True, slots=True)
class Times:
    """What one name stands for: several intervals, of which any is enough."""

    minutes: Mapping[str, int]  # of every week, by time zone
    are_none: bool  # not even one interval


def of(intervals: Sequence[Any]) -> Times:
    by_zone: dict[str, int] = {}
    for each in intervals:
        if isinstance(each, Mapping):
            zone = str(each.get("location") or "")
            by_zone[zone] = by_zone.get(zone, 0) | _minutes(each)
    return Times(by_zone, not intervals)


def muted(known: Mapping[str, Times], muted_in: Sequence[str], active_in: Sequence[str]) -> str:
    """Why a route never sends, by the times that it names; "" where it does at some time, or it is not known."""
    stated = [name for name in muted_in if name in known]
    alone = [name for name in stated if _WEEK in known[name].minutes.values()][:1]
    if alone or _are_always([known[name] for name in stated]):
        return f"its route is muted by {' and '.join(alone or stated)}, which is at all times"
    if active_in and all(name in known and known[name].are_none for name in active_in):
        return f"its route is active in {active_in[0]} only, which is at no time"
    return ""


def _are_always(found: Sequence[Times]) -> bool:
    """Whether together they leave out no minute of any week; those of one time zone."""
    by_zone: dict[str, int] = {}
    for each in found:
        for zone, minutes in each.minutes.items():
            by_zone[zone] = by_zone.get(zone, 0) | minutes
    return _WEEK in by_zone.values()


def names_under(node: Map, *names: str) -> list[str]:
    """The names that a route gives under any of these keys."""
    stated = (node.get(name) for name in names)
    return [str(each) for held in stated if isinstance(held, list) for each in held]


def _minutes(interval: Mapping[str, Any]) -> int:
    """The minutes of every week that it holds: none where it leaves out days of a month, months or years."""
    stated = {key: value for key, value in interval.items() if value not in (None, "", [])} | {"location": ""}
    for key, spans in _WHOLE.items():
        if key in stated and not any(str(each).lower() in spans for each in _listed(stated.pop(key))):
            return 0
    of_day = _of_day(stated.pop("times")) if "times" in stated else (1 << _DAY) - 1
    days = _weekdays(stated.pop("weekdays")) if "weekdays" in stated else set(range(7))
    del stated["location"]
    return 0 if stated else sum(of_day << day * _DAY for day in days)


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]


def _weekdays(value: Any) -> set[int]:
    found: set[int] = set()
    for each in _listed(value):
        first, _, last = str(each).lower().replace(" ", "").partition(":")
        if first in _DAYS and (last or first) in _DAYS:
            begin, end = _DAYS.index(first), _DAYS.index(last or first)
            found.update(number % 7 for number in range(begin, (end if end >= begin else end + 7) + 1))
    return found


def _of_day(value: Any) -> int:
    found = 0
    for each in _listed(value):
        begin, end = (_minute(each, name) for name in ("start", "end")) if isinstance(each, Mapping) else (None, None)
        if begin is not None and end is not None and begin < end <= _DAY:
            found |= (1 << end) - (1 << begin)
    return found


def _minute(time: Mapping[str, Any], name: str) -> int | None:
    stated = next((time[key] for key in (f"{name}_time", f"{name}Time", name) if key in time), None)
    found = _CLOCK.match(str(stated))
    return int(found[1]) * 60 + int(found[2]) if found is not None else None
