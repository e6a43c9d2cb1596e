variable "region" { type = string }
variable "db_password" {
  type      = string
  sensitive = true
}
module "database" {
  source   = "git::https://git.example.com/modules/postgres.git?ref=v4.1"
  password = var.db_password
}
