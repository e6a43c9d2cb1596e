"""Inherent risk: which controls are taken away, by what is known of them, and what the figures become."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findings.checks.registry import CHECKS
from findings.risk.controls import CONTROLS, inherent
from findings.risk.expected import expected
from findings.risk.inputs import Inputs, Risk
from findings.risk.profiles import Profile, ServiceFacts, assemble
from findings.vocabulary import RiskClass, Severity


def quantity(name: str, value: Any, **terms: Any) -> dict[str, Any]:
    inputs = [{"name": term, "value": given, "source": "file"} for term, given in terms.items()]
    return {"name": name, "value": value, "unit": "", "formula": "", "inputs": inputs}


def assembled(check: str, *quantities: dict[str, Any]) -> Inputs:
    profile = Profile(check, Severity.HIGH, RiskClass.STABILITY, quantities=quantities)
    return assemble(profile, ServiceFacts("checkout")).inputs


def taken(check: str, *quantities: dict[str, Any]) -> tuple[Inputs, Inputs, list[str]]:
    now = assembled(check, *quantities)
    bare, controls = inherent(check, quantities, now)
    return now, bare, [each.name for each in controls]


def mean(inputs: Inputs, name: str) -> float:
    found = inputs.of(name)
    assert found is not None
    return found.mean


@pytest.mark.parametrize(
    ("check", "there", "absent", "control", "name", "value"),
    [
        ("kafka-durability", quantity("broker_losses_survived", 1), quantity("broker_losses_survived", 0), "replicas",
         "users_affected", 0.3),
        ("dns", quantity("replicas", 2), quantity("replicas", 1), "replicas", "users_affected", 1.0),
        ("backups", quantity("retention_days", 7), quantity("retention_days", 0), "backups", "recover", 10_080.0),
        ("backups", quantity("rpo_minutes", 60), quantity("rpo_minutes", None), "backups", "recover", 10_080.0),
        ("autoscaling", quantity("replicas_max", 50), quantity("replicas_max", 1), "autoscaler", "recover", 45.0),
        ("db-connections", quantity("connections_needed", 400, pooler_instances=2, pools=4, default_pool_size=50),
         quantity("connections_needed", 400, max_pods=50), "pooler", "users_affected", 0.8),
        # 250% of its load before: it had 40% of all, and the lost cell 60%.
        ("cell-failover", quantity("survivor_load_percent", 250), quantity("survivor_load_percent", 100), "failover",
         "users_affected", 0.6),
    ],
)  # fmt: skip
def test_a_control_that_a_quantity_states_is_taken_away_and_one_that_none_states_is_not(
    check: str, there: dict[str, Any], absent: dict[str, Any], control: str, name: str, value: float
) -> None:
    now, bare, names = taken(check, there)
    assert names == ["alerts", control]
    assert mean(bare, name) == pytest.approx(value)
    assert mean(bare, name) > mean(now, name)
    stated = getattr(bare, name)
    assert stated.source.value == "assumption"
    assert CONTROLS[control].words in stated.note
    assert taken(check, absent)[2] == ["alerts"]


def test_of_a_risk_that_no_alert_tells_of_nothing_is_taken_away() -> None:
    now, bare, names = taken("signal-loss")
    assert (bare, names) == (now, [])


@given(st.sampled_from(sorted(CHECKS)), st.lists(st.tuples(st.sampled_from(
    ["retention_days", "replicas", "replicas_max", "broker_losses_survived", "survivor_load_percent", "rpo_minutes"]
), st.one_of(st.integers(0, 500), st.none(), st.booleans(), st.just("many"))), max_size=4))  # fmt: skip
def test_without_its_controls_no_risk_is_smaller_whatever_the_quantities_say(check: str, found: list[Any]) -> None:
    now, bare, _ = taken(check, *(quantity(name, value) for name, value in found))
    current, inherently = expected(Risk("", now)).bad_minutes, expected(Risk("", bare)).bad_minutes
    assert (current is None) == (inherently is None)
    if current is not None and inherently is not None:
        assert inherently >= current - 1e-9
