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
