# expect: cache-staleness fail severity=low caches_that_refuse=1
resource "azurerm_redis_cache" "cache" {
  name     = "pages"
  capacity = 2
  redis_configuration {
    maxmemory_policy = "noeviction"
  }
}
