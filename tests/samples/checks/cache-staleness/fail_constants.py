# expect: cache-staleness fail worst_staleness_seconds=1800 mean_staleness_seconds=900 line=4 severity=low
# Constants of a module are of caches of different things, and none stands behind another.
PRICES_CACHE_TTL = 10 * 60
COUNTRIES_CACHE_TTL = 30 * 60
