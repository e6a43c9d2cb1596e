# expect: backups fail severity=high retention_days=0 line=2
resource "google_sql_database_instance" "orders" {
  name             = "orders"
  database_version = "POSTGRES_16"
  settings {
    tier = "db-custom-2-7680"
  }
}

resource "google_sql_database_instance" "replica" {
  name                 = "orders-replica"
  master_instance_name = google_sql_database_instance.orders.name
  settings {
    tier = "db-custom-2-7680"
  }
}
