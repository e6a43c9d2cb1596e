# expect: cache-staleness fail severity=low caches_that_refuse=1
resource "google_memorystore_instance" "page_cache" {
  instance_id = "pages"
  engine_configs = {
    maxmemory-policy = "noeviction"
  }
}
