"""The page of projections: every state is an address, computed on the server."""

import json
import re
from collections.abc import Callable
from datetime import date
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from costs import pricing
from costs.models import Scenario, UsageFigure, UsageScope
from platform_risk.core.models import Service, User
from tests.factories import make_price, make_usage

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]


def page(client: Client, query: str = "") -> str:
    answer = client.get(reverse("costs:projections") + query)
    assert answer.status_code == 200
    return str(answer.content.decode())


@pytest.mark.parametrize(
    ("query", "figures"),
    [
        ("", ["388.80 USD", "4,665.60 USD"]),
        ("?vector=entities&live=0", ["8.00 USD", "96.00 USD"]),
        ("?vector=logs&months=12", ["658.80 USD", "it grows"]),
        ("?vector=logs&months=36&price_unit=per_gb_once", ["328.50 USD"]),
    ],
)
def test_an_address_is_a_projection(vic: User, signed_in: SignedIn, query: str, figures: list[str]) -> None:
    body = page(signed_in(vic), query)
    assert [figure for figure in figures if figure not in body] == []


def test_two_settings_stand_side_by_side_with_what_the_second_saves(vic: User, signed_in: SignedIn) -> None:
    body = page(signed_in(vic), "?vector=logs&compare=1&b-retention_days=30&months=24")
    assert re.search(r"costs <b>202\.83 USD</b>\s+less", body)
    table = page(signed_in(vic), "?vector=logs&compare=1&b-retention_days=30&months=24&format=csv").splitlines()
    assert (len(table), table[0].split(",")[0], table[0].split(",")[-1]) == (25, "month", "saved")
    assert table[-1].split(",")[-1].startswith("202.8")


def test_an_input_that_makes_no_sense_is_said_at_its_field_and_nothing_is_drawn(vic: User, signed_in: SignedIn) -> None:
    body = page(signed_in(vic), "?pods=-1")
    assert "greater than or equal to 0" in body
    assert "data-figure" not in body


def test_a_price_by_gigabyte_without_the_size_of_a_point_shows_usage_and_no_cost(
    vic: User, signed_in: SignedIn
) -> None:
    body = page(signed_in(vic), "?price_unit=per_gb_ingested")
    assert "not known" in body
    assert "bytes_per_point" in body


def test_the_chart_has_the_figures_of_the_table(vic: User, signed_in: SignedIn) -> None:
    body = page(signed_in(vic), "?vector=entities&live=0&months=3")
    found = re.search(r'data-figure="([^"]+)"', body)
    assert found is not None
    figure = json.loads(unescape(found[1]))
    assert [trace["y"] for trace in figure["data"]] == [[800.0] * 3, [8.0] * 3]
    assert body.count('<td class="num roomy">800</td>') == 3


def test_another_vector_is_no_page(vic: User, signed_in: SignedIn) -> None:
    assert signed_in(vic).get(reverse("costs:projections") + "?vector=weather").status_code == 404


def test_the_page_begins_from_what_was_imported_and_says_where_each_figure_is_from(
    vic: User, bob: User, checkout: Service, signed_in: SignedIn
) -> None:
    pricing.fill_built_in()
    make_usage(checkout, "stored_bytes", 1500 * 2**30, "/app", source="aws", provider="aws-cloudwatch-logs")
    row = make_usage(checkout, "retention_days", None, "/app", source="aws", provider="aws-cloudwatch-logs").import_row
    UsageFigure.objects.update(import_row=row)
    UsageFigure.objects.create(
        scope=UsageScope.objects.get(), import_row=row, measure="ingested_bytes", value=10 * 2**30, subject="/app",
        day=date(2026, 10, 30),
    )  # fmt: skip
    body = page(signed_in(vic), "?vector=logs&begin=imported&months=12")
    for shown in ("aws-cloudwatch-logs, 1 groups", "1,500", "45.00", "for ever", "Where the inputs are from"):
        assert shown in body
    assert "costs what taking it in does" in body
    assert ">/app<" not in page(signed_in(bob), "?vector=logs&begin=imported")
    assert (
        signed_in(bob).get(reverse("costs:projections") + "?vector=logs&begin=imported&service=checkout").status_code
        == 404
    )


def test_the_analysis_reading_stands_beside_the_right_one(vic: User, signed_in: SignedIn) -> None:
    pricing.fill_built_in()
    body = page(signed_in(vic), "?vector=logs&months=36")
    assert "By price unit" in body
    assert "328.50" in body
    assert "5,918.40" in body
    assert "every 60 s" in page(signed_in(vic)).lower()


def test_a_price_of_a_book_is_taken_with_its_tiers(vic: User, signed_in: SignedIn) -> None:
    tiers = [{"up_to": "100", "amount": "0.90"}, {"up_to": None, "amount": "0.35"}]
    rate = make_price("Tiered", unit="per_million_points", amount="0.90", tiers=tiers, provider="")
    body = page(signed_in(vic), f"?rate={rate.pk}&environments=1")  # 432 million points
    assert "206.20 USD" in body  # 100 × 0.90 + 332 × 0.35
    assert "By tier" in body


def test_settings_are_kept_under_a_name_and_opened_again(vic: User, alice: User, signed_in: SignedIn) -> None:
    sent = {"name": "Thirty days", "vector": "logs", "query": "vector=logs&gb_per_day=7&compare=1&b-retention_days=30"}
    client = signed_in(alice)
    assert client.post("/costs/scenarios/", sent).status_code == 302
    scenario = Scenario.objects.get()
    assert (scenario.inputs["gb_per_day"], scenario.beside["retention_days"]) == ("7", "30")
    body = page(client, "?vector=logs")
    link = unescape(re.findall(r'href="(/costs/[^"]*gb_per_day=7[^"]*)"', body)[0])
    assert "b-retention_days=30" in link
    assert client.get(link).status_code == 200
    assert client.post("/costs/scenarios/", sent).status_code == 422  # the name is taken
    assert client.post("/costs/scenarios/", sent | {"query": "gb_per_day=-1"}).status_code == 422
    assert signed_in(vic).post(f"/costs/scenarios/{scenario.pk}/delete/").status_code == 404
    assert client.post(f"/costs/scenarios/{scenario.pk}/delete/").status_code == 302


def test_each_number_has_a_field_and_a_slider(vic: User, signed_in: SignedIn) -> None:
    body = page(signed_in(vic), "?pods=500")
    slider = re.search(r'<input type="range"[^>]*data-for="id_pods"[^>]*>', body)
    assert slider is not None
    assert 'max="1000.0"' in slider[0]
    assert 'value="500.0"' in slider[0]
