# expect: deployment-windows fail severity=medium mean_wait_hours=24 break_glass=0
resource "github_repository_environment" "production" {
  environment       = "production"
  repository        = "orders"
  wait_timer        = 1440
  can_admins_bypass = false
}
