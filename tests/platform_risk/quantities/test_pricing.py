"""Prices: units that cannot be mixed up, tiers and what is free, and which rate holds when nobody chooses one."""

from datetime import date
from decimal import Decimal as D

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platform_risk.quantities.pricing import BadPriceError, Price, PriceUnit, Rate, Tier, WrongUnitError, applying
from platform_risk.quantities.projections import logs, metrics
from tests.examples import examples

POINTS = PriceUnit.PER_MILLION_POINTS
TIERED = Price(
    D("0.90"), POINTS, free=D(40), tiers=(Tier(D(100), D("0.90")), Tier(D(200), D("0.35")), Tier(None, D("0.16")))
)


@pytest.mark.parametrize("unit", [unit for unit in PriceUnit if unit is not POINTS])
def test_a_price_of_one_unit_cannot_be_applied_to_another(unit: PriceUnit) -> None:
    with pytest.raises(WrongUnitError, match="cannot be applied"):
        TIERED.of(D(1), unit)


@pytest.mark.parametrize(
    ("amount", "cost"),
    [("0", "0"), ("40", "0"), ("41", "0.90"), ("140", "90.00"), ("240", "125.00"), ("340", "141.00")],
)
def test_what_is_free_comes_off_first_and_each_tier_prices_its_own_part(amount: str, cost: str) -> None:
    assert TIERED.of(D(amount), POINTS) == D(cost)
    assert sum(part for _, _, part in TIERED.by_tier(D(amount))) == D(cost)


@given(st.decimals(0, 10_000, places=4), st.decimals(0, 10_000, places=4))
@settings(max_examples=examples(40), deadline=None)
def test_more_never_costs_less_and_never_more_than_at_the_first_price(few: D, more: D) -> None:
    assert TIERED.of(few, POINTS) <= TIERED.of(few + more, POINTS) <= (few + more) * D("0.90")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"amount": D(-1)}, "zero or more"),
        ({"amount": D("NaN")}, "zero or more"),
        ({"free": D(-1)}, "zero or more"),
        ({"tiers": (Tier(D(5), D(1)), Tier(None, D(-1)))}, "zero or more"),
        ({"tiers": (Tier(D(5), D(1)),)}, "rising bounds"),
        ({"tiers": (Tier(D(5), D(1)), Tier(D(5), D(2)), Tier(None, D(3)))}, "rising bounds"),
        ({"tiers": (Tier(D(6), D(1)), Tier(D(5), D(2)), Tier(None, D(3)))}, "rising bounds"),
        ({"tiers": (Tier(None, D(1)), Tier(None, D(2)))}, "rising bounds"),
        ({"tiers": (Tier(D(0), D(1)), Tier(None, D(2)))}, "above zero"),
        ({"tiers": (Tier(D(5), D(9)), Tier(None, D(2)))}, "the first tier's"),
    ],
)
def test_prices_that_contradict_themselves_are_none(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(BadPriceError, match=told):
        Price(**{"amount": D(1), "unit": POINTS, **wrong})  # type: ignore[arg-type]  # one of them is wrong on purpose


@pytest.mark.parametrize(
    "tiers", [(), (Tier(None, D(1)),), (Tier(D("0.5"), D(1)), Tier(D(1), D(0)), Tier(D(2), D(4)), Tier(None, D(0)))]
)
def test_prices_of_one_tier_of_small_ones_and_of_tiers_that_cost_nothing_are_prices(tiers: tuple[Tier, ...]) -> None:
    assert Price(D(1), POINTS, tiers=tiers).of(D(1), POINTS) == (D(1) if len(tiers) < 2 else D("0.5"))


def test_each_tier_is_told_with_what_falls_into_it() -> None:
    assert [(part, cost) for _, part, cost in TIERED.by_tier(D(240))] == [(D(100), D(90)), (D(100), D(35))]
    assert TIERED.by_tier(D(40)) == []
    plain = Price(D(2), POINTS)
    assert [(tier.up_to, part, cost) for tier, part, cost in plain.by_tier(D(3))] == [(None, D(3), D(6))]


@pytest.mark.parametrize(
    ("price", "is_linear"),
    [(Price(D(1), POINTS), True), (Price(D(1), POINTS, free=D(1)), False), (TIERED, False),
     (Price(D(1), POINTS, tiers=(Tier(D(5), D(1)), Tier(None, D(2)))), False)],
)  # fmt: skip
def test_a_price_without_tiers_and_without_what_is_free_is_a_straight_line(price: Price, is_linear: bool) -> None:
    assert price.is_linear is is_linear


@pytest.mark.parametrize(
    ("day", "holds"),
    [(date(2026, 4, 30), False), (date(2026, 5, 1), True), (date(2026, 5, 31), True), (date(2026, 6, 1), False)],
)
def test_a_rate_holds_from_its_first_day_until_before_its_end(day: date, holds: bool) -> None:
    price = Price(D(1), POINTS)
    assert Rate("may", price, valid_from=date(2026, 5, 1), valid_to=date(2026, 6, 1)).holds_on(day) is holds
    assert Rate("always", price).holds_on(day)
    assert Rate("since", price, valid_from=date(2026, 5, 1)).holds_on(day) is (day.month >= 5)
    assert Rate("until", price, valid_to=date(2026, 6, 1)).holds_on(day) is (day.month < 6)


def test_tiers_are_a_month_s_whatever_it_is_made_of() -> None:
    free_30 = Price(D("0.50"), PriceUnit.PER_GB_INGESTED, free=D(30))
    projection = logs(gb_per_day=D(10), price=free_30, months=1, days_per_month=D(30))
    assert projection.total_cost == D(135)  # 300 GB, of which 30 are free
    points = metrics(
        pods=D(1), series_per_pod=D(1000), interval_seconds=D("25.92"), price=TIERED, months=1
    )  # 100 million a month
    assert points.total_cost == D("54.00")


def test_without_a_choice_the_provider_s_newest_rate_that_applies_holds() -> None:
    def rate(item: str, **more: object) -> Rate:
        return Rate(item, Price(D(1), PriceUnit.PER_GB_INGESTED), provider="newrelic", **more)  # type: ignore[arg-type]

    day = date(2026, 6, 1)
    old = rate("old", valid_to=date(2026, 5, 1))
    offered = rate("offered", valid_from=date(2026, 5, 1), applies=False)
    other = Rate("other", Price(D(1), PriceUnit.PER_GB_MONTH), provider="newrelic")
    units = (PriceUnit.PER_GB_INGESTED,)
    assert applying([old, offered, other], units, day, "newrelic") is None
    assert applying([old, offered], units, date(2026, 4, 30), "newrelic") is old
    newer = rate("newer", valid_from=date(2026, 5, 2))
    assert applying([rate("any"), newer, old], units, day, "newrelic") is newer
    assert applying([newer], units, day, "datadog") is None
