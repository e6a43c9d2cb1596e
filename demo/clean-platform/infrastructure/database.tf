resource "aws_rds_cluster" "main" {
  cluster_identifier  = "aurora-main"
  engine              = "aurora-postgresql"
  master_username     = "platform"
  master_password     = var.master_password
  skip_final_snapshot = true
}

resource "aws_rds_cluster_instance" "main" {
  count              = 1
  identifier         = "aurora-main-${count.index}"
  cluster_identifier = aws_rds_cluster.main.id
  instance_class     = "db.r6g.large"
  engine             = "aurora-postgresql"
}

resource "aws_db_instance" "reports" {
  identifier          = "reports"
  engine              = "postgres"
  instance_class      = "db.t4g.medium"
  allocated_storage   = 100
  username            = "reports"
  password            = var.reports_password
  publicly_accessible = true
  skip_final_snapshot = true
}

variable "master_password" {
  type      = string
  sensitive = true
}

variable "reports_password" {
  type      = string
  sensitive = true
}
