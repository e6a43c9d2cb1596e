"""The objective that a platform is held to, out of what states one."""

import pytest

from findings.platform.objectives import Objective, objective
from platform_risk.quantities.sourced import Source
from tests.findings.checks.reading import platform

GOOGLE = 'resource "google_monitoring_slo" "%s" {\n  goal = %s\n  %s\n}\n'
OPENSLO = """apiVersion: %s
kind: SLO
metadata: {name: a}
spec: {timeWindow: [{duration: %s}], objectives: [{target: %s}]}
"""
PYRRA = """apiVersion: %s
kind: ServiceLevelObjective
metadata: {name: a}
spec: {target: '99.5', window: 2w}
"""


def told(**files: str) -> tuple[float, float] | str:
    """(percent, days), or why it is not known"""
    found = objective(platform(**files))
    return (found.target.value, found.days.value) if isinstance(found, Objective) else found.reason


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ("slo: {target: 99.9, window_days: 28}", (99.9, 28)),
        ("slo: {target: 0.5, window_days: 0.5}", (0.5, 0.5)),
        ("slo: {target: 99.9}", (99.9, 30)),
        ("slo: {target: 99.9, window_days: 0}", (99.9, 30)),
        # What no platform can be held to is none: that of the files counts.
        ("slo: {target: 100}", (99.0, 7)),
        ("slo: {target: 0}", (99.0, 7)),
        ("slo: {target: 100.5}", (99.0, 7)),
        ("slo: {target: -1}", (99.0, 7)),
    ],
)
def test_an_objective_of_the_facts_wins_where_it_can_be_kept_and_missed(
    facts: str, expected: tuple[float, float]
) -> None:
    assert told(facts=facts, main_tf=GOOGLE % ("a", "0.99", "rolling_period_days = 7")) == expected


@pytest.mark.parametrize(
    ("goal", "period", "expected"),
    [
        ("0.999", "rolling_period_days = 1", (99.9, 1)),
        ("0.9995", 'calendar_period = "DAY"', (99.95, 1)),
        ("0.999", 'calendar_period = "WEEK"', (99.9, 7)),
        ("0.999", 'calendar_period = "FORTNIGHT"', (99.9, 14)),
        ("0.999", 'calendar_period = "MONTH"', (99.9, 30)),
        ("0.005", "rolling_period_days = 30", (0.5, 30)),
        ("1", "rolling_period_days = 30", "no service level objective is stated"),
        ("0", "rolling_period_days = 30", "no service level objective is stated"),
        ("1.005", "rolling_period_days = 30", "no service level objective is stated"),
        ("0.999", "rolling_period_days = 0", "no service level objective is stated"),
        ("0.999", "", "no service level objective is stated"),
        ("var.goal", "rolling_period_days = 30", "no service level objective is stated"),
    ],
)
def test_a_share_over_a_period_is_an_objective(goal: str, period: str, expected: tuple[float, float] | str) -> None:
    assert told(main_tf=GOOGLE % ("a", goal, period)) == expected


@pytest.mark.parametrize(
    ("duration", "days"), [("1d", 1), ("12h", 0.5), ("2w", 14), ("1M", 30), ("2Q", 180), ("1Y", 365), ("10M", 300)]
)
def test_a_window_is_counted_in_days(duration: str, days: float) -> None:
    assert told(a_yaml=OPENSLO % ("openslo/v1", duration, 0.99)) == (99, days)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (OPENSLO % ("n9/v1alpha", "28d", 0.99), (99, 28)),
        (OPENSLO % ("example.com/v1", "28d", 0.99), "no service level objective is stated"),
        (PYRRA % "pyrra.dev/v1alpha1", (99.5, 14)),
        (PYRRA % "example.com/v1", "no service level objective is stated"),
    ],
)
def test_an_object_of_the_same_kind_by_somebody_else_is_no_objective(
    text: str, expected: tuple[float, float] | str
) -> None:
    assert told(a_yaml=text) == expected


def test_several_that_agree_are_one_and_several_that_do_not_are_named() -> None:
    month, week = "rolling_period_days = 30", "rolling_period_days = 7"
    assert told(main_tf=GOOGLE % ("a", "0.99", month) + GOOGLE % ("b", "0.99", month)) == (99, 30)
    assert told(main_tf=GOOGLE % ("a", "0.99", month) + GOOGLE % ("b", "0.99", week)) == (
        "several objectives are stated: 99 % in 7 days, 99 % in 30 days"
    )


def test_what_a_window_rests_on_is_said() -> None:
    sloth = (
        "apiVersion: sloth.slok.dev/v1\nkind: PrometheusServiceLevel\nmetadata: {name: a}\n"
        "spec: {slos: [{objective: 99.9}]}\n"
    )
    for files, source in (
        ({"facts": "slo: {target: 99.9}"}, Source.ASSUMPTION),
        ({"a_yaml": sloth}, Source.PROVIDER_DEFAULT),
        ({"a_yaml": OPENSLO % ("openslo/v1", "28d", 0.99)}, Source.FILE),
        ({"main_tf": GOOGLE % ("a", "0.99", 'calendar_period = "WEEK"')}, Source.FILE),
    ):
        found = objective(platform(**files))
        assert isinstance(found, Objective)
        assert found.days.source is source
