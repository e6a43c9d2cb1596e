# expect: alert-coverage unknown "provide=a default of variable topics"
variable "topics" {}

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "errors"
  namespace           = "AWS/ApplicationELB"
  metric_name         = "HTTPCode_Target_5XX_Count"
  comparison_operator = "GreaterThanThreshold"
  period              = 60
  evaluation_periods  = 1
  alarm_actions       = var.topics
}
