resource "azurerm_kubernetes_cluster" "shop" {
  name = "shop"
  key_vault_secrets_provider {
    secret_rotation_enabled  = true
    secret_rotation_interval = "5m"
  }
}
