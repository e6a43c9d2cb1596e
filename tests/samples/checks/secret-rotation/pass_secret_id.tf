# expect: secret-rotation pass
resource "vault_approle_auth_backend_role" "pipeline" {
  backend            = "approle"
  role_name          = "pipeline"
  secret_id_ttl      = 600
  secret_id_num_uses = 1
}

resource "vault_approle_auth_backend_role" "bootstrap" {
  backend            = "approle"
  role_name          = "bootstrap"
  secret_id_num_uses = 1
}
