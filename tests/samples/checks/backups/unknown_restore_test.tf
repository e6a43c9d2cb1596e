# expect: backups unknown provide="facts: backups.restore_tested"
resource "aws_db_instance" "orders" {
  backup_retention_period = 14
}
