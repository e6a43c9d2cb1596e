"""Is the process alive, can the installation work: for load balancers, compose and `make run`. No sign-in.

A worker tells that it lives by refreshing one key in Redis (platform_risk/celery.py, every 2 s): asking workers over
the broker would take a second or more per question, and /readyz is asked often.
"""

import functools
import logging
import time
from collections.abc import Callable
from typing import Any

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache

logger = logging.getLogger(__name__)

WORKER_SILENT_SECONDS = 12  # six heartbeats: a worker on a busy machine misses one or two
MIGRATIONS_GOOD_FOR_SECONDS = 60


class NotReadyError(Exception):
    """Carries the reason, in words for whoever is on call."""


@functools.cache
def _redis() -> "redis.Redis":
    # Short time-outs: a health check that hangs is worse than one that says no.
    return redis.Redis.from_url(settings.REDIS_ADDRESS, socket_connect_timeout=1, socket_timeout=1)


def worker_seen() -> None:
    """Called in a worker's parent process; must never disturb it."""
    try:
        _redis().set(settings.WORKER_SEEN_KEY, int(time.time()), ex=WORKER_SILENT_SECONDS)
    except redis.RedisError as error:
        logger.warning("worker heartbeat not written: %s", error)


def _check_database() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        raise NotReadyError("database does not answer") from error


def _check_redis() -> None:
    try:
        _redis().ping()
    except redis.RedisError as error:
        raise NotReadyError("Redis does not answer") from error


def _check_worker() -> None:
    try:
        seen = _redis().exists(settings.WORKER_SEEN_KEY)
    except redis.RedisError as error:
        raise NotReadyError("unknown: Redis does not answer") from error
    if not seen:
        raise NotReadyError(f"no worker seen for {WORKER_SILENT_SECONDS} s")


_migrated_until = 0.0  # per process; a race between threads costs one more look


def _check_migrations() -> None:
    """Reading all migrations takes about 50 ms, so a good answer is kept for a while."""
    global _migrated_until
    if time.monotonic() < _migrated_until:
        return
    try:
        executor = MigrationExecutor(connection)
        pending = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except DatabaseError as error:
        raise NotReadyError("unknown: database does not answer") from error
    if pending:
        raise NotReadyError(f"{pending} pending: run manage.py prepare")
    _migrated_until = time.monotonic() + MIGRATIONS_GOOD_FOR_SECONDS


CHECKS: dict[str, Callable[[], None]] = {
    "database": _check_database,
    "redis": _check_redis,
    "worker": _check_worker,
    "migrations": _check_migrations,
}


@login_not_required
@never_cache
def livez(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


@login_not_required
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when all is well, else 503; each part says "ok" or the reason. Details of errors go to the log only."""
    answer: dict[str, Any] = {"status": "ok"}
    for part, check in CHECKS.items():
        try:
            check()
            answer[part] = "ok"
        except NotReadyError as reason:
            answer[part] = str(reason)
            answer["status"] = "not ready"
            logger.debug("not ready: %s: %s (%s)", part, reason, reason.__cause__)
    response = JsonResponse(answer, status=200 if answer["status"] == "ok" else 503)
    # Django logs every 5xx as an error; this one is an answer, asked for every few seconds.
    vars(response)["_has_been_logged"] = True
    return response
