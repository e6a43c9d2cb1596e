# expect: log-retention pass
resource "aws_cloudwatch_log_group" "edge" {
  retention_in_days = 30
}
