"""Stage one of the lanes: a decision for every severity and class, with its reason."""

import itertools
from decimal import Decimal
from typing import Any

import pytest

from findings.risk import lanes
from findings.risk.bands import Band, Placed
from findings.vocabulary import CLASS_OF_CATEGORY, Category, Lane, RiskClass, Severity

# Written out, not worked out: what the table is to say of each pair.
_EXPECTED = {
    # severity: stability, security, loss of data, operations, cost
    "critical": ("critical", "immediate", "immediate", "critical", "optimization"),
    "high": ("critical", "critical", "critical", "critical", "optimization"),
    "medium": ("important", "important", "important", "important", "optimization"),
    "low": ("optimization", "optimization", "optimization", "optimization", "optimization"),
    "info": ("optimization", "optimization", "optimization", "optimization", "optimization"),
}
_CLASSES = ("stability", "security", "data_loss", "operational", "cost")
_PAIRS = list(itertools.product(Severity, RiskClass))


def test_the_expectation_covers_every_severity_and_class() -> None:
    assert set(_EXPECTED) == set(Severity)
    assert set(_CLASSES) == set(RiskClass)


@pytest.mark.parametrize(("severity", "risk_class"), _PAIRS)
def test_every_severity_and_class_has_its_lane_and_a_reason(severity: Severity, risk_class: RiskClass) -> None:
    decision = lanes.decide(severity, risk_class)
    assert decision.lane == _EXPECTED[severity][_CLASSES.index(risk_class)]
    assert decision.lane in set(Lane)
    assert decision.reason
    assert "{" not in decision.reason
    assert len(decision.reason) <= 300
    assert 1 <= decision.rule <= len(lanes.TABLE)


@pytest.mark.parametrize(
    ("severity", "category", "lane", "reason"),
    [
        (Severity.CRITICAL, Category.SECURITY, Lane.IMMEDIATE, "Critical, and about security"),
        (Severity.CRITICAL, Category.DATA_CONSISTENCY, Lane.IMMEDIATE, "Critical, and about loss of data"),
        (Severity.CRITICAL, Category.ARCHITECTURE, Lane.CRITICAL, "Critical, and about stability"),
        (Severity.HIGH, Category.OPERATIONS, Lane.CRITICAL, "High, and about operations"),
        (Severity.MEDIUM, Category.DEPENDENCIES, Lane.IMPORTANT, "Medium, and about stability"),
        (Severity.INFO, Category.PERFORMANCE, Lane.OPTIMIZATION, "Info: when there is time"),
        (Severity.CRITICAL, Category.COST, Lane.OPTIMIZATION, "It costs money, not service"),
    ],
)
def test_the_reason_says_what_decided(severity: Severity, category: Category, lane: Lane, reason: str) -> None:
    decision = lanes.decide(severity, CLASS_OF_CATEGORY[category])
    assert (decision.lane, decision.reason) == (lane, reason)


def test_every_category_has_a_class() -> None:
    assert set(CLASS_OF_CATEGORY) == set(Category)


@pytest.mark.parametrize("risk_class", RiskClass)
def test_a_worse_severity_is_never_in_a_later_lane(risk_class: RiskClass) -> None:
    order = list(Lane)
    places = [order.index(lanes.decide(severity, risk_class).lane) for severity in Severity]
    assert places == sorted(places)


def test_every_line_of_the_table_decides_something() -> None:
    used = {lanes.decide(severity, risk_class).rule for severity, risk_class in _PAIRS}
    assert used == set(range(1, len(lanes.TABLE) + 1))


def test_every_lane_has_days_until_due_and_a_more_urgent_one_has_fewer() -> None:
    days = [lanes.DUE_DAYS[lane] for lane in Lane]
    assert days == sorted(set(days)) == [7, 30, 90, 180]


def test_the_version_fits_where_it_is_stored() -> None:
    assert 0 < len(lanes.RULES_VERSION) <= 20


def test_each_line_of_the_first_table_reads_differently_and_says_its_classes() -> None:
    lines = zip(lanes.TABLE, lanes.CLASS_OF_LINES, strict=True)
    said = [line.format(risk_class=risk_class, severity="Low") for (_, _, line), risk_class in lines]
    assert len(set(said)) == len(said)
    assert said[1] == "Critical, and about security or loss of data"


def evidence(
    severity: Severity = Severity.LOW,
    risk_class: RiskClass = RiskClass.STABILITY,
    band: Band | None = None,
    impact: int = 1,
    **more: Any,
) -> lanes.Evidence:
    known: dict[str, Any] = {
        "known_exploited": False, "stated": True, "check": "dns", "detection": None, "budget_share": None, "loss": None,
        "p95": None, "shortfall": None,
    }  # fmt: skip
    placed = None if band is None else Placed(1, impact, band)
    return lanes.Evidence(severity=severity, risk_class=risk_class, placed=placed, **(known | more))


_SECURITY = {"risk_class": RiskClass.SECURITY}
_COST = {"risk_class": RiskClass.COST}


@pytest.mark.parametrize(
    ("known", "lane", "reason"),
    [
        # Money
        ({**_COST, "loss": Decimal(12_000)}, "important", "It costs 12,000 a year, 12,000 or more"),
        ({**_COST, "loss": Decimal(12_000), "stated": False}, "important", "It costs 12,000 a year, 12,000 or more"),
        ({**_COST, "loss": Decimal(11_999)}, "optimization", "It costs money, not service"),
        ({"loss": Decimal(12_000)}, "optimization", "By its figures there is time"),
        # What is exploited
        ({**_SECURITY, "severity": Severity.HIGH, "known_exploited": True}, "immediate", "Known to be exploited"),
        ({**_SECURITY, "severity": Severity.HIGH, "known_exploited": True, "stated": False}, "immediate",
         "Known to be exploited"),
        ({**_SECURITY, "severity": Severity.MEDIUM, "known_exploited": True}, "optimization",
         "By its figures there is time"),
        ({"severity": Severity.HIGH, "known_exploited": True}, "optimization", "By its figures there is time"),
        # Security and loss of data
        ({**_SECURITY, "band": Band.LOW, "impact": 5}, "immediate",
         "Security, and an event would be of the gravest impact"),
        ({**_SECURITY, "band": Band.LOW, "impact": 4}, "optimization", "By its figures there is time"),
        ({"band": Band.LOW, "impact": 5}, "optimization", "By its figures there is time"),
        ({**_SECURITY, "p95": 250_000.0}, "immediate", "Security, and a bad year loses 250,000 or more"),
        ({**_SECURITY, "shortfall": 250_000.0}, "immediate", "Security, and a bad year loses 250,000 or more"),
        ({**_SECURITY, "p95": 249_999.0, "shortfall": 249_999.0}, "optimization", "By its figures there is time"),
        ({"risk_class": RiskClass.DATA_LOSS, "band": Band.HIGH, "detection": 4}, "immediate",
         "Loss of data, hardly noticed, and high"),
        ({**_SECURITY, "band": Band.HIGH, "detection": 3}, "critical", "Its band is high, and it is about security"),
        ({**_SECURITY, "band": Band.MEDIUM, "detection": 4}, "important", "Its band is medium"),
        # The error budget
        ({"budget_share": 1.0}, "immediate", "Alone it spends 100 % of the error budget"),
        ({"budget_share": 0.99}, "critical", "Alone it spends 99 % of the error budget"),
        ({"budget_share": 0.25}, "critical", "Alone it spends 25 % of the error budget"),
        ({"budget_share": 0.24}, "optimization", "By its figures there is time"),
        # Bands
        ({"band": Band.CRITICAL}, "critical", "Its band is critical"),
        ({"band": Band.HIGH}, "critical", "Its band is high, and it is about stability"),
        ({"band": Band.MEDIUM}, "important", "Its band is medium"),
        ({"band": Band.LOW, "detection": 4}, "important", "Hardly any alert would tell of it"),
        ({"band": Band.LOW, "detection": 3}, "optimization", "By its figures there is time"),
        ({"check": "alert-delay"}, "critical", "It makes every other risk of the service worse"),
        # Nobody stated how often: then severity and class decide
        ({"severity": Severity.HIGH, "band": Band.CRITICAL, "budget_share": 9.0, "stated": False}, "critical",
         "High, and about stability"),
        ({"severity": Severity.LOW, "band": Band.CRITICAL, "stated": False}, "optimization", "Low: when there is time"),
    ],
)  # fmt: skip
def test_the_figures_of_a_risk_decide_where_they_are_known(known: dict[str, Any], lane: str, reason: str) -> None:
    decision = lanes.decide_by_risk(evidence(**known))
    assert (str(decision.lane), decision.reason) == (lane, reason)


def test_thresholds_may_be_others_and_are_above_nothing() -> None:
    limits = lanes.THRESHOLDS.changed(critical_budget_share=0.5, immediate_from=Decimal(10))
    assert lanes.decide_by_risk(evidence(budget_share=0.25), limits).lane == Lane.OPTIMIZATION
    assert lanes.decide_by_risk(evidence(risk_class=RiskClass.SECURITY, p95=10.0), limits).lane == Lane.IMMEDIATE
    assert lanes.Thresholds.from_json(limits.as_json() | {"other": "1"}) == limits
    for wrong in (0, -1, 1e13):
        with pytest.raises(ValueError, match="critical budget share lies above 0"):
            lanes.THRESHOLDS.changed(critical_budget_share=wrong)
    assert lanes.THRESHOLDS.changed(critical_budget_share=1e12).critical_budget_share == 1e12
