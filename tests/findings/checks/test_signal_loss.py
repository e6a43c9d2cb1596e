"""What happens to a condition when the data stops: it opens, it stays silent, or it does not say."""

import pytest

from tests.findings.checks import reading


def verdict(files: dict[str, str], facts: str = "") -> str:
    outcome = reading.outcome("signal-loss", **files, facts=facts)
    tally = outcome.tallies[0]
    if tally.failed + tally.passed + len(tally.unsure) != 1:
        return f"{tally.failed} {tally.passed} {len(tally.unsure)}"
    return "silent" if tally.failed else "opens" if tally.passed else "unknown"


def nrql(*settings: str) -> dict[str, str]:
    lines = "\n  ".join(settings)
    return {"main_tf": f'resource "newrelic_nrql_alert_condition" "c" {{\n  {lines}\n  critical {{\n  }}\n}}\n'}


OPENS = "open_violation_on_expiration = true"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ((), "silent"),
        (("expiration_duration = 120",), "silent"),  # nothing opens then
        ((OPENS,), "silent"),
        (("expiration_duration = 0", OPENS), "silent"),
        (("expiration_duration = 1", OPENS), "opens"),
        (("expiration_duration = 120", "open_violation_on_expiration = false"), "silent"),
        (("expiration_duration = var.e", OPENS), "unknown"),
        (("expiration_duration = 120", "open_violation_on_expiration = var.o"), "unknown"),
        (('fill_option = "static"',), "silent"),
        (("enabled = false",), "0 0 0"),
        (("enabled = true",), "silent"),
    ],
)
def test_a_condition_of_new_relic_opens_when_its_signal_expires(settings: tuple[str, ...], told: str) -> None:
    assert verdict(nrql(*settings)) == told


def test_conditions_of_a_file_are_counted_with_what_fills_their_gaps() -> None:
    def one(name: str, more: str) -> str:
        return nrql(more)["main_tf"].replace('"c"', f'"{name}"')

    off, told, plain, filled = (
        one("off", "enabled = false"), one("told", f"expiration_duration = 60\n  {OPENS}"), one("plain", ""),
        one("filled", 'fill_option = "last_value"'),
    )  # fmt: skip
    (fail,) = reading.fails("signal-loss", main_tf=off + told + plain + filled)
    assert (fail.title, reading.figures(fail)) == (
        "2 conditions never open when the data stops", {"conditions_silent_on_loss": 2},
    )  # fmt: skip
    assert [each.value for each in fail.quantities[0].inputs] == ["none", "last_value"]
    assert fail.why == ("plain, filled: no expiration opens an incident. A fill option fills gaps between points only.")
    (alone,) = reading.fails("signal-loss", main_tf=plain)
    assert (alone.title, alone.why) == (
        "1 condition never opens when the data stops", "plain: no expiration opens an incident."
    )  # fmt: skip


def test_a_fragment_that_does_not_speak_of_loss_is_only_a_part() -> None:
    assert verdict({"main_tf": "aggregation_delay = 120\n"}) == "unknown"
    assert verdict({"main_tf": "aggregation_delay = 120\nexpiration_duration = 60\n"}) == "silent"
    assert verdict({"main_tf": f"aggregation_delay = 120\nexpiration_duration = 60\n{OPENS}\n"}) == "opens"


def alarm(*settings: str) -> dict[str, str]:
    lines = "\n  ".join(settings)
    return {"main_tf": f'resource "aws_cloudwatch_metric_alarm" "a" {{\n  {lines}\n}}\n'}


LESS, MORE = 'comparison_operator = "LessThanThreshold"', 'comparison_operator = "GreaterThanThreshold"'
BREACHING, GOOD = 'treat_missing_data = "breaching"', 'treat_missing_data = "notBreaching"'


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ((MORE, BREACHING), "opens"), ((LESS, BREACHING), "opens"),
        ((MORE,), "unknown"), ((LESS,), "silent"),
        ((MORE, GOOD), "opens"), ((LESS, GOOD), "silent"),
        ((LESS, GOOD, 'metric_name = "CPUUtilization"'), "opens"),  # little use is no fault
        ((LESS, 'metric_name = "CPUUtilization"'), "silent"),
        ((LESS, 'treat_missing_data = "ignore"'), "silent"),
        ((LESS, 'insufficient_data_actions = ["arn"]'), "opens"),
        ((LESS, "insufficient_data_actions = []"), "silent"),
        ((LESS, "insufficient_data_actions = [var.topic]"), "opens"),
        ((LESS, "treat_missing_data = var.m"), "unknown"),
        (("comparison_operator = var.c",), "unknown"),
        ((LESS, "actions_enabled = false"), "0 0 0"), ((LESS, "actions_enabled = true"), "silent"),
    ],
)  # fmt: skip
def test_an_alarm_of_cloudwatch_treats_missing_data_as_it_says(settings: tuple[str, ...], told: str) -> None:
    assert verdict(alarm(*settings)) == told


def monitor(query: str, *settings: str, kind: str = '"metric alert"') -> dict[str, str]:
    lines = "\n  ".join(settings)
    return {"main_tf": f'resource "datadog_monitor" "m" {{\n  type = {kind}\n  query = "{query}"\n  {lines}\n}}\n'}


HEARTBEAT = """resource "datadog_monitor" "up" {
  type           = "service check"
  query          = "'datadog.agent.up'.over('*').by('host').last(2).count_by_status()"
  notify_no_data = NOTIFIES
}
"""


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (monitor("avg(last_5m):avg:app.errors{*} > 5"), "silent"),
        (monitor("avg(last_5m):avg:app.errors{*} > 5", "notify_no_data = true"), "opens"),
        (monitor("avg(last_5m):avg:app.errors{*} > 5", "notify_no_data = false"), "silent"),
        (monitor("avg(last_5m):avg:app.errors{*} > 5", "notify_no_data = var.n"), "unknown"),
        (monitor("avg(last_5m):avg:app.errors{*} > 5", 'on_missing_data = "show_and_notify_no_data"'), "opens"),
        (monitor("avg(last_5m):avg:app.errors{*} > 5", 'on_missing_data = "show_no_data"'), "silent"),
        (monitor("avg(last_5m):avg:app.errors{*} > 5", kind="var.t"), "unknown"),
    ],
)
def test_a_monitor_of_datadog_tells_of_missing_data_where_it_says_so(files: dict[str, str], told: str) -> None:
    assert verdict(files) == told


@pytest.mark.parametrize(
    ("query", "notifies", "is_told"),
    [
        ("avg(last_5m):avg:system.load.1{*} > 5", "true", True),
        ("avg(last_5m):avg:system.load.1{*} > 5", "false", False),
        ("avg(last_5m):avg:app.errors{*} > 5", "true", False),  # it may stop while its host goes on
    ],
)
def test_the_heartbeat_of_an_agent_tells_for_what_the_agent_measures(query: str, notifies: str, is_told: bool) -> None:
    text = monitor(query)["main_tf"] + HEARTBEAT.replace("NOTIFIES", notifies)
    fails = reading.fails("signal-loss", main_tf=text)
    assert ("datadog_monitor.m" in [each.subject for each in fails]) is not is_told


RULES = "groups:\n  - name: a\n    rules:\n      - {{alert: A, expr: '{}', labels: {{severity: page}}}}\n"


@pytest.mark.parametrize(
    ("expressions", "told"),
    [
        (("errors > 1",), "unknown"), (("up == 0",), "opens"), (("absent(errors)",), "opens"),
        (("errors > 1", "up == 0"), "0 2 0"), (("errors > 1", "latency > 1"), "0 0 2"),
    ],
)  # fmt: skip
def test_some_rule_of_prometheus_watches_for_what_is_gone(expressions: tuple[str, ...], told: str) -> None:
    assert verdict({f"r{number}_yml": RULES.format(each) for number, each in enumerate(expressions)}) == told
