"""Three models of stock and flow: the analysis' own figures under its reading, and the right ones beside them."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platform_risk.quantities.pricing import Price, PriceUnit, WrongUnitError, shown
from platform_risk.quantities.projections import Projection, entities, logs, metrics
from tests.examples import examples

D = Decimal
POINTS = Price(D("0.30"), PriceUnit.PER_MILLION_POINTS)
ENTITY = Price(D("0.01"), PriceUnit.PER_ENTITY_MONTH)
KEPT = Price(D("0.03"), PriceUnit.PER_GB_MONTH)
SEED_METRICS: dict[str, Any] = {"pods": D(50), "series_per_pod": D(100), "interval_seconds": D(30), "price": POINTS}


def total(projection: Projection) -> str:
    assert projection.total_cost is not None
    return shown(projection.total_cost)


def test_metrics_as_the_analysis_counts_them() -> None:
    one = metrics(**SEED_METRICS, months=1)
    assert one.figures["data_points_per_minute"] == 10_000
    assert one.figures["active_series"] == 5_000
    assert one.rows[0].quantity == 432_000_000
    assert total(one) == "129.60"
    assert total(metrics(**SEED_METRICS, months=1, environments=D(3))) == "388.80"
    assert total(metrics(**SEED_METRICS, months=12, environments=D(3))) == "4665.60"


def test_two_replicas_of_the_scraper_send_everything_twice_but_series_are_billed_once() -> None:
    assert total(metrics(**SEED_METRICS, months=1, replicas_of_scraper=D(2))) == "259.20"
    by_series = SEED_METRICS | {"price": Price(D("0.001"), PriceUnit.PER_ACTIVE_SERIES_MONTH)}
    assert total(metrics(**by_series, months=1, replicas_of_scraper=D(2))) == "5.00"


def test_points_priced_by_gigabyte_need_their_size_and_say_so() -> None:
    by_size = SEED_METRICS | {"price": Price(D("0.35"), PriceUnit.PER_GB_INGESTED)}
    unknown = metrics(**by_size, months=2)
    assert (unknown.rows[1].cost, unknown.rows[1].cumulative_cost) == (None, None)
    assert any("bytes_per_point" in each for each in unknown.assumptions)
    assert total(metrics(**by_size, months=1, bytes_per_point=D(100))) == "15.12"


def test_entities_as_the_analysis_counts_them() -> None:
    projection = entities(churn_per_day=D(100), lifetime_days=D(8), price=ENTITY, months=12)
    assert projection.figures["zombies"] == 800
    assert projection.steady_state.quantity == 800
    assert projection.steady_state.cost_per_month == D("8.00")
    assert total(projection) == "96.00"


def test_entities_that_live_four_hours_are_seventeen_and_not_eight_hundred() -> None:
    projection = entities(churn_per_day=D(100), lifetime_days=D(4) / 24, price=ENTITY, months=1)
    assert projection.figures["zombies"] == pytest.approx(D("16.6667"), rel=D("0.0001"))


def test_entities_with_a_long_life_grow_until_arrivals_leave_again() -> None:
    projection = entities(churn_per_day=D(10), lifetime_days=D(90), live=D(5), price=ENTITY, months=6)
    quantities = [row.quantity for row in projection.rows]
    assert quantities[0] < quantities[1] < quantities[2]
    assert quantities[2:] == [D(905)] * 4
    assert projection.steady_state.reached_month == 3


@pytest.mark.parametrize(
    ("months", "stock", "a_month_then", "cost"), [(12, 3650, "109.50", "658.80"), (36, 10950, "328.50", "5918.40")]
)
def test_logs_kept_for_ever_are_billed_for_all_that_is_kept(
    months: int, stock: int, a_month_then: str, cost: str
) -> None:
    projection = logs(gb_per_day=D(10), price=KEPT, months=months)
    assert projection.rows[-1].quantity == stock
    assert KEPT.of(projection.rows[-1].quantity, PriceUnit.PER_GB_MONTH) == D(a_month_then)
    assert total(projection) == cost
    assert projection.steady_state.quantity is None


def test_the_logs_of_a_day_cost_thirty_cents_for_each_month_that_they_are_kept() -> None:
    assert KEPT.of(D(10), PriceUnit.PER_GB_MONTH) == D("0.30")
    assert total(logs(gb_per_day=D(0), stored_gb=D(10), price=KEPT, months=12)) == "3.60"


def test_what_is_kept_for_ever_stays_though_nothing_comes_in() -> None:
    projection = logs(gb_per_day=D(0), stored_gb=D(1500), price=KEPT, months=12, growth_percent_per_month=D(5))
    assert {row.quantity for row in projection.rows} == {D(1500)}
    steady = projection.steady_state
    assert (steady.quantity, steady.cost_per_month, steady.reached_month) == (D(1500), D("45.00"), 1)
    leaves = logs(gb_per_day=D(0), stored_gb=D(1500), retention_days=45, price=KEPT, months=3).steady_state
    assert (leaves.quantity, leaves.cost_per_month, leaves.reached_month) == (D(0), D(0), 2)


def test_what_shrinks_by_all_of_it_is_there_for_a_month() -> None:
    end = D(-100)
    projection = logs(gb_per_day=D(10), price=KEPT, months=3, growth_percent_per_month=end)
    assert [row.quantity for row in projection.rows] == [D(300), D(300), D(300)]
    points = metrics(pods=D(1), series_per_pod=D(1), interval_seconds=D(60), price=POINTS, months=3,
                     growth_percent_per_month=end)  # fmt: skip
    assert [row.quantity for row in points.rows] == [D(43_200), 0, 0]


@pytest.mark.parametrize(("months", "cost"), [(12, "109.50"), (36, "328.50")])
def test_logs_as_the_analysis_reads_the_price(months: int, cost: str) -> None:
    once = Price(D("0.03"), PriceUnit.PER_GB_ONCE)
    assert total(logs(gb_per_day=D(10), price=once, months=months)) == cost


def test_thirty_days_of_logs_are_three_hundred_gigabytes_and_nine_dollars_a_month() -> None:
    projection = logs(gb_per_day=D(10), price=KEPT, retention_days=30, months=3)
    assert projection.rows[-1].quantity == 300
    assert projection.steady_state.cost_per_month == D("9.00")
    assert projection.steady_state.reached_month == 1


def test_ingest_costs_the_same_whatever_is_kept() -> None:
    price = Price(D("0.50"), PriceUnit.PER_GB_INGESTED)
    assert total(logs(gb_per_day=D(10), price=price, months=12)) == "1825.00"
    assert total(logs(gb_per_day=D(10), price=price, months=12, retention_days=30)) == "1825.00"


def test_what_is_stored_already_leaves_evenly() -> None:
    projection = logs(gb_per_day=D(0), price=KEPT, retention_days=60, stored_gb=D(600), months=3)
    assert [row.quantity for row in projection.rows] == [D(300), D(0), D(0)]


def test_a_price_of_another_kind_is_refused() -> None:
    with pytest.raises(WrongUnitError):
        metrics(**SEED_METRICS | {"price": KEPT}, months=1)
    with pytest.raises(WrongUnitError):
        logs(gb_per_day=D(1), price=ENTITY, months=1)
    with pytest.raises(WrongUnitError):
        entities(churn_per_day=D(1), lifetime_days=D(1), price=POINTS, months=1)


_gb = st.decimals(min_value=0, max_value=10_000, places=3)


@given(gb=_gb, stored=_gb, shorter=st.integers(0, 400), longer=st.integers(0, 400), growth=st.integers(-20, 50))
@settings(max_examples=examples(40), deadline=None)
def test_keeping_longer_never_costs_less_storage(gb: D, stored: D, shorter: int, longer: int, growth: int) -> None:
    few, many = sorted((shorter, longer))
    costs = [
        logs(gb_per_day=gb, stored_gb=stored, price=KEPT, retention_days=days, months=13,
             growth_percent_per_month=D(growth)).total_cost
        for days in (few, many, None)
    ]  # fmt: skip
    assert costs == sorted(costs, key=lambda cost: cost or 0)


@given(gb=_gb, days=st.integers(1, 120))
@settings(max_examples=examples(40), deadline=None)
def test_the_steady_state_is_rate_times_lifetime_and_is_reached_when_it_says(gb: D, days: int) -> None:
    projection = logs(gb_per_day=gb, price=KEPT, retention_days=days, months=6)
    steady = projection.steady_state
    assert steady.quantity == gb * days
    assert steady.reached_month is not None
    assert abs(projection.rows[steady.reached_month - 1].quantity - gb * days) <= gb  # a month's end is a whole day


@given(pods=st.integers(0, 1000), more=st.integers(0, 1000), interval=st.integers(1, 300), slower=st.integers(0, 300))
@settings(max_examples=examples(40), deadline=None)
def test_more_pods_never_send_fewer_points_and_longer_intervals_never_more(
    pods: int, more: int, interval: int, slower: int
) -> None:
    def points(count: int, seconds: int) -> D:
        asked = SEED_METRICS | {"pods": D(count), "interval_seconds": D(seconds)}
        return metrics(**asked, months=1).rows[0].quantity

    assert points(pods + more, interval) >= points(pods, interval)
    assert points(pods, interval + slower) <= points(pods, interval)


@pytest.mark.parametrize(
    ("amount", "text"), [("129.6", "129.60"), ("0", "0.00"), ("0.0000012", "0.000001"), ("-3.14159265", "-3.141593")]
)
def test_money_is_shown_exactly_and_with_two_decimals_at_least(amount: str, text: str) -> None:
    assert shown(D(amount)) == text


def test_what_grows_is_the_same_in_its_first_month_and_larger_by_its_share_in_each_that_follows() -> None:
    grown = metrics(**SEED_METRICS, months=3, growth_percent_per_month=D(10))
    assert [row.quantity for row in grown.rows] == [432_000_000, D("475200000"), D("522720000")]
    assert [row.cost for row in grown.rows] == [D("129.6"), D("142.56"), D("156.816")]
    assert grown.rows[-1].cumulative_cost == D("428.976")
    assert grown.steady_state.quantity is None  # it never stays
    stored = logs(gb_per_day=D(10), price=KEPT, months=3, days_per_month=D(30), growth_percent_per_month=D(10))
    assert [row.quantity for row in stored.rows] == [300, 630, 993]


@pytest.mark.parametrize(
    ("price", "costs"),
    [
        (Price(D("0.01"), PriceUnit.PER_ACTIVE_SERIES_MONTH), [D(50), D(100)]),
        (Price(D("0.5"), PriceUnit.PER_GB_INGESTED), [D("21.6"), D("43.2")]),
    ],
)
def test_every_price_of_metrics_follows_their_growth(price: Price, costs: list[D]) -> None:
    asked = SEED_METRICS | {"price": price}
    grown = metrics(**asked, months=2, growth_percent_per_month=D(100), bytes_per_point=D(100))
    assert [row.cost for row in grown.rows] == costs


def test_metrics_that_do_not_grow_stay_where_they_are_from_the_first_month() -> None:
    steady = metrics(**SEED_METRICS, months=3).steady_state
    assert (steady.quantity, steady.cost_per_month, steady.reached_month) == (D(432_000_000), D("129.6"), 1)


@pytest.mark.parametrize(
    ("unit", "replicas", "size", "told"),
    [
        (PriceUnit.PER_MILLION_POINTS, 2, None, []),
        (PriceUnit.PER_ACTIVE_SERIES_MONTH, 1, None, []),
        (PriceUnit.PER_ACTIVE_SERIES_MONTH, 2, None, ["Replicas of the scraper"]),
        (PriceUnit.PER_GB_INGESTED, 2, None, ["Bytes per data point"]),
        (PriceUnit.PER_GB_INGESTED, 2, D(8), []),
    ],
)
def test_what_is_assumed_of_a_price_is_said(unit: PriceUnit, replicas: int, size: D | None, told: list[str]) -> None:
    asked = SEED_METRICS | {"price": Price(D(1), unit), "replicas_of_scraper": D(replicas), "bytes_per_point": size}
    assumed = metrics(**asked, months=1).assumptions
    assert assumed[0] == "A month has 30 days."
    assert [each.startswith(start) for each, start in zip(assumed[1:], told, strict=True)] == [True] * len(told)


def test_a_cost_that_is_not_known_once_has_no_sum() -> None:
    projection = metrics(**SEED_METRICS | {"price": Price(D(1), PriceUnit.PER_GB_INGESTED)}, months=3)
    assert [row.cumulative_cost for row in projection.rows] == [None, None, None]
    assert projection.total_cost is None
    assert metrics(**SEED_METRICS, months=0).total_cost is None


@pytest.mark.parametrize(("days", "reached"), [(1, 1), (30, 1), (31, 2), (60, 2), (61, 3)])
def test_entities_stop_growing_in_the_month_in_which_the_first_leave(days: int, reached: int) -> None:
    projection = entities(
        churn_per_day=D(10), lifetime_days=D(days), price=ENTITY, months=3, live=D(7), days_per_month=D(30)
    )
    assert projection.steady_state.reached_month == reached
    assert [row.quantity for row in projection.rows] == [7 + 10 * min(days, 30 * month) for month in (1, 2, 3)]
    assert projection.figures == {"zombies": 10 * days, "zombie_cost_per_month": D("0.1") * days}


def test_a_month_is_a_twelfth_of_365_days() -> None:
    projection = entities(churn_per_day=D(12), lifetime_days=D(365), price=ENTITY, months=12)
    assert projection.rows[0].quantity == pytest.approx(D(365))
    assert projection.rows[-1].quantity == pytest.approx(D(4380))
    assert projection.steady_state.reached_month == 12


def test_what_leaves_is_what_came_in_so_many_days_ago() -> None:
    """Kept for a month, each month's end holds what the month brought."""
    grown = logs(gb_per_day=D(10), price=KEPT, retention_days=30, months=3, days_per_month=D(30),
                 growth_percent_per_month=D(10))  # fmt: skip
    assert [row.quantity for row in grown.rows] == [300, 330, 363]
    longer = logs(gb_per_day=D(10), price=KEPT, retention_days=45, months=3, days_per_month=D(30),
                  growth_percent_per_month=D(10))  # fmt: skip
    assert [row.quantity for row in longer.rows] == [300, 480, 528]  # half of the month before beside it
    assert grown.steady_state.quantity is None


def test_what_is_not_kept_at_all_costs_nothing_to_keep() -> None:
    none = logs(gb_per_day=D(10), stored_gb=D(90), price=KEPT, retention_days=0, months=2)
    assert [(row.quantity, row.cost) for row in none.rows] == [(D(0), D(0)), (D(0), D(0))]
    assert none.steady_state.reached_month == 1


INGESTED = Price(D("0.50"), PriceUnit.PER_GB_INGESTED)


@pytest.mark.parametrize(
    ("price", "stored", "days", "told"),
    [
        (KEPT, 0, 30, ["Stock is taken at each day's end"]),
        (KEPT, 5, None, ["Stock is taken at each day's end"]),
        (KEPT, 5, 30, ["Stock is taken at each day's end", "What is stored already is evenly old."]),
        (INGESTED, 0, 30, ["Each gigabyte is billed once"]),
    ],
)
def test_what_is_assumed_of_logs_is_said(price: Price, stored: int, days: int | None, told: list[str]) -> None:
    projection = logs(gb_per_day=D(10), stored_gb=D(stored), price=price, retention_days=days, months=1)
    assert [each.startswith(start) for each, start in zip(projection.assumptions, told, strict=True)] == [True] * len(
        told
    )
    assert ("stock" in projection.formula) is (price is KEPT)
    assert projection.figures["gb_per_month"] == pytest.approx(D(3650) / 12)


def test_logs_billed_as_they_come_cost_the_same_each_month_however_long_they_are_kept() -> None:
    projection = logs(gb_per_day=D(10), price=INGESTED, retention_days=45, months=2, days_per_month=D(30))
    steady = projection.steady_state
    assert (steady.quantity, steady.cost_per_month, steady.reached_month) == (D(450), D(150), 2)
