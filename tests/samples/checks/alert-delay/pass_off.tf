# expect: alert-delay pass
# A condition that is switched off delays nothing; the alarm is fast.
resource "newrelic_nrql_alert_condition" "errors" {
  name              = "Errors"
  enabled           = false
  aggregation_delay = 1200
}
resource "aws_cloudwatch_metric_alarm" "errors" {
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 5
  datapoints_to_alarm = 1
  period              = 60
}
