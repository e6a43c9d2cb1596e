resource "aws_db_instance" "main" {
  identifier     = "aurora-main"
  engine         = "postgres"
  instance_class = "db.t4g.medium"

  backup_retention_period = 14
}

resource "aws_db_instance_automated_backups_replication" "main" {
  source_db_instance_arn = aws_db_instance.main.arn
  retention_period       = 14
}
