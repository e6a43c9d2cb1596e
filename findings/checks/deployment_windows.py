"""5.1: a fix that is ready and may not go out, because the deployment window is closed."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

from findings.checks.base import Fail, Meta, Pass, Unsure, Verdict
from findings.checks.words import counted
from findings.platform import freezes, windows
from findings.platform.freezes import Timer
from findings.platform.model import Block, Platform, Resource, Setting, places
from findings.platform.windows import Calendar, Window
from findings.platform.yaml_reader import Seq
from findings.vocabulary import Category, Outcome, Severity
from platform_risk.quantities.sourced import Input, Place, Quantity, Source, Sourced, input_of

META = Meta(
    id="deployment-windows",
    seed="5.1",
    title="A ready fix waits for the deployment window",
    severity=Severity.MEDIUM,
    category=Category.OPERATIONS,
    outcome=Outcome.OUTAGE,
    means="Changes may go out in certain hours only, and nothing states how one goes out in an emergency; or windows "
    "stand where the deployer does not read them, so that none is in force.",
    why="An incident or a published vulnerability keeps no office hours. Without a way around it, the longest closed "
    "stretch is how long a ready fix can wait, and people then find a way around that nobody has approved.",
    not_a_problem="An emergency procedure exists and is practised, stated in a place that was not read here.",
    remedy="State an emergency override with an approver and an audit entry beside the windows; with Argo CD, "
    "manualSync on the windows. Use IANA zone names, and list the holidays.",
    patch="""deployment_windows:
  - {start: "09:00", end: "17:00", timezone: America/New_York, days: [monday, tuesday, wednesday, thursday, friday]}
emergency_override:
  approvers: [sre-on-call]
  audit: true""",
    analysis="It counts 64.5 h from Friday 16:30, when the window is still open. The longest closed gap is 64 h, "
    "63 or 65 where clocks change, 88 with a holiday on Monday; a fix that is ready at any time waits "
    "15.2 h on average.",
    remedies=("emergency-deployment-override",),
    references=(
        "https://argo-cd.readthedocs.io/en/stable/user-guide/sync_windows/",
        "https://data.iana.org/time-zones/tz-link.html",
    ),
)

_SHORT = 1.0  # h: a shorter timer is the time to look once more, and a shorter freeze that of a backup
_SHOWN = 20  # windows among the inputs: a schedule of every minute has more than anybody reads
YEAR = 2026  # of the days on which clocks change, where no holiday names another
_OVERRIDE = re.compile(r"(?:.*_)?(?:emergency|break_glass|breakglass)(?:_.*)?")
_SEED = "64.5 hours count from Friday 16:30, when the window is still open; it is closed for 64."
_HOLIDAYS = "No holidays are declared (facts: deployment.holidays); each makes a closed stretch longer."


def longest_closed_hours(gaps: Sequence[float]) -> float:
    """The longest stretch in which nothing goes out."""
    return max(gaps, default=0.0)


def open_share_percent(gaps: Iterable[float]) -> float:
    """Share of the week in which something may go out: 1 − sum of the gaps ÷ 168."""
    return (168 - sum(gaps)) * 100 / 168


def mean_wait_hours(gaps: Iterable[float]) -> float:
    """Mean wait of a fix that is ready at any time: sum(gap²) ÷ (2 × 168).

    Source: a gap is met with probability gap ÷ 168 and then half of it is left on average.
    """
    return sum(gap * gap for gap in gaps) / (2 * 168)


def elapsed_hours(start: datetime, end: datetime) -> float:
    """Hours between two moments with their zones, in elapsed time: a day on which clocks change has 23 or 25."""
    return (end.astimezone(UTC) - start.astimezone(UTC)).total_seconds() / 3600


def run(platform: Platform) -> Iterator[Verdict]:
    block = next(iter(platform.terraform("gitlab_project_freeze_period")), None)
    pipeline = freezes.pipeline_without(platform) if block is not None else None
    closing = () if pipeline is not None else freezes.freezes(platform)
    for found in (*windows.calendars(platform), *closing):
        if isinstance(found, Calendar):
            yield from _judged(platform, found)
        else:
            subject, asked = found
            yield Unsure(subject, asked.reason, asked.provide, asked.place)
    for application, stated in windows.ignored(platform):
        yield _ignored(application, stated)
    for timer in freezes.timers(platform):
        yield _waiting(timer)
    if block is not None and pipeline is not None:
        yield _not_asked(block, pipeline)


def _waiting(timer: Timer) -> Verdict:
    """A timer is a way around for whoever may pass it, and the same wait for every other fix."""
    found = places(timer.minutes, timer.bypass)
    hours = timer.minutes.value / 60
    if timer.bypass.value or hours < _SHORT:
        return Pass(timer.subject, found)
    terms = (input_of("wait_timer", timer.minutes, "min"),)
    return Fail(
        timer.subject,
        f"Every fix waits {hours:.3g} hours, and nobody may pass",
        "The environment has a wait timer that holds for administrators too, at any hour and whatever is broken.",
        found,
        (
            Quantity("longest_closed_hours", hours, "h", "wait timer ÷ 60", terms),
            Quantity("mean_wait_hours", hours, "h", "wait timer ÷ 60", terms),
            Quantity("break_glass", 0, "", "1 where an override is stated",
                     (input_of("can_admins_bypass", timer.bypass, ""),)),
        ),
        None,
        "timer",
    )  # fmt: skip


def _not_asked(block: Block, pipeline: Place) -> Fail:
    term = Input("freeze", block.id, "", Source.FILE, block.path, block.line)
    return Fail(
        block.id,
        "The freeze is not in force: no rule of the pipeline asks for it",
        "GitLab only sets CI_DEPLOY_FREEZE while it lasts; jobs run all the same unless their rules ask for it.",
        places(block.place(), pipeline),
        (Quantity("windows_ignored", 1, "windows", "freezes that no rule asks for", (term,)),),
        None,
        "ignored",
    )


def _ignored(application: Resource, stated: Sourced[Seq]) -> Fail:
    count = len(stated.value)
    term = Input("windows", count, "windows", Source.FILE, stated.place.path, stated.place.line)
    return Fail(
        application.id,
        f"{count} sync window{'s are' if count > 1 else ' is'} not in force: Argo CD reads them of projects only",
        "An application has no such field, so it is dropped without a word and changes go out at any hour. "
        "They belong into spec.syncWindows of its AppProject.",
        places(stated),
        (Quantity("windows_ignored", count, "windows", "windows in an application", (term,)),),
        None,
        "ignored",
    )


def _judged(platform: Platform, calendar: Calendar) -> Iterator[Verdict]:
    gaps = windows.weekly_gaps(windows.open_week(calendar.windows, by_hand=calendar.project is not None))
    override = _override(platform, calendar, has_gaps=bool(gaps))
    yield from _zones(calendar)
    longest = longest_closed_hours(gaps)
    if longest <= _SHORT or override.value:
        yield Pass(calendar.subject, places(calendar.place, override))
        return
    quantities = tuple(_quantities(platform, calendar, gaps, override))
    whose = f" of {calendar.detail.replace(',', ', ')}" if calendar.detail else ""
    yield Fail(
        calendar.subject,
        f"A ready fix{whose} waits up to {counted(float(f'{longest:.3g}'), 'hours')}",
        f"Changes may go out in {open_share_percent(gaps):.1f} % of the week; {override.note}.",
        places(calendar.place),
        quantities,
        None,
        calendar.detail,
    )


def _override(platform: Platform, calendar: Calendar, *, has_gaps: bool) -> Sourced[bool]:
    """Whether something may go out while the window is closed, by a way that is stated."""
    declared = platform.facts.get("deployment.emergency_override")
    if declared is not None:
        on = bool(declared.value)
        return Sourced(on, Source.FACTS, declared.place, "" if on else "declared without an override")
    if calendar.project is not None:
        note = "not every window that is closed lets a manual sync by" if has_gaps else ""
        return Sourced(not note, Source.FILE, calendar.place, note)
    for settings in platform.loose_settings.values():
        for setting in settings:
            if _is_override(setting):
                return setting.value.map(lambda _: True)
    note = "nothing states an override for emergencies"
    return Sourced(value=False, source=Source.ASSUMPTION, place=calendar.place, note=note)


def _is_override(setting: Setting) -> bool:
    text = str(setting.value.value).lower()
    if text in ("false", "no", "none", "0", "disabled", ""):
        return False
    is_type = text == "emergency" and re.search(r"change|type|kind", setting.name) is not None
    return is_type or _OVERRIDE.fullmatch(setting.name) is not None


def _terms(calendar: Calendar) -> tuple[Input, ...]:
    terms = []
    for number, window in enumerate(calendar.windows[:_SHOWN], start=1):
        prefix = f"window_{number}" if len(calendar.windows) > 1 else "window"
        shown = f"{_clock(window.start)} for {window.minutes} min on {len(window.days)} days"
        kind = " closed" if window.is_deny else ""
        terms.append(Input(prefix, shown + kind, "", Source.FILE, window.place.path, window.place.line))
    return (*terms, input_of("time_zone", calendar.windows[0].zone_name, ""))


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _quantities(
    platform: Platform, calendar: Calendar, gaps: list[float], override: Sourced[bool]
) -> Iterator[Quantity]:
    terms = _terms(calendar)
    holidays = _holidays(platform)
    notes = tuple(
        note for note in (_SEED if longest_closed_hours(gaps) == 64 else "", "" if holidays else _HOLIDAYS) if note
    )
    yield Quantity("longest_closed_hours", longest_closed_hours(gaps), "h", "max(gap)", terms, notes)
    yield Quantity("mean_wait_hours", mean_wait_hours(gaps), "h", "sum(gap²) ÷ (2 × 168)", terms)
    yield Quantity("open_share_percent", open_share_percent(gaps), "% of the week", "1 − sum(gap) ÷ 168", terms)
    yield Quantity("break_glass", int(override.value), "", "1 where an override is stated", (
        input_of("override", override, ""),))  # fmt: skip
    if any(window.is_deny for window in calendar.windows):
        return  # what follows is told by days, and days with hours taken out are not
    zones = {each.zone for each in calendar.windows}
    changes = sorted({day for zone in zones for day in windows.clock_changes(zone, YEAR)})
    at_change = [hours for day in changes if (hours := _gap_on(calendar.windows, day)) is not None]
    if at_change:
        days = Input("clocks_change_on", [day.isoformat() for day in changes], "", Source.PROVIDER_DEFAULT,
                     note="IANA time zone database")  # fmt: skip
        yield Quantity("longest_closed_hours_when_clocks_change", at_change, "h", "elapsed hours of the gap on it",
                       (*terms, days))  # fmt: skip
    if holidays:
        first, last = min(holidays.value) - timedelta(days=14), max(holidays.value) + timedelta(days=14)
        found = windows.dated_gaps(calendar.windows, first, (last - first).days, frozenset(holidays.value))
        longest = max((elapsed_hours(*each) for each in found), default=0.0)
        shown = holidays.map(lambda days: [day.isoformat() for day in days])
        yield Quantity("longest_closed_hours_with_holidays", longest, "h", "max(gap) with holidays closed",
                       (*terms, input_of("holidays", shown, "")))  # fmt: skip


def _gap_on(calendar: tuple[Window, ...], day: date) -> float | None:
    """Elapsed hours of the gap that holds the small hours of a day."""
    moment = datetime(day.year, day.month, day.day, 12, tzinfo=calendar[0].zone)
    for begins, ends in windows.dated_gaps(calendar, day - timedelta(days=10), 20):
        if begins <= moment <= ends:
            return elapsed_hours(begins, ends)
    return None


def _holidays(platform: Platform) -> Sourced[list[date]] | None:
    stated = platform.facts.get("deployment.holidays")
    if stated is None or not isinstance(stated.value, list):
        return None
    found: list[date] = []
    for each in stated.value:
        try:
            day = date.fromisoformat(str(each))
        except ValueError:
            continue
        if 1970 <= day.year < 2200 and abs((day - (found or [day])[0]).days) < 2000:
            found.append(day)
    return stated.map(lambda _: found) if found else None


def _zones(calendar: Calendar) -> Iterator[Verdict]:
    """Abbreviations that people read as local time, and that are not."""
    window = next((each for each in calendar.windows if each.is_fixed), None)
    if window is None:
        return
    offset = window.zone.utcoffset(None) or timedelta()
    hours = offset.total_seconds() / 3600
    term = input_of("time_zone", window.zone_name, "")
    quantity = Quantity("hours_off", 1, "h", "offset of daylight saving − fixed offset", (term,))
    name = window.zone_name.value
    yield Fail(
        calendar.subject,
        f"{name} is UTC{hours:+g} all year",
        f"{name} knows no daylight saving: for part of the year the window is an hour off the local clock.",
        places(window.zone_name),
        (quantity,),
        Severity.LOW,
        "zone",
    )
