"""Stage one of the lanes: a decision for every severity and class, with its reason."""

import itertools

import pytest

from findings.risk import lanes
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
