# expect: secret-rotation fail severity=medium exposure_seconds=null line=2
resource "vault_approle_auth_backend_role" "pipeline" {
  backend        = "approle"
  role_name      = "pipeline"
  token_policies = ["deploy"]
  token_ttl      = 1200
}
