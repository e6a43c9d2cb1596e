"""Everybody writes at once: findings, statements, incidents, services, imports. Nobody gets an error of ours, and the
figures at the end are those of what is stated at the end."""

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from findings import estimating
from findings.models import Estimate, Finding
from platform_risk.core.models import Service, User
from tests.factories import sarif, sarif_result, upload

pytestmark = [pytest.mark.drill, pytest.mark.django_db(transaction=True)]
JSON = "application/json"
CALLS, THREADS = 400, 8


@pytest.mark.parametrize("seed", range(3))
def test_whoever_writes_at_the_same_time_gets_an_answer_and_figures_are_of_one_time(
    api: Callable[..., Client], ada: User, checkout: Service, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    reports = [
        sarif(*(sarif_result(f"r{n}", f"{n}.py") for n in range(at, at + 30)), at=f"2026-11-{at + 1:02}T10:00:00Z")
        for at in range(6)
    ]
    upload(reports[0], checkout)
    ids = [str(pk) for pk in Finding.objects.values_list("pk", flat=True)]
    chosen = random.Random(seed)

    def call(number: int) -> int:
        how = random.Random(seed * 1_000 + number)
        client = api(ada)
        client.raise_request_exception = False
        try:
            return status_of(client, how, number)
        finally:
            connection.close()

    def status_of(client: Client, how: random.Random, number: int) -> int:
        some, one = how.sample(ids, 5), how.choice(ids)
        value = str(round(how.random(), 2))
        match how.randrange(7):
            case 0:
                return int(
                    client.patch(
                        f"/api/v1/findings/{one}/", {"severity": how.choice(["high", "low"])}, JSON
                    ).status_code
                )
            case 1:
                sent: dict[str, Any] = {"ids": some, "action": "update", "severity": how.choice(["critical", "low"])}
                return int(client.post("/api/v1/findings/bulk/", sent, JSON).status_code)
            case 2:
                sent = {
                    "service": "checkout", "name": how.choice(["recover", "users_affected"]), "kind": "number",
                    "numbers": {"value": value}, "source": "A drill",
                }  # fmt: skip
                return int(client.post("/api/v1/risk/inputs/", sent, JSON).status_code)
            case 3:
                rows = client.get("/api/v1/risk/inputs/", {"service": "checkout"}).json()["results"]
                if not rows:
                    return 200
                return int(client.delete(f"/api/v1/risk/inputs/{how.choice(rows)['id']}/").status_code)
            case 4:
                sent = {
                    "service": "checkout", "title": f"Incident {number}", "started_at": "2026-11-02T09:30:00Z",
                    "findings": some[:2],
                }  # fmt: skip
                return int(client.post("/api/v1/incidents/", sent, JSON).status_code)
            case 5:
                sent = {"slo": how.choice(["0.99", "0.999"]), "value_per_bad_minute": str(how.randrange(1, 60))}
                return int(client.patch("/api/v1/services/checkout/", sent, JSON).status_code)
            case _:
                upload(how.choice(reports), checkout)
                return 202

    with ThreadPoolExecutor(THREADS) as pool:
        answers = Counter(pool.map(call, chosen.sample(range(CALLS), CALLS)))
    assert not [status for status in answers if status >= 500], answers
    assert answers[200] + answers[201] + answers[202] > CALLS / 2, answers
    rows = list(Estimate.objects.order_by("key"))
    told = [(row.key, row.input_hash, row.bad_minutes, row.annual_loss, row.lane) for row in rows]
    estimating.compute(rows)
    assert [(row.key, row.input_hash, row.bad_minutes, row.annual_loss, row.lane) for row in rows] == told
    assert not Finding.objects.exclude(risk_key__in=Estimate.objects.values("key")).exists()
