resource "azurerm_postgresql_flexible_server" "main" {
  name     = "claims"
  version  = "16"
  sku_name = "GP_Standard_D2s_v3"
}

resource "azurerm_postgresql_flexible_server_configuration" "connections" {
  name      = "max_connections"
  server_id = azurerm_postgresql_flexible_server.main.id
  value     = "120"
}
