"""How often a caller may call: a bound against loops gone wild, not a price list."""

import time
from typing import TYPE_CHECKING

from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from platform_risk.core.models import Token

if TYPE_CHECKING:
    from rest_framework.views import APIView  # at run time this would be a circle

CALLS_PER_MINUTE = 600


class CallerThrottle(BaseThrottle):
    """Calls of one token (or one signed-in user) in each minute of the clock."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        caller = f"token-{request.auth.pk}" if isinstance(request.auth, Token) else f"user-{request.user.pk}"
        key = f"api-calls:{caller}:{int(time.time() // 60)}"
        try:
            cache.add(key, 0, timeout=120)
            return cache.incr(key) <= CALLS_PER_MINUTE
        except (RedisError, OSError, ValueError):
            # Without its counter the API goes on: answers matter more than the bound. (ValueError: just expired.)
            return True

    def wait(self) -> float:
        return 60 - time.time() % 60
