resource "aws_db_parameter_group" "main" {
  family = "postgres16"
  parameter {
    name  = "max_connections"
    value = 100
  }
}

resource "aws_db_instance" "main" {
  engine               = "postgres"
  instance_class       = "db.t4g.small"
  parameter_group_name = aws_db_parameter_group.main.name
}
