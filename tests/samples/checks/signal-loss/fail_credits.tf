# expect: signal-loss fail severity=high conditions_silent_on_loss=1
# Credits that run out are a fault, unlike little use.
resource "aws_cloudwatch_metric_alarm" "credits" {
  namespace           = "AWS/RDS"
  metric_name         = "CPUCreditBalance"
  comparison_operator = "LessThanThreshold"
  threshold           = 20
  period              = 300
  evaluation_periods  = 2
  treat_missing_data  = "notBreaching"
}
