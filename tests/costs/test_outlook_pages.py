"""Pages of prices, budgets and the forecast: what they show to whom, and what they write."""

import json
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from costs import pricing
from costs.bills.records import NO_CURRENCY
from costs.models import Budget, PriceRate, SeenAnomaly
from platform_risk.core.models import Service, Team, User
from tests.costs.spending import spend, weekly

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]


def page(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(f"/costs/{path}")
    assert answer.status_code == status, answer.content[:500]
    return str(unescape(answer.content.decode()))


@pytest.fixture
def spent(payments: Team, search: Team, checkout: Service) -> None:
    values = weekly(120, 100)
    values[100] += 150
    spend(values, team=payments, service=checkout)
    spend(weekly(120, 40, seed=2), team=search, name="Storage")


def test_the_forecast_s_page_has_months_intervals_and_how_it_did(spent: None, vic: User, signed_in: SignedIn) -> None:
    body = page(signed_in(vic), "forecast/?horizon=30")
    figure = json.loads(re.findall(r'data-figure="(.*?)"></div>', body, re.DOTALL)[0])
    names = [trace["name"] for trace in figure["data"]]
    assert names[-2:] == ["expected", "spent"]
    assert len(figure["data"][-2]["x"]) == 30
    assert "than “like a week before” (MASE" in body
    assert "May 2026" in body
    assert "Storage" not in page(signed_in(vic), "forecast/?group=cloud_service")
    assert page(signed_in(vic), "forecast/?horizon=31", 404)
    days = page(signed_in(vic), "forecast/?horizon=30&format=csv").splitlines()
    assert (len(days), days[0]) == (31, "day,expected,lo_50,hi_50,lo_80,hi_80,lo_95,hi_95,currency")
    months = page(signed_in(vic), "forecast/?horizon=30&format=csv&table=months").splitlines()
    assert months[0].startswith("month,days_ahead,spent_already,expected")
    assert months[1].startswith("2026-05")
    spend([5] * 20, team=Team.objects.get(slug="payments"), currency=NO_CURRENCY)
    assert ">no currency</a>" in page(signed_in(vic), "forecast/")
    unnamed = page(signed_in(vic), f"forecast/?currency={NO_CURRENCY}&horizon=30")
    assert "Expected, no currency" in unnamed
    assert "no currency a day" in unnamed


def test_an_unusual_day_is_noted_with_its_reason(spent: None, alice: User, vic: User, signed_in: SignedIn) -> None:
    body = page(signed_in(alice), "forecast/")
    assert "Compute in acct-1" in body
    assert "Why it is all right" not in page(signed_in(vic), "forecast/")
    said = {"team": "payments", "day": "2026-04-15", "currency": "USD", "reason": "The load test"}
    assert signed_in(alice).post("/costs/forecast/seen/", said | {"reason": ""}).status_code == 422
    assert signed_in(alice).post("/costs/forecast/seen/", said).status_code == 302
    assert SeenAnomaly.objects.get().reason == "The load test"
    assert "The load test" in page(signed_in(alice), "forecast/")


def test_without_a_bill_the_forecast_says_what_it_waits_for(vic: User, signed_in: SignedIn) -> None:
    body = page(signed_in(vic), "forecast/")
    assert "No forecast yet" in body
    assert "No day stands out" in body


def test_budgets_are_added_changed_and_deleted_where_they_are_seen(
    spent: None, mary: User, vic: User, bob: User, payments: Team, signed_in: SignedIn
) -> None:
    client = signed_in(mary)
    made = client.post("/costs/budgets/", {"team": payments.pk, "amount": "1500", "currency": "USD"})
    assert made.status_code == 302
    budget = Budget.objects.get()
    assert "Expected to cross on 2026-05-" in page(signed_in(vic), "budgets/")
    assert "payments" not in page(signed_in(bob), "budgets/")
    again = client.post("/costs/budgets/", {"team": payments.pk, "amount": "1500", "currency": "USD"})
    assert again.status_code == 422
    assert again.context["form"].errors == {"team": ["There is a budget of this in this currency already."]}
    assert client.get(f"/costs/budgets/{budget.pk}/").status_code == 200
    assert signed_in(bob).get(f"/costs/budgets/{budget.pk}/").status_code == 404
    assert signed_in(vic).post(f"/costs/budgets/{budget.pk}/delete/").status_code == 403
    changed = {"team": payments.pk, "amount": "9000", "currency": "USD"}
    assert client.post(f"/costs/budgets/{budget.pk}/", changed).status_code == 302
    assert client.post(f"/costs/budgets/{budget.pk}/delete/").status_code == 302
    assert not Budget.objects.exists()


def test_prices_are_shown_to_all_and_changed_by_managers(mary: User, vic: User, signed_in: SignedIn) -> None:
    pricing.fill_built_in()
    body = page(signed_in(vic), "prices/?book=list&unit=per_gb_month")
    assert "CloudWatch Logs, storage" in body
    assert "New price" not in body
    sent: dict[str, Any] = {
        "item": "Ours", "unit": "per_million_points", "amount": "0.09", "currency": "USD", "gb_bytes": str(10**9),
        "confidence": "high", "tiers": "2000 0.09\n0.035", "provider": "prometheus", "applies": "on",
    }  # fmt: skip
    assert signed_in(vic).post("/costs/prices/", sent).status_code == 403
    assert signed_in(mary).post("/costs/prices/", sent | {"tiers": "many"}).status_code == 422
    backwards = signed_in(mary).post("/costs/prices/", sent | {"valid_from": "2026-02-01", "valid_to": "2026-02-01"})
    assert backwards.status_code == 422
    assert list(backwards.context["form"].errors) == ["valid_to"]
    assert signed_in(mary).post("/costs/prices/", sent).status_code == 302
    assert list(signed_in(mary).post("/costs/prices/", sent).context["form"].errors) == ["item"]
    rate = PriceRate.objects.get(item="Ours")
    assert [tier["up_to"] for tier in rate.tiers] == ["2000", None]
    assert "2000 0.09" in page(signed_in(mary), f"prices/{rate.pk}/")
    assert signed_in(mary).post(f"/costs/prices/{rate.pk}/", sent | {"item": "Our own"}).status_code == 302
    assert signed_in(mary).post(f"/costs/prices/{rate.pk}/delete/").status_code == 302


def test_a_book_leaves_and_comes_back_as_a_file(mary: User, vic: User, signed_in: SignedIn) -> None:
    pricing.fill_built_in()
    text = signed_in(vic).get("/costs/prices/book/analysis.yaml").content
    assert b"unit: per_gb_once" in text
    changed = text.replace(b"'0.3'", b"'0.31'")
    answer = signed_in(mary).post("/costs/prices/book/", {"file": SimpleUploadedFile("a.yaml", changed)})
    assert answer.status_code == 302
    assert PriceRate.objects.filter(book__slug="analysis", amount="0.31").exists()
    wrong = signed_in(mary).post("/costs/prices/book/", {"text": "prices: [7]"})
    assert wrong.status_code == 422
    assert b"Price 1 is no mapping" in wrong.content
    assert signed_in(vic).get("/costs/prices/book/none.yaml").status_code == 404


@pytest.mark.parametrize(("address", "lacks"), [("/costs/budgets/", "amount"), ("/costs/prices/", "item")])
def test_a_form_of_costs_that_was_sent_empty_says_what_it_lacks(
    ada: User, signed_in: SignedIn, address: str, lacks: str
) -> None:
    answer = signed_in(ada).post(address, {})
    assert answer.status_code == 422
    assert lacks in answer.context["form"].errors
