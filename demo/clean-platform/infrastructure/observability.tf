resource "aws_cloudwatch_log_group" "ingest" {
  name = "/platform/ingest"
}

resource "aws_cloudwatch_log_group" "edge" {
  name = "/platform/edge"
}

resource "aws_sns_topic" "alerts" {
  name = "platform-alerts"
}
