resource "aws_db_instance" "ledger" {
  identifier        = "ledger"
  engine            = "postgres"
  instance_class    = "db.t4g.medium"
  allocated_storage = 100

  backup_retention_period = var.retention_days
}

variable "retention_days" {
  type = number
}
