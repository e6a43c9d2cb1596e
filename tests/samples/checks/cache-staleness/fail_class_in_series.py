# expect: cache-staleness fail worst_staleness_seconds=360 severity=low
class RouterSettings:
    local_cache_ttl: int = 60
    shared_cache_ttl: int = 300
