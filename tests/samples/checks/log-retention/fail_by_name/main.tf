resource "aws_cloudwatch_log_group" "fn" {
  for_each = toset(["a", "b"])
  name     = "/aws/lambda/${each.value}"
}
