"""What a risk is expected to cost in a year, and that nothing unknown becomes a figure."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findings.risk.benefit import avoided_per_day
from findings.risk.distributions import Constant, Distribution, GammaRate, LogNormal, Pert, days_between
from findings.risk.expected import Expected, expected, total
from findings.risk.inputs import NO_FACTOR, Confidence, Estimated, Factor, Inputs, Risk, input_hash
from platform_risk.quantities.sourced import Place, Source, Unknown
from tests.findings.risk.stated import incident, risk, stated

OUTAGE = risk(
    frequency=4,
    users_affected=0.5,
    alert_probability=0.75,
    detect_alerted=4,
    detect_silent=60,
    recover=22,
    slo=0.999,
)


def minutes(one: Risk) -> float:
    found = expected(one).bad_minutes
    assert found is not None
    return found


def test_time_to_detect_is_weighed_by_the_probability_of_an_alert() -> None:
    found = expected(OUTAGE)
    assert found.bad_minutes == pytest.approx(4 * 0.5 * (0.75 * 4 + 0.25 * 60 + 22))
    assert found.hidden_share == pytest.approx(18 / 40)
    assert found.budget_share == pytest.approx(80 / 525.96)


def test_minutes_need_no_price_and_money_is_not_made_up() -> None:
    found = expected(OUTAGE)
    assert found.bad_minutes is not None
    assert (found.annual_loss, found.loss_per_event) == (None, None)
    assert found.missing == ("minute_value",)


@pytest.mark.parametrize("source", [Source.ASSUMPTION, Source.PROVIDER_DEFAULT])
def test_a_default_never_makes_money(source: Source) -> None:
    found = expected(OUTAGE.changed(minute_value=stated(450, source), fixed_cost=stated(100, source)))
    assert found.annual_loss is None
    assert "minute_value" in found.missing


def test_a_minute_with_a_value_makes_money_to_the_cent() -> None:
    assert expected(OUTAGE.changed(minute_value=stated(12.34))).annual_loss == Decimal("987.20")


def test_a_stated_cost_makes_money_without_the_value_of_a_minute() -> None:
    found = expected(OUTAGE.changed(fixed_cost=stated(1000)))
    assert found.annual_loss == Decimal("4000.00")
    assert "minute_value" in found.missing


def test_no_amount_is_too_large_to_be_told() -> None:
    assert expected(risk(frequency=1e20, fixed_cost=1e20)).annual_loss == Decimal("1e40")


def test_secondary_and_recurring_costs_are_added() -> None:
    one = OUTAGE.changed(
        minute_value=stated(10),
        secondary_probability=stated(0.1),
        secondary_cost=stated(5000),
        recurring_cost=stated(7),
    )
    assert expected(one).annual_loss == Decimal("2807.00")  # 80 × 10 + 4 × 0.1 × 5000 + 7


def test_what_only_costs_has_money_no_minutes_and_lacks_nothing() -> None:
    found = expected(risk(recurring_cost=4665.6))
    assert (found.annual_loss, found.bad_minutes, found.hidden_share) == (Decimal("4665.60"), None, None)
    assert found.missing == ()


@pytest.mark.parametrize(
    "name", ["frequency", "users_affected", "alert_probability", "detect_alerted", "detect_silent", "recover"]
)
def test_without_one_of_its_inputs_there_are_no_minutes_and_the_input_is_named(name: str) -> None:
    found = expected(OUTAGE.changed(**{name: Unknown("never measured", "a fact")}))
    assert (found.bad_minutes, found.hidden_share, found.budget_share) == (None, None, None)
    assert name in found.missing


def test_a_time_that_never_counts_need_not_be_known() -> None:
    unknown = Unknown("never measured", "a fact")
    always = OUTAGE.changed(alert_probability=stated(1), detect_silent=unknown)
    never = OUTAGE.changed(alert_probability=stated(0), detect_alerted=unknown)
    assert (minutes(always), minutes(never)) == (52, 164)


def test_every_term_of_a_figure_says_where_it_stands() -> None:
    place = Place("platform-risk.yaml", 7)
    frequency: Estimated[Distribution] = Estimated(
        Constant(4), Source.FACTS, place, "three of last year", "alice", date(2026, 5, 4), Confidence.HIGH
    )
    (shown,) = expected(OUTAGE.changed(frequency=frequency)).quantities
    told = shown.as_json()
    assert told["name"] == "bad_minutes_per_year"
    assert told["value"] == 80
    assert [each["name"] for each in told["inputs"]] == [
        "frequency",
        "users_affected",
        "alert_probability",
        "detect_alerted",
        "detect_silent",
        "recover",
    ]
    assert told["inputs"][0] | {"value": 4, "path": "platform-risk.yaml", "line": 7} == told["inputs"][0]


def test_a_quarter_of_the_budget_is_too_much_for_one_risk() -> None:
    assert not expected(OUTAGE).too_much_for_one
    assert expected(OUTAGE.changed(frequency=stated(7))).too_much_for_one


def test_totals_say_which_input_would_price_how_many_risks() -> None:
    unknown = Unknown("never measured", "a fact")
    found = total([OUTAGE, OUTAGE.changed(recover=unknown), OUTAGE.changed(minute_value=stated(1))])
    assert found.missing == {"minute_value": 2, "recover": 1}
    assert found.bad_minutes == pytest.approx(160)
    assert found.annual_loss == {"USD": Decimal("80.00")}


def test_currencies_are_never_added() -> None:
    priced = OUTAGE.changed(minute_value=stated(1))
    euros = replace(priced, inputs=replace(priced.inputs, currency="EUR"))
    assert total([priced, euros, euros]).annual_loss == {"EUR": Decimal("160.00"), "USD": Decimal("80.00")}


def test_services_share_no_budget_and_the_strictest_objective_of_one_counts() -> None:
    other = replace(OUTAGE, service="search")
    lenient = OUTAGE.changed(slo=stated(0.9))
    assert total([OUTAGE, other]).budget_share == pytest.approx(160 / (2 * 525.96))
    assert total([OUTAGE, lenient]).budget_share == pytest.approx(160 / 525.96)


def test_a_portfolio_of_nothing_known_has_no_figures() -> None:
    found = total([Risk("nothing", Inputs())])
    assert (found.bad_minutes, found.hidden_share, found.budget_share, found.annual_loss) == (None, None, None, {})


@pytest.mark.parametrize(
    "inputs",
    [
        {"users_affected": 1.2},
        {"alert_probability": -0.1},
        {"recover": -1},
        {"secondary_probability": Pert(0.1, 0.5, 1.1)},
        {"slo": 1},
        {"slo": 99.9},
    ],
)
def test_what_cannot_be_is_refused(inputs: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(inputs))):
        risk(**inputs)


@pytest.mark.parametrize(
    ("make", "arguments"),
    [
        (Constant, (float("nan"),)),
        (Constant, (float("inf"),)),
        (Pert, (3, 2, 5)),
        (Pert, (1, 6, 5)),
        (Pert, (1, 2, float("nan"))),
        (LogNormal.from_interval, (0, 5)),
        (LogNormal.from_interval, (6, 5)),
        (LogNormal.from_interval, (1e-200, 1e200)),
        (LogNormal, (1, -1)),
        (GammaRate, (0, 1)),
        (GammaRate(0.5, 1).after, (-1, 1)),
        (days_between, (0, 1, 2)),
    ],
)
def test_a_distribution_that_is_none_is_refused(make: Any, arguments: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=r"need|must"):
        make(*arguments)


def test_a_range_of_one_value_is_that_value() -> None:
    assert minutes(OUTAGE.changed(recover=stated(Pert(22, 22, 22)))) == minutes(OUTAGE)


def test_the_rarest_failure_has_the_longest_days_between() -> None:
    assert days_between(36.525, 73.05, 365.25) == Pert(1, 5, 10)


def test_nothing_is_detected_before_the_alert_can_open() -> None:
    assert Pert(1, 5, 20).at_least(8) == Pert(8, 8, 20)


def test_a_result_is_kept_under_what_it_was_made_of() -> None:
    def kept(one: Risk, years: int = 1000, seed: int = 1, factor: Factor = NO_FACTOR) -> str:
        return input_hash([one], years=years, seed=seed, factor=factor)

    same = kept(OUTAGE)
    assert kept(OUTAGE.changed(recover=stated(22))) == same
    others = {
        kept(OUTAGE.changed(recover=stated(23))),
        kept(OUTAGE, years=1001),
        kept(OUTAGE, seed=2),
        kept(OUTAGE, factor=Factor(detect_minutes=1)),
        kept(replace(OUTAGE, key="two")),
        kept(OUTAGE.changed(minute_value=stated(3))),
        kept(OUTAGE.changed(minute_value=stated(3, Source.ASSUMPTION))),
    }
    assert len(others | {same}) == 8


def test_a_remedy_without_effort_has_no_rank_by_effort() -> None:
    assert avoided_per_day(Decimal(100), Decimal(40), Decimal(3)) == 20
    assert avoided_per_day(Decimal(100), Decimal(40), Decimal(0)) is None


positive = st.floats(0.01, 1000)
share = st.just(0.0) | st.floats(1e-9, 1)  # smaller ones lose their digits, not their meaning
incidents = st.builds(incident, positive, positive, share, st.floats(0.5, 5000))


@given(incidents, st.floats(1, 10), st.floats(0, 1000), share)
def test_more_frequent_longer_and_wider_never_loses_less(one: Risk, more: float, longer: float, wider: float) -> None:
    def changed(name: str, change: Any) -> float:
        value = one.inputs.of(name)
        assert value is not None
        return minutes(one.changed(**{name: stated(change(value.mean))}))

    now = minutes(one)
    assert changed("frequency", lambda value: value * more) >= now
    assert changed("detect_alerted", lambda value: value + longer) >= now
    assert changed("recover", lambda value: value + longer) >= now
    assert changed("users_affected", lambda value: max(value, wider)) >= now


@given(incidents, share, positive)
def test_the_worse_an_alert_catches_it_the_longer_it_lasts(one: Risk, caught: float, later: float) -> None:
    alerted = one.inputs.of("detect_alerted")
    assert alerted is not None
    silent = one.changed(alert_probability=stated(caught), detect_silent=stated(alerted.mean + later))
    assert minutes(silent) >= minutes(one) * (1 - 1e-12)


@given(incidents)
def test_two_halves_of_a_finding_lose_what_the_whole_loses(one: Risk) -> None:
    frequency = one.inputs.of("frequency")
    assert frequency is not None
    half = one.changed(frequency=stated(frequency.mean / 2))
    halves = total([replace(half, key="left"), replace(half, key="right")])
    assert halves.bad_minutes == pytest.approx(minutes(one))
    whole: Expected = expected(one)
    assert halves.hidden_share == (None if whole.hidden_share is None else pytest.approx(whole.hidden_share))
    assert halves.budget_share == pytest.approx(whole.budget_share)
