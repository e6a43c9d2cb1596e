resource "aws_db_parameter_group" "main" {
  family = "postgres16"
  parameter {
    name  = "max_connections"
    value = 150
  }
}
resource "aws_db_instance" "main" {
  engine                  = "postgres"
  instance_class          = "db.m6g.large"
  parameter_group_name    = aws_db_parameter_group.main.name
  backup_retention_period = 14
}
