"""What changing one thing of a projection does, against figures that can be reckoned by hand."""

from decimal import Decimal as D

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costs import effects, pricebook, projecting
from platform_risk.quantities.pricing import Price, PriceUnit, Tier, WrongUnitError
from tests.examples import examples

METRICS = {"pods": D(50), "series_per_pod": D(100), "interval_seconds": D(30), "environments": D(3), "months": 12}
LOGS = {"gb_per_day": D(10), "stored_gb": D(0), "retention_days": None, "months": 12}
POINTS = Price(D("0.30"), PriceUnit.PER_MILLION_POINTS)
KEPT = Price(D("0.03"), PriceUnit.PER_GB_MONTH)


def test_the_analysis_reading_stands_beside_the_right_one_by_unit() -> None:
    (book,) = (book for book in pricebook.built_in() if book.slug == "analysis")
    logs = {each.unit: each for each in effects.by_unit("logs", {**LOGS, "months": 36}, book.rates)}
    assert logs["per GB, once"].total == D("328.5000") == D("0.03") * 10950
    assert round(logs["per GB stored and month"].total or 0, 2) == D("5918.40")
    assert round(logs["per GB stored and month"].last or 0, 2) == D("319.71")
    (points,) = effects.by_unit("metrics", METRICS, book.rates)
    assert (points.first, points.total) == (D("388.8"), D("4665.6"))


def test_a_longer_interval_dropping_and_aggregating_each_have_their_saving() -> None:
    found = {each.words: each for each in effects.of_metrics(METRICS, POINTS, D("0.632"))}
    assert found["As it is"].cost == D("388.80")
    assert (found["Every 60 s"].cost, found["Every 60 s"].saving) == (D("194.40"), D("194.40"))
    assert "Every 15 s" not in found
    assert found["What nobody reads dropped, 63 %"].saving == D("388.80") * D("0.632")
    assert found["Aggregated over all pods"].series == 300
    assert "A quarter of the series dropped" in {each.words for each in effects.of_metrics(METRICS, POINTS)}


def test_each_retention_has_its_cost_and_the_month_from_which_keeping_for_ever_is_dearer() -> None:
    found = {each.days: each for each in effects.retentions({**LOGS, "retention_days": 45}, KEPT)}
    assert found[None].total == pytest.approx(D("658.80"), abs=D("0.01"))
    assert found[30].stock == 300
    assert round(found[30].cost * 365 / 12 / 30, 2) == D("9.00")  # its twelfth month has thirty days
    assert found[30].dearer_from == 2
    assert found[90].dearer_from == 3
    assert found[None].saving == 0
    assert found[None].dearer_from is None
    assert [each.days for each in found.values() if each.is_now] == [45]
    with pytest.raises(WrongUnitError):
        effects.retentions(LOGS, Price(D(1), PriceUnit.PER_GB_INGESTED))


@given(gb=st.decimals(0, 1000, places=2), stored=st.decimals(0, 10_000, places=2), months=st.integers(1, 36))
@settings(max_examples=examples(15), deadline=None)
def test_a_longer_retention_never_costs_less_storage(gb: D, stored: D, months: int) -> None:
    inputs = {"gb_per_day": gb, "stored_gb": stored, "retention_days": None, "months": months}
    totals = [each.total for each in effects.retentions(inputs, KEPT)]
    assert totals == sorted(totals)


def test_a_gigabyte_is_kept_for_long_for_what_it_costs_to_take_it_in() -> None:
    ingest = Price(D("0.50"), PriceUnit.PER_GB_INGESTED)
    found = effects.days_that_cost_as_much_as_ingest(ingest, KEPT)
    assert found is not None
    assert round(found) == 507
    euros = Price(D("0.50"), PriceUnit.PER_GB_INGESTED, "EUR")
    assert effects.days_that_cost_as_much_as_ingest(euros, KEPT) is None


def test_a_month_is_laid_out_over_its_tiers() -> None:
    tiers = (Tier(D(100), D("0.90")), Tier(None, D("0.35")))
    price = Price(D("0.90"), PriceUnit.PER_MILLION_POINTS, free=D(40), tiers=tiers)
    parts = effects.by_tier(price, D(240))
    assert [(part.words, int(part.amount), int(part.cost)) for part in parts] == [
        ("free", 40, 0), ("up to 100", 100, 90), ("beyond", 100, 35),
    ]  # fmt: skip
    assert sum(part.cost for part in parts) == price.of(D(240), PriceUnit.PER_MILLION_POINTS)


def test_without_a_price_there_is_usage_and_it_says_so() -> None:
    found = projecting.unpriced("logs", LOGS)
    assert found.rows[-1].quantity == 3650
    assert found.rows[-1].cost is None
    assert found.total_cost is None
    assert projecting.NO_PRICE in found.assumptions
