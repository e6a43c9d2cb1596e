"""Lanes by ordered tables; the first line that matches wins. PURE.

Where nobody stated how often something happens, severity and class decide (the first table): a default never decides
what is done first. Where somebody did, the figures decide (the second). The reason and the table's version are stored
with each finding, so that a lane can be explained long after.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Any, ClassVar

from findings.risk.bands import Band, Placed
from findings.vocabulary import Lane, RiskClass, Severity

RULES_VERSION = "stage1-1"
RISK_RULES_VERSION = "stage2-1"
# Days until a finding of the lane is due, unless settings say otherwise.
DUE_DAYS = {Lane.IMMEDIATE: 7, Lane.CRITICAL: 30, Lane.IMPORTANT: 90, Lane.OPTIMIZATION: 180}

_GRAVE = (RiskClass.SECURITY, RiskClass.DATA_LOSS)
# What makes every other risk worse: alerts that come late, or not at all.
SYSTEMIC = ("alert-delay", "signal-loss", "alert-coverage")


@dataclass(frozen=True)
class Decision:
    lane: Lane
    reason: str
    rule: int  # the table's line, from 1
    version: str = RULES_VERSION


_Matches = Callable[[Severity, RiskClass], bool]

TABLE: tuple[tuple[_Matches, Lane, str], ...] = (
    (lambda severity, risk_class: risk_class == RiskClass.COST, Lane.OPTIMIZATION, "It costs money, not service"),
    (
        lambda severity, risk_class: severity == Severity.CRITICAL and risk_class in _GRAVE,
        Lane.IMMEDIATE,
        "Critical, and about {risk_class}",
    ),
    (lambda severity, risk_class: severity == Severity.CRITICAL, Lane.CRITICAL, "Critical, and about {risk_class}"),
    (lambda severity, risk_class: severity == Severity.HIGH, Lane.CRITICAL, "High, and about {risk_class}"),
    (lambda severity, risk_class: severity == Severity.MEDIUM, Lane.IMPORTANT, "Medium, and about {risk_class}"),
    (lambda severity, risk_class: True, Lane.OPTIMIZATION, "{severity}: when there is time"),
)

# Which class each line's {risk_class} may be, for the table as a reader sees it.
CLASS_OF_LINES = ("", "security or loss of data", "any other class", "any class but cost", "any class but cost", "")

_CLASS_WORDS = {
    RiskClass.STABILITY: "stability",
    RiskClass.SECURITY: "security",
    RiskClass.DATA_LOSS: "loss of data",
    RiskClass.OPERATIONAL: "operations",
    RiskClass.COST: "cost",
}


def decide(severity: Severity, risk_class: RiskClass) -> Decision:
    for number, (matches, lane, reason) in enumerate(TABLE, start=1):
        if matches(severity, risk_class):
            words = reason.format(risk_class=_CLASS_WORDS[risk_class], severity=severity.capitalize())
            return Decision(lane, words, number)
    raise AssertionError("the table's last line matches everything")


@dataclass(frozen=True)
class Thresholds:
    """Money is in the service's own currency, of a year; shares are of the error budget."""

    cost_rises_from: Decimal = Decimal(12_000)
    immediate_from: Decimal = Decimal(250_000)  # the 95th percentile of a year's loss, or the mean of its worst years
    immediate_budget_share: float = 1.0
    critical_budget_share: float = 0.25

    MONEY: ClassVar = ("cost_rises_from", "immediate_from")

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if not 0 < float(value) <= 1e12:
                raise ValueError(f"{each.name.replace('_', ' ')} lies above 0 and up to 1,000,000,000,000, not {value}")

    def changed(self, **values: Any) -> "Thresholds":
        return replace(self, **values)

    def as_json(self) -> dict[str, str]:
        return {each.name: str(getattr(self, each.name)) for each in fields(self)}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Thresholds":
        known = {each.name for each in fields(cls)}
        read: dict[str, Any] = {
            name: Decimal(str(value)) if name in cls.MONEY else float(value)
            for name, value in stored.items()
            if name in known
        }
        return cls(**read)


THRESHOLDS = Thresholds()


@dataclass(frozen=True)
class Evidence:
    """What the second table looks at. None is "not known"."""

    severity: Severity
    risk_class: RiskClass
    known_exploited: bool
    stated: bool  # somebody stated or counted how often it happens
    check: str
    placed: Placed | None
    detection: int | None
    budget_share: float | None
    loss: Decimal | None
    p95: float | None
    shortfall: float | None

    @property
    def band(self) -> Band | None:
        return self.placed.band if self.placed else None

    @property
    def high_or_worse(self) -> bool:
        return self.band in (Band.HIGH, Band.CRITICAL)

    @property
    def hardly_noticed(self) -> bool:
        return self.detection is not None and self.detection >= 4


_Rule = Callable[[Evidence, Thresholds], str]  # the reason, or "" where the line does not match


def _cost_rises(risk: Evidence, limits: Thresholds) -> str:
    """A cost of a year or more above the threshold"""
    if risk.risk_class == RiskClass.COST and risk.loss is not None and risk.loss >= limits.cost_rises_from:
        return f"It costs {risk.loss:,.0f} a year, {limits.cost_rises_from:,.0f} or more"
    return ""


def _costs(risk: Evidence, limits: Thresholds) -> str:
    """Of class cost"""
    return "It costs money, not service" if risk.risk_class == RiskClass.COST else ""


def _exploited(risk: Evidence, limits: Thresholds) -> str:
    """Known to be exploited; security or loss of data; high or critical"""
    urgent = risk.severity in (Severity.CRITICAL, Severity.HIGH)
    return "Known to be exploited" if risk.known_exploited and urgent and risk.risk_class in _GRAVE else ""


def _grave(risk: Evidence, limits: Thresholds) -> str:
    """Security or loss of data, with the gravest impact, a bad year above the threshold, or hardly noticed and high"""
    if risk.risk_class not in _GRAVE:
        return ""
    about, most = _CLASS_WORDS[risk.risk_class].capitalize(), float(limits.immediate_from)
    if risk.placed is not None and risk.placed.impact == 5:
        return f"{about}, and an event would be of the gravest impact"
    if max(risk.p95 or 0.0, risk.shortfall or 0.0) >= most:
        return f"{about}, and a bad year loses {most:,.0f} or more"
    return f"{about}, hardly noticed, and {risk.band}" if risk.hardly_noticed and risk.high_or_worse else ""


def _budget_gone(risk: Evidence, limits: Thresholds) -> str:
    """Alone it spends the whole error budget, by the threshold"""
    share = risk.budget_share
    spent = share is not None and share >= limits.immediate_budget_share
    return f"Alone it spends {100 * (share or 0):.0f} % of the error budget" if spent else ""


def _critical(risk: Evidence, limits: Thresholds) -> str:
    """Late or missing alerts, a large share of the error budget, or band critical"""
    if risk.check in SYSTEMIC:
        return "It makes every other risk of the service worse"
    if risk.budget_share is not None and risk.budget_share >= limits.critical_budget_share:
        return f"Alone it spends {100 * risk.budget_share:.0f} % of the error budget"
    return "Its band is critical" if risk.band is Band.CRITICAL else ""


def _high(risk: Evidence, limits: Thresholds) -> str:
    """Band high"""
    return f"Its band is high, and it is about {_CLASS_WORDS[risk.risk_class]}" if risk.band is Band.HIGH else ""


def _middling(risk: Evidence, limits: Thresholds) -> str:
    """Band medium, or hardly any alert would tell"""
    if risk.band in (Band.MEDIUM, Band.HIGH):
        return f"Its band is {risk.band}"
    return "Hardly any alert would tell of it" if risk.hardly_noticed else ""


def _rest(risk: Evidence, limits: Thresholds) -> str:
    """Everything else"""
    return "By its figures there is time"


# (line, lane, needs a stated frequency)
RISK_TABLE: tuple[tuple[_Rule, Lane, bool], ...] = (
    (_cost_rises, Lane.IMPORTANT, False),
    (_costs, Lane.OPTIMIZATION, True),
    (_exploited, Lane.IMMEDIATE, False),
    (_grave, Lane.IMMEDIATE, True),
    (_budget_gone, Lane.IMMEDIATE, True),
    (_critical, Lane.CRITICAL, True),
    (_high, Lane.CRITICAL, True),
    (_middling, Lane.IMPORTANT, True),
    (_rest, Lane.OPTIMIZATION, True),
)


def decide_by_risk(risk: Evidence, limits: Thresholds = THRESHOLDS) -> Decision:
    for number, (reason_of, lane, needs_stated) in enumerate(RISK_TABLE, start=1):
        if needs_stated and not risk.stated:
            continue
        if reason := reason_of(risk, limits):
            return Decision(lane, reason, number, RISK_RULES_VERSION)
    return decide(risk.severity, risk.risk_class)
