"""What the model must be told of a risk; each value with its source, or the reason why it is not known. PURE."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar

from findings.risk.distributions import Constant, Distribution
from platform_risk.quantities.records import record
from platform_risk.quantities.sourced import Source, Sourced, Unknown

MODEL_VERSION = "risk-1"
T = TypeVar("T")


class Confidence(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@record(frozen=True, slots=True)
class Estimated(Sourced[T]):
    """A sourced value that a person stands for."""

    author: str = ""
    stated_on: date | None = None
    confidence: Confidence | None = None


Estimate = Sourced[Distribution] | Unknown

_NOT_STATED = Unknown("Nobody stated it.", "the finding's or the service's risk inputs")


@dataclass(frozen=True)
class Inputs:
    """Times in minutes; money in `currency`. Raises ValueError for what cannot be."""

    frequency: Estimate = _NOT_STATED  # events a year
    users_affected: Estimate = _NOT_STATED  # share of users or requests hit, 0..1
    detect_alerted: Estimate = _NOT_STATED  # start to detection when an alert catches it
    detect_silent: Estimate = _NOT_STATED  # the same when none does
    alert_probability: Estimate = _NOT_STATED  # that an alert catches it, 0..1
    recover: Estimate = _NOT_STATED  # detection to recovery
    minute_value: Estimate = _NOT_STATED  # money lost in a minute that is bad for everybody
    fixed_cost: Estimate = _NOT_STATED  # an event
    secondary_probability: Estimate = _NOT_STATED  # that an event has further losses, 0..1
    secondary_cost: Estimate = _NOT_STATED  # then
    recurring_cost: Estimate = _NOT_STATED  # a year, whether anything happens or not
    slo: Estimate = _NOT_STATED  # the service's objective, as 0.999
    currency: str = "USD"

    def __post_init__(self) -> None:
        for name in NAMES:
            distribution = self.of(name)
            if distribution is None:
                continue
            least, most = distribution.bounds
            if least < 0:
                raise ValueError(f"{name} must not be negative, not {least}")
            if name in _SHARES and most > 1:
                raise ValueError(f"{name} must not exceed 1, not {most}")
        slo = self.of("slo")
        if slo is not None and not 0 < slo.bounds[0] <= slo.bounds[1] < 1:
            raise ValueError(f"slo lies between 0 and 1, not {slo.bounds[0]}")

    def of(self, name: str) -> Distribution | None:
        stated: Estimate = getattr(self, name)
        return stated.value if isinstance(stated, Sourced) else None

    def money(self, name: str) -> Distribution | None:
        """As `of`, but only what a file or a person states: no default makes a sum of money."""
        stated: Estimate = getattr(self, name)
        return stated.value if isinstance(stated, Sourced) and stated.source in _STATED else None

    @property
    def detection(self) -> tuple[float, Distribution, Distribution] | None:
        """Probability that an alert catches it, time if so, time if not. A time that never counts need not be known."""
        caught, alerted, silent = (self.of(name) for name in ("alert_probability", "detect_alerted", "detect_silent"))
        if caught is None:
            return None
        if caught.mean == 1 and silent is None:
            silent = Constant(0)
        if caught.mean == 0 and alerted is None:
            alerted = Constant(0)
        return None if alerted is None or silent is None else (caught.mean, alerted, silent)

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the inputs without which minutes or money stay incomplete, in the order of the fields.

        What only costs, month by month, has no events to describe.
        """
        if self.money("recurring_cost") is not None and all(self.of(name) is None for name in OF_EVENTS):
            return ()
        lacking = {name for name in ("frequency", "users_affected", "recover", "slo") if self.of(name) is None}
        if self.detection is None:
            detection = ("alert_probability", "detect_alerted", "detect_silent")
            lacking |= {name for name in detection if self.of(name) is None}
        if self.money("minute_value") is None:
            lacking.add("minute_value")
        return tuple(name for name in NAMES if name in lacking)


NAMES = tuple(each.name for each in fields(Inputs) if each.name != "currency")
# What makes bad minutes.
OF_EVENTS = ("frequency", "users_affected", "alert_probability", "detect_alerted", "detect_silent", "recover")
_SHARES = ("users_affected", "alert_probability", "secondary_probability")
_STATED = (Source.FILE, Source.FACTS)


@dataclass(frozen=True)
class Risk:
    """One risk of one service. The key chooses its random numbers: keep it when a remedy changes the inputs."""

    key: str
    inputs: Inputs
    service: str = ""

    def changed(self, **inputs: Any) -> "Risk":
        """The same risk, and the same random numbers, with other inputs."""
        return replace(self, inputs=replace(self.inputs, **inputs))


@dataclass(frozen=True)
class Factor:
    """What raises every risk at once: alerts that come late, recovery without playbooks, changes that break things."""

    detect_minutes: float = 0.0
    recover_minutes: float = 0.0
    frequency_share: float = 0.0  # 0.1: a tenth more events


NO_FACTOR = Factor()


def input_hash(risks: Sequence[Risk], *, years: int, seed: int, factor: Factor = NO_FACTOR) -> str:
    """Under which a simulation's result may be kept: the same for the same model, inputs and random numbers."""
    told: list[Any] = [MODEL_VERSION, years, seed, repr(factor)]
    for risk in risks:
        values = {name: repr(risk.inputs.of(name)) for name in NAMES}
        money = [name for name in NAMES if risk.inputs.money(name) is not None]
        told.append([risk.key, risk.service, risk.inputs.currency, values, money])
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
