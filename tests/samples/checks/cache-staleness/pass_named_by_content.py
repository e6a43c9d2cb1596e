# expect: cache-staleness pass
# What is named by its content never changes, and "nothing was there" is asked again soon.
STATIC_ASSETS_CACHE_MAX_AGE = 365 * 24 * 3600
PROFILE_MISS_CACHE_TTL = 90
AVATAR_CACHE_TTL = None
PROFILE_CACHE_TTL = 30
