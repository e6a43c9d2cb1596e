# expect: secret-in-env fail credentials_written_out=1 line=4
variable "db_password" {
  type      = string
  default   = "Hk4-lighthouse-77"
  sensitive = true
}

variable "admin_password" {
  type    = string
  default = ""
}

variable "smtp_password" {
  type    = string
  default = null
}
