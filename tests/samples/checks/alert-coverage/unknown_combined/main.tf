resource "aws_cloudwatch_log_group" "api" {
  name              = "/shop/api"
  retention_in_days = 30
}

# It combines alarms that are made elsewhere.
resource "aws_cloudwatch_composite_alarm" "logs" {
  alarm_name = "log volume is unusual"
  alarm_rule = "ALARM(bytes-high) OR ALARM(events-high)"

  alarm_actions = [aws_sns_topic.on_call.arn]
}
