resource "aws_db_instance" "main" {
  identifier     = "aurora-main"
  engine         = "postgres"
  instance_class = "db.t4g.medium"
}
