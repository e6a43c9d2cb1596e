"""The page of projections: every state is an address, computed on the server."""

import json
import re
from collections.abc import Callable
from html import unescape

import pytest
from django.test import Client

from platform_risk.core.models import User

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]


def page(client: Client, query: str = "") -> str:
    answer = client.get(f"/costs/projections/{query}")
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
    assert body.count('<td class="num">800</td>') == 3


def test_another_vector_is_no_page(vic: User, signed_in: SignedIn) -> None:
    assert signed_in(vic).get("/costs/projections/?vector=weather").status_code == 404
