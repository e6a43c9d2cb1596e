"""Whom an alarm of CloudWatch tells when it opens."""

import json

import pytest

from findings.checks import alert_rules
from findings.platform import alarm_actions
from findings.platform.alarm_actions import Reach
from tests.findings.checks.reading import platform

ALARM = """
resource "aws_cloudwatch_metric_alarm" "errors" {{
  alarm_name          = "errors"
  namespace           = "AWS/ApplicationELB"
  metric_name         = "HTTPCode_Target_5XX_Count"
  comparison_operator = "GreaterThanThreshold"
  period              = 60
  evaluation_periods  = 1
  {}
}}
"""
OTHER = "${aws_cloudwatch_metric_alarm.other.alarm_name}"
TOPIC = '["arn:aws:sns:eu-central-1:123456789012:on-call"]'


def reach(text: str, **files: str) -> Reach:
    told = alarm_actions.told(platform(main_tf=text, **files))
    return next(each.reach for each in told.values() if each.alarm.id.endswith("aws_cloudwatch_metric_alarm.errors"))


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        ("", Reach.NOBODY),
        ("alarm_actions = []", Reach.NOBODY),
        (f"alarm_actions = {TOPIC}", Reach.PEOPLE),
        (f"alarm_actions = {TOPIC}\n  actions_enabled = false", Reach.NOBODY),
        ("alarm_actions = [aws_sns_topic.on_call.arn]", Reach.PEOPLE),
        (f'alarm_actions = {TOPIC}\n  actions_enabled = "false"', Reach.NOBODY),
        ('alarm_actions = [""]', Reach.NOBODY),
        (f"insufficient_data_actions = {TOPIC}", Reach.PEOPLE),
        (f"ok_actions = {TOPIC}", Reach.NOBODY),
        ("alarm_actions = [aws_autoscaling_policy.in.arn]", Reach.MACHINES),
        ("alarm_actions = [aws_autoscaling_policy.in.arn, var.topic]", Reach.PEOPLE),
        ('alarm_actions = ["arn:aws:automate:eu-central-1:ec2:recover"]', Reach.MACHINES),
        ("alarm_actions = var.topics", Reach.UNKNOWN),
        ("actions_enabled = var.enabled", Reach.UNKNOWN),
    ],
)
def test_whom_an_alarm_tells_is_what_its_actions_say(actions: str, expected: Reach) -> None:
    assert reach(ALARM.format(actions)) is expected


@pytest.mark.parametrize(("default", "actions"), [("[]", "var.topics"), ("null", "var.topics"), ('""', "[var.topics]")])
def test_actions_that_are_empty_by_a_variables_default_are_not_known(default: str, actions: str) -> None:
    variable = f'variable "topics" {{\n  default = {default}\n}}\n'
    assert reach(variable + ALARM.format(f"alarm_actions = {actions}")) is Reach.UNKNOWN


@pytest.mark.parametrize(
    ("beside", "expected"),
    [
        (f'"aws_cloudwatch_composite_alarm" "c" {{\nalarm_rule = "ALARM(errors)"\nalarm_actions = {TOPIC}\n}}',
         Reach.PEOPLE),
        (f'"aws_cloudwatch_composite_alarm" "c" {{\nalarm_rule = "ALARM(other)"\nalarm_actions = {TOPIC}\n}}',
         Reach.NOBODY),
        ('"aws_cloudwatch_composite_alarm" "c" {\nalarm_rule = "ALARM(errors)"\n}', Reach.NOBODY),
        ('"aws_cloudwatch_composite_alarm" "c" {\nalarm_rule = var.rule\n}', Reach.UNKNOWN),
        (f'"aws_cloudwatch_composite_alarm" "c" {{\nalarm_rule = "ALARM({OTHER})"\n}}', Reach.NOBODY),
        (f'"aws_cloudwatch_composite_alarm" "c" {{\nalarm_rule = "ALARM({OTHER}) AND ALARM(${{var.x}})"\n}}',
         Reach.UNKNOWN),
        ('"aws_route53_health_check" "c" {\ncloudwatch_alarm_name = aws_cloudwatch_metric_alarm.errors.alarm_name\n}',
         Reach.UNKNOWN),
        ('"aws_codedeploy_deployment_group" "c" {\nalarm_configuration {\nalarms = ["errors"]\n}\n}', Reach.UNKNOWN),
        ('"aws_cloudwatch_dashboard" "c" {\ndashboard_body = aws_cloudwatch_metric_alarm.errors.arn\n}', Reach.NOBODY),
        ('"aws_cloudwatch_event_rule" "c" {\nevent_pattern = jsonencode({ source = ["aws.ecs"] })\n}', Reach.NOBODY),
        ('"aws_cloudwatch_event_rule" "c" {\nevent_pattern = var.pattern\n}', Reach.UNKNOWN),
        ('"aws_cloudwatch_event_rule" "c" {\nschedule_expression = "rate(1 hour)"\n}', Reach.NOBODY),
        ('"aws_cloudwatch_event_rule" "c" {\nevent_pattern = jsonencode({ source = ["aws.cloudwatch"] })\n}',
         Reach.UNKNOWN),
    ],
)  # fmt: skip
def test_an_alarm_without_actions_tells_somebody_through_what_uses_it(beside: str, expected: Reach) -> None:
    assert reach(f"{ALARM.format('')}\nresource {beside}\n") is expected


@pytest.mark.parametrize(
    ("actions", "after_apply", "expected"),
    [
        (None, False, Reach.NOBODY),
        (None, True, Reach.UNKNOWN),
        ([None], [True], Reach.PEOPLE),  # a topic whose name is known after apply
        (["arn:aws:sns:eu-central-1:123456789012:on-call"], [False], Reach.PEOPLE),
        ([], [], Reach.NOBODY),
    ],
)
def test_a_plan_says_exactly_what_an_alarm_does(actions: object, after_apply: object, expected: Reach) -> None:
    address = "aws_cloudwatch_metric_alarm.errors"
    of = {"address": address, "mode": "managed", "type": "aws_cloudwatch_metric_alarm", "name": "errors"}
    values = {"alarm_name": "errors", "evaluation_periods": 1, "alarm_actions": actions}
    plan = {
        "format_version": "1.2",
        "planned_values": {"root_module": {"resources": [of | {"values": values}]}},
        "resource_changes": [of | {"change": {"after": values, "after_unknown": {"alarm_actions": after_apply}}}],
    }
    (told,) = alarm_actions.told(platform(plan_json=json.dumps(plan))).values()
    assert told.reach is expected


def test_what_holds_back_another_alarm_needs_no_action() -> None:
    deploying = '"deploying" {\nalarm_name = "deploying"\nalarm_rule = "ALARM(errors)"\n}\n'
    suppressor = "actions_suppressor {\nalarm = aws_cloudwatch_composite_alarm.deploying.alarm_name\n}\n"
    down = f'"down" {{\nalarm_rule = "ALARM(other)"\nalarm_actions = {TOPIC}\n{suppressor}}}\n'
    composites = "".join(f'resource "aws_cloudwatch_composite_alarm" {each}' for each in (deploying, down))
    assert reach(ALARM.format("") + composites) is Reach.MACHINES


def test_alarms_that_combine_each_other_end() -> None:
    composite = (
        'resource "aws_cloudwatch_composite_alarm" "{0}" {{\nalarm_name = "{0}"\nalarm_rule = "ALARM({1})"\n}}\n'
    )
    both = composite.format("a", "b") + composite.format("b", "a")
    assert [each.reach for each in alarm_actions.told(platform(main_tf=both)).values()] == [Reach.NOBODY, Reach.NOBODY]


def test_an_alarm_of_the_same_name_in_another_folder_is_another_one() -> None:
    told = alarm_actions.told(
        platform(**{"dev/main_tf": ALARM.format(""), "prod/main_tf": ALARM.format(f"alarm_actions = {TOPIC}")})
    )
    assert {each.alarm.path: each.reach for each in told.values()} == {
        "dev/main.tf": Reach.NOBODY,
        "prod/main.tf": Reach.PEOPLE,
    }


def test_what_a_module_gives_out_is_used_where_the_module_is() -> None:
    module = ALARM.format("") + 'output "name" {\n  value = aws_cloudwatch_metric_alarm.errors.alarm_name\n}\n'
    call = 'module "alarm" {\n  source = "./alarm"\n}\n'
    composite = (
        'resource "aws_cloudwatch_composite_alarm" "any" {\n  alarm_rule = "ALARM(${module.alarm.name})"\n'
        f"  alarm_actions = {TOPIC}\n}}\n"
    )
    assert reach(call, **{"alarm/main_tf": module}) is Reach.NOBODY
    assert reach(call + composite, **{"alarm/main_tf": module}) is Reach.PEOPLE
    assert reach(module) is Reach.UNKNOWN


def test_what_tells_nobody_covers_nothing() -> None:
    database = 'resource "aws_db_instance" "main" {\n  identifier = "main"\n}\n'
    text = ALARM.replace("AWS/ApplicationELB", "AWS/RDS").replace("HTTPCode_Target_5XX_Count", "DatabaseConnections")
    noticing = [list(alert_rules.rules(platform(main_tf=database + text.format(each)))) for each in (
        f"alarm_actions = {TOPIC}", "alarm_actions = [aws_autoscaling_policy.in.arn]", "")]  # fmt: skip
    assert [len(each) for each in noticing] == [1, 0, 0]
