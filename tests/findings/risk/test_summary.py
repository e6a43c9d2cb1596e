"""The figures of a portfolio under the names of the API."""

import pytest

from findings.risk.distributions import Pert
from findings.risk.simulation import simulate, spread, together
from findings.risk.summary import summary
from platform_risk.quantities.sourced import Unknown
from tests.findings.risk.stated import risk, stated

OUTAGE = risk(
    frequency=Pert(1, 4, 7),
    users_affected=0.5,
    alert_probability=0.75,
    detect_alerted=4,
    detect_silent=60,
    recover=22,
    minute_value=10,
    slo=0.999,
)
FREE = OUTAGE.changed(minute_value=Unknown("", ""))


def test_before_anything_is_drawn_means_are_told_and_percentiles_are_not_known() -> None:
    assert summary([OUTAGE]) == {
        "open": 1,
        "annual_loss": {
            "mean": "800.00",
            "p5": None,
            "p50": None,
            "p90": None,
            "p95": None,
            "p99": None,
            "currency": "USD",
        },
        "bad_minutes_per_year": {"mean": pytest.approx(80), "p5": None, "p50": None, "p95": None},
        "hidden_share": pytest.approx(18 / 40),
        "error_budget_share": pytest.approx(80 / 525.96),
        "missing": [],
    }


def test_once_years_are_drawn_their_percentiles_are_told_and_the_mean_stays() -> None:
    samples = [simulate(OUTAGE, years=2000, seed=1)]
    told = summary([OUTAGE], samples)
    loss = together(samples)["USD"].loss
    assert loss is not None
    assert told["annual_loss"]["p95"] == f"{spread(loss).p95:.2f}"
    assert told["annual_loss"]["mean"] == "800.00"
    assert told["bad_minutes_per_year"]["p50"] == pytest.approx(spread(loss).p50 / 10)


def test_without_a_price_there_is_no_money_and_the_missing_input_is_named() -> None:
    told = summary([FREE, FREE], [simulate(FREE, years=10, seed=1)] * 2)
    assert told["annual_loss"] is None
    assert told["missing"] == [{"input": "minute_value", "findings": 2}]
    assert told["bad_minutes_per_year"]["mean"] == pytest.approx(160)


def test_losses_in_two_currencies_have_no_sum() -> None:
    costs = [risk(recurring_cost=96, currency=currency) for currency in ("USD", "EUR")]
    assert summary(costs)["annual_loss"] is None


def test_nothing_open_has_no_figures() -> None:
    told = summary([])
    assert told["open"] == 0
    assert {told[name] for name in ("annual_loss", "bad_minutes_per_year", "hidden_share", "error_budget_share")} == {
        None
    }


def test_a_stated_value_of_a_minute_gives_the_money_back() -> None:
    assert summary([FREE.changed(minute_value=stated(10))])["annual_loss"]["mean"] == "800.00"
