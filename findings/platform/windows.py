"""Deployment windows: when changes may go out, as configuration and Argo CD state it. PURE."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from findings.platform import cron
from findings.platform.config_files import ConfigFile
from findings.platform.model import Platform, Resource, all_once, normal
from findings.platform.nodes import items
from findings.platform.units import seconds
from findings.platform.yaml_reader import Map, Seq
from platform_risk.quantities.sourced import Place, Source, Sourced, Unknown

WEEK = 7 * 24 * 60  # minutes
_DAY = 24 * 60
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_GROUPS = {"weekdays": range(5), "weekday": range(5), "workdays": range(5), "weekend": range(5, 7), "daily": range(7)}
_CLOCK = re.compile(r"([01]?[0-9]|2[0-4]):?([0-5][0-9])(?::00)?\Z")
# Abbreviations that people take for a zone and that stand for one offset all year.
_FIXED = {"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "HST": -10}
_ANY_WEEK = date(2026, 1, 12)  # a Monday; no zone changes its clocks in that week


@dataclass(frozen=True)
class Window:
    """Open on these weekdays (0 is Monday) from a minute of the day on, for so many minutes."""

    days: frozenset[int]
    start: int
    minutes: int
    zone: tzinfo
    zone_name: Sourced[str]
    place: Place
    is_deny: bool = False
    manual_sync: bool = False
    applies_to: tuple[str, ...] = ()  # patterns of applications; () for all

    @property
    def is_fixed(self) -> bool:
        """Whether its zone is an abbreviation that knows no daylight saving."""
        return self.zone_name.value in _FIXED


@dataclass(frozen=True)
class Calendar:
    """Windows that belong together, as stated in one place."""

    subject: str
    windows: tuple[Window, ...]
    place: Place
    config: ConfigFile | None = None
    project: Resource | None = None
    detail: str = ""


_NAMES = frozenset(("deployment_windows", "deploy_windows", "change_windows"))


@all_once
def calendars(platform: Platform) -> Iterator[Calendar | tuple[str, Unknown]]:
    """Every set of windows; (subject, reason) for one that cannot be read."""
    for config in platform.configs:
        declared = any(normal(key) in _NAMES for key in config.keys)
        for node, line in _declared(config.root, 0) if declared else ():
            subject = config.resource.id if config.resource else config.path
            place = config.place(line)
            made = _windows(node, config)
            if isinstance(made, Unknown):
                yield subject, made
            elif made:
                yield Calendar(subject, made, place, config=config)
    for project in platform.of_kind("AppProject"):
        yield from _of_project(project)


# Where people put windows into an application. Only a project has them; what the API server does not know it drops.
_MISPLACED = {
    "Application": ("spec.syncWindows", "spec.syncPolicy.syncWindows"),
    "ApplicationSet": ("spec.template.spec.syncWindows", "spec.template.spec.syncPolicy.syncWindows"),
}


def ignored(platform: Platform) -> Iterator[tuple[Resource, Sourced[Seq]]]:
    """Sync windows that stand where Argo CD does not read them. Source: Argo CD, AppProject and Application."""
    for kind, spots in _MISPLACED.items():
        for application in platform.of_kind(kind):
            if not application.api.startswith("argoproj.io/"):
                continue
            for spot in spots:
                stated = application.at(spot)
                if stated is not None and isinstance(stated.value, Seq) and stated.value:
                    yield application, stated


def _declared(root: Any, depth: int) -> Iterator[tuple[Seq, int | None]]:
    if depth > 8 or not isinstance(root, Map | Seq):
        return
    if isinstance(root, Seq):
        for each in root:
            yield from _declared(each, depth + 1)
        return
    for key, value in root.items():
        if not isinstance(value, Map | Seq):
            continue
        if normal(key) in _NAMES and isinstance(value, Seq):
            yield value, root.lines.get(key)
        else:
            yield from _declared(value, depth + 1)


def _windows(node: Seq, config: ConfigFile) -> tuple[Window, ...] | Unknown:
    found = []
    for number, each in enumerate(node):
        place = config.place(node.lines[number])
        made = _window(each, config, place) if isinstance(each, Map) else None
        if made is None:
            return Unknown("a window needs start and end as HH:MM", "start and end of every window", place)
        if isinstance(made, Unknown):
            return made
        found.append(made)
    return tuple(found)


def _window(node: Map, config: ConfigFile, place: Place) -> Window | Unknown | None:
    start, end, days = _minute(node.get("start")), _minute(node.get("end")), weekdays(node.get("days"))
    if start is None or end is None:
        return None
    if days is None:
        return Unknown("its days are no weekdays", "days as a list of names of weekdays", place)
    name = zone_name(node, config.place, place)
    zone = zone_of(name.value)
    if zone is None:
        return Unknown(f"{name.value} is no time zone", "timezone as an IANA name: America/New_York", name.place)
    return Window(days, start % _DAY, (end - start) % _DAY or _DAY, zone, name, place)


def zone_name(node: Map, placed: Any, place: Place) -> Sourced[str]:
    for key in ("timezone", "timeZone", "tz", "time_zone"):
        if isinstance(node.get(key), str):
            return Sourced(node[key], Source.FILE, placed(node.lines[key]))
    return Sourced("UTC", Source.PROVIDER_DEFAULT, place, "no time zone is stated: UTC")


def zone_of(name: str) -> tzinfo | None:
    if name in _FIXED:
        return timezone(timedelta(hours=_FIXED[name]), name)
    if not _ZONE.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


# Of IANA's database; another name would be looked for among modules, part by part.
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,30}(?:/[A-Za-z0-9_+-]{1,30}){0,2}")


def _minute(value: Any) -> int | None:
    found = _CLOCK.match(value.strip()) if isinstance(value, str) else None
    return int(found[1]) * 60 + int(found[2]) if found else None


def weekdays(stated: Any) -> frozenset[int] | None:
    """Weekdays of a list of names or abbreviations; all of them when none are stated."""
    if stated is None:
        return frozenset(range(7))
    found: set[int] = set()
    for each in stated if isinstance(stated, Seq) else re.split(r"[,\s]+", str(stated)):
        word = str(each).strip().lower()
        if word in _GROUPS:
            found |= set(_GROUPS[word])
            continue
        day = next((number for number, name in enumerate(_DAYS) if len(word) >= 3 and name.startswith(word)), None)
        if day is None:
            return None
        found.add(day)
    return frozenset(found)


def _of_project(project: Resource) -> Iterator[Calendar | tuple[str, Unknown]]:
    stated = project.at("spec.syncWindows")
    if stated is None or not isinstance(stated.value, Seq):
        return
    found: list[Window] = []
    for number, each in enumerate(stated.value):
        place = project.place(stated.value.lines[number])
        made = _sync_windows(each, project, place) if isinstance(each, Map) else None
        if made is None:
            asked = Unknown("its schedule is not one of weekdays and hours", "a schedule that repeats weekly", place)
            yield project.id, asked
            return
        found += made
    for names in dict.fromkeys(window.applies_to for window in found):
        belong = tuple(each for each in found if each.applies_to in (names, ("*",)))
        if _closes_no_more(belong, names):
            continue
        detail = "" if names == ("*",) else ",".join(names)
        yield Calendar(project.id, belong, stated.place, project=project, detail=detail)


def _closes_no_more(windows: tuple[Window, ...], names: tuple[str, ...]) -> bool:
    """Whether what is denied to some is closed to all anyway, of whom a calendar of their own tells."""
    of_all = tuple(each for each in windows if each.applies_to == ("*",))
    only_denied = all(each.is_deny for each in windows if each.applies_to == names)
    if names == ("*",) or not of_all or not only_denied:
        return False
    return open_week(windows, by_hand=True) == open_week(of_all, by_hand=True)


def _sync_windows(node: Map, project: Resource, place: Place) -> list[Window] | None:
    starts = cron_starts(str(node.get("schedule") or ""))
    duration = seconds(node.get("duration"))
    name = zone_name(node, project.place, place)
    zone = zone_of(name.value)
    if starts is None or not duration or zone is None:
        return None
    targets = tuple(
        str(each) for key in ("applications", "namespaces", "clusters") for each in items(node, key) if each
    )
    if "*" in targets and node.get("andOperator") is not True:
        targets = ("*",)  # any one of them is enough
    by_minute: dict[int, set[int]] = {}
    for day, minute in starts:
        by_minute.setdefault(minute, set()).add(day)
    return [
        Window(frozenset(days), minute, min(int(duration // 60), WEEK), zone, name, place, node.get("kind") == "deny",
               node.get("manualSync") is True, targets)
        for minute, days in sorted(by_minute.items())
    ]  # fmt: skip


def cron_starts(text: str) -> list[tuple[int, int]] | None:
    """(weekday, minute of the day) of every start; None for a schedule that does not repeat weekly."""
    made = cron.parse(text)
    if made is None or made.month_days is not None or len(made.months) < 12:
        return None
    # Cron counts from Sunday; here Monday is 0.
    days = range(7) if made.week_days is None else {(day - 1) % 7 for day in made.week_days}
    return sorted((day, hour * 60 + minute) for day in days for hour in made.hours for minute in made.minutes)


def open_week(windows: tuple[Window, ...], *, by_hand: bool = False) -> bytearray:
    """A week of UTC minutes from Monday on, in which the clocks do not change; 1 where something may go out: what is
    not denied where nothing is allowed explicitly, and `by_hand` what every window at that time lets a person do.

    Source: Argo CD, sync windows: an active deny decides first, then an active allow, then the inactive ones.
    """
    allows = [each for each in windows if not each.is_deny]
    is_open = not allows or (by_hand and all(each.manual_sync for each in allows))
    week = bytearray(b"\x01" if is_open else b"\x00") * WEEK
    for window in sorted(windows, key=lambda each: (each.is_deny, not each.manual_sync)):
        midnight = datetime(_ANY_WEEK.year, _ANY_WEEK.month, _ANY_WEEK.day, tzinfo=window.zone)
        shift = midnight.utcoffset() or timedelta()
        for day in window.days:
            begun = day * _DAY + window.start - int(shift.total_seconds() // 60)
            value = b"\x00" if window.is_deny and not (by_hand and window.manual_sync) else b"\x01"
            first, last = begun % WEEK, begun % WEEK + min(window.minutes, WEEK)
            week[first : min(last, WEEK)] = value * (min(last, WEEK) - first)
            if last > WEEK:  # past Sunday midnight, into Monday
                week[: last - WEEK] = value * (last - WEEK)
    return week


def weekly_gaps(week: bytearray) -> list[float]:
    """Hours of every stretch in which the week is closed; the week repeats."""
    if 1 not in week:
        return [WEEK / 60]
    first = week.index(1)
    turned = bytes(week[first:] + week[:first])
    return [len(gap) / 60 for gap in re.findall(rb"\x00+", turned)]


def dated_gaps(
    windows: tuple[Window, ...], first: date, days: int, holidays: frozenset[date] = frozenset()
) -> list[tuple[datetime, datetime]]:
    """(closed from, open again) between the windows of so many days, in elapsed time: exact where clocks change."""
    spans = []
    for number in range(days):
        day = first + timedelta(days=number)
        for window in windows:
            if day.weekday() in window.days and day not in holidays and not window.is_deny:
                # Adding to a moment with a zone moves the clock on the wall; only then is it told in UTC.
                local = datetime(
                    day.year, day.month, day.day, window.start // 60, window.start % 60, tzinfo=window.zone
                )
                spans.append((local.astimezone(UTC), (local + timedelta(minutes=window.minutes)).astimezone(UTC)))
    spans.sort()
    gaps: list[tuple[datetime, datetime]] = []
    until: datetime | None = None
    for begins, ends in spans:
        if until is not None and begins > until:
            gaps.append((until, begins))
        until = ends if until is None else max(until, ends)
    return gaps


def clock_changes(zone: tzinfo, year: int) -> list[date]:
    """Days of a year on which the zone's clocks change."""
    noon = datetime(year, 1, 1, 12, tzinfo=zone)
    days = [noon + timedelta(days=number) for number in range(366)]
    offsets = [day.utcoffset() for day in days]
    return [days[number].date() for number in range(1, 366) if offsets[number] != offsets[number - 1]]
