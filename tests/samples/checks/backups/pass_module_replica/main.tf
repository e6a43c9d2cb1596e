module "orders" {
  source                  = "terraform-aws-modules/rds/aws"
  engine                  = "postgres"
  backup_retention_period = 14
}

module "orders_reader" {
  source                  = "terraform-aws-modules/rds/aws"
  engine                  = "postgres"
  replicate_source_db     = module.orders.db_instance_identifier
  backup_retention_period = 0
}
