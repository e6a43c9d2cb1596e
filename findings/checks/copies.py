"""Copies of data: how they are kept, held against how long it takes to notice that they are needed."""

from dataclasses import dataclass
from typing import Any

from findings.checks.base import Fail, Pass, Unsure, Verdict
from findings.checks.words import counted
from findings.vocabulary import Severity
from platform_risk.quantities.sourced import Input, Place, Quantity, Source, Sourced, input_of

_DETECTION = "facts: backups.detection_hours"
_LONG_DAYS = 7  # the console's default: below it, whether it is long enough has to be said
_ASSUMED = (
    "Recovery to a point in time exists whenever backups are kept at all, up to about five minutes ago: the loss of up "
    "to 24 hours that the analysis names is that of daily snapshots alone."
)


def hours_at_risk(interval_hours: float, detection_hours: float, *, point_in_time: bool) -> float:
    """Hours of writes that a corruption costs: those since it began, and without recovery to a point in time also
    those since the last snapshot before it. Source: recovery point objective, interval + detection."""
    return detection_hours if point_in_time else interval_hours + detection_hours


def margin_hours(retention_days: float, detection_hours: float) -> float:
    """Hours between noticing and the loss of the last good copy: retention − detection. Not positive: too late."""
    return retention_days * 24 - detection_hours


@dataclass(frozen=True)
class Needs:
    """What the platform says it needs: hours until corruption is noticed, regions that hold copies."""

    detection: Sourced[float] | None
    regions: Sourced[float] | None


@dataclass(frozen=True)
class Kept:
    """How copies are kept. Retention None: for ever. Regions None: not known."""

    subject: str
    interval: Sourced[float]  # minutes
    retention: Sourced[float] | None  # days
    places: tuple[Place, ...]
    regions: int | None = None
    point_in_time: bool = True


def judged(kept: Kept, needs: Needs) -> Verdict:
    """Kept long enough to notice and far enough apart, or not, or nobody said how long noticing takes."""
    if kept.regions is not None and needs.regions is not None and kept.regions < needs.regions.value:
        where = counted(kept.regions, "regions")
        title, why = f"Copies are in {where} of {needs.regions.value:g}", f"The loss of {where} loses every copy."
        return Fail(kept.subject, title, why, kept.places, _figures(kept, needs), Severity.MEDIUM)
    if kept.retention is None:
        return Pass(kept.subject, kept.places)
    days = kept.retention.value
    if needs.detection is None:
        if days >= _LONG_DAYS:
            return Pass(kept.subject, kept.places)
        reason = (
            f"whether {counted(days, 'days')} of retention outlast the time until corruption is noticed is not stated"
        )
        return Unsure(kept.subject, reason, _DETECTION, kept.places[0])
    if margin_hours(days, needs.detection.value) > 0:
        return Pass(kept.subject, kept.places)
    return Fail(
        kept.subject,
        f"Copies are gone after {counted(days, 'days')}, corruption is noticed after {needs.detection.value / 24:.3g}",
        "The last good copy is deleted before anybody knows that it is needed.",
        kept.places,
        _figures(kept, needs),
    )


def _figures(kept: Kept, needs: Needs) -> tuple[Quantity, ...]:
    interval = input_of("interval", kept.interval, "min")
    found = [Quantity("rpo_minutes", kept.interval.value, "min", "longest time between copies", (interval,))]
    if kept.retention is not None:
        retention = input_of("retention", kept.retention, "d")
        found.append(Quantity("retention_days", kept.retention.value, "d", "retention", (retention,)))
        if needs.detection is not None:
            margin = margin_hours(kept.retention.value, needs.detection.value)
            noticed = input_of("detection", needs.detection, "h")
            found.append(Quantity("margin_hours", margin, "h", "retention − detection", (retention, noticed)))
            risk = hours_at_risk(kept.interval.value / 60, needs.detection.value, point_in_time=kept.point_in_time)
            formula = "detection" if kept.point_in_time else "interval + detection"
            found.append(Quantity("hours_of_writes_at_risk", risk, "h", formula, (interval, noticed)))
    if kept.regions is not None:
        at = kept.places[0]
        elsewhere = Input("copies_elsewhere", kept.regions - 1, "regions", Source.FILE, at.path, at.line)
        found.append(Quantity("regions", kept.regions, "regions", "1 + regions that copies go to", (elsewhere,)))
    return tuple(found)


def none_kept(subject: str, retention: Sourced[float], at: tuple[Place, ...], why: str, title: str) -> Fail:
    term = input_of("retention", retention, "d")
    return Fail(
        subject,
        title,
        why,
        at,
        (
            Quantity("rpo_minutes", None, "min", "no copy: everything is lost", (term,), (_ASSUMED,)),
            Quantity("retention_days", 0, "d", "retention", (term,)),
        ),
    )


def numbered(stated: Sourced[Any], value: float) -> Sourced[float]:
    return Sourced(value, stated.source, stated.place, stated.note)
