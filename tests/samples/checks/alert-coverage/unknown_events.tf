# expect: alert-coverage unknown "provide=the plan as JSON"
resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "errors"
  namespace           = "AWS/ApplicationELB"
  metric_name         = "HTTPCode_Target_5XX_Count"
  comparison_operator = "GreaterThanThreshold"
  period              = 60
  evaluation_periods  = 1
}

# What every alarm does may go to somebody by this rule.
resource "aws_cloudwatch_event_rule" "alarms" {
  event_pattern = jsonencode({ source = ["aws.cloudwatch"] })
}
