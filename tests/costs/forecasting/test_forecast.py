"""Forecasts of daily spend: what they promise of themselves, on series that are made here."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costs.forecasting.coherent import coherent
from costs.forecasting.daily import Daily, Floats, TooShortError, filled
from costs.forecasting.forecast import forecast
from costs.forecasting.models import COMBINED, NAIVE, naive_errors
from costs.forecasting.months import crossing, months
from tests.examples import examples

MONDAY = date(2026, 1, 5)


def weekly(days: int, *, level: float = 100.0, noise: float = 2.0, trend: float = 0.0, seed: int = 1) -> Floats:
    """Weekdays at the level, week-ends at 60 % of it."""
    rng = np.random.default_rng(seed)
    shape = np.resize([1.0, 1.0, 1.0, 1.0, 1.0, 0.6, 0.6], days)
    return np.asarray((level + trend * np.arange(days)) * shape + rng.normal(0, noise, days))


def test_a_working_week_goes_on_as_one_and_beats_the_week_before() -> None:
    found = forecast(Daily(MONDAY, weekly(200)), 14)
    assert found.model == COMBINED
    assert found.start == MONDAY + timedelta(days=200)
    assert found.backtest.mase is not None
    assert found.backtest.baseline_mase is not None
    assert found.backtest.mase < found.backtest.baseline_mase
    expected = weekly(214, noise=0)[200:]
    assert np.abs(found.mean - expected).max() < 5
    assert found.backtest.coverage_80 == pytest.approx(0.8, abs=0.15)
    assert found.backtest.origins == 3


def test_what_no_model_beats_is_forecast_as_the_week_before_and_says_so() -> None:
    fourteen = np.resize([3.0, 9.0, 1.0, 7.0, 2.0, 8.0, 5.0], 140)  # repeats exactly: nothing errs less than that
    found = forecast(Daily(MONDAY, fourteen), 7)
    assert found.model == NAIVE
    assert found.mean.tolist() == [3.0, 9.0, 1.0, 7.0, 2.0, 8.0, 5.0]
    assert any("like a week before" in note for note in found.notes)


@pytest.mark.parametrize(("days", "percent"), [(14, 4.5), (28, 1.7), (365, 0.5)])
def test_what_repeats_exactly_or_never_changes_is_sure_only_as_far_as_it_is_long(days: int, percent: float) -> None:
    for values in (np.full(days, 250.0), np.resize([3.0, 9.0, 1.0, 7.0, 2.0, 8.0, 5.0], days)):
        found = forecast(Daily(MONDAY, values), 31)
        low, high = found.bounds[80]
        assert 100 * (high[0] - found.mean[0]) / values.mean() == pytest.approx(percent, rel=0.1)
        assert ((low < found.mean) & (found.mean < high)).all()
        expected = crossing(found, Decimal(0), Decimal(10**6)).expected
        assert expected is not None
        assert 0.05 < crossing(found, Decimal(0), expected * Decimal("1.001")).probability < 0.5


@pytest.mark.parametrize("days", [1, 13])
def test_below_two_weeks_nothing_is_forecast_and_a_sentence_says_why(days: int) -> None:
    with pytest.raises(TooShortError, match=f"{days} days? of spend; a forecast takes at least 14"):
        forecast(Daily(MONDAY, weekly(days)), 30)
    with pytest.raises(TooShortError, match="no day"):
        Daily.of({})


def test_two_weeks_are_forecast_with_wider_intervals_and_no_backtest_is_made_up() -> None:
    found = forecast(Daily(MONDAY, weekly(14)), 30)
    assert found.model == NAIVE
    assert (found.backtest.mase, found.backtest.coverage_80, found.backtest.origins) == (None, None, 0)
    assert any("too few days" in note for note in found.notes)


def test_nothing_spent_is_forecast_as_nothing() -> None:
    found = forecast(Daily(MONDAY, np.zeros(60)), 30)
    assert found.mean.tolist() == [0.0] * 30
    assert all(high.max() < 1e-6 for _, high in found.bounds.values())
    assert found.backtest.mase is None  # over an error of zero


def test_missing_days_are_filled_from_their_weekday_and_told() -> None:
    values = weekly(120, noise=0)
    values[[30, 61, 62, 90]] = np.nan
    assert filled(values) == pytest.approx(weekly(120, noise=0))
    found = forecast(Daily(MONDAY, values), 7)
    assert any(note.startswith("4 days were missing") for note in found.notes)


def test_a_charge_on_the_first_of_each_month_comes_on_the_first_again() -> None:
    values = weekly(300)
    days = Daily(MONDAY, values).days_of_month(60)
    values[days[:300] == 1] += 500
    found = forecast(Daily(MONDAY, values), 60)
    firsts = days[300:] == 1
    assert found.mean[firsts].min() > 500
    assert found.mean[~firsts].max() < 150
    assert any("day 1 of each month" in note for note in found.notes)


def test_refunds_may_make_a_forecast_negative_and_spend_never_is() -> None:
    falling = weekly(120, trend=-0.8, noise=4)
    spend = forecast(Daily(MONDAY, np.maximum(falling, 0)), 120)
    assert min(low.min() for low, _ in spend.bounds.values()) == 0
    credit = forecast(Daily(MONDAY, falling - 40), 120)
    assert credit.bounds[80][0].min() < 0


@given(
    st.lists(st.one_of(st.floats(0, 1e9), st.just(float("nan"))), min_size=15, max_size=60),
    st.integers(1, 40),
)
@settings(max_examples=examples(25), deadline=None)
def test_intervals_lie_within_wider_ones_around_the_mean_whatever_the_series(values: list[float], days: int) -> None:
    series = Daily(MONDAY, np.array(values))
    if series.known < 14:
        return
    found = forecast(series, days, (95, 50, 80))
    bounds = [found.bounds[level] for level in (50, 80, 95)]
    for (low, high), (lower, higher) in pairwise(bounds):
        assert (lower <= low).all()
        assert (high <= higher).all()
    assert (bounds[0][0] <= found.mean).all()
    assert (found.mean <= bounds[0][1]).all()
    assert all((low >= 0).all() and np.isfinite(high).all() for low, high in bounds)


def test_parts_add_up_to_the_whole_to_the_last_digit() -> None:
    parts: dict[tuple[str, ...], Daily] = {
        ("ingest", "s3"): Daily(MONDAY, weekly(150, level=300, seed=2)),
        ("ingest", "kafka"): Daily(MONDAY, weekly(150, level=50, seed=3)),
        ("routing", "s3"): Daily(MONDAY, weekly(150, level=20, noise=9, seed=4)),
        ("new", "s3"): Daily(MONDAY + timedelta(days=140), weekly(10, level=5, seed=5)),
    }
    total = np.sum([each.values for each in list(parts.values())[:3]], axis=0)
    total[140:] += parts["new", "s3"].values
    found = coherent(Daily(MONDAY, total), parts, 30, (80,))
    by_team = [found.grouped(key for key in parts if key[0] == team) for team in ("ingest", "routing", "new")]
    by_service = [found.grouped(key for key in parts if key[1] == service) for service in ("s3", "kafka")]
    for groups in (by_team, by_service):
        assert tuple(sum(day, Decimal(0)) for day in zip(*groups, strict=True)) == found.means
    assert [float(day) for day in found.means] == pytest.approx(found.whole.mean.tolist(), abs=0.0001)
    assert found.parts["new", "s3"].own is None  # ten days are too few: it has its share of the whole


def test_months_know_their_days_and_what_was_spent_in_them_before() -> None:
    start = date(2028, 1, 10)  # a leap year
    found = forecast(Daily(start - timedelta(days=100), np.full(100, 10.0)), 80)
    january, february, march = months(found, (50, 95), known=Decimal(90))
    assert (january.first, january.days, january.mean) == (date(2028, 1, 1), 22, Decimal("310.0000"))
    assert (february.days, february.mean, february.is_whole) == (29, Decimal("290.0000"), True)
    assert (march.days, march.is_whole) == (29, False)
    assert january.bounds[95][0] <= january.bounds[50][0] <= january.mean <= january.bounds[50][1]


def test_sums_of_days_err_less_than_the_days_together_and_more_than_each_alone() -> None:
    found = forecast(Daily(MONDAY, weekly(200)), 28)
    _, day = found.sum(0, 1)
    _, four_weeks = found.sum(0, 28)
    assert day < four_weeks < 28 * day


def test_what_comes_in_bursts_is_in_every_month_and_makes_it_less_sure() -> None:
    values = weekly(300, noise=10)
    bursty = values.copy()
    bursty[np.random.default_rng(3).choice(300, size=15, replace=False)] += 150
    calm, wild = (forecast(Daily(MONDAY, each), 84) for each in (values, bursty))
    expected = 84 * float((bursty - values).mean())
    assert wild.sum(0, 84)[0] - calm.sum(0, 84)[0] == pytest.approx(expected, rel=0.3)
    assert (calm.model, wild.model) == (COMBINED, COMBINED)
    assert wild.sum(0, 84)[1] > 1.5 * calm.sum(0, 84)[1]


def test_errors_of_sums_in_the_past_are_those_of_the_week_before() -> None:
    values = np.random.default_rng(1).gamma(4, 10, 80)
    for days in (1, 5, 7, 10, 28):
        by_hand = [
            values[at : at + days].sum() - np.resize(values[at - 7 : at], days).sum()
            for at in range(21, len(values) - days + 1)
        ]
        assert naive_errors(values)(days) == pytest.approx(by_hand)


def test_what_comes_now_and_then_leaves_most_days_within_their_interval() -> None:
    values = weekly(200, level=100, noise=2)
    values[5::10] -= 130  # a credit every ten days
    found = forecast(Daily(MONDAY, values), 28)
    low, high = found.bounds[80]
    assert (low < found.mean).all()
    assert (found.mean < high).all()
    usual = weekly(228, level=100, noise=0)[200:]
    assert ((low < usual) & (usual < high)).mean() > 0.9
    assert found.backtest.coverage_80 is not None
    assert found.backtest.coverage_80 > 0.6


def test_a_budget_is_crossed_on_the_day_that_uses_it_up_with_a_probability() -> None:
    start = date(2026, 6, 11)
    found = forecast(Daily(start - timedelta(days=120), weekly(120, level=100)), 30)
    month = found.sum(0, 20)[0]
    tight = crossing(found, Decimal(900), Decimal(900) + Decimal(round(month * 0.5)))
    assert tight.on is not None
    assert date(2026, 6, 18) <= tight.on <= date(2026, 6, 23)
    assert tight.probability > 0.99
    ample = crossing(found, Decimal(900), Decimal(900) + Decimal(round(month * 2)))
    assert (ample.on, ample.is_crossed) == (None, False)
    assert ample.probability < 0.01
    even = crossing(found, Decimal(900), Decimal(900) + Decimal(round(month)))
    assert even.probability == pytest.approx(0.5, abs=0.2)
    assert crossing(found, Decimal(900), Decimal(800)).is_crossed
