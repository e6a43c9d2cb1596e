# expect: signal-loss fail severity=high conditions_silent_on_loss=1
resource "aws_cloudwatch_metric_alarm" "heartbeat" {
  comparison_operator = "LessThanThreshold"
  evaluation_periods  = 1
  period              = 60
  threshold           = 1
}
