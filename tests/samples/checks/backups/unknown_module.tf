# expect: backups unknown provide=backup_retention_period
module "orders" {
  source  = "terraform-aws-modules/rds-aurora/aws"
  version = "~> 9.0"
  engine  = "aurora-postgresql"
}
