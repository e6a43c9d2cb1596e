# expect: alert-delay fail severity=medium time_to_open_best_seconds=300 time_to_open_worst_seconds=600
# What is compared with a band around what is expected states its period within its query.
resource "aws_cloudwatch_metric_alarm" "requests" {
  alarm_name          = "requests"
  comparison_operator = "LessThanLowerThreshold"
  evaluation_periods  = 1
  threshold_metric_id = "band"
  alarm_actions       = [aws_sns_topic.on_call.arn]

  metric_query {
    id          = "band"
    expression  = "ANOMALY_DETECTION_BAND(requests, 2)"
    return_data = true
  }

  metric_query {
    id          = "requests"
    return_data = true
    metric {
      namespace   = "AWS/ApplicationELB"
      metric_name = "RequestCount"
      period      = 300
      stat        = "Sum"
    }
  }
}
