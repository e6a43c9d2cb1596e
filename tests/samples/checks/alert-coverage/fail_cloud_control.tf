# expect: alert-coverage fail severity=medium alarms_that_tell_nobody=1 line=29
# The second alarm is combined by one of the other provider, and neither names an action.
resource "aws_sns_topic" "people" {
  name = "people"
}

resource "awscc_cloudwatch_composite_alarm" "told" {
  alarm_name    = "errors"
  alarm_rule    = "ALARM(${aws_cloudwatch_metric_alarm.errors.alarm_name})"
  alarm_actions = [aws_sns_topic.people.arn]
}

resource "awscc_cloudwatch_composite_alarm" "silent" {
  alarm_name = "lag"
  alarm_rule = "ALARM(${aws_cloudwatch_metric_alarm.lag.alarm_name})"
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "errors-of-api"
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
}

resource "aws_cloudwatch_metric_alarm" "lag" {
  alarm_name          = "lag-of-api"
  namespace           = "AWS/Kinesis"
  metric_name         = "GetRecords.IteratorAgeMilliseconds"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 60000
  period              = 60
  evaluation_periods  = 1
  treat_missing_data  = "breaching"
}
