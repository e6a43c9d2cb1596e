# expect: cache-staleness unknown provide=facts
ROLES_CACHE_TTL = 3600
roles_cache = {}


def set_role(user, role):
    store(user, role)
    roles_cache.pop(user, None)
