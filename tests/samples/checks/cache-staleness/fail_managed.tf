# expect: cache-staleness fail severity=low caches_that_refuse=1
resource "aws_elasticache_parameter_group" "page_cache" {
  name   = "pages"
  family = "redis7"
  parameter {
    name  = "maxmemory-policy"
    value = "noeviction"
  }
}
