"""Projections through the API."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from platform_risk.core.models import User

pytestmark = pytest.mark.django_db
Api = Callable[..., Client]
METRICS = {
    "pods": 50, "series_per_pod": 100, "interval_seconds": 30, "environments": 3, "price": "0.30",
    "price_unit": "per_million_points", "currency": "USD", "months": 12,
}  # fmt: skip
LOGS = {"gb_per_day": 10, "retention_days": None, "stored_gb": 0, "price": "0.03", "price_unit": "per_gb_month"}


def post(client: Client, vector: str, body: dict[str, Any]) -> Any:
    return client.post(f"/api/v1/costs/projections/{vector}/", json.dumps(body), content_type="application/json")


def test_metrics_answer_with_rows_formula_inputs_and_assumptions(alice: User, api: Api) -> None:
    answer = post(api(alice), "metrics", METRICS)
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert body["rows"][0] == {
        "month": 1, "quantity": 1_296_000_000, "unit": "data points", "cost": "388.80", "cumulative_cost": "388.80",
    }  # fmt: skip
    assert body["rows"][-1]["cumulative_cost"] == "4665.60"
    assert body["steady_state"] == {"quantity": 1_296_000_000, "cost_per_month": "388.80", "reached_month": 1}
    assert body["inputs"]["days_per_month"] == 30
    assert body["formula"]
    assert body["assumptions"]


def test_entities_and_logs_answer_alike(alice: User, api: Api) -> None:
    client = api(alice)
    entities = {"churn_per_day": 100, "lifetime_days": 8, "live": 0, "price": "0.01", "months": 12}
    assert post(client, "entities", entities).json()["rows"][-1]["cumulative_cost"] == "96.00"
    logs = post(client, "logs", LOGS | {"months": 12}).json()
    assert logs["rows"][-1]["cumulative_cost"] == "658.80"
    assert logs["steady_state"] == {"quantity": None, "cost_per_month": None, "reached_month": None}
    seed = post(client, "logs", LOGS | {"price_unit": "per_gb_once", "months": 36}).json()
    assert seed["rows"][-1]["cumulative_cost"] == "328.50"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"price_unit": "per_entity_month"}, "/price_unit"),
        ({"interval_seconds": 0}, "/interval_seconds"),
        ({"pods": "many"}, "/pods"),
        ({"months": 1000}, "/months"),
        ({"currency": "dollars"}, "/currency"),
        ({"podz": 1}, "/podz"),
    ],
)
def test_what_makes_no_sense_is_named(alice: User, api: Api, change: dict[str, Any], pointer: str) -> None:
    answer = post(api(alice), "metrics", METRICS | change)
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_what_a_division_gave_is_taken_with_all_its_digits(alice: User, api: Api) -> None:
    four_hours = {"churn_per_day": 100, "lifetime_days": 4 / 24, "price": 0.01, "months": 1}
    (row,) = post(api(alice), "entities", four_hours).json()["rows"]
    assert row["quantity"] == 16.666667
    third = post(api(alice), "logs", {**LOGS, "gb_per_day": f"3.{'3' * 40}", "months": 1}).json()
    assert third["rows"][0]["quantity"] == 100


def test_what_grows_beyond_all_bounds_is_still_answered(alice: User, api: Api, client: Client) -> None:
    wild = {**METRICS, "growth_percent_per_month": 1000, "months": 120}
    answer = post(api(alice), "metrics", wild)
    assert answer.status_code == 200
    assert len(answer.json()["rows"][-1]["cost"]) > 100
    client.force_login(alice)
    query = "&".join(f"{name}={value}" for name, value in wild.items())
    assert client.get(f"/costs/projections/?vector=metrics&{query}").status_code == 200


def test_what_nobody_has_foreseen_is_a_problem_document_too(
    alice: User, api: Api, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> None:
        raise RuntimeError("zqx: a secret of the server")

    monkeypatch.setattr("costs.projecting.answer", fails)
    caller = api(alice)
    caller.raise_request_exception = client.raise_request_exception = False
    answer = post(caller, "metrics", METRICS)
    assert (answer.status_code, answer["Content-Type"]) == (500, "application/problem+json")
    assert answer.json()["title"] == "Internal error"
    assert b"zqx" not in answer.content
    client.force_login(alice)
    monkeypatch.setattr("costs.views.using.begin", fails)
    page = client.get("/costs/projections/?begin=imported")
    assert (page.status_code, page["Content-Type"].partition(";")[0]) == (500, "text/html")


def test_a_token_that_may_only_read_may_compute(vic: User, api: Api) -> None:
    assert post(api(vic, "read"), "metrics", METRICS).status_code == 200


def test_the_anonymous_compute_nothing(client: Client, db: None) -> None:
    assert post(client, "logs", LOGS).status_code == 401
