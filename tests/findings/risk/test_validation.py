"""Figures that others published, or that follow from a closed form, V1 to V12 of docs/risk-model.md."""

import math
from decimal import Decimal

import numpy as np
import pytest

from findings.checks import cell_failover, db_connections, kafka_consumers
from findings.checks.autoscaling import Policy
from findings.checks.autoscaling import simulate as scale_up
from findings.risk.bands import Band
from findings.risk.benefit import payback_years, return_on_investment
from findings.risk.distributions import PRIOR, Floats, GammaRate, LogNormal, Pert, normal_quantile, poisson_counts
from findings.risk.expected import expected, marginal_minutes, total
from findings.risk.inputs import Factor
from findings.risk.matrix import Matrix, Scale, misplaced
from findings.risk.simulation import no_event_share, share_above, simulate, spread
from platform_risk.quantities import budget
from platform_risk.quantities.pricing import Price, PriceUnit
from platform_risk.quantities.projections import entities, logs, metrics
from tests.findings.risk.stated import incident, risk

SEVERITY = LogNormal.from_interval(10_000, 100_000)


def uniform(years: int, seed: int) -> Floats:
    return np.random.default_rng(seed).random(years)


def test_v1_the_rating_of_owasp() -> None:
    scale = Scale("level", "points", (3, 6), (0.01, 9), by_decades=False)
    low, medium, high, critical = Band
    rating = Matrix("owasp", scale, scale, ((low, low, medium), (low, medium, high), (medium, high, critical)))
    likelihood, technical, business = (
        sum(factors) / len(factors) for factors in ((5, 2, 7, 1, 3, 6, 9, 2), (9, 7, 5, 8), (1, 2, 1, 5))
    )
    assert (likelihood, technical, business) == (4.375, 7.25, 2.25)
    assert rating.place(likelihood, technical) == (2, 3, Band.HIGH)
    assert rating.place(likelihood, business) == (2, 1, Band.LOW)


SHEET = [incident(30, 120, 0.2, 120), incident(1440, 30, 0.02, 90), incident(5, 120, 0.5, 180)]


@pytest.mark.parametrize(("number", "minutes"), list(enumerate([91.3125, 119.315, 126.822917])))
def test_v2_bad_minutes_of_the_cre_sheet(number: int, minutes: float) -> None:
    assert expected(SHEET[number]).bad_minutes == pytest.approx(minutes, abs=1e-6)


def test_v2_the_sheet_together_against_its_budget() -> None:
    found = total(SHEET)
    assert found.bad_minutes == pytest.approx(337.450417, abs=1e-6)
    assert budget.minutes_a_year(0.995) == pytest.approx(2629.8)
    assert found.budget_share == pytest.approx(337.450417 / 2629.8, abs=1e-9)
    assert not any(expected(each).too_much_for_one for each in SHEET)  # none takes 657.45


@pytest.mark.parametrize(
    ("factor", "minutes"),
    [
        (Factor(detect_minutes=30), 51.135),
        (Factor(recover_minutes=5), 8.5225),
        (Factor(frequency_share=0.1), 33.745042),
    ],
)
def test_v2_what_a_factor_adds(factor: Factor, minutes: float) -> None:
    assert marginal_minutes(SHEET, factor) == pytest.approx(minutes, abs=1e-6)
    added = factor.detect_minutes + factor.recover_minutes
    rates = [(each.inputs.of("frequency"), each.inputs.of("users_affected")) for each in SHEET]
    hit = sum(rate.mean * users.mean for rate, users in rates if rate is not None and users is not None)
    closed = (1 + factor.frequency_share) * added * hit + factor.frequency_share * 337.450417
    assert marginal_minutes(SHEET, factor) == pytest.approx(closed, abs=1e-6)


def test_v2_factors_together_are_more_than_their_sum() -> None:
    found = total(SHEET, Factor(30, 5, 0.1)).bad_minutes
    assert found == pytest.approx(436.818708, abs=1e-6)
    assert found is not None
    assert found > 337.450417 + 51.135 + 8.5225 + 33.745042


def test_v3_eight_incidents_of_the_cre_sheet() -> None:
    more = [
        incident(5, 120, 1, 365),
        incident(240, 10, 0.15, 180),
        incident(5, 510, 1, 1460),
        incident(5, 40, 0.5, 365),
        incident(2, 30, 1, 730),
    ]
    each = [expected(one).bad_minutes for one in more]
    assert each == pytest.approx([125.0856, 76.0938, 128.8382, 22.5154, 16.0110], abs=6e-5)
    found = total([*SHEET, *more])
    assert found.bad_minutes == pytest.approx(705.9943, abs=5e-5)
    assert found.hidden_share == pytest.approx(223.0221 / 705.9943, abs=1e-6)
    assert found.hidden_share == pytest.approx(0.3159, abs=5e-5)
    assert budget.minutes_a_year(0.999) == pytest.approx(525.96)
    assert budget.minutes_a_year(0.999) < 705.9943 < budget.minutes_a_year(0.995)


def test_v4_the_examples_of_pyfair() -> None:
    assert expected(risk(frequency=100, fixed_cost=1000)).annual_loss == Decimal("100000.00")
    contacts = risk(frequency=200, users_affected=0.25, alert_probability=1, detect_alerted=0, recover=1)
    assert expected(contacts).bad_minutes == 50
    threat, control = np.array([0.6, 0.7, 0.1]), np.array([0.55, 0.65, 0.75])
    assert share_above(threat, control) == pytest.approx(2 / 3)
    found = spread(5e6 * (0.3 + 0.1 * normal_quantile(uniform(400_000, 4))))
    assert (found.mean, found.p5, found.p95) == pytest.approx((1.5e6, 0.676e6, 2.32e6), rel=0.005)


def test_v5_a_lognormal_from_an_interval() -> None:
    assert SEVERITY.mu == pytest.approx(10.361633, abs=1e-6)
    assert SEVERITY.sigma == pytest.approx(0.699936, abs=1e-6)
    assert math.exp(SEVERITY.mu) == pytest.approx(31_622.78, abs=0.01)
    assert SEVERITY.mean == pytest.approx(40_400.13, abs=0.01)
    assert 0.4 * SEVERITY.mean == pytest.approx(16_160.05, abs=0.01)


@pytest.mark.parametrize(("level", "value"), [(0.95, 70_742.66), (0.99, 124_677.12), (0.999, 225_568.10)])
def test_v5_value_at_risk_of_at_most_one_event(level: float, value: float) -> None:
    rank = np.array([1 - (1 - level) / 0.4])
    assert SEVERITY.quantile(rank)[0] == pytest.approx(value, rel=1e-4)


def test_v5_drawn_years_of_at_most_one_event() -> None:
    happens = uniform(400_000, 5) < 0.4
    found = spread(np.where(happens, SEVERITY.quantile(uniform(400_000, 6)), 0))
    assert (found.mean, found.p95, found.p99) == pytest.approx((16_160.05, 70_742.66, 124_677.12), rel=0.015)


def test_v6_frequency_and_severity_of_a_thousand_restaurants() -> None:
    frequency, severity = 23 / 1000, (20 * 25_000 + 3 * 500_000) / 23
    assert severity == pytest.approx(86_957, abs=0.5)
    assert expected(risk(frequency=frequency, fixed_cost=severity)).annual_loss == Decimal("2000.00")


def test_v7_what_costs_a_hundred_thousand_and_saves_two_pays_back_in_fifty_years() -> None:
    now, after, cost = Decimal(2000), Decimal(0), Decimal(100_000)
    assert payback_years(now, after, cost) == 50
    assert return_on_investment(now, after, cost) == Decimal("-0.98")
    assert payback_years(after, now, cost) is None
    assert return_on_investment(now, after, Decimal(0)) is None


@pytest.mark.parametrize(("rate", "hours", "share"), [(14.4, 1, 0.02), (6, 6, 0.05), (1, 72, 0.10)])
def test_v8_burn_rates_of_the_sre_workbook(rate: float, hours: float, share: float) -> None:
    assert budget.burned(rate, hours * 60, 30) == pytest.approx(share)


def test_v8_how_soon_an_alert_on_the_burn_rate_fires() -> None:
    assert budget.minutes_of(0.999, 30) == pytest.approx(43.2)
    assert budget.minutes_until_alert(0.999, 1, 60, 14.4) == pytest.approx(0.864)
    assert budget.minutes_until_alert(0.999, 0.1, 60, 14.4) == pytest.approx(8.64)
    assert budget.minutes_until_alert(0.999, 0.01, 60, 14.4) is None


@pytest.mark.parametrize("slo", [0, 1, 99.9])
def test_an_objective_outside_0_and_1_is_refused(slo: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        budget.minutes_a_year(slo)


def test_v9_a_compound_poisson_sum() -> None:
    sample = simulate(risk(frequency=2, fixed_cost=SEVERITY), years=400_000, seed=9)
    assert sample.loss is not None
    found = spread(sample.loss)
    assert found.mean == pytest.approx(80_800.26, rel=0.007)  # six standard errors
    assert found.standard_deviation == pytest.approx(72_992.88, rel=0.01)
    assert no_event_share(sample) == pytest.approx(0.135335, abs=0.002)


def test_v9b_three_incidents_in_two_years_after_next_to_no_knowledge() -> None:
    known = PRIOR.after(3, 2)
    assert known == GammaRate(3.5, 3)
    assert known.mean == pytest.approx(1.16667, abs=1e-5)
    assert known.quantile(np.array([0.05, 0.95])).tolist() == pytest.approx([0.361, 2.345], abs=5e-4)
    assert known.no_event == pytest.approx(0.365354, abs=1e-6)
    counts = poisson_counts(known.quantile(uniform(400_000, 1)), uniform(400_000, 2))
    assert float(np.mean(counts == 0)) == pytest.approx(0.365354, abs=0.004)


def test_v9c_a_range_with_a_likely_value() -> None:
    assert Pert(10, 20, 60).mean == 25
    assert Pert(10, 20, 60).shape == pytest.approx((1.8, 4.2))


@pytest.mark.parametrize(("one", "other"), [((10, 2, 5), (2, 10, 5)), ((6, 4, 5), (10, 3, 4))])
def test_v10_products_of_ranks_tie_what_amounts_tell_apart(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    assert math.prod(one) == math.prod(other)

    def loss(ranks: tuple[int, ...]) -> Decimal:
        # Amounts behind the ranks: half a decade of money and a third of a decade of frequency each.
        severity, occurrence, _ = ranks
        found = expected(risk(frequency=10 ** (occurrence / 3 - 2), fixed_cost=10 ** (severity / 2 + 1))).annual_loss
        assert found is not None
        return found

    assert max(loss(one), loss(other)) > 1.1 * float(min(loss(one), loss(other)))


def test_v11_a_matrix_may_be_worse_than_a_coin() -> None:
    halves = Scale("half", "share", (0.5,), (0, 1), by_decades=False)
    two = Matrix("cox", halves, halves, ((Band.LOW, Band.MEDIUM), (Band.MEDIUM, Band.HIGH)))
    consequence = 0.75 * uniform(200_000, 3)
    probability = 0.75 - consequence
    risks = probability * consequence
    low = (consequence < 0.5) & (probability < 0.5)
    assert risks[~low].max() <= 0.125 <= risks[low].min()
    assert risks.max() == pytest.approx(0.140625, abs=1e-6)
    reversed_share, tied_share = misplaced(two, probability, consequence)
    assert reversed_share > 0.4
    assert reversed_share + tied_share == pytest.approx(1)  # no pair that it tells apart is in the right order


def test_v12_costs_of_the_analysis() -> None:
    points = Price(Decimal("0.30"), PriceUnit.PER_MILLION_POINTS)

    def metered(environments: int, months: int) -> Decimal | None:
        return metrics(
            pods=Decimal(50),
            series_per_pod=Decimal(100),
            interval_seconds=Decimal(30),
            price=points,
            months=months,
            environments=Decimal(environments),
        ).total_cost

    assert (metered(1, 1), metered(3, 1), metered(3, 12)) == (
        Decimal("129.60"),
        Decimal("388.80"),
        Decimal("4665.60"),
    )
    entity = Price(Decimal("0.01"), PriceUnit.PER_ENTITY_MONTH)
    zombies = entities(churn_per_day=Decimal(100), lifetime_days=Decimal(8), price=entity, months=12)
    assert zombies.total_cost == 96
    once, kept = (Price(Decimal("0.03"), unit) for unit in (PriceUnit.PER_GB_ONCE, PriceUnit.PER_GB_MONTH))
    assert logs(gb_per_day=Decimal(10), price=once, months=12).total_cost == Decimal("109.5")
    accumulated = logs(gb_per_day=Decimal(10), price=kept, months=12)
    assert accumulated.total_cost == pytest.approx(Decimal(658), abs=1)
    assert accumulated.rows[-1].quantity * Decimal("0.03") == Decimal("109.5")
    month_of_logs = logs(gb_per_day=Decimal(10), price=kept, months=12, retention_days=30)
    assert month_of_logs.steady_state.cost_per_month == 9


@pytest.mark.parametrize(("slo", "a_minute", "three"), [(0.99, 0.00231, 0.00694), (0.999, 0.0231, 0.0694)])
def test_v12_the_burn_of_the_analysis_fits_99_percent(slo: float, a_minute: float, three: float) -> None:
    burned = budget.burned_per_minute(slo, 1, 30)
    assert burned == pytest.approx(a_minute, rel=0.0025)
    assert 3 * burned == pytest.approx(three, rel=0.0025)


def test_v12_cells_pods_connections_and_partitions_of_the_analysis() -> None:
    assert cell_failover.survivor_load_percent([60, 40]) == pytest.approx(250)
    steps = scale_up(2, 50, (Policy("Percent", 100, 30),))
    assert steps[-1][1] == 50  # not 64: there is an upper bound
    assert scale_up(2, 64, (Policy("Percent", 100, 30),))[-1] == (120, 64)  # the first step at once, then four
    needed = db_connections.connections_needed([(50, 1, 20)] * 2)
    assert (needed, db_connections.refused_percent(needed, 1000)) == (2000, 50)
    assert kafka_consumers.unserved_partitions(12, 7) == 5  # only where workers are pinned to partitions
    assert kafka_consumers.busiest(12, 7) * 7 >= 12  # a group assigns every partition
