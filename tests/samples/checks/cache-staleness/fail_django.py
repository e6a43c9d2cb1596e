# expect: cache-staleness fail severity=low worst_staleness_seconds=900
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": "redis://cache:6379",
        "TIMEOUT": 60 * 15,
    }
}
