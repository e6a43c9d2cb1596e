# expect: deployment-windows fail severity=medium longest_closed_hours=62 break_glass=0 line=2
resource "gitlab_project_freeze_period" "weekend" {
  project_id    = gitlab_project.app.id
  freeze_start  = "0 18 * * 5"
  freeze_end    = "0 8 * * 1"
  cron_timezone = "Europe/Berlin"
}
