"""Many years drawn for each risk: how bad a year may get, and what a remedy changes, year by year. PURE.

Every random number belongs to a seed, a risk's key, what it decides, and the event's place in its year. So the same
risk with other inputs meets the same luck (common random numbers), and the difference of two runs is the remedy's.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from findings.risk.distributions import Constant, Counts, Distribution, Floats, poisson_counts
from findings.risk.expected import budgets_of
from findings.risk.inputs import NO_FACTOR, Factor, Inputs, Risk

YEARS = 100_000
YEARS_AT_ONCE = 20_000  # while somebody waits
# Events drawn one by one in a year. A year with more counts these up in proportion: its mean stays, and it comes out a
# little wider than it is.
MOST_EVENTS = 64

# What a random number decides. Their order is part of what a stored seed means.
_RATE, _COUNT, _USERS, _CAUGHT, _DETECT, _RECOVER, _VALUE, _FIXED, _SECONDARY, _SECONDARY_COST = range(10)


@dataclass(frozen=True)
class Sample:
    """A risk's or a portfolio's years. None is "not known"."""

    seed: int
    years: int
    minutes: Floats | None
    loss: Floats | None
    events: Counts | None
    currency: str


class DifferentYearsError(ValueError):
    """Samples of other seeds or numbers of years cannot be put beside each other, nor sums of other currencies."""


class _Luck:
    def __init__(self, seed: int, key: str, years: int) -> None:
        self._entropy = (seed, int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big"))
        self._years = years

    def of(self, purpose: int, place: int = 0) -> Floats:
        """A uniform number for each year."""
        return np.random.default_rng((*self._entropy, purpose, place)).random(self._years)


def simulate(risk: Risk, *, years: int = YEARS, seed: int, factor: Factor = NO_FACTOR) -> Sample:
    inputs, luck = risk.inputs, _Luck(seed, risk.key, years)
    recurring = inputs.money("recurring_cost")
    base = 0.0 if recurring is None else recurring.mean
    frequency = inputs.of("frequency")
    if frequency is None:
        loss = None if recurring is None else np.full(years, base)
        return Sample(seed, years, None, loss, None, inputs.currency)

    uniform = np.zeros(years) if isinstance(frequency, Constant) else luck.of(_RATE)
    rates = frequency.quantile(uniform) * (1 + factor.frequency_share)
    events = poisson_counts(rates, luck.of(_COUNT))
    draw = _Event(inputs, factor)
    minutes = np.zeros(years) if draw.has_minutes else None
    loss = np.zeros(years) if draw.has_loss else None
    drawn = np.minimum(events, MOST_EVENTS)
    active = np.arange(years)
    for place in range(int(drawn.max(initial=0))):
        active = active[drawn[active] > place]
        _add(draw, luck, place, active, minutes, loss)
    crowded = np.flatnonzero(events > MOST_EVENTS)
    for summed in (minutes, loss):
        if summed is not None:
            summed[crowded] *= events[crowded] / MOST_EVENTS
    if loss is not None:
        loss += base
    elif recurring is not None:
        loss = np.full(years, base)
    return Sample(seed, years, minutes, loss, events, inputs.currency)


def _add(
    draw: "_Event", luck: _Luck, place: int, active: NDArray[np.intp], minutes: Floats | None, loss: Floats | None
) -> None:
    def of(distribution: Distribution, purpose: int) -> Floats | float:
        if isinstance(distribution, Constant):
            return distribution.value
        return distribution.quantile(luck.of(purpose, place)[active])

    def happens(probability: float, purpose: int) -> NDArray[np.bool_] | bool:
        return probability == 1 if probability in (0, 1) else luck.of(purpose, place)[active] < probability

    minutes_of_event: Floats | float | None = None
    if minutes is not None:
        minutes_of_event = draw.minutes(of, happens)
        minutes[active] += minutes_of_event
    if loss is not None:
        loss[active] += draw.loss(of, happens, minutes_of_event)


_Of = Callable[[Distribution, int], Floats | float]
_Happens = Callable[[float, int], "NDArray[np.bool_] | bool"]


class _Event:
    """What one event does, for as many years at once as have it."""

    def __init__(self, inputs: Inputs, factor: Factor) -> None:
        self._users, self._recover, self._detection = (
            inputs.of("users_affected"),
            inputs.of("recover"),
            inputs.detection,
        )
        self._value, self._fixed = inputs.money("minute_value"), inputs.money("fixed_cost")
        self._secondary = inputs.money("secondary_cost")
        probability = inputs.of("secondary_probability")
        self._probability = 0.0 if probability is None else probability.mean
        if probability is None:
            self._secondary = None
        self._added = factor.detect_minutes + factor.recover_minutes

    @property
    def has_minutes(self) -> bool:
        return None not in (self._users, self._recover, self._detection)

    @property
    def has_loss(self) -> bool:
        priced = self._value is not None and self.has_minutes
        return priced or self._fixed is not None or self._secondary is not None

    def minutes(self, of: _Of, happens: _Happens) -> Floats | float:
        assert self._users is not None
        assert self._recover is not None
        assert self._detection is not None
        probability, alerted, silent = self._detection
        caught = happens(probability, _CAUGHT)
        # One rank for both times: what an alert would find late, people find late too.
        detect = np.where(caught, of(alerted, _DETECT), of(silent, _DETECT))
        lasted: Floats | float = of(self._users, _USERS) * (detect + of(self._recover, _RECOVER) + self._added)
        return lasted

    def loss(self, of: _Of, happens: _Happens, minutes: Floats | float | None) -> Floats | float:
        lost: Floats | float = 0.0
        if self._value is not None and minutes is not None:
            lost = lost + minutes * of(self._value, _VALUE)
        if self._fixed is not None:
            lost = lost + of(self._fixed, _FIXED)
        if self._secondary is not None:
            lost = lost + np.where(happens(self._probability, _SECONDARY), of(self._secondary, _SECONDARY_COST), 0.0)
        return lost


def together(samples: Sequence[Sample]) -> dict[str, Sample]:
    """The portfolio, year by year: under each currency its losses, and the minutes of all. Empty for no samples."""
    if not samples:
        return {}
    _same_years(samples)
    first = samples[0]
    minutes = _sum(each.minutes for each in samples)
    events = _sum(each.events for each in samples)
    counts = None if events is None else events.astype(np.int64)
    return {
        currency: Sample(
            first.seed,
            first.years,
            minutes,
            _sum(each.loss for each in samples if each.currency == currency),
            counts,
            currency,
        )
        for currency in sorted({each.currency for each in samples})
    }


def _same_years(samples: Sequence[Sample]) -> None:
    if len({(each.seed, each.years) for each in samples}) > 1:
        raise DifferentYearsError("These were drawn with different seeds or numbers of years.")


def _sum(arrays: Iterable[Floats | Counts | None]) -> Floats | None:
    known = [each for each in arrays if each is not None]
    return np.sum(known, axis=0, dtype=np.float64) if known else None


@dataclass(frozen=True)
class Spread:
    """How a year's amount is spread. `expected_shortfall` is the mean of the worst twentieth of the years."""

    mean: float
    standard_deviation: float
    p5: float
    p50: float
    p90: float
    p95: float
    p99: float
    expected_shortfall: float


def spread(values: Floats) -> Spread:
    ordered = np.sort(values)
    p5, p50, p90, p95, p99 = (float(each) for each in np.percentile(ordered, (5, 50, 90, 95, 99)))
    worst = ordered[-max(1, ordered.size // 20) :]
    return Spread(float(ordered.mean()), float(ordered.std()), p5, p50, p90, p95, p99, float(worst.mean()))


def share_above(values: Floats, limit: Floats | float) -> float:
    """In how many of the years the value exceeds the limit: of bad minutes and their budget, how likely it breaks."""
    return float(np.mean(values > limit))


def exceedance(values: Floats, points: int = 120) -> tuple[tuple[float, float], ...]:
    """(amount, probability that a year exceeds it), amounts rising; a point more often where years get rare."""
    ordered, years = np.sort(values), values.size
    tail = np.geomspace(1, max(1, years), max(2, points // 2))
    body = np.linspace(1, years, max(2, points - points // 2))
    ranks = np.unique(np.concatenate((years - tail, body - 1)).round().astype(np.int64).clip(0, years - 1))
    amounts = ordered[ranks]
    # Of equal amounts the last rank counts: no year at that amount exceeds it.
    above = (years - np.searchsorted(ordered, amounts, side="right")) / years
    return tuple(dict(zip(amounts.tolist(), above.tolist(), strict=True)).items())


def no_event_share(sample: Sample) -> float | None:
    return None if sample.events is None else float(np.mean(sample.events == 0))


def breach_probabilities(risks: Sequence[Risk], samples: Sequence[Sample]) -> dict[str, float]:
    """Service → probability that its risks together exceed a year's error budget."""
    _same_years(samples)
    found = {}
    for service, allowed in budgets_of(risks).items():
        pairs = zip(risks, samples, strict=True)
        minutes = _sum(sample.minutes for risk, sample in pairs if risk.service == service)
        if minutes is not None:
            found[service] = share_above(minutes, allowed)
    return found


@dataclass(frozen=True)
class Difference:
    """What a remedy avoids in a year, from the same years with and without it."""

    avoided: Spread
    standard_error: float  # of the mean
    better_share: float  # of the years
    worse_share: float


def difference(before: Floats, after: Floats) -> Difference:
    if before.shape != after.shape:
        raise DifferentYearsError("These are not the same years.")
    avoided = before - after
    error = float(avoided.std() / np.sqrt(avoided.size))
    return Difference(spread(avoided), error, share_above(avoided, 0), share_above(-avoided, 0))


def minutes_avoided(before: Sample, after: Sample) -> Difference | None:
    _same_years((before, after))
    return None if before.minutes is None or after.minutes is None else difference(before.minutes, after.minutes)


def loss_avoided(before: Sample, after: Sample) -> Difference | None:
    _same_years((before, after))
    if before.currency != after.currency:
        raise DifferentYearsError("These are in different currencies.")
    return None if before.loss is None or after.loss is None else difference(before.loss, after.loss)
