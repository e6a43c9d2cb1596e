resource "azurerm_mysql_flexible_server" "main" {
  name     = "claims"
  version  = "8.0.21"
  sku_name = "GP_Standard_X9"
}
