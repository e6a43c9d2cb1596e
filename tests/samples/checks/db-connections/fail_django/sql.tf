resource "google_sql_database_instance" "main" {
  name             = "main"
  database_version = "POSTGRES_15"
  region           = "europe-west1"
  settings {
    tier = "db-custom-2-7680"
    database_flags {
      name  = "max_connections"
      value = "200"
    }
    backup_configuration {
      enabled = true
      point_in_time_recovery_enabled = true
    }
  }
}
