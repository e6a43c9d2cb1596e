"""What is unusual in daily spend: found with its size and its cause, and seldom where nothing is."""

from datetime import date, timedelta
from decimal import Decimal

import numpy as np

from costs.forecasting.anomalies import anomalies, unusual
from costs.forecasting.daily import Daily
from tests.costs.forecasting.test_forecast import MONDAY, weekly


def test_a_day_that_cost_more_is_found_with_its_size_and_what_made_it_so() -> None:
    storage, compute = weekly(120, level=40, noise=1, seed=2), weekly(120, level=60, noise=1, seed=3)
    compute[80] += 90
    parts: dict[tuple[str, ...], Daily] = {
        ("compute", "acct-1"): Daily(MONDAY, compute),
        ("storage", "acct-2"): Daily(MONDAY, storage),
    }
    (found,) = anomalies(Daily(MONDAY, storage + compute), parts)
    assert found.day == MONDAY + timedelta(days=80)
    assert abs(found.size - 90) < 12
    assert found.actual - found.usual == found.size
    assert [cause.key for cause in found.causes] == [("compute", "acct-1")]
    assert not found.stays
    assert found.services == ()


def test_what_the_whole_hides_is_found_in_its_service_where_it_matters() -> None:
    large, small = weekly(120, level=900, noise=3, seed=2), weekly(120, level=3, noise=0.05, seed=3)
    small[80:83] *= 14  # 39 of 900
    small[100] += 10  # 1 % of all: much for the service, nothing for those who pay
    other = weekly(120, level=40, noise=0.1, seed=4)
    other[80] += 20  # dearer on that day too, but not what the figures are of
    large[80] -= 20
    parts: dict[tuple[str, ...], Daily] = {
        ("compute", "acct-1"): Daily(MONDAY, large),
        ("network", "acct-1"): Daily(MONDAY, small),
        ("compute", "acct-2"): Daily(MONDAY, other),
    }
    (found,) = anomalies(Daily(MONDAY, large + small + other), parts)
    assert found.day == MONDAY + timedelta(days=80)
    assert abs(found.size - 39) < 3
    assert found.services == ("network",)
    assert [cause.key for cause in found.causes] == [("network", "acct-1")]


def test_a_level_that_moves_is_told_once_and_said_to_stay() -> None:
    values = weekly(150)
    values[90:] *= 1.6
    (found,) = anomalies(Daily(MONDAY, values), {})
    assert (found.day, found.stays) == (MONDAY + timedelta(days=90), True)


def test_a_day_that_cost_too_little_is_unusual_too() -> None:
    values = weekly(100)
    values[70] = 5.0
    (found,) = anomalies(Daily(MONDAY, values), {})
    assert found.size < Decimal(-50)


def test_week_ends_missing_days_and_monthly_charges_are_usual() -> None:
    values = weekly(200)
    values[values.size // 2] = np.nan
    firsts = Daily(MONDAY, values).days_of_month() == 1
    values[firsts] += 300
    assert list(anomalies(Daily(MONDAY, values), {})) == []
    values[firsts] -= 300
    at = (date(2026, 5, 1) - MONDAY).days
    values[at] += 300  # the first time it comes nobody can know
    assert [each.day for each in anomalies(Daily(MONDAY, values), {})] == [date(2026, 5, 1)]


def test_labelled_days_are_found_and_years_of_nothing_give_hardly_an_alarm() -> None:
    rng = np.random.default_rng(5)
    hits = misses = alarms = 0
    for number in range(20):
        values = weekly(365, noise=float(rng.uniform(1, 8)), trend=float(rng.uniform(-0.1, 0.2)), seed=number)
        labelled = set(rng.choice(np.arange(60, 360), size=3, replace=False).tolist())
        for at in labelled:
            values[at] *= float(rng.uniform(2.0, 3.0))
        found = set(unusual(values))
        hits += len(found & labelled)
        misses += len(labelled - found)
        alarms += len(found - labelled)
    assert hits / (hits + misses) > 0.9
    assert alarms < 10  # in twenty years


def test_too_short_a_past_has_no_usual() -> None:
    assert list(anomalies(Daily(MONDAY, weekly(20)), {})) == []
    assert list(anomalies(Daily(MONDAY, np.zeros(100)), {})) == []
