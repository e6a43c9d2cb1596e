# expect: deployment-windows unknown provide="the freeze as one of weekdays and hours"
resource "gitlab_project_freeze_period" "holidays" {
  project_id   = "42"
  freeze_start = "0 0 23 12 *"
  freeze_end   = "0 8 2 1 *"
}
