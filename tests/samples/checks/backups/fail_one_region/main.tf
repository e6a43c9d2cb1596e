resource "aws_rds_cluster" "orders" {
  engine                  = "aurora-postgresql"
  backup_retention_period = 14
}
