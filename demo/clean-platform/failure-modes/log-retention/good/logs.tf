resource "aws_cloudwatch_log_group" "ingest" {
  name              = "/platform/ingest"
  retention_in_days = 30
}
