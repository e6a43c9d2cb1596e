resource "aws_db_instance" "orders" {
  engine               = "postgres"
  instance_class       = "db.t3.medium"
  parameter_group_name = aws_db_parameter_group.orders.name
}

resource "aws_db_parameter_group" "orders" {
  family = "postgres16"
  parameter {
    name  = "max_connections"
    value = "200"
  }
}
