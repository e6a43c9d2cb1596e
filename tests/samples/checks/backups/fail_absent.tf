# expect: backups fail severity=high rpo_minutes=null retention_days=0 line=3
# The attribute is absent: the provider's default is 0, which switches backups off.
resource "aws_db_instance" "orders" {
  engine         = "postgres"
  instance_class = "db.r6g.large"
}
