# expect: secret-rotation unknown provide="a default of variable ttl"
variable "ttl" { type = number }

resource "vault_approle_auth_backend_role" "pipeline" {
  role_name     = "pipeline"
  secret_id_ttl = var.ttl
}
