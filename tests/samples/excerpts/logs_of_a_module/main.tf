module "logs" {
  source = "./modules/group"
  name   = "/orders"
}

module "short" {
  source    = "./modules/group"
  name      = "/basket"
  retention = 14
}
