resource "aws_rds_cluster" "main" {
  cluster_identifier = "claims"
  engine             = "aurora-mysql"
}

resource "aws_rds_cluster_instance" "main" {
  cluster_identifier = aws_rds_cluster.main.id
  engine             = "aurora-mysql"
  instance_class     = "db.x2g.large"
}
