# expect: backups fail severity=high retention_days=0 line=7
variable "retention" {
  default = 0
}
resource "aws_db_instance" "orders" {
  engine                  = "postgres"
  backup_retention_period = var.retention
}
