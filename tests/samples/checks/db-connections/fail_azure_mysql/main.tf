resource "azurerm_mysql_flexible_server" "main" {
  name     = "claims"
  version  = "8.0.21"
  sku_name = "GP_Standard_D2ds_v4"
}

resource "azurerm_mysql_flexible_server_configuration" "connections" {
  name                = "max_connections"
  resource_group_name = "claims"
  server_name         = azurerm_mysql_flexible_server.main.name
  value               = "300"
}
