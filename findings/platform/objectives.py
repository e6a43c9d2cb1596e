"""The service level objective that the platform is held to, wherever it is stated. PURE."""

from dataclasses import dataclass
from typing import Any

from findings.platform.model import Block, Platform
from findings.platform.units import stated_number
from platform_risk.quantities.sourced import NOWHERE, Source, Sourced, Unknown

PROVIDE = "facts: slo.target"
_DAYS = {"DAY": 1, "WEEK": 7, "MONTH": 30}


@dataclass(frozen=True)
class Objective:
    target: Sourced[float]  # percent: 99.9
    days: Sourced[float]


def objective(platform: Platform) -> Objective | Unknown:
    """From the facts `slo.target` (percent) and `slo.window_days`; else the one that New Relic service levels state."""
    stated = stated_number(platform.facts.get("slo.target"))
    if stated is not None and 0 < stated.value < 100:
        days = stated_number(platform.facts.get("slo.window_days"))
        thirty: Sourced[float] = Sourced(30, Source.ASSUMPTION, NOWHERE, "a window of 30 days")
        return Objective(stated, days if days is not None and days.value > 0 else thirty)
    found = [each for block in platform.terraform("newrelic_service_level") for each in _service_level(block)]
    if len({(each.target.value, each.days.value) for each in found}) == 1:
        return found[0]
    reason = "several objectives are stated" if found else "no service level objective is stated"
    return Unknown(reason, PROVIDE)


def _service_level(block: Block) -> list[Objective]:
    found = []
    for inner in block.inner("objective"):
        target = _number(inner.get("target"))
        for rolling in (rolling for window in inner.inner("time_window") for rolling in window.inner("rolling")):
            count, unit = _number(rolling.get("count")), rolling.get("unit")
            if target is None or count is None or not isinstance(unit, Sourced):
                continue
            in_days = _DAYS.get(str(unit.value).upper())
            if in_days and 0 < target.value < 100 and count.value > 0:
                days = Sourced(count.value * in_days, count.source, count.place, count.note)
                found.append(Objective(target, days))
    return found


def _number(stated: Sourced[Any] | Unknown | None) -> Sourced[float] | None:
    return stated_number(stated) if isinstance(stated, Sourced) else None
