# expect: log-retention fail severity=medium line=4
# 0 is not a retention: it never expires.
resource "aws_cloudwatch_log_group" "edge" {
  retention_in_days = 0
}
