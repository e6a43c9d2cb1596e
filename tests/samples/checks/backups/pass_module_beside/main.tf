module "rds" {
  source       = "./modules/db"
  keeps_backup = 14
}
