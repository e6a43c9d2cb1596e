module "db" {
  source    = "../../modules/db"
  retention = 14
}
