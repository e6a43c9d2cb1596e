"""What is assumed of a finding until somebody states better: data, labelled as defaults wherever they show. PURE.

`data/defaults.tsv` has a line for each check, and for each class one that stands for what a scanner reports.
`data/factors.tsv` says what severity, the service's criticality and exploitation change of it. Raise VERSION with any
change of either: estimates are then computed anew.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from findings.risk.distributions import Constant, Distribution, Pert
from findings.vocabulary import RiskClass, Severity
from platform_risk.quantities.sourced import Source, Sourced

VERSION = "defaults-1"
NAMES = ("frequency", "users_affected", "alert_probability", "detect_alerted", "detect_silent", "recover")
# A likelihood above this is a certainty of every other day: no default claims it.
_MOST_OFTEN = 200.0


@dataclass(frozen=True)
class Default:
    of: str  # a check, or a class
    severity: Severity  # that its frequency belongs to
    values: Mapping[str, Distribution]
    note: str


@dataclass(frozen=True)
class Factor:
    input: str
    factor: float
    note: str


def _rows(name: str) -> list[dict[str, str]]:
    text = files("findings.risk").joinpath(f"data/{name}.tsv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines(), delimiter="\t"))


def _read(text: str) -> Distribution:
    numbers = [float(part) for part in text.split("..")]
    return Pert(*numbers) if len(numbers) == 3 else Constant(numbers[0])


@cache
def table() -> dict[str, Default]:
    return {
        row["of"]: Default(
            row["of"],
            Severity(row["severity"]),
            {name: _read(row[name]) for name in NAMES if row[name]},
            row["note"],
        )
        for row in _rows("defaults")
    }


@cache
def factors() -> dict[tuple[str, str], Factor]:
    return {
        (row["kind"], row["name"]): Factor(row["input"], float(row["factor"]), row["note"]) for row in _rows("factors")
    }


def scaled(value: Distribution, factor: float, most: float) -> Distribution:
    """The range times a factor, nothing above `most`."""
    if isinstance(value, Pert):
        return Pert(*(min(each * factor, most) for each in (value.lo, value.mode, value.hi)))
    return Constant(min(value.mean * factor, most))


@dataclass(frozen=True)
class Assumed:
    """The defaults of one finding, and in words what they were chosen by."""

    values: Mapping[str, Sourced[Distribution]]
    words: str


def assumed(check: str, severity: Severity, risk_class: RiskClass, criticality: str, exploit: str) -> Assumed:
    """Nothing of what only costs: it has no events."""
    default = table().get(check) or table().get(risk_class)
    if default is None:
        return Assumed({}, f"Class {risk_class}: it costs, month by month, and has no events")
    of_check = default.of == check
    by_severity = factors()["severity", severity].factor / factors()["severity", default.severity].factor
    often = by_severity
    told = [f"check {check}" if of_check else f"class {default.of.replace('_', ' ')}", f"severity {severity}"]
    users = 1.0
    if not of_check:
        users = factors()["criticality", criticality].factor
        told.append(f"a service of {criticality} criticality")
    if exploit:
        raised = factors()["exploit", exploit]
        often *= raised.factor
        told.append(raised.note)
    values = dict(default.values)
    values["frequency"] = scaled(values["frequency"], often, _MOST_OFTEN)
    values["users_affected"] = scaled(values["users_affected"], users, 1.0)
    note = f"{default.note} ({VERSION})"
    return Assumed(
        {name: Sourced(value, Source.ASSUMPTION, note=note) for name, value in values.items()},
        f"By default for {', '.join(told)}",
    )
