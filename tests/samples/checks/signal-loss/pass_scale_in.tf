# expect: signal-loss pass
# Little use is no fault: lost data must not take capacity away. The second one is switched off.
resource "aws_cloudwatch_metric_alarm" "idle" {
  namespace           = "AWS/ECS"
  metric_name         = "CPUUtilization"
  comparison_operator = "LessThanThreshold"
  threshold           = 20
  period              = 60
  evaluation_periods  = 10
  treat_missing_data  = "notBreaching"
}

resource "aws_cloudwatch_metric_alarm" "burst" {
  namespace           = "AWS/RDS"
  metric_name         = "BurstBalance"
  comparison_operator = "LessThanThreshold"
  threshold           = 20
  period              = 600
  evaluation_periods  = 1
  actions_enabled     = false
}
