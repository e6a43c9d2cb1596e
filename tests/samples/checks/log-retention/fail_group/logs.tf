resource "aws_cloudwatch_log_group" "edge" {
  name = "/platform/edge"
}
