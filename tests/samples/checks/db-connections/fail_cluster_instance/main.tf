resource "aws_rds_cluster" "orders" {
  engine = "aurora-postgresql"
}
resource "aws_rds_cluster_instance" "orders" {
  cluster_identifier = aws_rds_cluster.orders.id
  instance_class     = "db.t4g.medium"
}
