"""Prices through the API: books that come along, one's own, and a whole book as YAML."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from costs import pricing
from costs.models import PriceRate
from platform_risk.core.models import AuditEvent, User
from platform_risk.quantities.pricing import PriceUnit

pytestmark = pytest.mark.django_db
Api = Callable[..., Client]
JSON = "application/json"
OWN = {
    "item": "Our contract", "provider": "newrelic", "unit": "per_gb_ingested", "amount": "0.25", "currency": "EUR",
    "free_per_month": "100", "valid_from": "2026-01-01", "source": "Order form", "confidence": "high",
}  # fmt: skip


def sent(client: Client, method: str, path: str, body: Any) -> Any:
    return getattr(client, method)(f"/api/v1/prices/{path}", json.dumps(body), JSON)


def test_the_books_are_filled_once_and_what_people_change_stays(mary: User, vic: User, api: Api) -> None:
    assert pricing.fill_built_in() == 2
    rate = PriceRate.objects.get(item="CloudWatch Logs, storage")
    assert sent(api(mary), "patch", f"{rate.pk}/", {"amount": "0.02"}).json()["amount"] == "0.02"
    assert api(mary).delete(f"/api/v1/prices/{PriceRate.objects.get(item='S3 Standard').pk}/").status_code == 204
    assert pricing.fill_built_in() == 0
    body = api(vic, "read").get("/api/v1/prices/?book=list&unit=per_gb_month&page_size=500").json()
    found = {row["item"]: row for row in body["results"]}
    assert found["CloudWatch Logs, storage"]["amount"] == "0.02"
    assert found["CloudWatch Logs, storage"]["gigabyte"] == "GiB"
    assert "S3 Standard" not in found
    assert {row["confidence"] for row in found.values() if row["applies"]} == {"high"}
    changed = AuditEvent.objects.get(kind="price", action="changed")
    assert changed.changes["amount"] == ["0.030000000000", "0.020000000000"]


def test_one_s_own_price_is_taken_before_those_that_came_along(mary: User, vic: User, api: Api) -> None:
    pricing.fill_built_in()
    units = (PriceUnit.PER_GB_INGESTED,)
    assert pricing.applying_to(units, "newrelic") is None  # what came along for it is not sure
    assert sent(api(vic), "post", "", OWN).status_code == 403
    made = sent(api(mary), "post", "", OWN)
    assert made.status_code == 201, made.content
    assert made.json()["book"] == "own"
    found = pricing.applying_to(units, "newrelic")
    assert found is not None
    assert (found.item, found.price.currency) == ("Our contract", "EUR")
    again = sent(api(mary), "post", "", OWN)
    assert again.status_code == 400
    (error,) = again.json()["errors"]
    assert (error["pointer"], "already" in error["detail"]) == ("/item", True)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"unit": "per_gb"}, "/unit"),
        ({"amount": "-1"}, "/amount"),
        ({"amount": "a"}, "/amount"),
        ({"currency": "euro"}, "/currency"),
        ({"provider": "New Relic"}, "/provider"),
        ({"valid_to": "2025-01-01"}, "/valid_to"),
        ({"valid_from": "2026-01-01", "valid_to": "2026-01-01"}, "/valid_to"),
        ({"tiers": [{"up_to": "5", "amount": "1"}]}, "/tiers"),
        ({"tiers": [{"up_to": None, "amount": "1"}, {"up_to": None, "amount": "1"}]}, "/tiers"),
        ({"price": "1"}, "/price"),
    ],
)
def test_what_makes_no_sense_is_named(mary: User, api: Api, change: dict[str, Any], pointer: str) -> None:
    answer = sent(api(mary), "post", "", OWN | change)
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]][:1] == [pointer]


def test_tiers_make_the_first_one_s_price_the_price(mary: User, api: Api) -> None:
    tiers = [{"up_to": "2000", "amount": "0.09"}, {"up_to": None, "amount": "0.035"}]
    made = sent(api(mary), "post", "", OWN | {"unit": "per_million_points", "tiers": tiers}).json()
    assert (made["amount"], made["tiers"]) == ("0.09", tiers)
    cheaper = sent(api(mary), "patch", f"{made['id']}/", {"amount": "0.08"}).json()
    assert cheaper["tiers"][0] == {"up_to": "2000", "amount": "0.08"}


def test_a_price_that_has_ended_or_not_begun_does_not_say_that_it_applies(
    mary: User, signed_in: Callable[[User], Client]
) -> None:
    today = timezone.now().date()
    spans: list[dict[str, Any]] = [
        {"valid_to": today}, {"valid_from": today + timedelta(days=1)}, {"valid_from": today},
    ]  # fmt: skip
    for at, held in enumerate(spans):
        pricing.create(user=mary, item=f"p{at}", unit="per_gb_ingested", amount=1, applies=True, **held)
    page = signed_in(mary).get("/costs/prices/?book=own").content.decode()
    assert [page.count(words) for words in ("no longer</span>", "not yet</span>", "yes</span>")] == [1, 1, 1]


def test_a_book_is_taken_out_and_put_back_as_yaml(mary: User, vic: User, api: Api) -> None:
    pricing.fill_built_in()
    client = api(mary)
    text = client.get("/api/v1/prices/book/?book=list").json()["yaml"]
    before = PriceRate.objects.filter(book__slug="list").count()
    assert sent(client, "put", "book/", {"yaml": text}).json() == {"book": "list", "before": before, "after": before}
    assert client.get("/api/v1/prices/book/?book=list").json()["yaml"] == text
    assert "amount: '0.5'" in text
    raw = client.get("/api/v1/prices/book/?book=list", headers={"accept": "application/yaml"})
    assert (raw.content.decode(), raw["Content-Type"]) == (text, "application/yaml; charset=utf-8")
    for kind in ("application/yaml", "text/yaml; charset=utf-8"):
        put = client.put("/api/v1/prices/book/", raw.content, kind)
        assert put.json() == {"book": "list", "before": before, "after": before}
    assert client.put("/api/v1/prices/book/?book=list", text.encode(), "application/yaml").status_code == 200
    other = client.put("/api/v1/prices/book/?book=own", text.encode(), "application/yaml")
    assert (other.status_code, other.json()["detail"]) == (400, "The text is of the book list, and not of own.")
    refused = client.put("/api/v1/prices/book/", b"- 1", "application/yaml")
    assert (refused.status_code, refused["Content-Type"]) == (400, "application/problem+json")
    assert client.put("/api/v1/prices/book/", b"\xff", "application/yaml").status_code == 400
    wrong = sent(client, "put", "book/", {"yaml": text.replace("per_gb_month", "per_gb")})
    assert wrong.status_code == 400
    assert "Price 2 (CloudWatch Logs, storage): unit is one of" in wrong.json()["errors"][0]["detail"]
    assert PriceRate.objects.filter(book__slug="list").count() == before
    assert sent(api(vic), "put", "book/", {"yaml": text}).status_code == 403
    assert client.get("/api/v1/prices/book/?book=none").status_code == 400
