resource "aws_db_instance" "orders" {
  engine               = "postgres"
  instance_class       = "db.r6g.large"
  parameter_group_name = aws_db_parameter_group.orders.name
}
resource "aws_db_parameter_group" "orders" {
  parameter {
    name  = "max_connections"
    value = "400"
  }
}
