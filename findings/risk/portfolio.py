"""A portfolio's years, service by service: only sums are held, however many risks there are. PURE."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from findings.risk.distributions import Constant, Distribution, Floats, GammaRate, Pert
from findings.risk.inputs import Inputs, Risk
from findings.risk.simulation import exceedance, share_above, simulate, spread
from platform_risk.quantities import budget
from platform_risk.quantities.sourced import Sourced


@dataclass(frozen=True)
class Member:
    """So many alike risks of one service, drawn as one that happens as often as all of them together: the sum of
    Poisson events is a Poisson sum, and what is uncertain of the rate is uncertain for all."""

    risk: Risk
    count: int
    team: str = ""
    lane: str = ""


def times(value: Distribution, count: int) -> Distribution:
    match value:
        case Constant():
            return Constant(value.value * count)
        case Pert():
            return Pert(value.lo * count, value.mode * count, value.hi * count)
        case GammaRate():
            return GammaRate(value.events, value.years / count)
        case _:
            return Constant(value.mean * count)


def as_one(member: Member) -> Risk:
    if member.count == 1:
        return member.risk
    changed: dict[str, Any] = {}
    for name in ("frequency", "recurring_cost"):
        stated = getattr(member.risk.inputs, name)
        if isinstance(stated, Sourced):
            changed[name] = replace(stated, value=times(stated.value, member.count))
    return replace(member.risk, inputs=replace(member.risk.inputs, **changed))


@dataclass
class _Sum:
    minutes: Floats | None = None
    losses: dict[str, Floats] = field(default_factory=dict)

    def add(self, minutes: Floats | None, loss: Floats | None, currency: str) -> None:
        if minutes is not None:
            self.minutes = minutes.copy() if self.minutes is None else self.minutes + minutes
        if loss is not None:
            held = self.losses.get(currency)
            self.losses[currency] = loss.copy() if held is None else held + loss

    def told(self) -> dict[str, Any]:
        return {
            "minutes": None if self.minutes is None else vars(spread(self.minutes)),
            "losses": {currency: vars(spread(loss)) for currency, loss in self.losses.items()},
        }


def drawn(
    members: Iterable[Member], *, years: int, seed: int, tick: Callable[[int], None] = lambda done: None
) -> dict[str, Any]:
    """As plain values: the whole, its exceedance curves, and each service, team and lane. `members` come service by
    service. `tick` is told how many are done, and may raise to end it."""
    whole, by_team, by_lane = _Sum(), dict[str, _Sum](), dict[str, _Sum]()
    services: dict[str, dict[str, Any]] = {}
    current, held, slo = "", _Sum(), None
    for done, member in enumerate(members, start=1):
        risk = as_one(member)
        if risk.service != current:
            _close(services, current, held, slo)
            current, held, slo = risk.service, _Sum(), None
        sample = simulate(risk, years=years, seed=seed)
        for each in (whole, held, by_team.setdefault(member.team, _Sum()), by_lane.setdefault(member.lane, _Sum())):
            each.add(sample.minutes, sample.loss, sample.currency)
        slo = _objective(risk.inputs) or slo
        tick(done)
    _close(services, current, held, slo)
    return {
        **whole.told(),
        "exceedance": _curves(whole),
        "services": services,
        "teams": _told(by_team),
        "lanes": _told(by_lane),
    }


def _objective(inputs: Inputs) -> float | None:
    slo = inputs.of("slo")
    return None if slo is None else slo.mean


def _close(services: dict[str, dict[str, Any]], name: str, held: _Sum, slo: float | None) -> None:
    if held.minutes is None and not held.losses:
        return
    broken = None
    if held.minutes is not None and slo is not None:
        broken = share_above(held.minutes, budget.minutes_a_year(slo))
    services[name] = {**held.told(), "breach": broken}


def _told(sums: Mapping[str, _Sum]) -> dict[str, dict[str, Any]]:
    return {name: each.told() for name, each in sums.items()}


def _curves(whole: _Sum) -> dict[str, list[list[float]]]:
    curves = {} if whole.minutes is None else {"minutes": _curve(whole.minutes)}
    return curves | {currency: _curve(loss) for currency, loss in whole.losses.items()}


def _curve(values: Floats) -> list[list[float]]:
    return [[round(amount, 4), probability] for amount, probability in exceedance(np.asarray(values))]
