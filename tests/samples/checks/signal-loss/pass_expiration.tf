# expect: signal-loss pass
resource "newrelic_nrql_alert_condition" "told" {
  expiration_duration          = 120
  open_violation_on_expiration = true
}
resource "aws_cloudwatch_metric_alarm" "heartbeat" {
  comparison_operator = "LessThanThreshold"
  evaluation_periods  = 1
  treat_missing_data  = "breaching"
}
resource "aws_cloudwatch_metric_alarm" "errors" {
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
}
resource "aws_cloudwatch_metric_alarm" "paged" {
  comparison_operator       = "LessThanThreshold"
  evaluation_periods        = 1
  insufficient_data_actions = [aws_sns_topic.page.arn]
}
