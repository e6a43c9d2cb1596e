"""3.1: the figures of the golden table, and what must hold for any configuration."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findings.checks import engine
from findings.checks.alert_delay import (
    META,
    cloudwatch_seconds,
    datadog_seconds,
    newrelic_seconds,
    prometheus_seconds,
)
from findings.checks.registry import CHECKS
from findings.checks.signal_loss import opens_on_loss
from findings.platform import reader
from findings.platform.files import File
from platform_risk.quantities.budget import budget_minutes, burned_percent, target_of_rate
from tests.findings.checks import reading


def test_window_and_delay_alone_are_three_minutes() -> None:
    assert newrelic_seconds(60, 120, 300, "AT_LEAST_ONCE") == (180, 180)


def test_with_all_the_duration_of_the_threshold_counts() -> None:
    assert newrelic_seconds(60, 120, 300, "ALL") == (420, 480)


def test_the_rate_of_the_analysis_is_an_objective_of_its_own() -> None:
    target = target_of_rate(0.2, 30)
    assert target == pytest.approx(98.84, abs=0.005)
    assert budget_minutes(target, 30) == pytest.approx(500)
    assert burned_percent(180, target, 30) == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("target", "days", "minutes", "after_3_minutes", "after_8_minutes"),
    [
        (99.9, 30, 43.2, 6.9444, 18.5185),
        (99.9, 28, 40.32, 7.4405, 19.8413),
        (99.95, 7, 5.04, 59.5238, 158.7302),
    ],
)
def test_an_outage_spends_its_share_of_the_budget(
    target: float, days: float, minutes: float, after_3_minutes: float, after_8_minutes: float
) -> None:
    assert budget_minutes(target, days) == pytest.approx(minutes)
    assert burned_percent(180, target, days) == pytest.approx(after_3_minutes, abs=5e-5)
    assert burned_percent(480, target, days) == pytest.approx(after_8_minutes, abs=5e-5)


def test_cloudwatch_needs_its_periods_and_one_for_alignment() -> None:
    assert cloudwatch_seconds(300, 2) == (600, 900)
    assert cloudwatch_seconds(60, 5, 1) == (60, 120)


QUERIES = """
resource "aws_cloudwatch_metric_alarm" "a" {
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 1
  metric_query {
    id = "a"
    metric {
      %s
    }
  }
  metric_query {
    id = "b"
    metric {
      %s
    }
  }
}
"""


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ("", "", "the queries that it compares state no period"),
        ("period = 60", "period = 300", "the queries that it compares have periods of 60 to 300 s"),
        ("period = var.p", "period = 60", "variable p is not declared here"),
    ],
)
def test_an_alarm_on_queries_says_what_is_missing_of_their_periods(first: str, second: str, told: str) -> None:
    (unsure,) = reading.unsure("alert-delay", main_tf=QUERIES % (first, second))
    assert unsure.reason == told


def test_prometheus_adds_scrape_evaluation_hold_and_group_wait() -> None:
    assert prometheus_seconds(30, 30, 300, 10)[1] == 370


def test_datadog_needs_its_whole_window_for_a_minimum_and_at_worst_for_an_average() -> None:
    assert datadog_seconds(300, 60, whole=False) == (60, 420)
    assert datadog_seconds(300, 60, whole=True) == (360, 420)


@pytest.mark.parametrize(
    ("query", "best"),
    [
        ("avg(last_5m):avg:x{*} > 5", 0),
        ("min(last_5m):avg:x{*} > 5", 300),
        ("max(last_5m):avg:x{*} < 5", 300),
        ("max(last_5m):avg:x{*} > 5", 0),
    ],
)
def test_a_monitor_tells_by_its_query_whether_the_whole_window_counts(query: str, best: float) -> None:
    text = f'resource "datadog_monitor" "m" {{\n  type = "metric alert"\n  query = "{query}"\n}}\n'
    (found,) = judged(("main.tf", text)).found
    assert {each.name: each.value for each in found.fail.quantities}["time_to_open_best_seconds"] == best


def test_without_an_expiration_a_lost_signal_is_never_told() -> None:
    assert not opens_on_loss(None, opens=False)
    assert not opens_on_loss(None, opens=True)
    assert not opens_on_loss(120, opens=False)
    assert opens_on_loss(120, opens=True)


seconds = st.integers(0, 3600)
windows = st.integers(30, 21_600)


@given(windows, seconds, seconds, windows, st.sampled_from(["ALL", "AT_LEAST_ONCE"]))
def test_a_longer_delay_never_opens_sooner(window: int, delay: int, more: int, duration: int, occurrences: str) -> None:
    sooner = newrelic_seconds(window, delay, duration, occurrences)
    later = newrelic_seconds(window, delay + more, duration, occurrences)
    assert later[0] >= sooner[0]
    assert later[1] >= sooner[1] >= sooner[0]


@given(windows, seconds, windows)
def test_all_never_opens_sooner_than_at_least_once(window: int, delay: int, duration: int) -> None:
    assert newrelic_seconds(window, delay, duration, "ALL") >= newrelic_seconds(
        window, delay, duration, "AT_LEAST_ONCE"
    )


@given(seconds, seconds, st.floats(90, 99.999), st.integers(1, 90))
def test_a_longer_outage_never_spends_less(outage: int, more: int, target: float, days: int) -> None:
    assert burned_percent(outage + more, target, days) >= burned_percent(outage, target, days)


def judged(*texts: tuple[str, str]) -> engine.Outcome:
    return engine.run(reader.read(File(path, text) for path, text in texts), [CHECKS[META.id]])


CONDITION = """resource "newrelic_nrql_alert_condition" "c" {
  aggregation_window = 60
  aggregation_delay  = 120
  critical {
    threshold_duration    = 300
    threshold_occurrences = "ALL"
  }
}
"""


def test_an_objective_turns_time_into_a_share_of_the_budget() -> None:
    outcome = judged(("main.tf", CONDITION), ("platform-risk.yaml", "slo:\n  target: 99.9\n"))
    (found,) = outcome.found
    figures = {each.name: each for each in found.fail.quantities}
    assert figures["error_budget_burned_percent"].value == pytest.approx(18.5185, abs=5e-5)
    inputs = {each.name: each for each in figures["error_budget_burned_percent"].inputs}
    assert (inputs["slo_target"].path, inputs["slo_target"].line) == ("platform-risk.yaml", 2)
    assert inputs["slo_window"].source == "assumption"
    assert not outcome.tallies[0].unsure


def test_without_an_objective_the_share_is_left_out_and_asked_for() -> None:
    outcome = judged(("main.tf", CONDITION))
    assert {each.name for each in outcome.found[0].fail.quantities} == {
        "time_to_open_best_seconds", "time_to_open_worst_seconds",
    }  # fmt: skip
    assert [each.provide for each in outcome.tallies[0].unsure] == ["facts: slo.target"]


def test_a_lenient_objective_makes_the_same_delay_no_failure() -> None:
    outcome = judged(("main.tf", CONDITION), ("platform-risk.yaml", "slo: {target: 95}"))
    assert not outcome.found
    assert outcome.tallies[0].passed == 1


def test_every_input_of_the_time_says_where_it_stands() -> None:
    (found,) = judged(("main.tf", CONDITION)).found
    worst = next(each for each in found.fail.quantities if each.name == "time_to_open_worst_seconds")
    assert {each.name: (each.value, each.line) for each in worst.inputs} == {
        "aggregation_window": (60, 2),
        "aggregation_delay": (120, 3),
        "threshold_duration": (300, 5),
        "threshold_occurrences": ("ALL", 6),
    }


def test_service_levels_that_differ_are_not_guessed_from() -> None:
    level = """resource "newrelic_service_level" "%s" {
  objective {
    target = %s
    time_window {
      rolling {
        count = 7
        unit  = "DAY"
      }
    }
  }
}
"""
    both = level % ("a", 99.9) + level % ("b", 99)
    outcome = judged(("main.tf", CONDITION + both))
    assert "several objectives" in outcome.tallies[0].unsure[0].reason


def test_a_module_given_conditions_as_a_map_is_read() -> None:
    text = """module "alerts" {
  source = "./elsewhere"
  conditions = {
    errors = {
      nrql     = { query = "SELECT 1" }
      critical = { threshold_duration = 300, threshold_occurrences = "ALL" }
    }
  }
}
"""
    (found,) = judged(("main.tf", text)).found
    assert found.fail.subject == 'module.alerts.conditions["errors"]'
    assert found.fail.title == "Opens 420 to 480 s after an outage begins"
