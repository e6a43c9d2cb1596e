# expect: alert-delay pass
# Nothing has failed yet when these open, and a day more or less is nothing to two weeks.
resource "datadog_monitor" "certificate" {
  type           = "query alert"
  query          = "max(last_1d):avg:http.ssl.days_left{*} by {url} < 14"
  notify_no_data = true
}

resource "aws_cloudwatch_metric_alarm" "certificate" {
  namespace           = "AWS/CertificateManager"
  metric_name         = "DaysToExpiry"
  comparison_operator = "LessThanThreshold"
  threshold           = 30
  period              = 86400
  evaluation_periods  = 1
}

resource "aws_cloudwatch_metric_alarm" "bill" {
  namespace           = "AWS/Billing"
  metric_name         = "EstimatedCharges"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 500
  period              = 21600
  evaluation_periods  = 1
}
