resource "aws_cloudwatch_log_group" "ingest" {
  name              = "/platform/ingest"
  retention_in_days = var.retention_in_days
}

variable "retention_in_days" {
  type = number
}
