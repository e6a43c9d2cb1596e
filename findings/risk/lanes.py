"""Stage one of the lanes: severity and class decide, by an ordered table; the first line that matches wins. PURE.

The reason and the table's version are stored with each finding, so that a lane can be explained long after.
"""

from collections.abc import Callable
from dataclasses import dataclass

from findings.vocabulary import Lane, RiskClass, Severity

RULES_VERSION = "stage1-1"
# Days until a finding of the lane is due, unless settings say otherwise.
DUE_DAYS = {Lane.IMMEDIATE: 7, Lane.CRITICAL: 30, Lane.IMPORTANT: 90, Lane.OPTIMIZATION: 180}

_GRAVE = (RiskClass.SECURITY, RiskClass.DATA_LOSS)


@dataclass(frozen=True)
class Decision:
    lane: Lane
    reason: str
    rule: int  # the table's line, from 1


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
