"""From what is known of a finding and its service to the inputs of the model, each with where it comes from. PURE.

A finding's own statement wins, then one about its check in its service, then what the check measured, then one about
the whole service, then the default. So the same input is never mixed from two.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from findings.risk.defaults import NAMES as DEFAULTED
from findings.risk.defaults import assumed
from findings.risk.derived import derived
from findings.risk.distributions import Constant, Distribution, Pert
from findings.risk.inputs import NAMES, Inputs
from findings.vocabulary import RiskClass, Severity
from platform_risk.quantities.sourced import Source, Sourced

Statements = Mapping[str, Sourced[Distribution]]


class Origin(StrEnum):
    """Who says it; the first wins."""

    FINDING = "finding"
    CHECK = "check"  # stated for all findings of a check in a service
    MEASURED = "measured"
    SERVICE = "service"
    DEFAULT = "default"


@dataclass(frozen=True)
class ServiceFacts:
    """What is stated of a service. None is "not stated"."""

    slug: str
    criticality: str = "medium"
    slo: float | None = None
    minute_value: float | None = None
    currency: str = "USD"


@dataclass(frozen=True)
class Profile:
    """What all findings share that are estimated alike."""

    check: str
    severity: Severity
    risk_class: RiskClass
    exploit: str = ""  # known, likely, unlikely, or "" where nobody says
    quantities: Sequence[Any] = ()


@dataclass(frozen=True)
class Assembled:
    inputs: Inputs
    origins: dict[str, Origin]  # of each input that is known
    words: str  # why it stands where it stands
    foreign: str = ""  # the currency of costs that are not in the service's, and so not counted

    @property
    def rests_on_defaults(self) -> bool:
        """Nobody stated how often it happens: then severity and class decide what to do first."""
        return self.origins.get("frequency", Origin.DEFAULT) is Origin.DEFAULT

    def defaulted(self) -> tuple[str, ...]:
        return tuple(name for name in NAMES if self.origins.get(name) is Origin.DEFAULT)


@dataclass(frozen=True)
class Stated:
    """What people stated, by how closely it concerns the finding."""

    finding: Statements = field(default_factory=dict)
    check: Statements = field(default_factory=dict)
    service: Statements = field(default_factory=dict)


NOTHING_STATED = Stated()


def assemble(profile: Profile, service: ServiceFacts, stated: Stated = NOTHING_STATED) -> Assembled:
    default = assumed(profile.check, profile.severity, profile.risk_class, service.criticality, profile.exploit)
    measured, currency = derived(profile.check, profile.quantities)
    foreign = currency if currency and currency != service.currency else ""
    if foreign:
        measured = {name: value for name, value in measured.items() if name != "recurring_cost"}
    layers: tuple[tuple[Origin, Statements], ...] = (
        (Origin.FINDING, stated.finding),
        (Origin.CHECK, stated.check),
        (Origin.MEASURED, measured),
        (Origin.SERVICE, stated.service),
        (Origin.DEFAULT, default.values),
    )
    values: dict[str, Sourced[Distribution]] = {}
    origins: dict[str, Origin] = {}
    for origin, layer in layers:
        for name, value in layer.items():
            if name not in values:
                values[name], origins[name] = value, origin
    _of_service(values, origins, service)
    _no_sooner_than_alerted(values, origins)
    return Assembled(
        Inputs(**values, currency=service.currency), origins, _words(default.words, origins), foreign=foreign
    )


def _of_service(values: dict[str, Sourced[Distribution]], origins: dict[str, Origin], service: ServiceFacts) -> None:
    for name, number in (("slo", service.slo), ("minute_value", service.minute_value)):
        if number is not None:
            values[name] = Sourced(Constant(number), Source.FACTS, note=f"stated of service {service.slug}")
            origins[name] = Origin.SERVICE


def _no_sooner_than_alerted(values: dict[str, Sourced[Distribution]], origins: dict[str, Origin]) -> None:
    """Where an alert's own delay was measured and the silent time is a default, people are not quicker than it."""
    if origins.get("detect_alerted") is not Origin.MEASURED or origins.get("detect_silent") is not Origin.DEFAULT:
        return
    silent, alerted = values["detect_silent"], values["detect_alerted"].value
    if isinstance(silent.value, Pert):
        values["detect_silent"] = Sourced(silent.value.at_least(alerted.mean), silent.source, note=silent.note)


def _words(by_default: str, origins: Mapping[str, Origin]) -> str:
    known = [name for name in DEFAULTED if name in origins]
    told = [name.replace("_", " ") for name in known if origins[name] is not Origin.DEFAULT]
    if not known or not told:
        return by_default
    if len(told) == len(known):
        return "By what was stated and measured"
    return f"{by_default}; stated or measured: {', '.join(told)}"
