"""How long a fix waits for its window, to the hour and across changes of the clocks."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from findings.checks import deployment_windows
from findings.platform import windows
from findings.platform.windows import Window
from platform_risk.quantities.sourced import NOWHERE, Sourced
from tests.examples import examples
from tests.findings.checks import reading

NEW_YORK = ZoneInfo("America/New_York")
WORKDAYS = frozenset(range(5))
GAPS = [16.0, 16.0, 16.0, 16.0, 64.0]


def office_hours(days: frozenset[int] = WORKDAYS, start: int = 9 * 60, minutes: int = 8 * 60) -> tuple[Window, ...]:
    return (Window(days, start, minutes, NEW_YORK, Sourced("America/New_York"), NOWHERE),)


def weekend(friday: date, monday: date) -> float:
    begins = datetime(friday.year, friday.month, friday.day, 17, tzinfo=NEW_YORK)
    ends = datetime(monday.year, monday.month, monday.day, 9, tzinfo=NEW_YORK)
    return deployment_windows.elapsed_hours(begins, ends)


def test_the_analysis_counts_from_half_past_four() -> None:
    ready = datetime(2026, 1, 16, 16, 30, tzinfo=NEW_YORK)
    opens = datetime(2026, 1, 19, 9, 0, tzinfo=NEW_YORK)
    assert deployment_windows.elapsed_hours(ready, opens) == 64.5


def test_the_longest_closed_gap_of_office_hours_is_the_weekend() -> None:
    assert sorted(windows.weekly_gaps(windows.open_week(office_hours()))) == GAPS
    assert deployment_windows.longest_closed_hours(GAPS) == 64.0


def test_the_window_is_open_for_less_than_a_quarter_of_the_week() -> None:
    assert deployment_windows.open_share_percent(GAPS) == pytest.approx(23.8095, abs=5e-5)


def test_a_fix_that_is_ready_at_any_time_waits_15_hours_on_average() -> None:
    assert deployment_windows.mean_wait_hours(GAPS) == pytest.approx(15.2381, rel=1e-6)


@pytest.mark.parametrize(
    ("friday", "monday", "hours"),
    [
        (date(2026, 3, 6), date(2026, 3, 9), 63.0),
        (date(2026, 10, 30), date(2026, 11, 2), 65.0),
        (date(2026, 1, 16), date(2026, 1, 20), 88.0),
    ],
)
def test_a_weekend_is_shorter_or_longer_where_clocks_change_or_monday_is_a_holiday(
    friday: date, monday: date, hours: float
) -> None:
    assert weekend(friday, monday) == hours
    holidays = frozenset({date(2026, 1, 19)})
    found = windows.dated_gaps(office_hours(), friday - timedelta(days=2), 8, holidays)
    assert max(deployment_windows.elapsed_hours(*gap) for gap in found) == hours


def test_clocks_change_twice_a_year_in_new_york_and_never_in_utc() -> None:
    assert windows.clock_changes(NEW_YORK, 2026) == [date(2026, 3, 8), date(2026, 11, 1)]
    assert windows.clock_changes(ZoneInfo("UTC"), 2026) == []


def test_a_window_past_midnight_stays_open_into_the_next_day() -> None:
    night = reading.fails("deployment-windows", a_yaml='deployment_windows: [{start: "22:00", end: "04:00"}]\n')
    assert reading.figures(night[0])["longest_closed_hours"] == 18.0


def test_a_denied_hour_is_taken_out_of_what_is_allowed() -> None:
    deny = Window(WORKDAYS, 12 * 60, 60, NEW_YORK, Sourced("America/New_York"), NOWHERE, is_deny=True)
    assert sum(windows.open_week((*office_hours(), deny))) == 5 * 7 * 60


def test_the_same_hours_in_another_zone_leave_the_same_gaps() -> None:
    text = 'deployment_windows: [{{start: "09:00", end: "17:00", timezone: {}, days: weekdays}}]\n'
    found = [
        reading.figures(reading.fails("deployment-windows", a_yaml=text.format(zone))[0])["longest_closed_hours"]
        for zone in ("Asia/Kolkata", "UTC", "America/Los_Angeles")
    ]
    assert found == [64.0, 64.0, 64.0]


@pytest.mark.parametrize(
    ("schedule", "starts"),
    [
        ("0 9 * * 1-5", [(day, 540) for day in range(5)]),
        ("30 22 * * SUN", [(6, 1350)]),
        ("0 */12 * * 0,6", [(5, 0), (5, 720), (6, 0), (6, 720)]),
        ("0 9 1 * *", None),
        ("0 9 * *", None),
        ("0 99 * * *", None),
    ],
)
def test_a_schedule_is_read_as_cron_reads_it(schedule: str, starts: list[tuple[int, int]] | None) -> None:
    assert windows.cron_starts(schedule) == starts


def test_an_override_that_is_switched_off_is_none() -> None:
    text = 'deployment_windows: [{start: "09:00", end: "17:00", days: weekdays}]\nemergency_override: false\n'
    (fail,) = reading.fails("deployment-windows", a_yaml=text)
    assert reading.figures(fail)["break_glass"] == 0


def test_what_is_denied_to_some_is_told_where_it_is_not_closed_to_all_anyway() -> None:
    text = """
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {name: shop}
spec:
  syncWindows:
    - {kind: allow, schedule: "0 9 * * *", duration: 8h, applications: ["*"]}
    - {kind: deny, schedule: "0 %d * * *", duration: 1h, namespaces: [carts]}
"""
    (of_all,) = reading.fails("deployment-windows", a_yaml=text % 22)
    assert reading.figures(of_all)["longest_closed_hours"] == 16.0
    found = reading.fails("deployment-windows", a_yaml=text % 16)
    assert [reading.figures(each)["longest_closed_hours"] for each in found] == [16.0, 17.0]


SPANS = st.tuples(st.frozensets(st.integers(0, 6), min_size=1), st.integers(0, 1439), st.integers(1, 1440))


@given(SPANS, SPANS)
@settings(max_examples=examples(60), deadline=None)
def test_a_second_window_never_makes_anybody_wait_longer(
    one: tuple[frozenset[int], int, int], two: tuple[frozenset[int], int, int]
) -> None:
    alone = windows.weekly_gaps(windows.open_week(office_hours(*one)))
    both = windows.weekly_gaps(windows.open_week((*office_hours(*one), *office_hours(*two))))
    assert deployment_windows.longest_closed_hours(both) <= deployment_windows.longest_closed_hours(alone)
    assert deployment_windows.mean_wait_hours(both) <= deployment_windows.mean_wait_hours(alone) + 1e-9
    assert 0 <= deployment_windows.open_share_percent(both) <= 100


APPLICATION = """
apiVersion: {api}
kind: {kind}
metadata: {{name: api, namespace: argocd}}
spec: {spec}
"""
WINDOWS = '[{kind: deny, schedule: "0 18 * * 5", duration: 62h, applications: ["*"]}]'


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("Application", f"{{project: shop, syncWindows: {WINDOWS}}}"),
        ("Application", f"{{project: shop, syncPolicy: {{automated: {{}}, syncWindows: {WINDOWS}}}}}"),
        ("ApplicationSet", f"{{template: {{spec: {{syncPolicy: {{syncWindows: {WINDOWS}}}}}}}}}"),
    ],
)
def test_windows_in_an_application_are_told_to_be_without_effect(kind: str, spec: str) -> None:
    text = APPLICATION.format(api="argoproj.io/v1alpha1", kind=kind, spec=spec)
    (fail,) = reading.fails("deployment-windows", a_yaml=text)
    assert fail.title == "1 sync window is not in force: Argo CD reads them of projects only"
    assert reading.figures(fail) == {"windows_ignored": 1}


@pytest.mark.parametrize(
    ("api", "spec"),
    [("argoproj.io/v1alpha1", "{syncWindows: []}"), ("app.k8s.io/v1beta1", f"{{syncWindows: {WINDOWS}}}")],
)
def test_no_window_and_an_application_of_somebody_else_are_nothing_to_tell(api: str, spec: str) -> None:
    outcome = reading.outcome("deployment-windows", a_yaml=APPLICATION.format(api=api, kind="Application", spec=spec))
    assert (outcome.found, outcome.tallies[0].passed) == ((), 0)


@pytest.mark.parametrize(("duration", "failed"), [("1h", 0), ("2h", 1)])
def test_a_freeze_of_an_hour_is_no_failure(duration: str, failed: int) -> None:
    project = (
        "apiVersion: argoproj.io/v1alpha1\nkind: AppProject\nmetadata: {name: shop, namespace: argocd}\nspec:\n"
        f"  syncWindows: [{{kind: deny, schedule: '0 2 * * *', duration: {duration}, applications: ['*']}}]\n"
    )
    assert len(reading.fails("deployment-windows", project_yaml=project)) == failed
