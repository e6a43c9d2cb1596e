resource "azurerm_postgresql_flexible_server" "orders" {
  name                         = "orders"
  backup_retention_days        = 14
  geo_redundant_backup_enabled = true
}

resource "google_sql_database_instance" "orders" {
  name             = "orders"
  database_version = "MYSQL_8_0"
  settings {
    tier = "db-custom-2-7680"
    backup_configuration {
      enabled            = true
      binary_log_enabled = true
      backup_retention_settings {
        retained_backups = 30
      }
    }
  }
}

resource "azurerm_mysql_flexible_server" "mails" {
  name                  = "mails"
  backup_retention_days = 21
}
