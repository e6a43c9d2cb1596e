"""/livez and /readyz: what a load balancer and `make run` are told, and when."""

import pytest
import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client

from platform_risk.core import health

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def a_worker_lives(monkeypatch: pytest.MonkeyPatch, worker_id: str) -> None:
    # Test processes share one Redis.
    monkeypatch.setattr(settings, "WORKER_SEEN_KEY", f"test-worker-seen:{worker_id}")
    monkeypatch.setattr(health, "_migrated_until", 0.0)
    health.worker_seen()


def test_a_living_process_says_so_to_anybody(client: Client) -> None:
    answer = client.get("/livez")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok"}
    assert "no-store" in answer["Cache-Control"]


def test_all_well_is_200_with_every_part(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200, answer.json()
    assert answer.json() == {"status": "ok", "database": "ok", "redis": "ok", "worker": "ok", "migrations": "ok"}


def test_a_worker_that_went_silent_is_503(client: Client) -> None:
    with redis.Redis.from_url(settings.REDIS_ADDRESS) as connection_:
        remaining = connection_.ttl(settings.WORKER_SEEN_KEY)
        connection_.delete(settings.WORKER_SEEN_KEY)
    assert isinstance(remaining, int)
    assert 0 < remaining <= 20
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["worker"] == "no worker seen for 12 s"
    assert answer.json()["database"] == "ok"


def test_a_redis_that_is_gone_is_503_and_does_not_hang(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = redis.Redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=1)
    monkeypatch.setattr(health, "_redis", lambda: gone)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["redis"] == "Redis does not answer"
    health.worker_seen()  # and the worker goes on


def test_a_database_that_is_gone_is_503_without_its_address(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise DatabaseError("connection to server at db.internal failed")

    monkeypatch.setattr(connection, "cursor", refuse)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["database"] == "database does not answer"
    assert b"db.internal" not in answer.content


def test_pending_migrations_are_503_and_looked_up_once_a_minute_when_there_are_none(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []

    def plan(*_: object) -> list[object]:
        looks.append(1)
        return [("core", "0002")] if len(looks) == 1 else []

    monkeypatch.setattr(MigrationExecutor, "migration_plan", plan)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["migrations"] == "1 pending: run manage.py prepare"
    assert client.get("/readyz").status_code == 200
    assert client.get("/readyz").status_code == 200
    assert len(looks) == 2
