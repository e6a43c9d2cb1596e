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


def declared(*windows_of: str, more: str = "") -> str:
    return "deployment_windows:\n" + "".join(f"  - {{{each}}}\n" for each in windows_of) + more


OFFICE = 'start: "09:00", end: "17:00", timezone: America/New_York, days: weekdays'
EVERY_DAY = 'start: "{}", end: "{}", timezone: UTC, days: [mon, tue, wed, thu, fri, sat, sun]'


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        (declared(EVERY_DAY.format("01:00", "00:00")), None),  # closed for one hour
        (declared(EVERY_DAY.format("01:01", "00:00")), 61 / 60),
        (declared(OFFICE), 64),
        (declared(OFFICE, OFFICE.replace("weekdays", "[sat]")), 40),
        (declared(OFFICE, more="emergency_override: {approvers: [a]}\n"), None),
        (declared(OFFICE, more="break_glass: true\n"), None),
        (declared(OFFICE, more="break_glass: false\n"), 64),
        (declared(OFFICE, more="break_glass: none\n"), 64),
        (declared(OFFICE, more="change_types: [normal, emergency]\n"), None),
        (declared(OFFICE, more="contacts: {kind_of: emergency}\n"), None),
        (declared(OFFICE, more="playlist: emergency\n"), 64),
    ],
)
def test_a_fix_waits_unless_a_way_around_is_stated(text: str, hours: float | None) -> None:
    outcome = reading.outcome("deployment-windows", a_yaml=text)
    told = [reading.figures(each.fail)["longest_closed_hours"] for each in outcome.found]
    assert told == ([] if hours is None else [pytest.approx(hours)])
    assert outcome.tallies[0].passed == (hours is None)


@pytest.mark.parametrize(
    ("facts", "glass", "why", "source"),
    [
        ("deployment: {emergency_override: true}", None, "", ""),
        ("deployment: {emergency_override: false}", 0, "declared without an override", "facts"),
        ("", 0, "nothing states an override for emergencies", "assumption"),
    ],
)
def test_who_says_whether_there_is_a_way_around(facts: str, glass: int | None, why: str, source: str) -> None:
    fails = reading.fails("deployment-windows", a_yaml=declared(OFFICE), facts=facts)
    assert [reading.figures(each)["break_glass"] for each in fails] == ([] if glass is None else [glass])
    for fail in fails:
        assert fail.why == f"Changes may go out in 23.8 % of the week; {why}."
        (term,) = next(each for each in fail.quantities if each.name == "break_glass").inputs
        assert term.source == source


def test_windows_are_told_by_their_hours_and_where_they_stand() -> None:
    (one,) = reading.fails("deployment-windows", a_yaml=declared(OFFICE))
    terms = one.quantities[0].inputs
    assert [(each.name, each.value, each.source, each.line) for each in terms] == [
        ("window", "09:00 for 480 min on 5 days", "file", 2), ("time_zone", "America/New_York", "file", 2),
    ]  # fmt: skip
    early = EVERY_DAY.format("06:30", "07:05")
    (two,) = reading.fails("deployment-windows", a_yaml=declared(OFFICE, early))
    assert [(each.name, each.value) for each in two.quantities[0].inputs[:2]] == [
        ("window_1", "09:00 for 480 min on 5 days"), ("window_2", "06:30 for 35 min on 7 days"),
    ]  # fmt: skip


@pytest.mark.parametrize(("count", "shown"), [(20, 20), (21, 20)])
def test_of_many_windows_twenty_are_shown(count: int, shown: int) -> None:
    many = [f'start: "01:{number:02}", end: "01:{number:02}", timezone: UTC, days: [mon]' for number in range(count)]
    many = [each.replace(f'end: "01:{number:02}"', 'end: "02:30"') for number, each in enumerate(many)]
    (fail,) = reading.fails("deployment-windows", a_yaml=declared(*many))
    assert len([each for each in fail.quantities[0].inputs if each.name.startswith("window")]) == shown


def test_where_the_analysis_errs_its_figure_is_put_right() -> None:
    notes = {
        text: reading.fails("deployment-windows", a_yaml=declared(text))[0].quantities[0].assumptions
        for text in (OFFICE, OFFICE.replace("17:00", "16:00"))
    }
    assert [any("64.5 hours" in note for note in each) for each in notes.values()] == [True, False]
    assert all(any("No holidays are declared" in note for note in each) for each in notes.values())


@pytest.mark.parametrize(
    ("holidays", "hours"),
    [
        ('["2026-01-19"]', 88),
        ('["2026-01-19", "2026-01-20"]', 112),
        ('["2026-01-21"]', 64),  # a Wednesday: 40 hours, and the weekend is longer
        ('["2026-03-09"]', 87),  # the night before clocks are put forward
        ('["2026-01-19", "2026-04-06"]', 88),
        ('["2026-01-21", "2026-04-06"]', 88),
        ('["2026-04-06", "2026-01-21"]', 88),
        ('["2026-13-45"]', None),
        ("[]", None),
        ("sometimes", None),
        ('["1826-01-19"]', None),
        ('["2026-01-19", "2226-01-19"]', 88),
    ],
)
def test_holidays_make_the_longest_stretch_longer(holidays: str, hours: float | None) -> None:
    facts = f"deployment: {{holidays: {holidays}}}"
    (fail,) = reading.fails("deployment-windows", a_yaml=declared(OFFICE), facts=facts)
    assert reading.figures(fail).get("longest_closed_hours_with_holidays") == hours
    assert any("No holidays" in note for note in fail.quantities[0].assumptions) == (hours is None)


PROJECT = """apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {{name: shop}}
spec:
  syncWindows:
    - {{kind: allow, schedule: "0 9 * * *", duration: 8h, applications: ["*"]{manual}}}
{deny}"""


def test_hours_that_are_denied_leave_days_untold() -> None:
    """What clocks and holidays change is told by days, and days with hours taken out are not."""
    deny = '    - {kind: deny, schedule: "0 12 * * *", duration: 1h, applications: ["*"]}\n'
    facts = 'deployment: {holidays: ["2026-01-19"]}'
    (plain,) = reading.fails("deployment-windows", a_yaml=PROJECT.format(manual="", deny=""), facts=facts)
    assert "longest_closed_hours_with_holidays" in reading.figures(plain)
    (fail,) = reading.fails("deployment-windows", a_yaml=PROJECT.format(manual="", deny=deny), facts=facts)
    assert reading.figures(fail).keys() == {
        "longest_closed_hours", "mean_wait_hours", "open_share_percent", "break_glass",
    }  # fmt: skip
    assert [each.value for each in fail.quantities[0].inputs[:2]] == [
        "09:00 for 480 min on 7 days", "12:00 for 60 min on 7 days closed",
    ]  # fmt: skip


def test_a_manual_sync_is_a_way_around_where_every_closed_window_has_it() -> None:
    by_hand = PROJECT.format(manual=", manualSync: true", deny="")
    assert reading.outcome("deployment-windows", a_yaml=by_hand).tallies[0].passed == 1
    (fail,) = reading.fails("deployment-windows", a_yaml=PROJECT.format(manual="", deny=""))
    assert fail.why.endswith("; not every window that is closed lets a manual sync by.")


@pytest.mark.parametrize(
    ("minutes", "bypass", "hours"), [(59, "false", None), (60, "false", 1), (90, "false", 1.5), (90, "true", None)]
)
def test_a_timer_of_an_hour_holds_everybody_up_unless_it_may_be_passed(
    minutes: int, bypass: str, hours: float | None
) -> None:
    timer = (
        'resource "github_repository_environment" "p" {\n  environment = "production"\n  repository = "orders"\n'
        f"  wait_timer = {minutes}\n  can_admins_bypass = {bypass}\n}}\n"
    )
    outcome = reading.outcome("deployment-windows", main_tf=timer)
    told = [reading.figures(each.fail) for each in outcome.found]
    assert told == (
        [] if hours is None else [{"longest_closed_hours": hours, "mean_wait_hours": hours, "break_glass": 0}]
    )
    assert outcome.tallies[0].passed == (hours is None)


@pytest.mark.parametrize(
    ("zone", "title"), [("EST", "EST is UTC-5 all year"), ("MST", "MST is UTC-7 all year"), ("Europe/Berlin", None)]
)
def test_an_abbreviation_is_told_with_its_offset(zone: str, title: str | None) -> None:
    text = declared(OFFICE.replace("America/New_York", zone), more="break_glass: true\n")
    assert [each.title for each in reading.fails("deployment-windows", a_yaml=text)] == ([title] if title else [])


def test_several_windows_of_an_application_are_counted() -> None:
    two = f"[{WINDOWS[1:-1]}, {WINDOWS[1:-1]}]"
    text = APPLICATION.format(api="argoproj.io/v1alpha1", kind="Application", spec=f"{{syncWindows: {two}}}")
    (fail,) = reading.fails("deployment-windows", a_yaml=text)
    assert fail.title == "2 sync windows are not in force: Argo CD reads them of projects only"
