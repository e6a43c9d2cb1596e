"""Risks as tests state them."""

from typing import Any

from findings.risk.distributions import Constant, Distribution
from findings.risk.inputs import Inputs, Risk
from platform_risk.quantities.sourced import Source, Sourced


def stated(value: float | Distribution, source: Source = Source.FACTS) -> Sourced[Distribution]:
    return Sourced(Constant(value) if isinstance(value, int | float) else value, source)


def risk(key: str = "one", service: str = "shop", currency: str = "USD", **inputs: Any) -> Risk:
    """Numbers and distributions stand for facts; anything else is taken as it is."""
    facts = {
        name: stated(value) if isinstance(value, int | float) or hasattr(value, "quantile") else value
        for name, value in inputs.items()
    }
    return Risk(key, Inputs(**facts, currency=currency), service)


def incident(detect: float, recover: float, users: float, days_between: float, slo: float = 0.995) -> Risk:
    """As the sheet of the CRE method states one: every incident is noticed by an alert."""
    return risk(
        f"{detect}/{recover}/{users}/{days_between}",
        frequency=365.25 / days_between,
        users_affected=users,
        alert_probability=1,
        detect_alerted=detect,
        recover=recover,
        slo=slo,
    )
