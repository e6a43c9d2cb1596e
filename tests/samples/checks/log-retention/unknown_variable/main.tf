resource "aws_cloudwatch_log_group" "edge" {
  retention_in_days = var.days
}
variable "days" {}
