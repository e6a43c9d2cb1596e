# expect: backups fail severity=high retention_days=0
resource "aws_dynamodb_table" "carts" {
  name = "carts"
}
