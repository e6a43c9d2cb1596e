"""What of the remedies ahead to take in so many engineer-days, and which take most away."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from findings.risk import plan as planning
from findings.risk.plan import Option, Plan, Step
from platform_risk.core.models import User
from platform_risk.planning.models import Remedy
from platform_risk.planning.remedies import Figures, Row, Unit, closes, figures, rows, units, visible
from platform_risk.planning.vocabulary import AHEAD

Worth = Literal["minutes", "money"]


@dataclass(frozen=True)
class Planned:
    """`unit`: minutes, or a currency."""

    unit: str
    plan: Plan
    curve: tuple[Step, ...]
    total: float
    figures: Figures
    rows: dict[str, Row]

    @property
    def gain_share(self) -> float | None:
        return self.plan.gain / self.total if self.total else None


def plan(user: User, found: Sequence[Row], *, budget: float, worth: Worth = "minutes") -> Planned:
    """What of the remedies ahead to take in so many days. Money counts in the currency that has the most of it."""
    ahead = [row for row in found if row.remedy.state in AHEAD]
    held = units(user, {check for row in ahead for check in row.remedy.checks})
    unit, values = _worth(held, worth)
    options = [
        Option(
            row.remedy.slug,
            float(row.remedy.effort_days),
            frozenset(each.key for each in held if closes(row.remedy, each)),
        )
        for row in ahead
    ]
    made = planning.plan(options, values, budget)
    chosen = {step.key for step in made.steps}
    closed = {key for option in options if option.key in chosen for key in option.closes}
    return Planned(
        unit,
        made,
        planning.curve(options, values),
        sum(values.values()),
        figures(each for each in held if each.key in closed),
        {row.remedy.slug: row for row in ahead},
    )


@dataclass(frozen=True)
class Best:
    """The first steps of what each further remedy buys, and what all of them together would."""

    steps: tuple[tuple[Step, Remedy], ...]
    total: float  # bad minutes a year
    findings: int

    @property
    def share(self) -> float | None:
        return self.steps[-1][0].gain_so_far / self.total if self.steps and self.total else None


def best(user: User, most: int) -> Best:
    """The remedies ahead that avoid the most bad minutes for the days they take, each after those before it."""
    found = rows(user, list(visible(user).filter(state__in=AHEAD)))
    planned = plan(user, found, budget=0)
    steps = tuple((step, planned.rows[step.key].remedy) for step in planned.curve[:most])
    chosen = [planned.rows[step.key].remedy for step, _ in steps]
    held = units(user, {check for remedy in chosen for check in remedy.checks})
    count = sum(unit.count for unit in held if any(closes(remedy, unit) for remedy in chosen))
    return Best(steps, planned.total, count)


def _worth(held: Sequence[Unit], worth: Worth) -> tuple[str, dict[str, float]]:
    values: dict[str, float] = {}
    if worth == "minutes":
        for each in held:
            values[each.key] = values.get(each.key, 0.0) + (each.minutes or 0.0)
        return "minutes", values
    losses = figures(held).losses
    currency = max(losses, key=lambda each: (losses[each], each), default="USD")
    for each in held:
        if each.currency == currency:
            values[each.key] = values.get(each.key, 0.0) + float(each.loss or 0)
    return currency, values
