# expect: cache-staleness fail severity=low caches_that_refuse=1
resource "google_redis_instance" "pages" {
  name           = "page-cache"
  memory_size_gb = 4
  redis_configs = {
    maxmemory-policy = "noeviction"
  }
}
