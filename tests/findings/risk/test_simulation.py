"""Drawn years: they agree with what is known exactly, and a remedy meets the same luck as its absence."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from findings.risk.distributions import (
    Constant,
    Floats,
    GammaRate,
    LogNormal,
    Pert,
    normal_quantile,
    poisson_counts,
)
from findings.risk.expected import expected
from findings.risk.inputs import Factor, Inputs, Risk
from findings.risk.simulation import (
    MOST_EVENTS,
    DifferentYearsError,
    Sample,
    breach_probabilities,
    difference,
    exceedance,
    loss_avoided,
    minutes_avoided,
    no_event_share,
    share_above,
    simulate,
    spread,
    together,
)
from platform_risk.quantities.sourced import Unknown
from tests.examples import examples
from tests.findings.risk.stated import risk, stated

OUTAGE = risk(
    frequency=Pert(0.5, 2, 8),
    users_affected=Pert(0.05, 0.2, 0.6),
    alert_probability=0.6,
    detect_alerted=Pert(3, 5, 15),
    detect_silent=Pert(10, 45, 240),
    recover=Pert(5, 30, 180),
    minute_value=Pert(300, 450, 900),
    fixed_cost=LogNormal.from_interval(500, 8000),
    secondary_probability=0.1,
    secondary_cost=LogNormal.from_interval(5_000, 90_000),
    recurring_cost=1200,
    slo=0.999,
)


def of(sample: Sample) -> tuple[Floats, Floats]:
    assert sample.minutes is not None
    assert sample.loss is not None
    return sample.minutes, sample.loss


def within(values: Floats, mean: float, errors: float = 4.5) -> bool:
    """The mean of the values is that of the distribution, as far as so many draws can tell."""
    return abs(float(values.mean()) - mean) <= errors * float(values.std()) / math.sqrt(values.size)


def test_drawn_means_are_the_expected_ones() -> None:
    minutes, loss = of(simulate(OUTAGE, seed=7))
    exact = expected(OUTAGE)
    assert exact.bad_minutes is not None
    assert exact.annual_loss is not None
    assert within(minutes, exact.bad_minutes)
    assert within(loss, float(exact.annual_loss))


@pytest.mark.parametrize("factor", [Factor(30, 0, 0), Factor(0, 5, 0), Factor(0, 0, 0.1), Factor(30, 5, 0.1)])
def test_what_raises_every_risk_raises_the_drawn_years_as_the_expected(factor: Factor) -> None:
    sample = simulate(OUTAGE, seed=7, factor=factor)
    exact = expected(OUTAGE, factor).bad_minutes
    assert exact is not None
    assert within(of(sample)[0], exact)


def test_the_same_seed_gives_the_same_years_and_another_seed_others() -> None:
    first, again, other = (of(simulate(OUTAGE, years=500, seed=seed))[1] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_two_risks_do_not_share_their_luck() -> None:
    one, two = (of(simulate(replace(OUTAGE, key=key), years=20_000, seed=1))[1] for key in ("one", "two"))
    assert abs(float(np.corrcoef(one, two)[0, 1])) < 0.03


def test_without_a_price_years_have_minutes_and_no_money() -> None:
    unknown = Unknown("never stated", "a fact")
    free = OUTAGE.changed(minute_value=unknown, fixed_cost=unknown, secondary_cost=unknown, recurring_cost=unknown)
    sample = simulate(free, years=100, seed=1)
    assert sample.loss is None
    assert sample.minutes is not None


def test_what_only_costs_costs_the_same_each_year() -> None:
    sample = simulate(risk(recurring_cost=96), years=3, seed=1)
    assert (sample.minutes, sample.events) == (None, None)
    assert sample.loss is not None
    assert sample.loss.tolist() == [96, 96, 96]


def test_a_cost_of_each_event_needs_no_minutes() -> None:
    sample = simulate(risk(frequency=2, fixed_cost=10), years=1000, seed=1)
    assert sample.minutes is None
    assert sample.loss is not None
    assert sample.events is not None
    assert np.array_equal(sample.loss, sample.events * 10.0)


def test_nothing_known_draws_nothing() -> None:
    sample = simulate(Risk("nothing", Inputs()), years=10, seed=1)
    assert (sample.minutes, sample.loss, sample.events) == (None, None, None)
    assert no_event_share(sample) is None


def test_a_year_with_very_many_events_keeps_its_mean() -> None:
    busy = OUTAGE.changed(frequency=stated(300))
    sample = simulate(busy, years=5_000, seed=3)
    assert sample.events is not None
    assert int(sample.events.min()) > MOST_EVENTS
    exact = expected(busy).bad_minutes
    assert exact is not None
    assert within(of(sample)[0], exact)


@pytest.mark.parametrize("rate", [0.0, 0.01, 2.0, 29.9, 30.1, 400.0])
def test_counts_have_the_mean_and_the_variance_of_poisson(rate: float) -> None:
    ranks = (np.arange(200_000) + 0.5) / 200_000
    counts = poisson_counts(np.full(ranks.size, rate), ranks)
    assert counts.mean() == pytest.approx(rate, rel=1e-3)
    assert counts.var() == pytest.approx(rate, rel=6e-3)


def test_counts_of_many_events_are_those_of_the_exact_distribution() -> None:
    ranks = (np.arange(20_000) + 0.5) / 20_000
    rate = 31.0
    terms = [math.exp(k * math.log(rate) - rate - math.lgamma(k + 1)) for k in range(200)]
    exact = np.searchsorted(np.cumsum(terms), ranks)
    assert float(np.abs(poisson_counts(np.full(ranks.size, rate), ranks) - exact).mean()) < 0.01


def test_what_an_event_consists_of_is_drawn_independently() -> None:
    detect, recover = Pert(1, 20, 100), Pert(5, 30, 200)
    one = risk(frequency=2, users_affected=1, alert_probability=1, detect_alerted=detect, recover=recover)
    minutes = simulate(one, years=200_000, seed=8).minutes
    assert minutes is not None
    variance = sum((each.mean - each.lo) * (each.hi - each.mean) / 7 for each in (detect, recover))
    of_sum = 2 * (variance + (detect.mean + recover.mean) ** 2)  # λ E[X²]
    assert float(minutes.var()) == pytest.approx(of_sum, rel=0.012)


@pytest.mark.parametrize(
    "distribution",
    [
        Pert(10, 20, 60),
        Pert(0, 0, 1),
        Pert(3, 9, 9),
        LogNormal.from_interval(1e4, 1e5),
        GammaRate(3.5, 3),
        GammaRate(0.5, 1),
        GammaRate(0.05, 1),
        GammaRate(99, 3),
        GammaRate(200, 3),
        GammaRate(1e8, 365),
    ],
)
def test_evenly_spaced_ranks_have_the_mean_and_rise(distribution: Pert | LogNormal | GammaRate) -> None:
    drawn = distribution.quantile((np.arange(200_000) + 0.5) / 200_000)
    assert drawn.mean() == pytest.approx(distribution.mean, rel=3e-4)
    assert (np.diff(drawn) >= 0).all()
    least, most = distribution.bounds
    assert least <= drawn[0] <= drawn[-1] <= most


def test_a_rank_may_be_0_or_1() -> None:
    assert Pert(10, 20, 60).quantile(np.array([0.0, 1.0])).tolist() == [10, 60]
    assert np.isfinite(normal_quantile(np.array([0.0, 1.0]))).all()


def test_a_spread_tells_mean_percentiles_and_the_worst_twentieth() -> None:
    found = spread(np.arange(1, 101, dtype=float))
    assert (found.mean, found.p50, found.expected_shortfall) == (50.5, 50.5, 98)
    assert (found.p5, found.p90, found.p95, found.p99) == pytest.approx((5.95, 90.1, 95.05, 99.01))


def test_the_curve_falls_and_tells_for_each_amount_how_many_years_exceed_it() -> None:
    _, loss = of(simulate(OUTAGE, years=20_000, seed=5))
    curve = exceedance(loss)
    amounts, above = [point[0] for point in curve], [point[1] for point in curve]
    assert 50 < len(curve) <= 120
    assert amounts == sorted(set(amounts))
    assert above == sorted(above, reverse=True)
    assert (amounts[0], amounts[-1], above[-1]) == (loss.min(), loss.max(), 0)
    assert all(probability == share_above(loss, amount) for amount, probability in curve)


def test_breaking_the_objective_is_told_of_a_services_risks_together() -> None:
    strict = OUTAGE.changed(slo=stated(0.9998))
    risks = [replace(strict, key="one"), replace(strict, key="two"), replace(strict, key="three", service="search")]
    samples = [simulate(each, years=20_000, seed=1) for each in risks]
    found = breach_probabilities(risks, samples)
    shop = of(samples[0])[0] + of(samples[1])[0]
    assert set(found) == {"shop", "search"}
    assert found["shop"] == pytest.approx(np.mean(shop > 0.0002 * 525_960))
    assert 0 < found["search"] < found["shop"] < 1


def test_a_portfolio_sums_year_by_year_and_keeps_currencies_apart() -> None:
    euros = replace(OUTAGE, key="two", inputs=replace(OUTAGE.inputs, currency="EUR"))
    one, two = (simulate(each, years=50, seed=1) for each in (OUTAGE, euros))
    found = together([one, two, two])
    assert sorted(found) == ["EUR", "USD"]
    assert np.array_equal(of(found["USD"])[1], of(one)[1])
    assert of(found["EUR"])[1] == pytest.approx(2 * of(two)[1])
    assert of(found["EUR"])[0] == pytest.approx(of(one)[0] + 2 * of(two)[0])
    assert together([]) == {}


def test_years_of_other_seeds_are_not_put_together() -> None:
    one, two = (simulate(OUTAGE, years=10, seed=seed) for seed in (1, 2))
    with pytest.raises(DifferentYearsError):
        together([one, two])
    with pytest.raises(DifferentYearsError):
        minutes_avoided(one, two)
    with pytest.raises(DifferentYearsError):
        difference(np.zeros(2), np.zeros(3))
    euros = replace(OUTAGE, inputs=replace(OUTAGE.inputs, currency="EUR"))
    with pytest.raises(DifferentYearsError):
        loss_avoided(one, simulate(euros, years=10, seed=1))


def test_a_remedy_that_changes_nothing_avoids_exactly_nothing() -> None:
    one = simulate(OUTAGE, years=1000, seed=1)
    found = minutes_avoided(one, simulate(OUTAGE, years=1000, seed=1))
    assert found is not None
    assert (found.avoided.mean, found.standard_error, found.better_share, found.worse_share) == (0, 0, 0, 0)


def test_a_remedy_is_told_far_more_exactly_by_the_same_years_than_by_others() -> None:
    quicker = OUTAGE.changed(detect_alerted=stated(Pert(1, 2, 6)))
    before, after, elsewhere = (
        simulate(OUTAGE, years=20_000, seed=1),
        simulate(quicker, years=20_000, seed=1),
        simulate(quicker, years=20_000, seed=2),
    )
    paired = minutes_avoided(before, after)
    assert paired is not None
    now, then = expected(OUTAGE).bad_minutes, expected(quicker).bad_minutes
    assert now is not None
    assert then is not None
    assert abs(paired.avoided.mean - (now - then)) < 4.5 * paired.standard_error
    assert paired.worse_share == 0
    assert paired.standard_error * 10 < difference(of(before)[0], of(elsewhere)[0]).standard_error


def test_the_difference_of_money_is_none_where_one_side_has_no_price() -> None:
    free = OUTAGE.changed(
        **{name: Unknown("", "") for name in ("minute_value", "fixed_cost", "secondary_cost", "recurring_cost")}
    )
    assert loss_avoided(simulate(OUTAGE, years=10, seed=1), simulate(free, years=10, seed=1)) is None


ranges = st.tuples(st.floats(0.01, 20), st.floats(0, 20), st.floats(0, 100)).map(
    lambda given_: Pert(given_[0], given_[0] + given_[1], given_[0] + given_[1] + given_[2])
)


def scaled(one: Pert, by: float) -> Pert:
    return Pert(one.lo * by, one.mode * by, one.hi * by)


@settings(max_examples=examples(40))
@given(ranges, ranges, st.floats(1, 5), st.sampled_from(["frequency", "detect", "recover", "users"]))
def test_in_every_single_year_more_frequent_longer_or_wider_never_loses_less(
    frequency: Pert, recover: Pert, more: float, what: str
) -> None:
    users = Pert(0.01, 0.05, 0.2)

    def years(**changed: Any) -> tuple[Floats, Floats]:
        inputs: dict[str, Any] = {
            "frequency": frequency,
            "users_affected": users,
            "recover": recover,
            "detect_alerted": recover,
        }
        fixed: dict[str, Any] = {"alert_probability": 1, "minute_value": 3, "fixed_cost": Pert(1, 2, 5)}
        return of(simulate(risk(**(inputs | fixed | changed)), years=400, seed=11))

    changes: dict[str, dict[str, Any]] = {
        "frequency": {"frequency": scaled(frequency, more)},
        "detect": {"detect_alerted": scaled(recover, more)},
        "recover": {"recover": scaled(recover, more)},
        "users": {"users_affected": scaled(users, more)},
    }
    for before, after in zip(years(), years(**changes[what]), strict=True):
        assert (after >= before * (1 - 1e-9)).all()


def test_two_halves_of_a_finding_have_the_mean_of_the_whole() -> None:
    whole = OUTAGE.changed(recurring_cost=Unknown("", ""))
    half = whole.changed(frequency=stated(Pert(0.25, 1, 4)))
    halves = together([simulate(replace(half, key=key), seed=1) for key in ("left", "right")])["USD"]
    exact = expected(whole)
    assert exact.bad_minutes is not None
    assert exact.annual_loss is not None
    assert within(of(halves)[0], exact.bad_minutes)
    assert within(of(halves)[1], float(exact.annual_loss))


def test_an_absurd_frequency_is_counted_and_not_refused() -> None:
    wild = risk(frequency=LogNormal(0, 9), fixed_cost=1)
    sample = simulate(wild, years=2000, seed=1)
    assert sample.events is not None
    assert sample.loss is not None
    assert np.isfinite(sample.loss).all()
    assert int(sample.events.min()) == 0


def test_a_constant_is_drawn_as_itself() -> None:
    assert Constant(3).quantile(np.array([0.1, 0.9])).tolist() == [3, 3]
