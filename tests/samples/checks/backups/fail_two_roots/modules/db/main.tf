variable "retention" { type = number }

# Two environments call it: only staging keeps nothing.
resource "aws_db_instance" "main" {
  engine         = "postgres"
  instance_class = "db.t4g.medium"

  # What is passed in is told where it stands.
  backup_retention_period = var.retention
}
