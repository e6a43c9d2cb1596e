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
resource "aws_db_proxy_default_target_group" "orders" {
  db_proxy_name = "orders"
  connection_pool_config {
    max_connections_percent = 90
  }
}
