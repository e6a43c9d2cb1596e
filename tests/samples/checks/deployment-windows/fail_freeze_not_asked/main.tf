resource "gitlab_project_freeze_period" "weekend" {
  project_id   = "42"
  freeze_start = "0 18 * * 5"
  freeze_end   = "0 8 * * 1"
}
