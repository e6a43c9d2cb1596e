resource "aws_db_instance" "ledger" {
  backup_retention_period = 14
}
resource "aws_db_instance_automated_backups_replication" "ledger" {
  source_db_instance_arn = aws_db_instance.ledger.arn
}
