"""The service level objective that the platform is held to, wherever it is stated. PURE."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from findings.platform.model import Block, Platform, Resource, once
from findings.platform.nodes import items
from findings.platform.units import seconds, stated_number
from platform_risk.quantities.sourced import NOWHERE, Source, Sourced, Unknown

PROVIDE = "facts: slo.target"
_DAYS = {"DAY": 1, "WEEK": 7, "FORTNIGHT": 14, "MONTH": 30, "QUARTER": 90, "YEAR": 365}
_SLOTH = "Sloth: its period defaults to 30 days"


@dataclass(frozen=True)
class Objective:
    target: Sourced[float]  # percent: 99.9
    days: Sourced[float]


@once
def objective(platform: Platform) -> Objective | Unknown:
    """From the facts `slo.target` (percent) and `slo.window_days`; else the one that all service levels among the files
    agree on."""
    stated = stated_number(platform.facts.get("slo.target"))
    if stated is not None and 0 < stated.value < 100:
        days = stated_number(platform.facts.get("slo.window_days"))
        thirty: Sourced[float] = Sourced(30, Source.ASSUMPTION, NOWHERE, "a window of 30 days")
        return Objective(stated, days if days is not None and days.value > 0 else thirty)
    found = list(_stated(platform))
    different = {(each.target.value, each.days.value) for each in found}
    if len(different) == 1:
        return found[0]
    told = ", ".join(f"{target:g} % in {days:g} days" for target, days in sorted(different)[:4])
    reason = f"several objectives are stated: {told}" if found else "no service level objective is stated"
    return Unknown(reason, PROVIDE)


def _stated(platform: Platform) -> Iterator[Objective]:
    for block in platform.terraform("newrelic_service_level"):
        yield from _newrelic(block)
    for block in platform.terraform("datadog_service_level_objective"):
        yield from _datadog(block)
    for block in platform.terraform("google_monitoring_slo"):
        yield from _made(_percent(_number(block.get("goal"))), _period(block))
    for block in platform.terraform("grafana_slo"):
        for inner in block.inner("objectives"):
            yield from _made(_percent(_number(inner.get("value"))), _days(inner.get("window")))
    for resource in platform.of_kind("SLO"):
        if resource.api.startswith(("openslo/", "n9/")):
            yield from _openslo(resource)
    for resource in platform.of_kind("PrometheusServiceLevel"):
        for each in items(resource.body, "spec.slos"):
            target = stated_number(resource.sourced(each, "objective"))
            month: Sourced[float] = Sourced(30, Source.PROVIDER_DEFAULT, resource.place(), _SLOTH)
            yield from _made(target, month)
    for resource in platform.of_kind("ServiceLevelObjective"):
        if resource.api.startswith("pyrra.dev/"):
            target = stated_number(resource.at("spec.target"))
            yield from _made(target, _days(resource.at("spec.window")))


def _made(target: Sourced[float] | None, days: Sourced[float] | None) -> Iterator[Objective]:
    if target is not None and days is not None and 0 < target.value < 100 and days.value > 0:
        yield Objective(target, days)


def _newrelic(block: Block) -> Iterator[Objective]:
    for inner in block.inner("objective"):
        for rolling in (rolling for window in inner.inner("time_window") for rolling in window.inner("rolling")):
            days = _counted(_number(rolling.get("count")), rolling.get("unit"))
            yield from _made(_number(inner.get("target")), days)


def _datadog(block: Block) -> Iterator[Objective]:
    """`timeframe` says which of its thresholds counts first; without it all do."""
    if block.get("target_threshold") is not None:
        yield from _made(_number(block.get("target_threshold")), _days(block.get("timeframe")))
        return
    for inner in block.inner("thresholds"):
        yield from _made(_number(inner.get("target")), _days(inner.get("timeframe")))


def _period(block: Block) -> Sourced[float] | None:
    one: Sourced[float] = Sourced(1, Source.FILE, block.place())
    return _number(block.get("rolling_period_days")) or _counted(one, block.get("calendar_period"))


def _openslo(resource: Resource) -> Iterator[Objective]:
    """Version 1 states `timeWindow: [{duration: 28d}]`, versions before it and Nobl9 `timeWindows` by unit and count.

    Source: OpenSLO specification, kind SLO.
    """
    windows = [_days(resource.sourced(each, "duration")) for each in items(resource.body, "spec.timeWindow")]
    windows += [
        _counted(stated_number(resource.sourced(each, "count")), resource.sourced(each, "unit"))
        for each in items(resource.body, "spec.timeWindows")
    ]
    for each in items(resource.body, "spec.objectives"):
        target = stated_number(resource.sourced(each, "targetPercent"))
        target = target or _percent(stated_number(resource.sourced(each, "target")))
        for days in windows:
            yield from _made(target, days)


def _percent(share: Sourced[float] | None) -> Sourced[float] | None:
    return share.map(lambda value: round(value * 100, 9)) if share is not None else None


def _days(duration: Sourced[Any] | Unknown | None) -> Sourced[float] | None:
    """Of 28d, 4w or 30d; OpenSLO's calendar knows 1M, 1Q and 1Y as well."""
    if not isinstance(duration, Sourced):
        return None
    text = str(duration.value).strip()
    unit = {"M": "MONTH", "Q": "QUARTER", "Y": "YEAR"}.get(text[-1:])
    if unit is not None:
        count = stated_number(duration.map(lambda _: text[:-1]))
        return _counted(count, duration.map(lambda _: unit))
    length = seconds(text)
    return duration.map(lambda _: length / 86_400) if length is not None else None


def _counted(count: Sourced[float] | None, unit: Sourced[Any] | Unknown | None) -> Sourced[float] | None:
    in_days = _DAYS.get(str(unit.value).upper()) if isinstance(unit, Sourced) else None
    return count.map(lambda value: value * in_days) if count is not None and in_days else None


def _number(stated: Sourced[Any] | Unknown | None) -> Sourced[float] | None:
    return stated_number(stated) if isinstance(stated, Sourced) else None
