"""7.2: the figures of the golden table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findings.checks import engine
from findings.checks.registry import CHECKS
from findings.checks.time_sync import META, days_to, drift_seconds_per_day
from findings.platform import reader
from findings.platform.files import File


@pytest.mark.parametrize(("ppm", "a_day", "days"), [(50, 4.32, 69.4444), (100, 8.64, 34.7222), (200, 17.28, 17.3611)])
def test_a_free_clock_is_off_by_five_minutes_after_weeks(ppm: float, a_day: float, days: float) -> None:
    assert drift_seconds_per_day(ppm) == pytest.approx(a_day)
    assert days_to(300, ppm) == pytest.approx(days, abs=5e-5)


def test_points_miss_the_delay_of_the_alert_long_before() -> None:
    assert days_to(120, 100) == pytest.approx(13.8889, abs=5e-5)


@given(st.floats(1, 1000), st.floats(1, 1000), st.floats(1, 3600))
def test_a_faster_drift_never_takes_longer(ppm: float, more: float, tolerance: float) -> None:
    assert days_to(tolerance, ppm + more) <= days_to(tolerance, ppm)


def judged(text: str, facts: str = "") -> engine.Outcome:
    files = [File("all.yml", text)] + ([File("platform-risk.yaml", facts)] if facts else [])
    return engine.run(reader.read(files), [CHECKS[META.id]])


def test_what_is_assumed_is_called_so_and_what_is_stated_wins() -> None:
    (found,) = judged("ntp_enabled: false\n").found
    inputs = {each.name: each.source for each in found.fail.quantities[0].inputs}
    assert inputs == {"tolerance": "assumption", "drift": "assumption", "enabled": "file"}
    (found,) = judged("ntp_enabled: false\n", "time: {drift_ppm: 200}").found
    assert found.fail.quantities[0].value == pytest.approx(17.3611, abs=5e-5)


def test_that_nothing_keeps_the_clocks_here_is_unknown_and_not_a_failure() -> None:
    text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a}]}\n"
    outcome = judged(text)
    assert not outcome.found
    assert len(outcome.tallies[0].unsure) == 1
    assert judged(text, "time: {synchronised: true}").tallies[0].passed == 1
    assert judged(text, "time: {synchronised: false}").tallies[0].failed == 1


def test_nothing_to_run_is_nothing_to_say() -> None:
    tally = judged("a: 1\n").tallies[0]
    assert (tally.failed, tally.passed, tally.unsure) == (0, 0, [])


def test_one_switch_is_one_finding() -> None:
    assert len(judged("ntp:\n  enabled: false\n").found) == 1


def verdicts(text: str, facts: str = "") -> tuple[int, int, int]:
    tally = judged(text, facts).tallies[0]
    return tally.failed, tally.passed, len(tally.unsure)


WORKLOAD = """apiVersion: apps/v1
kind: {}
metadata: {{name: {}}}
spec: {{template: {{spec: {{containers: [{{name: a}}]}}}}}}
"""
RULE = "groups:\n  - {{name: a, rules: [{{alert: A, expr: '{}', labels: {{severity: page}}}}]}}\n"
MACHINES = (
    "apiVersion: machineconfiguration.openshift.io/v1\nkind: MachineConfig\nmetadata: {{name: a}}\n"
    "spec: {{config: {{systemd: {{units: [{{name: {}}}]}}}}}}\n"
)


@pytest.mark.parametrize(
    ("text", "facts", "told"),
    [
        ("ntp_enabled: false\n", "", (1, 0, 0)),
        ("ntp_enabled: true\n", "", (0, 1, 0)),
        ("ntp_enabled: maybe\n", "", (0, 0, 0)),
        ("machine: {time: {disabled: true}}\n", "", (1, 0, 0)),
        ("machine: {time: {disabled: false}}\n", "", (0, 0, 0)),
        ("machine: {time: {servers: [a]}}\n", "", (0, 1, 0)),
        ("ntp: {enabled: false}\n", "", (1, 0, 0)),
        ("ntp: {enabled: true}\n", "", (0, 1, 0)),
        ("ntp: {servers: [a]}\n", "", (0, 1, 0)),
        (WORKLOAD.format("Deployment", "api"), "", (0, 0, 1)),
        (WORKLOAD.format("DaemonSet", "chrony"), "", (0, 1, 0)),
        (WORKLOAD.format("DaemonSet", "exporter"), "", (0, 0, 1)),
        (WORKLOAD.format("Deployment", "chrony"), "", (0, 0, 1)),
        (WORKLOAD.format("Deployment", "api") + "---\nntp_enabled: false\n", "", (1, 0, 0)),
        (WORKLOAD.format("Deployment", "api"), "time: {synchronised: false}", (1, 0, 0)),
        (MACHINES.format("chronyd.service"), "", (0, 1, 0)),
        (MACHINES.format("kubelet.service"), "", (0, 0, 0)),
        (RULE.format("node_timex_sync_status == 0"), "", (0, 1, 0)),
        (RULE.format("node_load1 > 9"), "", (0, 0, 0)),
    ],
)
def test_clocks_are_kept_or_switched_off_where_something_says_so(
    text: str, facts: str, told: tuple[int, int, int]
) -> None:
    assert verdicts(text, facts) == told


@pytest.mark.parametrize(
    ("facts", "days"),
    [
        ("time: {drift_ppm: 50, tolerance_seconds: 432}", 100),
        ("time: {tolerance_seconds: 864}", 100),
        ("time: {tolerance_seconds: 0}", 300 / 8.64),  # what is no tolerance is not divided by
        ("time: {drift_ppm: 0}", 300 / 8.64),
    ],
)
def test_days_follow_from_what_is_stated_and_else_from_what_is_common(facts: str, days: float) -> None:
    (found,) = judged("ntp_enabled: false\n", facts).found
    assert found.fail.quantities[0].value == pytest.approx(days)


def test_the_shortest_delay_of_an_alert_is_missed_first() -> None:
    condition = 'resource "newrelic_nrql_alert_condition" "{}" {{\n  aggregation_delay = {}\n}}\n'
    alerts = condition.format("a", 864) + condition.format("b", 432) + condition.format("c", "var.x")
    files = [File("all.yml", "ntp_enabled: false\n"), File("a.tf", alerts)]
    (found,) = engine.run(reader.read(files), [CHECKS[META.id]]).found
    late = next(each for each in found.fail.quantities if each.name == "days_to_alert_delay")
    assert late.value == pytest.approx(50)
    assert found.fail.why.endswith("After 50 days its points miss the 432 s that alerts wait for them.")
    drift = next(each for each in found.fail.quantities if each.name == "drift_seconds_per_day")
    assert [each.name for each in drift.inputs] == ["drift", "enabled"]
