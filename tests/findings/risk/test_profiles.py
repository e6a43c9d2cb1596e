"""Which of several sources counts, what defaults assume, and lanes by figures."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findings.checks.registry import CHECKS
from findings.risk import defaults, lanes, stating
from findings.risk.distributions import Constant
from findings.risk.estimates import Estimator
from findings.risk.lanes import Thresholds
from findings.risk.profiles import Origin, Profile, ServiceFacts, Stated, assemble
from findings.risk.stating import Kind
from findings.vocabulary import CLASS_OF_CATEGORY, Lane, RiskClass, Severity
from platform_risk.quantities.sourced import Source, Sourced

SHOP = ServiceFacts("shop", "critical", 0.999)


def stated(value: float) -> Sourced[Any]:
    return Sourced(Constant(value), Source.FACTS)


def quantity(name: str, value: Any, unit: str = "", source: str = "file") -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "inputs": [{"name": "x", "source": source}]}


def minutes(profile: Profile, service: ServiceFacts = SHOP, **known: Any) -> float:
    return Estimator().estimate(profile, assemble(profile, service, Stated(**known))).now.bad_minutes or 0.0


@pytest.mark.parametrize("check", CHECKS)
def test_every_check_has_defaults_or_only_costs(check: str) -> None:
    meta = CHECKS[check].meta
    risk_class = meta.risk_class or CLASS_OF_CATEGORY[meta.category]
    assert (check in defaults.table()) != (risk_class is RiskClass.COST)


def test_the_closest_source_wins() -> None:
    profile = Profile("db-connections", Severity.CRITICAL, RiskClass.STABILITY,
                      quantities=[quantity("connections_refused_percent", 40)])  # fmt: skip
    layers: dict[str, Any] = {
        "finding": {"users_affected": stated(0.1)},
        "check": {"users_affected": stated(0.2), "recover": stated(5)},
        "service": {"users_affected": stated(0.3), "recover": stated(6), "detect_silent": stated(7)},
    }
    expected = [(layers, Origin.FINDING, 0.1)]
    without = {"check": layers["check"], "service": layers["service"]}
    expected.append((without, Origin.CHECK, 0.2))
    expected.append(({"service": layers["service"]}, Origin.MEASURED, 0.4))
    for known, origin, value in expected:
        made = assemble(profile, SHOP, Stated(**known))
        users = made.inputs.of("users_affected")
        assert (made.origins["users_affected"], users and users.mean) == (origin, value)
        assert made.origins["detect_silent"] is Origin.SERVICE
        assert made.origins["frequency"] is Origin.DEFAULT


def test_costs_count_in_the_services_currency_and_not_when_they_are_assumed() -> None:
    profile = Profile(
        "log-retention", Severity.MEDIUM, RiskClass.COST, quantities=[quantity("cost_first_year", 900, "EUR")]
    )
    foreign = assemble(profile, SHOP)
    assert (foreign.inputs.money("recurring_cost"), foreign.foreign) == (None, "EUR")
    own = assemble(profile, ServiceFacts("shop", currency="EUR")).inputs.money("recurring_cost")
    assert own is not None
    assert own.mean == 900
    guessed = Profile("log-retention", Severity.MEDIUM, RiskClass.COST,
                      quantities=[quantity("cost_first_year", 900, "USD", "assumption")])  # fmt: skip
    assert assemble(guessed, SHOP).inputs.money("recurring_cost") is None


@given(st.sampled_from([each for each in RiskClass if each is not RiskClass.COST]), st.sampled_from(["low", "high"]))
def test_worse_severity_criticality_and_exploitation_never_expect_less(risk_class: RiskClass, criticality: str) -> None:
    service = ServiceFacts("shop", criticality)
    by_severity = [minutes(Profile("", severity, risk_class), service) for severity in Severity]
    assert by_severity == sorted(by_severity, reverse=True)
    ordered = [minutes(Profile("", Severity.HIGH, risk_class, exploit), service)
               for exploit in ("known", "likely", "", "unlikely")]  # fmt: skip
    assert ordered == sorted(ordered, reverse=True)
    assert minutes(Profile("", Severity.HIGH, risk_class), ServiceFacts("shop", "critical")) >= by_severity[1]


def lane(
    profile: Profile, service: ServiceFacts = SHOP, limits: Thresholds = lanes.THRESHOLDS, **known: Any
) -> lanes.Decision:
    return Estimator(limits).estimate(profile, assemble(profile, service, Stated(**known))).decision


@pytest.mark.parametrize("severity", Severity)
@pytest.mark.parametrize("risk_class", RiskClass)
def test_a_default_never_decides_a_lane(severity: Severity, risk_class: RiskClass) -> None:
    assert lane(Profile("", severity, risk_class)) == lanes.decide(severity, risk_class)


def test_what_was_stated_decides_up_and_down() -> None:
    stability = Profile("db-connections", Severity.CRITICAL, RiskClass.STABILITY)
    assert lane(stability, finding={"frequency": stated(0.001)}).lane is Lane.OPTIMIZATION
    spent = lane(stability, finding={"frequency": stated(200)})
    assert (spent.lane, spent.version) == (Lane.IMMEDIATE, lanes.RISK_RULES_VERSION)
    assert "of the error budget" in spent.reason
    late = Profile("alert-delay", Severity.LOW, RiskClass.STABILITY)
    assert lane(late, ServiceFacts("shop"), check={"frequency": stated(1)}).lane is Lane.CRITICAL


def test_known_exploits_and_large_costs_rise_without_a_statement() -> None:
    exploited = Profile("", Severity.HIGH, RiskClass.SECURITY, "known")
    assert lane(exploited).lane is Lane.IMMEDIATE
    assert lane(Profile("", Severity.LOW, RiskClass.SECURITY, "known")).lane is Lane.OPTIMIZATION
    costly = Profile(
        "metric-volume", Severity.LOW, RiskClass.COST, quantities=[quantity("cost_per_year", 20_000, "USD/year")]
    )
    assert lane(costly).lane is Lane.IMPORTANT
    assert lane(costly, limits=Thresholds(cost_rises_from=Decimal(30_000))).lane is Lane.OPTIMIZATION


@pytest.mark.parametrize("name", stating.NAMES)
def test_every_input_can_be_stated_in_each_of_its_ways(name: str) -> None:
    numbers = {"value": 0.5, "lo": 0.2, "mode": 0.5, "hi": 0.9, "incidents": 3, "years": 2}
    for kind in stating.kinds_of(name):
        given_ = {each: float(numbers[each]) for each in stating.NEEDS[kind]}
        assert stating.distribution(name, kind, given_).mean > 0
        assert stating.words(kind, given_, "minutes")
    with pytest.raises(ValueError, match="takes"):
        stating.distribution(name, Kind.NUMBER, {"value": 1, "lo": 0})


def test_one_incident_is_said_in_the_singular_and_a_share_says_of_what() -> None:
    assert stating.words(stating.Kind.INCIDENTS, {"incidents": 1, "years": 0.24}, "") == "1 incident in 0.24 years"
    assert stating.words(stating.Kind.NUMBER, {"value": 0.25}, stating.UNITS["users_affected"]) == "0.25 (share of 1)"
