# Which instances are of the cluster is known within each call of the module.
variable "class" { type = string }

resource "aws_rds_cluster" "main" {
  cluster_identifier = "shop"
  engine             = "aurora-postgresql"
}

resource "aws_rds_cluster_instance" "main" {
  count              = 2
  cluster_identifier = aws_rds_cluster.main.id
  instance_class     = var.class
  engine             = aws_rds_cluster.main.engine
}
