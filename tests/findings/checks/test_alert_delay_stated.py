"""3.1: what a condition, an alarm, a monitor or a rule states, what it leaves out, and the verdict on it."""

import pytest

from tests.findings.checks import reading


def nrql(terms: str = "", **settings: object) -> str:
    stated = {"aggregation_window": 60, "aggregation_delay": 120, **settings}
    lines = "\n".join(f"  {name} = {value}" for name, value in stated.items() if value is not None)
    critical = terms or 'threshold_duration = 300\n    threshold_occurrences = "ALL"'
    return f'resource "newrelic_nrql_alert_condition" "c" {{\n{lines}\n  critical {{\n    {critical}\n  }}\n}}\n'


ONCE = 'threshold_duration = 300\n    threshold_occurrences = "AT_LEAST_ONCE"'


@pytest.mark.parametrize(
    ("text", "best", "worst"),
    [
        (nrql(slide_by=20), 420, 440),  # the first bad window begins up to one step late
        (nrql(aggregation_window=600), 720, 1320),  # no duration is shorter than its window
        (nrql(aggregation_delay=0), 300, 360),
        (nrql(aggregation_method='"event_timer"', aggregation_delay=None, aggregation_timer=240), 540, 600),
        (nrql(aggregation_method='"event_timer"', aggregation_delay=600), 360, 420),  # its timer is 60 s
        (nrql(aggregation_window=None, aggregation_delay=None), 420, 480),
        (nrql('duration = 5\n    time_function = "all"'), 420, 480),  # minutes, as it was stated once
        (nrql(ONCE, aggregation_delay=300), 360, 360),
    ],
)
def test_a_condition_opens_by_what_it_states_and_by_the_defaults_of_the_rest(
    text: str, best: float, worst: float
) -> None:
    (fail,) = reading.fails("alert-delay", main_tf=text)
    figures = reading.figures(fail)
    assert (figures["time_to_open_best_seconds"], figures["time_to_open_worst_seconds"]) == (best, worst)


@pytest.mark.parametrize(
    ("delay", "facts", "verdict"),
    [
        (119, "", "passes"), (120, "", "medium"),  # three minutes, where no objective is stated
        (2099, "slo: {target: 98, window_days: 25}", "passes"), (2100, "slo: {target: 98, window_days: 25}", "high"),
        (8579, "slo: {target: 99, window_days: 10}", "high"), (8580, "slo: {target: 99, window_days: 10}", "critical"),
    ],
)  # fmt: skip
def test_what_is_too_late_follows_the_budget(delay: int, facts: str, verdict: str) -> None:
    """Of 12 hours a twentieth are 36 minutes; all of 144 minutes are gone after 8640 seconds."""
    outcome = reading.outcome("alert-delay", main_tf=nrql(ONCE, aggregation_delay=delay), facts=facts)
    assert [str(each.severity) for each in outcome.found] == ([] if verdict == "passes" else [verdict])
    assert outcome.tallies[0].passed == (verdict == "passes")


def test_a_title_says_how_much_of_the_budget_is_gone() -> None:
    half = reading.fails(
        "alert-delay", main_tf=nrql(ONCE, aggregation_delay=4260), facts="slo: {target: 99, window_days: 10}"
    )
    assert half[0].title == "Opens 4320 s after an outage begins, with 50 % of the error budget spent"
    assert half[0].why.endswith("An objective of 99 % over 10 days allows 144 minutes.")
    gone = reading.fails(
        "alert-delay", main_tf=nrql(ONCE, aggregation_delay=8580), facts="slo: {target: 99, window_days: 10}"
    )
    assert gone[0].title == "Opens 8640 s after an outage begins, after the error budget is spent"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (nrql(aggregation_delay='"soon"'), "aggregation_delay is 'soon'"),
        (nrql(aggregation_delay=-1), "aggregation_delay is -1"),
        (nrql(aggregation_window="var.w"), "variable w is not declared here"),
        (nrql(aggregation_delay="var.d"), "variable d is not declared here"),
    ],
)
def test_times_that_cannot_be_told_are_asked_for(text: str, reason: str) -> None:
    outcome = reading.outcome("alert-delay", main_tf=text)
    assert [each.reason for each in outcome.tallies[0].unsure] == [reason]
    assert (outcome.found, outcome.tallies[0].passed) == ((), 0)


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ('threshold_occurrences = "ALL"', "the threshold's duration is not stated"),
        ('threshold_duration = "long"\n    threshold_occurrences = "ALL"', "the threshold's duration is not stated"),
        ("threshold_duration = 300", "threshold_occurrences is not stated"),
        ("threshold_duration = 300\n    threshold_occurrences = var.o", "variable o is not declared here"),
        ('threshold_duration = var.d\n    threshold_occurrences = "ALL"', "variable d is not declared here"),
    ],
)
def test_a_threshold_that_is_not_all_stated_opens_no_sooner_than_window_and_delay(terms: str, reason: str) -> None:
    outcome = reading.outcome("alert-delay", main_tf=nrql(terms), facts="slo: {target: 99.9}")
    (found,) = outcome.found
    assert found.fail.title.startswith("Opens at least 180 s after an outage begins")
    assert "time_to_open_worst_seconds" not in reading.figures(found.fail)
    assert reading.figures(found.fail)["error_budget_burned_percent"] == pytest.approx(3 / 43.2 * 100)
    assert [each.reason for each in outcome.tallies[0].unsure] == [reason]
    quick = reading.outcome("alert-delay", main_tf=nrql(terms, aggregation_delay=0), facts="slo: {target: 99.9}")
    assert (quick.found, quick.tallies[0].passed, len(quick.tallies[0].unsure)) == ((), 0, 1)


SILENT = """resource "aws_cloudwatch_metric_alarm" "a" {
  period             = 300
  evaluation_periods = 3
  actions_enabled    = false
}
"""


@pytest.mark.parametrize(
    "text",
    [
        nrql(enabled="false"),
        SILENT,
    ],
)
def test_what_is_switched_off_is_not_judged(text: str) -> None:
    off = reading.outcome("alert-delay", main_tf=text)
    assert (off.found, off.tallies[0].passed, off.tallies[0].unsure) == ((), 0, [])
    assert reading.fails("alert-delay", main_tf=text.replace("= false", "= true"))


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("period = 0\n  evaluation_periods = 3", "period is 0, which is no number above 0"),
        ("evaluation_periods = 3", "period is not stated"),
        ('period = 60\n  evaluation_periods = "few"', "evaluation_periods is 'few', which is no number above 0"),
        ("period = var.p\n  evaluation_periods = 3", "variable p is not declared here"),
        ("period = 300\n  evaluation_periods = 3\n  datapoints_to_alarm = var.n", "variable n is not declared here"),
    ],
)
def test_an_alarm_whose_periods_cannot_be_told_is_unknown(text: str, verdict: str) -> None:
    alarm = f'resource "aws_cloudwatch_metric_alarm" "a" {{\n  {text}\n}}\n'
    outcome = reading.outcome("alert-delay", main_tf=alarm)
    assert [each.reason for each in outcome.tallies[0].unsure] == [verdict]
    assert (outcome.found, outcome.tallies[0].passed) == ((), 0)


def test_an_alarm_that_needs_fewer_points_opens_sooner_and_shows_them() -> None:
    alarm = 'resource "aws_cloudwatch_metric_alarm" "a" {\n  period = 300\n  evaluation_periods = 5\n  %s\n}\n'
    (fail,) = reading.fails("alert-delay", main_tf=alarm % "datapoints_to_alarm = 2")
    assert reading.figures(fail)["time_to_open_best_seconds"] == 600
    assert [each.value for each in fail.quantities[0].inputs] == [300, 5, 2]
    (all_of_them,) = reading.fails("alert-delay", main_tf=alarm % "")
    assert [each.value for each in all_of_them.quantities[0].inputs] == [300, 5]


MONITOR = 'resource "datadog_monitor" "m" {\n  type = "metric alert"\n  %s\n}\n'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('query = "avg:x{*} > 5"', "the window of its query cannot be read"),
        ("name = 1", "the window of its query cannot be read"),
        ("query = var.q", "variable q is not declared here"),
        ('query = "avg(last_5m):avg:x{*} > 5"\n  evaluation_delay = var.d', "variable d is not declared here"),
    ],
)
def test_a_monitor_whose_window_cannot_be_told_is_unknown(text: str, reason: str) -> None:
    outcome = reading.outcome("alert-delay", main_tf=MONITOR % text)
    assert [each.reason for each in outcome.tallies[0].unsure] == [reason]
    assert (outcome.found, outcome.tallies[0].passed) == ((), 0)


RULES = """groups:
  - name: shop
    %s
    rules:
      - {alert: Slow, expr: a > 1, for: 10m, labels: {severity: page}}
      - {alert: Errors, expr: b > 1, for: 2m, labels: {severity: page}}
      - {alert: Disk, expr: c > 1, for: 6h, labels: {severity: warning}}
"""
TIMES = "global: {scrape_interval: 30s, evaluation_interval: 60s}\nscrape_configs: []\n"
WAITS = "route: {receiver: a, group_wait: 10s}\nreceivers: [{name: a}]\n"


def test_of_a_file_of_rules_the_slowest_that_pages_counts() -> None:
    files = {"prometheus_yml": TIMES, "alertmanager_yml": WAITS, "facts": "slo: {target: 99.9}"}
    (fail,) = reading.fails("alert-delay", rules_yml=RULES % "", **files)
    figures = reading.figures(fail)
    assert (figures["time_to_open_best_seconds"], figures["time_to_open_worst_seconds"]) == (610, 700)
    assert "Its slowest paging alert, Slow," in fail.why
    (own,) = reading.fails("alert-delay", rules_yml=RULES % "interval: 2m", **files)
    assert reading.figures(own)["time_to_open_worst_seconds"] == 760  # the group's own interval wins


@pytest.mark.parametrize(
    ("missing", "provide"),
    [
        ({"alertmanager_yml": WAITS}, "facts: alerting.prometheus.scrape_interval_seconds"),
        ({"prometheus_yml": TIMES}, "facts: alerting.prometheus.group_wait_seconds"),
    ],
)
def test_without_all_intervals_a_rule_opens_no_sooner_than_it_holds(missing: dict[str, str], provide: str) -> None:
    outcome = reading.outcome("alert-delay", rules_yml=RULES % "", facts="slo: {target: 99.9}", **missing)
    (found,) = outcome.found
    assert found.fail.title.startswith("Opens at least 600 s")
    assert [each.provide for each in outcome.tallies[0].unsure] == [provide]


def told(text: str, facts: str = "", **files: str) -> dict[str, list[tuple[str, object, str]]]:
    (fail,) = reading.fails("alert-delay", main_tf=text, facts=facts, **files)
    return {each.name: [(term.name, term.value, term.source) for term in each.inputs] for each in fail.quantities}


def formulas(text: str) -> list[str]:
    (fail,) = reading.fails("alert-delay", main_tf=text)
    return [each.formula for each in fail.quantities]


def test_every_term_of_a_time_is_shown_with_who_says_so() -> None:
    plain = told(nrql(slide_by=20, aggregation_delay=None))["time_to_open_worst_seconds"]
    assert plain == [
        ("aggregation_window", 60, "file"), ("aggregation_delay", 120, "provider_default"),
        ("threshold_duration", 300, "file"), ("threshold_occurrences", "ALL", "file"), ("slide_by", 20, "file"),
    ]  # fmt: skip
    assert "slide_by" not in str(told(nrql(slide_by=0)))
    delayed = MONITOR % 'query = "min(last_5m):avg:x{*} > 5"\n  evaluation_delay = 60'
    assert told(delayed)["time_to_open_best_seconds"] == [("window", 300, "file"), ("evaluation_delay", 60, "file")]
    assert told(MONITOR % 'query = "avg(last_5m):avg:x{*} > 5"')["time_to_open_best_seconds"] == [
        ("window", 300, "file")
    ]


@pytest.mark.parametrize(
    ("text", "best", "worst"),
    [
        (nrql(), "duration + delay", "duration + delay + one window"),
        (nrql(ONCE), "window + delay", "window + delay"),
        (MONITOR % 'query = "min(last_5m):avg:x{*} > 5"', "window + delay", "window + delay + one minute"),
        (MONITOR % 'query = "avg(last_5m):avg:x{*} > 5"', "delay", "window + delay + one minute"),
    ],
)
def test_the_formula_says_what_counts(text: str, best: str, worst: str) -> None:
    assert formulas(text) == [best, worst]


def test_where_the_analysis_forgets_the_duration_its_own_figure_is_beside_it() -> None:
    (with_all,) = reading.fails("alert-delay", main_tf=nrql())
    assert with_all.quantities[0].assumptions[0].startswith("Window and delay alone would be 180 s:")
    (once,) = reading.fails("alert-delay", main_tf=nrql(ONCE))
    assert once.quantities[0].assumptions == ()


@pytest.mark.parametrize(
    ("terms", "name", "seconds"),
    [("", "time_to_open_worst", 480), ('threshold_occurrences = "ALL"', "time_to_open_best", 180)],
)
def test_the_budget_rests_on_the_latest_time_that_is_known(terms: str, name: str, seconds: float) -> None:
    (share,) = [
        inputs for figure, inputs in told(nrql(terms), "slo: {target: 99.9}").items() if figure.startswith("error")
    ]
    assert share == [(name, seconds, "file"), ("slo_target", 99.9, "facts"), ("slo_window", 30, "assumption")]


def test_what_warns_ahead_passes_and_what_stands_after_it_is_judged() -> None:
    ahead = 'nrql {\n    query = "SELECT min(daysUntilExpiration) FROM Certificate"\n  }\n  critical {'
    text = nrql().replace("critical {", ahead, 1) + nrql().replace('"c"', '"d"')
    outcome = reading.outcome("alert-delay", main_tf=text)
    assert [each.fail.subject for each in outcome.found] == ["newrelic_nrql_alert_condition.d"]
    assert outcome.tallies[0].passed == 1


@pytest.mark.parametrize(
    ("facts", "provide"),
    [
        ("evaluation_interval_seconds: 60, group_wait_seconds: 10", "scrape_interval_seconds"),
        ("scrape_interval_seconds: 30, group_wait_seconds: 10", "evaluation_interval_seconds"),
        ("scrape_interval_seconds: 30, evaluation_interval_seconds: 60", "group_wait_seconds"),
    ],
)
def test_each_interval_of_prometheus_that_is_missing_is_asked_for(facts: str, provide: str) -> None:
    facts = f"slo: {{target: 99.9}}\nalerting: {{prometheus: {{{facts}}}}}"
    outcome = reading.outcome("alert-delay", rules_yml=RULES % "", facts=facts)
    assert [each.fail.title.split(",")[0] for each in outcome.found] == ["Opens at least 600 s after an outage begins"]
    assert [each.provide for each in outcome.tallies[0].unsure] == [f"facts: alerting.prometheus.{provide}"]


GRAFANA = """apiVersion: 1
groups:
  - name: shop
    interval: 1m
    rules:
"""
GRAFANA_RULE = """      - title: TITLE
        for: FOR
        labels: {severity: SEVERITY}
        condition: C
        data:
          - {refId: A, relativeTimeRange: {from: 300, to: 0}, model: {expr: "x"}}
          - {refId: B, datasourceUid: __expr__, model: {type: reduce, reducer: REDUCER, expression: A}}
          - {refId: C, datasourceUid: __expr__, model: {type: threshold, expression: B,
             conditions: [{evaluator: {type: gt, params: [5]}}]}}
"""


def grafana(title: str, hold: str, severity: str = "critical", reducer: str = "mean") -> str:
    text = GRAFANA_RULE.replace("TITLE", title).replace("FOR", hold).replace("SEVERITY", severity)
    return text.replace("REDUCER", reducer)


def test_of_a_group_of_grafana_the_slowest_that_pages_counts() -> None:
    rules = grafana("Fast", "1m") + grafana("Slow", "9m30s") + grafana("Warns", "6h", "warning")
    (fail,) = reading.fails("alert-delay", a_yaml=GRAFANA + rules, facts="slo: {target: 99.9}")
    assert "Its alert Slow" in fail.why
    # In whole intervals the nine and a half minutes are ten; the interval and the range come on top at worst.
    assert reading.figures(fail)["time_to_open_best_seconds"] == 600
    assert reading.figures(fail)["time_to_open_worst_seconds"] == 60 + 300 + 600
    assert [each.name for each in fail.quantities[0].inputs] == ["interval", "for", "range"]
    assert fail.quantities[0].formula == "for, in whole intervals"
    (lowest,) = reading.fails(
        "alert-delay", a_yaml=GRAFANA + grafana("Slow", "10m", reducer="min"), facts="slo: {target: 99.9}"
    )
    assert reading.figures(lowest)["time_to_open_best_seconds"] == 900
    assert lowest.quantities[0].formula == "for, in whole intervals + range"
    calm = reading.outcome(
        "alert-delay", a_yaml=GRAFANA + grafana("Warns", "6h", "warning"), facts="slo: {target: 99.9}"
    )
    assert (calm.found, calm.tallies[0].passed, calm.tallies[0].unsure) == ((), 0, [])
