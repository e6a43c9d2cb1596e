"""What a risk is expected to cost in a year, in bad minutes and in money: the answer at once, without drawing. PURE.

A bad minute is a minute that is bad for everybody; ten minutes for a tenth of the users are one.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal

from findings.risk.inputs import NAMES, NO_FACTOR, OF_EVENTS, Factor, Inputs, Risk
from platform_risk.quantities import budget
from platform_risk.quantities.sourced import Input, Quantity, Sourced, input_of

CENT = Decimal("0.01")
_WIDE = Context(prec=400)  # as wide as a float: no amount is too large to be told
TOO_MUCH_FOR_ONE = 0.25  # share of the error budget that a single risk may take

_MONEY = ("minute_value", "fixed_cost", "secondary_probability", "secondary_cost", "recurring_cost")
_MONEY_UNITS = {
    "recurring_cost": "{currency} a year",
    "secondary_probability": "share",
    "minute_value": "{currency} a minute",
}
_UNITS = {
    "frequency": "events a year",
    "users_affected": "share",
    "alert_probability": "share",
    "detect_alerted": "minutes",
    "detect_silent": "minutes",
    "recover": "minutes",
}
_MINUTES_FORMULA = (
    "frequency × users affected × (alert probability × time to detect alerted + "
    "(1 − alert probability) × time to detect silent + time to recover)"
)
_LOSS_FORMULA = (
    "bad minutes × value of a minute + frequency × (fixed cost + secondary probability × secondary cost) "
    "+ recurring cost"
)


@dataclass(frozen=True)
class Expected:
    """Means of a year. None is "not known", never 0."""

    frequency: float | None
    bad_minutes: float | None
    hidden_minutes: float | None  # those before anybody notices
    minutes_per_event: float | None
    annual_loss: Decimal | None
    loss_per_event: Decimal | None
    budget_minutes: float | None
    currency: str
    missing: tuple[str, ...]
    quantities: tuple[Quantity, ...]

    @property
    def hidden_share(self) -> float | None:
        return _share(self.hidden_minutes, self.bad_minutes)

    @property
    def budget_share(self) -> float | None:
        return _share(self.bad_minutes, self.budget_minutes)

    @property
    def too_much_for_one(self) -> bool:
        share = self.budget_share
        return share is not None and share > TOO_MUCH_FOR_ONE


def _share(part: float | None, whole: float | None) -> float | None:
    return None if part is None or not whole else part / whole


def money(amount: float) -> Decimal:
    """A sum as it leaves the engine: to the cent."""
    return Decimal(repr(float(amount))).quantize(CENT, context=_WIDE)


def expected(risk: Risk, factor: Factor = NO_FACTOR) -> Expected:
    inputs = risk.inputs
    frequency = _mean(inputs, "frequency")
    if frequency is not None:
        frequency *= 1 + factor.frequency_share
    times = _times(inputs, factor)
    hidden_per_event, minutes_per_event = times or (None, None)
    bad_minutes = _product(frequency, minutes_per_event)
    per_event = _loss_per_event(inputs, minutes_per_event)
    annual_loss = _annual_loss(inputs, frequency, per_event)
    slo = inputs.of("slo")
    return Expected(
        frequency=frequency,
        bad_minutes=bad_minutes,
        hidden_minutes=_product(frequency, hidden_per_event),
        minutes_per_event=minutes_per_event,
        annual_loss=None if annual_loss is None else money(annual_loss),
        loss_per_event=None if per_event is None else money(per_event),
        budget_minutes=None if slo is None else budget.minutes_a_year(slo.mean),
        currency=inputs.currency,
        missing=inputs.missing,
        quantities=_laid_open(inputs, factor, bad_minutes, annual_loss),
    )


def _mean(inputs: Inputs, name: str) -> float | None:
    distribution = inputs.of(name)
    return None if distribution is None else distribution.mean


def _product(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one * other


def _times(inputs: Inputs, factor: Factor) -> tuple[float, float] | None:
    """Bad minutes of an event before it is noticed, and in all."""
    users, recover, detection = _mean(inputs, "users_affected"), _mean(inputs, "recover"), inputs.detection
    if users is None or recover is None or detection is None:
        return None
    caught, alerted, silent = detection
    detect = caught * alerted.mean + (1 - caught) * silent.mean + factor.detect_minutes
    return users * detect, users * (detect + recover + factor.recover_minutes)


def _loss_per_event(inputs: Inputs, minutes: float | None) -> float | None:
    """The sum of what is stated; None if nothing is."""
    value, fixed = inputs.money("minute_value"), inputs.money("fixed_cost")
    secondary, probability = inputs.money("secondary_cost"), inputs.of("secondary_probability")
    parts = []
    if value is not None and minutes is not None:
        parts.append(value.mean * minutes)
    if fixed is not None:
        parts.append(fixed.mean)
    if secondary is not None and probability is not None:
        parts.append(probability.mean * secondary.mean)
    return sum(parts) if parts else None


def _annual_loss(inputs: Inputs, frequency: float | None, per_event: float | None) -> float | None:
    of_events, recurring = _product(frequency, per_event), inputs.money("recurring_cost")
    if recurring is None:
        return of_events
    return recurring.mean + (of_events or 0.0)


def _laid_open(inputs: Inputs, factor: Factor, minutes: float | None, loss: float | None) -> tuple[Quantity, ...]:
    assumptions = () if factor == NO_FACTOR else (f"With what raises every risk at once: {factor}.",)
    shown = []
    if minutes is not None:
        terms = _terms(inputs, OF_EVENTS)
        shown.append(Quantity("bad_minutes_per_year", minutes, "minutes", _MINUTES_FORMULA, terms, assumptions))
    if loss is not None:
        stated = [name for name in _MONEY if name == "secondary_probability" or inputs.money(name) is not None]
        terms = _terms(inputs, (*OF_EVENTS, *stated))
        amount = str(money(loss))
        shown.append(Quantity("annual_loss", amount, inputs.currency, _LOSS_FORMULA, terms, assumptions))
    return tuple(shown)


def _terms(inputs: Inputs, names: Iterable[str]) -> tuple[Input, ...]:
    terms = []
    for name in names:
        stated = getattr(inputs, name)
        if isinstance(stated, Sourced):
            unit = _UNITS.get(name) or _MONEY_UNITS.get(name, "{currency}").format(currency=inputs.currency)
            terms.append(input_of(name, stated.map(lambda value: value.mean), unit))
    return tuple(terms)


@dataclass(frozen=True)
class Total:
    """Means of several risks together. A sum holds what is known of it."""

    bad_minutes: float | None
    hidden_share: float | None
    budget_share: float | None
    annual_loss: dict[str, Decimal]  # per currency; without entries if nothing has a price
    missing: dict[str, int]  # input → risks that lack it, most first


def total(risks: Sequence[Risk], factor: Factor = NO_FACTOR) -> Total:
    each = [(risk, expected(risk, factor)) for risk in risks]
    minutes = [one.bad_minutes for _, one in each if one.bad_minutes is not None]
    hidden = sum(one.hidden_minutes for _, one in each if one.hidden_minutes is not None)
    loss: dict[str, Decimal] = {}
    for _, one in each:
        if one.annual_loss is not None:
            loss[one.currency] = loss.get(one.currency, Decimal(0)) + one.annual_loss
    budgets = budgets_of(risks)
    counted = sum(one.bad_minutes or 0.0 for risk, one in each if risk.service in budgets)
    lacking = Counter(name for _, one in each for name in one.missing)
    return Total(
        bad_minutes=sum(minutes) if minutes else None,
        hidden_share=_share(hidden, sum(minutes)),
        budget_share=_share(counted, sum(budgets.values())) if minutes else None,
        annual_loss=loss,
        missing=dict(sorted(lacking.items(), key=lambda item: (-item[1], NAMES.index(item[0])))),
    )


def budgets_of(risks: Iterable[Risk]) -> dict[str, float]:
    """Service → minutes a year that its objective allows; the strictest where its risks state several."""
    budgets: dict[str, float] = {}
    for risk in risks:
        slo = risk.inputs.of("slo")
        if slo is not None:
            allowed = budget.minutes_a_year(slo.mean)
            budgets[risk.service] = min(allowed, budgets.get(risk.service, allowed))
    return budgets


def marginal_minutes(risks: Sequence[Risk], factor: Factor) -> float:
    """Bad minutes a year that a factor adds to the risks together. The marginals of two do not add up."""
    return (total(risks, factor).bad_minutes or 0.0) - (total(risks).bad_minutes or 0.0)
