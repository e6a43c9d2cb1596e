resource "aws_db_instance" "ledger" {
  identifier        = "ledger"
  engine            = "postgres"
  instance_class    = "db.t4g.medium"
  allocated_storage = 100

  backup_retention_period = 14
}

resource "aws_db_instance_automated_backups_replication" "ledger" {
  source_db_instance_arn = aws_db_instance.ledger.arn
  retention_period       = 14
}
