# expect: deployment-windows pass
resource "github_repository_environment" "production" {
  environment = "production"
  repository  = "orders"
  wait_timer  = 1440
}

resource "github_repository_environment" "staging" {
  environment       = "staging"
  repository        = "orders"
  wait_timer        = 15
  can_admins_bypass = false
}
