variable "keeps_backup" {
  default = 0
}

resource "aws_db_instance" "this" {
  engine                  = "postgres"
  instance_class          = "db.t4g.small"
  backup_retention_period = var.keeps_backup
}
