# expect: secret-in-env fail severity=medium credentials_written_out=1 line=4
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

# Of the right length, and nobody's.
variable "license_key" {
  type    = string
  default = "0000000000000000000000000000000000000000"
}
