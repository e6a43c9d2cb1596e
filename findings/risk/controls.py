"""Inherent risk: the same risk without the controls that exist. PURE.

A control is taken away where the inputs or a check's quantities say that it is there: alerts by their probability, the
others by a figure that only they can cause. What an alert catches is then noticed by people. Where a control limits how
far or how long an event goes, the input goes to the worst end of its own range or of the check's default, whichever is
worse: nobody has measured the platform without it, so this is an assumption, and is labelled as one. Controls that no
file and no person states stay: nothing is known of them. Raise VERSION with any change.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from findings.risk.defaults import table
from findings.risk.distributions import Constant, Distribution
from findings.risk.inputs import NAMES, Inputs
from platform_risk.quantities.sourced import Source, Sourced

VERSION = "controls-1"
_WORST = np.array([0.95])  # of what has no end


@dataclass(frozen=True)
class Control:
    name: str
    input: str
    words: str  # what is assumed when it is not there


ALERTS = Control("alerts", "alert_probability", "no alert tells: people notice by themselves")
POOLER = Control("pooler", "users_affected", "every client opens its own connections: as many are refused as at worst")
FAILOVER = Control("failover", "users_affected", "nothing takes over from a lost cell: all its users are hit")
REPLICAS = Control("replicas", "users_affected", "there is one copy: what it held or answered is gone with it")
BACKUPS = Control("backups", "recover", "there is no backup: what is lost is made anew, which takes the longest")
AUTOSCALER = Control(
    "autoscaler", "recover", "nothing scales by itself: capacity is added by hand, which takes the longest"
)
CONTROLS = {each.name: each for each in (ALERTS, POOLER, FAILOVER, REPLICAS, BACKUPS, AUTOSCALER)}

_Found = Mapping[str, Mapping[str, Any]]


def _more_than(name: str, least: float) -> Callable[[_Found], bool]:
    def is_there(found: _Found) -> bool:
        value = found.get(name, {}).get("value")
        return isinstance(value, int | float) and not isinstance(value, bool) and value > least

    return is_there


def _pooled(found: _Found) -> bool:
    terms = found.get("connections_needed", {}).get("inputs") or ()
    return any(term.get("name") == "pooler_instances" and term.get("value") for term in terms)


def _kept(found: _Found) -> bool:
    return _more_than("retention_days", 0)(found) or _more_than("rpo_minutes", 0)(found)


# check → control, and what of its quantities says that it is there
_TABLE: dict[str, tuple[Control, Callable[[_Found], bool]]] = {
    "db-connections": (POOLER, _pooled),
    "cell-failover": (FAILOVER, _more_than("survivor_load_percent", 100)),
    "kafka-durability": (REPLICAS, _more_than("broker_losses_survived", 0)),
    "dns": (REPLICAS, _more_than("replicas", 1)),
    "backups": (BACKUPS, _kept),
    "autoscaling": (AUTOSCALER, _more_than("replicas_max", 1)),
}


def inherent(check: str, quantities: Iterable[Any], inputs: Inputs) -> tuple[Inputs, tuple[Control, ...]]:
    """The inputs without the controls that are known to be there, and which these were."""
    changed: dict[str, Any] = {}
    taken: list[Control] = []
    caught = inputs.of("alert_probability")
    if caught is not None and caught.mean > 0 and inputs.of("detect_silent") is not None:
        changed[ALERTS.input] = _assumed(0.0, ALERTS)
        taken.append(ALERTS)
    found = {str(each["name"]): each for each in quantities if isinstance(each, Mapping) and "name" in each}
    control, is_there = _TABLE.get(check, (None, None))
    if control is not None and is_there is not None and is_there(found):
        now = inputs.of(control.input)
        worst = _without(control, check, now, found) if now is not None else None
        if now is not None and worst is not None and worst > now.mean:
            changed[control.input] = _assumed(worst, control)
            taken.append(control)
    if not changed:
        return inputs, ()
    rest = {name: getattr(inputs, name) for name in NAMES}
    return Inputs(**rest | changed, currency=inputs.currency), tuple(taken)


def _assumed(value: float, control: Control) -> Sourced[Distribution]:
    return Sourced(Constant(value), Source.ASSUMPTION, note=f"without {control.name}: {control.words}")


def _without(control: Control, check: str, now: Distribution, found: _Found) -> float:
    if control is FAILOVER:
        # Survivors at 250% of their load before had 40% of it all: the lost cell had the other 60%.
        load = float(found["survivor_load_percent"]["value"])
        return max(now.mean, 1 - 100 / load)
    default = table()[check].values.get(control.input)
    return max(_worst(now), _worst(default) if default is not None else 0.0)


def _worst(value: Distribution) -> float:
    most = value.bounds[1]
    return most if isfinite(most) else float(value.quantile(_WORST)[0])
