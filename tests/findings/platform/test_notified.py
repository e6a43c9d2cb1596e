"""Conditions of New Relic and monitors of Datadog that nobody is told of."""

import pytest

from findings.checks import alert_rules
from findings.platform import notified
from tests.findings.checks.reading import platform

CONDITIONS = """
resource "newrelic_alert_policy" "api" {
  name = "api"
}
resource "newrelic_alert_policy" "batch" {
  name = "batch"
}
resource "newrelic_nrql_alert_condition" "late" {
  policy_id = newrelic_alert_policy.batch.id
}
"""
WORKFLOW = """
resource "newrelic_workflow" "w" {{
  {}
  issues_filter {{
    predicate {{
      attribute = "{}"
      operator  = "EXACTLY_MATCHES"
      values    = [{}]
    }}
  }}
}}
"""
MONITOR = 'resource "datadog_monitor" "%s" {\n  type = "%s"\n  query = "%s"\n  message = "%s"\n}\n'
NAMED = MONITOR % ("named", "metric alert", "avg(last_5m):avg:a.b{*} > 1", "hello @on-call")
PLAIN = MONITOR % ("plain", "metric alert", "avg(last_5m):avg:a.c{*} > 1", "hello")


def untold(text: str, **files: str) -> list[str]:
    return [each.id for each in notified.untold(platform(main_tf=text, **files)).values()]


def workflow(values: str, attribute: str = "labels.policyIds", more: str = "") -> str:
    return WORKFLOW.format(more, attribute, values)


@pytest.mark.parametrize(
    ("beside", "is_untold"),
    [
        ("", False),  # who is told is kept elsewhere
        (workflow("newrelic_alert_policy.api.id"), True),
        (workflow("newrelic_alert_policy.api.id, newrelic_alert_policy.batch.id"), False),
        (workflow("newrelic_alert_policy.api.id, var.others"), False),
        (workflow("newrelic_alert_policy.batch.id", more="enabled = false"), True),
        (workflow("newrelic_alert_policy.batch.id", more="destinations_enabled = false"), True),
        (workflow('"api"', "accumulations.policyName"), True),
        (workflow('"api", "batch"', "accumulations.policyName"), False),
        (workflow('"growth"', "accumulations.tag.team"), False),  # any policy may have that tag
        (workflow("newrelic_alert_policy.api.id") + 'resource "newrelic_workflow" "all" {}', False),
        (workflow("newrelic_alert_policy.api.id")
         + 'output "policy" {\n  value = newrelic_alert_policy.batch.id\n}', False),
        (workflow("newrelic_alert_policy.api.id")
         + 'resource "newrelic_alert_policy_channel" "c" {\n  policy_id = newrelic_alert_policy.batch.id\n}', False),
        (workflow("newrelic_alert_policy.api.id").replace("EXACTLY_MATCHES", "DOES_NOT_EXACTLY_MATCH"), False),
    ],
)  # fmt: skip
def test_a_condition_is_told_of_by_what_is_for_its_policy(beside: str, is_untold: bool) -> None:
    assert (untold(CONDITIONS + beside) == ["newrelic_nrql_alert_condition.late"]) is is_untold


@pytest.mark.parametrize(
    ("beside", "is_untold"),
    [
        ("", False),  # nobody is named anywhere: who is told is kept elsewhere
        (NAMED, True),
        (NAMED + 'resource "datadog_monitor_notification_rule" "r" {\n  recipients = ["x"]\n}', False),
        (NAMED + MONITOR % ("both", "composite", "${datadog_monitor.plain.id} && 5", "@on-call"), False),
        (NAMED + 'output "m" {\n  value = datadog_monitor.plain.id\n}', False),
    ],
)
def test_a_monitor_that_names_nobody_is_told_of_beside_one_that_does(beside: str, is_untold: bool) -> None:
    assert (untold(PLAIN + beside) == ["datadog_monitor.plain"]) is is_untold


@pytest.mark.parametrize(
    ("message", "is_untold"),
    [
        ("Is down.", True),
        ("Is down. @slack-api", False),
        ("{{#is_alert}}@pagerduty{{/is_alert}}", False),
        ("Is down. ${var.whom}", False),
        ("Is down. ${var.empty}", False),  # whoever calls this may set it
    ],
)
def test_a_message_names_somebody_by_a_handle(message: str, is_untold: bool) -> None:
    variables = 'variable "whom" {}\nvariable "empty" {\n  default = ""\n}\n'
    monitor = MONITOR % ("plain", "metric alert", "avg(last_5m):avg:a.c{*} > 1", message)
    assert (untold(variables + NAMED + monitor) == ["datadog_monitor.plain"]) is is_untold


def test_monitors_in_json_count_and_one_that_another_combines_by_its_number_does_not() -> None:
    plain = '{"id": 7, "name": "plain", "type": "metric alert", "query": "avg(last_5m):avg:a.b{*} > 1", "message": "x"}'
    both = '{"name": "both", "type": "composite", "query": "7 && 8", "message": "@on-call"}'
    assert untold(NAMED, monitors_json=f"[{plain}]") == ["monitors.json plain"]
    assert untold(NAMED, monitors_json=f'{{"monitors": [{plain}, {both}]}}') == []


def test_what_nobody_is_told_of_notices_nothing() -> None:
    found = {rule.name for rule in alert_rules.rules(platform(main_tf=NAMED + PLAIN))}
    assert found == {"datadog_monitor.named"}
