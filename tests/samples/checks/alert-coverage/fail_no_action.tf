# expect: alert-coverage fail severity=medium alarms_that_tell_nobody=1 line=4
# The first alarm has no action; the second tells a topic, and the third is combined by one that does.

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "errors"
  namespace           = "AWS/ApplicationELB"
  metric_name         = "HTTPCode_Target_5XX_Count"
  comparison_operator = "GreaterThanThreshold"
  period              = 60
  evaluation_periods  = 1
}

resource "aws_cloudwatch_metric_alarm" "latency" {
  alarm_name          = "latency"
  namespace           = "AWS/ApplicationELB"
  metric_name         = "TargetResponseTime"
  comparison_operator = "GreaterThanThreshold"
  period              = 60
  evaluation_periods  = 1
  alarm_actions       = [aws_sns_topic.on_call.arn]
}

resource "aws_cloudwatch_metric_alarm" "hosts" {
  alarm_name          = "hosts"
  namespace           = "AWS/ApplicationELB"
  metric_name         = "UnHealthyHostCount"
  comparison_operator = "GreaterThanThreshold"
  period              = 60
  evaluation_periods  = 1
}

resource "aws_cloudwatch_composite_alarm" "down" {
  alarm_name    = "down"
  alarm_rule    = "ALARM(${aws_cloudwatch_metric_alarm.hosts.alarm_name}) AND ALARM(latency)"
  alarm_actions = [aws_sns_topic.on_call.arn]
}

resource "aws_sns_topic" "on_call" {
  name = "on-call"
}
