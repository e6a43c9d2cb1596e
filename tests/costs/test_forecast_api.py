"""Forecast, budgets and unusual days through the API, over days of spend in the cube."""

import json
from collections import defaultdict
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from platform_risk.core.models import AuditEvent, Service, Team, User
from tests.costs.spending import spend, weekly

pytestmark = pytest.mark.django_db
Api = Callable[..., Client]
JSON = "application/json"


@pytest.fixture
def spent(payments: Team, search: Team, checkout: Service) -> None:
    """120 days: compute of payments with an odd day, storage of search, and tax-free nobody's network."""
    compute = weekly(120, 100)
    compute[80] += 150
    spend(compute, team=payments, service=checkout)
    spend(weekly(120, 40, seed=2), team=search, name="Storage", account="acct-2")
    spend(weekly(120, 10, seed=3), name="Network")


def get(client: Client, path: str, **query: Any) -> Any:
    answer = client.get(f"/api/v1/{path}", query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_forecast_has_rows_with_intervals_its_model_and_how_it_did(spent: None, ada: User, api: Api) -> None:
    body = get(api(ada), "costs/forecast/", horizon_days=40, levels="80,50")
    assert len(body["rows"]) == 40
    first = {name: value if name == "day" else Decimal(value) for name, value in body["rows"][0].items()}
    assert first["day"] == "2026-05-05"
    assert first["lo_80"] <= first["lo_50"] <= first["mean"] <= first["hi_50"] <= first["hi_80"]
    assert body["known_until"] == "2026-05-04"
    assert (body["model"], body["currency"]) == ("theta_and_level", "USD")
    assert body["backtest"]["mase"] < body["backtest"]["baseline_mase"]
    assert 0.5 < body["backtest"]["coverage_80"] <= 1
    may, june = body["months"]
    assert (may["month"], may["days"], may["is_whole"], june["is_whole"]) == ("2026-05-01", 27, True, False)
    assert Decimal(may["known"]) < Decimal(may["bounds"]["lo_80"]) < Decimal(may["mean"])
    assert body["too_short"] is None


def test_what_is_charged_once_a_month_is_not_forecast_for_each_day(
    spent: None, search: Team, ada: User, api: Api
) -> None:
    licences = Service.objects.create(slug="licences", name="Licences", team=search)
    for month in range(1, 6):
        spend([250], service=licences, name="Licences", account="acct-3", first=date(2026, month, 1))
    june = get(api(ada), "costs/forecast/", horizon_days=60, service="licences")["months"][1]
    assert june["month"] == "2026-06-01"
    assert 200 < Decimal(june["mean"]) < 300
    made = api(ada).post("/api/v1/budgets/", {"service": "licences", "amount": "300"}, JSON)
    assert made.json()["standing"]["sentence"].startswith("Not expected to cross")


def test_what_lies_before_a_long_gap_is_left_out_and_said(ada: User, search: Team, api: Api) -> None:
    spend(weekly(60, 1000), team=search)
    spend(weekly(20, 10), team=search, first=date(2026, 5, 1))
    body = get(api(ada), "costs/forecast/", horizon_days=7)
    assert all(Decimal(row["hi_95"]) < 50 for row in body["rows"])
    assert "nothing is known from 2026-03-06 to 2026-04-30" in " ".join(body["notes"])
    spend(weekly(3, 10), team=search, first=date(2026, 7, 1))
    assert get(api(ada), "costs/forecast/")["too_short"].startswith("There are 3 days")


def test_teams_and_services_add_up_to_the_whole_to_the_last_digit(spent: None, ada: User, api: Api) -> None:
    client = api(ada)
    whole = {row["day"]: Decimal(row["mean"]) for row in get(client, "costs/forecast/")["rows"]}
    for group_by in ("team", "cloud_service", "account"):
        body = get(client, "costs/forecast/", group_by=group_by)
        added: dict[str, Decimal] = defaultdict(Decimal)
        for row in body["rows"]:
            added[row["day"]] += Decimal(row["mean"])
        assert added == whole, group_by
        assert len(body["groups"]) == len({row[group_by] for row in body["rows"]})


def test_a_team_s_forecast_is_of_what_the_team_sees(spent: None, alice: User, bob: User, api: Api) -> None:
    mine = get(api(alice), "costs/forecast/", group_by="team")
    assert {row["team"] for row in mine["rows"]} == {"payments"}
    assert 60 < float(get(api(bob), "costs/forecast/")["rows"][0]["mean"]) + 30 < 80
    assert api(bob).get("/api/v1/costs/forecast/?team=payments").status_code == 400
    unknown = api(bob).get("/api/v1/costs/forecast/?environment=nowhere")
    assert (unknown.status_code, unknown.json()["errors"][0]["parameter"]) == (400, "environment")


def test_too_little_history_is_a_sentence_and_no_forecast(ada: User, api: Api) -> None:
    assert "No bill" in get(api(ada), "costs/forecast/")["too_short"]
    spend(weekly(13, 5))
    body = get(api(ada), "costs/forecast/")
    assert body["rows"] == []
    assert "13 days of spend; a forecast takes at least 14" in body["too_short"]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("horizon_days=0", "horizon_days"), ("horizon_days=401", "horizon_days"), ("levels=0", "levels"),
        ("levels=50,x", "levels"), ("group_by=weather", "group_by"), ("measure=listed", "measure"),
        ("currency=EUR", "currency"), ("horizon=9", "horizon"), ("group_by=account,team", "group_by"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_named(ada: User, api: Api, query: str, parameter: str) -> None:
    spend(weekly(20, 5))
    answer = api(ada).get(f"/api/v1/costs/forecast/?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["parameter"] == parameter


def test_an_unusual_day_is_told_with_its_cause_and_said_to_be_all_right_by_its_team(
    spent: None, alice: User, bob: User, vic: User, api: Api
) -> None:
    (odd,) = get(api(alice), "costs/anomalies/")["results"]
    assert (odd["day"], odd["team"], odd["acknowledged"]) == ("2026-03-26", "payments", None)
    assert 140 < Decimal(odd["size"]) < 160
    assert [(cause["cloud_service"], cause["account"]) for cause in odd["causes"]] == [("Compute", "acct-1")]
    assert get(api(bob), "costs/anomalies/")["results"] == []
    said = {"team": "payments", "day": odd["day"], "currency": "USD", "reason": "The load test of March"}
    url = "/api/v1/costs/anomalies/acknowledge/"
    assert api(vic).post(url, json.dumps(said), JSON).status_code == 403
    assert api(bob).post(url, json.dumps(said), JSON).status_code == 400
    assert api(alice).post(url, json.dumps(said | {"reason": " "}), JSON).status_code == 400
    for other in ({"day": "2026-03-25"}, {"currency": "EUR"}):
        refused = api(alice).post(url, json.dumps(said | other), JSON)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, "/day")
        assert "is no unusual day of payments in" in refused.json()["detail"]
    assert api(alice).post(url, json.dumps(said), JSON).status_code == 200
    (odd,) = get(api(alice), "costs/anomalies/", since="2026-03-01")["results"]
    assert (odd["acknowledged"]["reason"], odd["acknowledged"]["by"]) == (said["reason"], "alice")
    assert AuditEvent.objects.get(kind="anomaly").changes == {"reason": [None, said["reason"]]}
    table = b"".join(api(alice).get("/api/v1/costs/anomalies/?format=csv")).decode().splitlines()
    assert table[0].endswith("acknowledged_reason,acknowledged_by,acknowledged_at")
    assert table[1].startswith(f"{odd['day']},payments,,USD,{odd['actual']}")
    assert ",The load test of March,alice," in table[1]


def test_a_budget_tells_when_it_is_used_up_and_how_sure_that_is(spent: None, mary: User, api: Api) -> None:
    client = api(mary)
    tight = client.post("/api/v1/budgets/", json.dumps({"team": "payments", "amount": "1500", "currency": "USD"}), JSON)
    assert tight.status_code == 201, tight.content
    standing = tight.json()["standing"]
    assert standing["month"] == "2026-05-01"
    assert standing["sentence"].startswith("Expected to cross on 2026-05-")
    assert standing["probability"] > 0.99
    assert 250 < Decimal(standing["spent"]) < 400
    change = client.patch(f"/api/v1/budgets/{tight.json()['id']}/", json.dumps({"amount": "9000"}), JSON)
    assert "Not expected to cross" in change.json()["standing"]["sentence"]
    used = client.post("/api/v1/budgets/", json.dumps({"service": "checkout", "amount": "10"}), JSON)
    assert used.json()["standing"]["is_crossed"] is True
    assert used.json()["standing"]["expected_on"] == "2026-05-01", "the day that used it up, not the last one known"
    assert used.json()["standing"]["sentence"].startswith("Used up on 2026-05-01: ")
    listed = client.get("/api/v1/budgets/?format=csv")
    assert b"payments" in b"".join(listed)
    assert AuditEvent.objects.filter(kind="budget").count() == 3


def test_a_budget_that_is_used_up_says_so_though_the_past_is_too_short_to_forecast(ada: User, api: Api) -> None:
    spend([100] * 5)

    def standing(amount: str, currency: str) -> Any:
        body = {"account": "acct-1", "amount": amount, "currency": currency}
        return api(ada).post("/api/v1/budgets/", json.dumps(body), JSON).json()["standing"]

    told = standing("250", "USD")
    assert (told["sentence"], told["is_crossed"]) == ("Used up on 2026-01-07: 500.00 USD by 2026-01-09.", True)
    assert (told["spent"], told["expected"], told["probability"]) == ("500.00", None, 1.0)
    spend([100] * 5, currency="EUR")
    assert standing("900", "EUR")["sentence"].startswith("There are 5 days of spend; a forecast takes at least 14.")


def test_budgets_are_of_one_thing_and_of_those_who_may(spent: None, mary: User, bob: User, ada: User, api: Api) -> None:
    def post(user: User, **body: Any) -> Any:
        return api(user).post("/api/v1/budgets/", json.dumps({"amount": "5"} | body), JSON)

    assert post(bob, team="search").status_code == 403  # a member
    assert post(bob, team="payments").status_code == 400  # not to be seen
    assert post(mary, account="acct-1").status_code == 403

    def refused_at(answer: Any) -> Any:
        assert answer.status_code == 400
        return [error["pointer"] for error in answer.json()["errors"]]

    assert refused_at(post(ada, team="payments", account="acct-1")) == ["/account"]
    made = post(ada, account="acct-2", currency="USD")
    assert made.status_code == 201
    assert refused_at(post(ada, account="acct-2", currency="USD")) == ["/account"]
    assert (post(ada, currency="USD").status_code, post(ada, currency="EUR").status_code) == (201, 201)
    assert refused_at(post(ada, currency="USD")) == ["/currency"]
    assert post(mary, team="payments").status_code == 201
    assert refused_at(post(mary, team="payments")) == ["/team"]
    assert post(ada, amount="-1").status_code == 400
    assert api(mary).get(f"/api/v1/budgets/{made.json()['id']}/").status_code == 404


def test_scenarios_keep_settings_that_make_sense_and_are_shared_with_a_team(
    alice: User, vic: User, bob: User, api: Api
) -> None:
    logs = {"gb_per_day": 10, "price": "0.03", "months": 24}
    body = {"name": "Thirty days", "vector": "logs", "inputs": logs, "beside": logs | {"retention_days": 30},
            "team": "payments"}  # fmt: skip
    made = api(alice).post("/api/v1/scenarios/", json.dumps(body), JSON)
    assert made.status_code == 201, made.content
    url = f"/api/v1/scenarios/{made.json()['id']}/"
    assert api(vic).get(url).json()["beside"]["retention_days"] == 30
    assert api(bob).get(url).status_code == 404
    assert api(vic).patch(url, json.dumps({"name": "x"}), JSON).status_code == 403
    wrong = api(alice).post("/api/v1/scenarios/", json.dumps(body | {"name": "y", "inputs": {"gb_per_day": -1}}), JSON)
    assert {error["pointer"] for error in wrong.json()["errors"]} == {"/inputs/gb_per_day", "/inputs/price"}
    assert api(alice).delete(url).status_code == 204
