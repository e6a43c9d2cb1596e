resource "aws_rds_cluster" "orders" {
  engine                          = "aurora-postgresql"
  db_cluster_parameter_group_name = aws_rds_cluster_parameter_group.orders.name
}
resource "aws_rds_cluster_parameter_group" "orders" {
  parameter {
    name  = "max_connections"
    value = 500
  }
}
