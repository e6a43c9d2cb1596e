resource "azurerm_postgresql_flexible_server" "main" {
  name     = "claims"
  version  = "16"
  sku_name = "GP_Standard_D4ds_v5"
}
