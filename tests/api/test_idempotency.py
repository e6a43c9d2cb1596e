"""Idempotency-Key: sent again, answered again, done once."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.utils import timezone

from findings.models import Comment
from platform_risk.core.models import IdempotencyKey, Import, Service, User
from tests.factories import make_finding, sarif, sarif_result

Api = Callable[..., Client]
JSON = "application/json"
KEY = {"idempotency-key": "k-1"}


@pytest.fixture
def url(checkout: Service) -> str:
    return f"/api/v1/findings/{make_finding(checkout).pk}/comments/"


def test_the_same_request_is_answered_again_and_done_once(api: Api, alice: User, url: str) -> None:
    client = api(alice)
    first = client.post(url, {"text": "Once."}, JSON, headers=KEY)
    again = client.post(url, {"text": "Once."}, JSON, headers=KEY)
    assert "Idempotency-Replayed" not in first
    assert again["Idempotency-Replayed"] == "true"
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert Comment.objects.count() == 1


def test_a_created_thing_keeps_its_address_in_the_replay(api: Api, alice: User, checkout: Service) -> None:
    client = api(alice)
    body = {"title": "t", "category": "security", "severity": "high", "service": "checkout"}
    first, again = (client.post("/api/v1/findings/", body, JSON, headers=KEY) for _ in range(2))
    assert again["Location"] == first["Location"]
    assert again["ETag"] == first["ETag"]


def test_another_body_or_address_under_the_same_key_is_refused(api: Api, alice: User, url: str) -> None:
    client = api(alice)
    client.post(url, {"text": "One."}, JSON, headers=KEY)
    assert client.post(url, {"text": "Two."}, JSON, headers=KEY).status_code == 422
    other = client.post("/api/v1/tokens/", {"name": "x"}, JSON, headers=KEY)
    assert other.status_code == 422
    assert other["Content-Type"] == "application/problem+json"


def test_a_key_is_its_users_own(api: Api, alice: User, mary: User, url: str) -> None:
    for user in (alice, mary):
        assert api(user).post(url, {"text": "Mine."}, JSON, headers=KEY).status_code == 201
    assert Comment.objects.count() == 2


def test_a_refused_request_does_not_use_the_key_up(api: Api, alice: User, url: str) -> None:
    client = api(alice)
    assert client.post(url, {"text": ""}, JSON, headers=KEY).status_code == 400
    assert client.post(url, {"text": "Now."}, JSON, headers=KEY).status_code == 201


def test_after_a_day_the_key_is_free_again(api: Api, alice: User, url: str) -> None:
    client = api(alice)
    client.post(url, {"text": "One."}, JSON, headers=KEY)
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert client.post(url, {"text": "Two."}, JSON, headers=KEY).status_code == 201
    assert Comment.objects.count() == 2


@pytest.fixture
def held(alice: User) -> Iterator[None]:
    """Another connection is answering the first request with this key."""
    digest = hashlib.blake2b(f"{alice.pk} k-1".encode(), digest_size=8).digest()
    given = connection.get_connection_params()
    wanted = {name: given[name] for name in ("dbname", "user", "password", "host", "port") if given.get(name)}
    with psycopg.connect(**wanted) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(digest, signed=True)])
        yield


def test_while_the_first_is_being_answered_the_second_conflicts(api: Api, alice: User, url: str, held: None) -> None:
    assert api(alice).post(url, {"text": "Two."}, JSON, headers=KEY).status_code == 409
    assert not Comment.objects.exists()


@pytest.mark.parametrize("key", ["", "x" * 256, "naïve"])
def test_a_key_that_is_none_is_refused(api: Api, alice: User, url: str, key: str) -> None:
    answer = api(alice).post(url, {"text": "x"}, JSON, headers={"idempotency-key": key})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["parameter"] == "Idempotency-Key"


def test_a_files_content_counts(api: Api, alice: User, checkout: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform_risk.core.tasks.run_import.delay", lambda pk: None)
    client = api(alice)

    def send(content: bytes) -> Any:
        body = {"file": SimpleUploadedFile("r.sarif", content), "service": "checkout"}
        return client.post("/api/v1/imports/", body, headers=KEY)

    one = sarif(sarif_result("R1"))
    first = send(one)
    assert first.status_code == 202
    assert send(one).json() == first.json()
    assert send(sarif(sarif_result("R2"))).status_code == 422
    assert Import.objects.count() == 1
