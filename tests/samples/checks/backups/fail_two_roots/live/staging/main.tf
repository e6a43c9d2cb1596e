module "db" {
  source    = "../../modules/db"
  retention = 0
}
