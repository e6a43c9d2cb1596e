# expect: cache-staleness pass
class Proxy:
    enable_caching: bool = False
    cache_ttl: int = 300


class Flags:
    flag_cache_ttl: int = 30
