# Without retention_in_days nothing is ever deleted.
resource "aws_cloudwatch_log_group" "ingest" {
  name = "/platform/ingest"
}
