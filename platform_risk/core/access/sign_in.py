"""Signing in, with a bound on guessing: failed attempts count by name and by address in the cache.

An attempt is counted before the password is looked at, so that many at once cannot get past the bound; success takes
it back. With the cache down people still get in, and it is logged.
"""

import hashlib
import logging

import redis
from django.conf import settings
from django.contrib.auth import authenticate
from django.core.cache import cache
from django.http import HttpRequest

from platform_risk.core.models import User

logger = logging.getLogger(__name__)


class TooManyAttempts(Exception):
    """Come back later; `minutes` says when."""

    def __init__(self, minutes: int) -> None:
        super().__init__(f"Too many failed attempts: try again in {minutes} minutes.")
        self.minutes = minutes


class WrongNameOrPassword(Exception):
    """One and the same for a name that is unknown, a wrong password and a deactivated user."""


def address_of(request: HttpRequest) -> str:
    """The client's; behind the https proxy what the proxy itself wrote last, for the rest is the client's to forge."""
    if settings.HTTPS:
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
        if forwarded:
            return str(forwarded)
    return str(request.META.get("REMOTE_ADDR", ""))


def _key(kind: str, value: str) -> str:
    return f"sign-in:{kind}:{hashlib.sha256(value.encode('utf-8', 'replace')).hexdigest()[:32]}"


def _count(key: str) -> int:
    cache.add(key, 0, settings.SIGN_IN_WINDOW)
    try:
        return cache.incr(key)
    except ValueError:  # its window ended between the two calls
        cache.set(key, 1, settings.SIGN_IN_WINDOW)
        return 1


def _counted(keys: list[str]) -> bool:
    """Counts the attempt; whether it may go on."""
    try:
        return max([_count(key) for key in keys]) <= settings.SIGN_IN_ATTEMPTS
    except (redis.RedisError, OSError) as error:
        logger.error("Failed sign-ins are not counted, the cache does not answer: %s", error)
        return True


def _take_back(keys: list[str]) -> None:
    try:
        cache.delete(keys[0])
        for key in keys[1:]:
            cache.decr(key)
    except (redis.RedisError, OSError, ValueError) as error:
        logger.warning("A successful sign-in stays counted as an attempt: %s", error)


def sign_in(request: HttpRequest, *, username: str, password: str) -> User:
    """The user, who still has to be given a session. Raises TooManyAttempts or WrongNameOrPassword."""
    keys = [_key("name", username.strip().lower()), _key("address", address_of(request))]
    if not _counted(keys):
        logger.warning("Sign-in refused after too many attempts from %s", address_of(request))
        raise TooManyAttempts(max(1, -(-settings.SIGN_IN_WINDOW // 60)))
    user = authenticate(request, username=username, password=password) if "\x00" not in username + password else None
    if not isinstance(user, User):
        raise WrongNameOrPassword
    _take_back(keys)
    return user
