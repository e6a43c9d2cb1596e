# expect: backups fail retention_days=0 line=11 severity=high
resource "aws_dynamodb_table" "lock" {
  name     = "states"
  hash_key = "LockID"
  attribute {
    name = "LockID"
    type = "S"
  }
}

resource "aws_dynamodb_table" "orders" {
  name     = "orders"
  hash_key = "id"
  attribute {
    name = "id"
    type = "S"
  }
}
