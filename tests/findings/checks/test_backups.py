"""5.2: the figures of the golden table, and schedules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findings.checks import engine
from findings.checks.backups import META
from findings.checks.copies import hours_at_risk, margin_hours
from findings.checks.registry import CHECKS
from findings.platform import reader
from findings.platform.files import File
from findings.vocabulary import RiskClass


def judged(text: str, facts: str = "") -> engine.Outcome:
    files = [File("main.tf", text)] + ([File("platform-risk.yaml", facts)] if facts else [])
    return engine.run(reader.read(files), [CHECKS[META.id]])


def test_daily_snapshots_alone_lose_a_day_and_more_when_noticed_late() -> None:
    assert hours_at_risk(24, 0, point_in_time=False) == 24
    assert hours_at_risk(24, 8, point_in_time=False) == 32


def test_recovery_to_a_point_in_time_loses_what_was_written_since() -> None:
    assert hours_at_risk(5 / 60, 8, point_in_time=True) == 8


def test_seven_days_are_longer_than_eight_hours() -> None:
    assert margin_hours(7, 8) == 160


def test_an_absent_retention_switches_backups_off() -> None:
    (found,) = judged('resource "aws_db_instance" "a" {}\n').found
    figures = {each.name: each for each in found.fail.quantities}
    assert figures["retention_days"].value == 0
    assert figures["retention_days"].inputs[0].source == "provider_default"
    assert figures["rpo_minutes"].value is None
    assert found.risk_class is RiskClass.DATA_LOSS


def test_the_retention_of_the_analysis_is_long_enough_for_its_detection() -> None:
    outcome = judged(
        'resource "aws_db_instance" "a" {\n  backup_retention_period = 7\n}\n', "backups: {detection_hours: 8}"
    )
    assert not outcome.found
    assert outcome.tallies[0].passed == 1


def test_aurora_keeps_a_day_by_default() -> None:
    text = 'resource "aws_rds_cluster" "a" {}\n'
    assert judged(text, "backups: {detection_hours: 8}").tallies[0].passed == 1
    (found,) = judged(text, "backups: {detection_hours: 72}").found
    figures = {each.name: each.value for each in found.fail.quantities}
    assert (figures["retention_days"], figures["margin_hours"], figures["rpo_minutes"]) == (1, -48, 5)


@given(st.floats(0, 400), st.floats(0, 400), st.floats(0, 400))
def test_noticing_later_never_loses_less(interval: float, detection: float, more: float) -> None:
    for point_in_time in (True, False):
        sooner = hours_at_risk(interval, detection, point_in_time=point_in_time)
        assert hours_at_risk(interval, detection + more, point_in_time=point_in_time) >= sooner
    assert margin_hours(7, detection + more) <= margin_hours(7, detection)


@pytest.mark.parametrize("days", ["aws_x.y.z", "var.missing"])
def test_a_retention_that_only_the_plan_knows_is_unknown(days: str) -> None:
    outcome = judged(f'resource "aws_db_instance" "a" {{\n  backup_retention_period = {days}\n}}\n')
    assert not outcome.found
    assert [each.subject for each in outcome.tallies[0].unsure] == ["aws_db_instance.a"]
