"""What an estimate may be: a number, a range with a likely value, an interval, a rate learnt from incidents. PURE.

Every distribution is drawn by its quantile function, so that one uniform number gives the same rank before and after a
remedy. Quantiles that have no closed form are read from a table of the distribution function.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

DAYS_OF_A_YEAR = 365.25
NORMAL_95 = 1.6448536269514722  # the 95th percentile of the standard normal: half the width of a 90% interval
_NODES = 2049
_LARGEST_LOG_MEAN = 50.0  # a mean of 5e21
_LEAST_EVENTS = 0.05  # a Gamma with less has nearly all its weight below any number that a float can hold
_SMALL_RATE = 30.0  # up to here the number of events is searched exactly


class Distribution(Protocol):
    @property
    def mean(self) -> float: ...

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the most it can be."""

    def quantile(self, uniform: Floats) -> Floats: ...


def _finite(**values: float) -> None:
    for name, value in values.items():
        if not math.isfinite(value):
            raise ValueError(f"{name} must be a finite number, not {value}")


@dataclass(frozen=True, slots=True)
class Constant:
    value: float

    def __post_init__(self) -> None:
        _finite(value=self.value)

    @property
    def mean(self) -> float:
        return self.value

    @property
    def bounds(self) -> tuple[float, float]:
        return self.value, self.value

    def quantile(self, uniform: Floats) -> Floats:
        return np.full(uniform.shape, self.value)


@dataclass(frozen=True, slots=True)
class Pert:
    """A beta distribution over lo..hi that leans to the mode; the mode weighs four times as much as an end."""

    lo: float
    mode: float
    hi: float

    def __post_init__(self) -> None:
        _finite(lo=self.lo, mode=self.mode, hi=self.hi)
        if not self.lo <= self.mode <= self.hi:
            raise ValueError(f"a range needs lo ≤ mode ≤ hi, not {self.lo}, {self.mode}, {self.hi}")

    @property
    def mean(self) -> float:
        return (self.lo + 4 * self.mode + self.hi) / 6

    @property
    def bounds(self) -> tuple[float, float]:
        return self.lo, self.hi

    @property
    def shape(self) -> tuple[float, float]:
        """The two parameters of the beta distribution; needs lo < hi."""
        width = self.hi - self.lo
        return 1 + 4 * (self.mode - self.lo) / width, 1 + 4 * (self.hi - self.mode) / width

    def quantile(self, uniform: Floats) -> Floats:
        if self.lo == self.hi:
            return np.full(uniform.shape, self.lo)
        return self.lo + (self.hi - self.lo) * _beta_table(*self.shape)(uniform)

    def at_least(self, floor: float) -> "Pert":
        """Nothing below the floor: detection cannot be quicker than the alert's own delay."""
        return Pert(max(self.lo, floor), max(self.mode, floor), max(self.hi, floor))


@dataclass(frozen=True, slots=True)
class LogNormal:
    mu: float
    sigma: float

    def __post_init__(self) -> None:
        _finite(mu=self.mu, sigma=self.sigma)
        if self.sigma < 0:
            raise ValueError(f"sigma must not be negative, not {self.sigma}")
        if self.mu + self.sigma**2 / 2 > _LARGEST_LOG_MEAN:
            raise ValueError("an interval so wide must not stand for an amount: its mean has no bounds that matter")

    @classmethod
    def from_interval(cls, lo: float, hi: float) -> "LogNormal":
        """From a 90% interval: one in twenty below lo, one in twenty above hi."""
        _finite(lo=lo, hi=hi)
        if not 0 < lo <= hi:
            raise ValueError(f"an interval needs 0 < lo ≤ hi, not {lo}, {hi}")
        return cls((math.log(lo) + math.log(hi)) / 2, (math.log(hi) - math.log(lo)) / (2 * NORMAL_95))

    @property
    def mean(self) -> float:
        return math.exp(self.mu + self.sigma**2 / 2)

    @property
    def bounds(self) -> tuple[float, float]:
        return 0.0, math.inf

    def quantile(self, uniform: Floats) -> Floats:
        drawn: Floats = np.exp(self.mu + self.sigma * normal_quantile(uniform))
        return drawn


@dataclass(frozen=True, slots=True)
class GammaRate:
    """Events a year, as known from incidents: `events` counted in `years`, the prior among them."""

    events: float
    years: float

    def __post_init__(self) -> None:
        _finite(events=self.events, years=self.years)
        if self.events < _LEAST_EVENTS or self.years <= 0:
            raise ValueError(f"events must be {_LEAST_EVENTS} or more in some years, not {self.events}, {self.years}")

    def after(self, incidents: int, years: float) -> "GammaRate":
        """What is known once so many incidents were seen in so many years."""
        if incidents < 0 or not 0 <= years < math.inf:
            raise ValueError(f"incidents and years must not be negative, not {incidents}, {years}")
        return GammaRate(self.events + incidents, self.years + years)

    @property
    def mean(self) -> float:
        return self.events / self.years

    @property
    def bounds(self) -> tuple[float, float]:
        return 0.0, math.inf

    @property
    def no_event(self) -> float:
        """Probability of a year without any."""
        return math.exp(-self.events * math.log1p(1 / self.years))

    def quantile(self, uniform: Floats) -> Floats:
        drawn: Floats = np.exp(_gamma_table(self.events)(uniform)) / self.years
        return drawn


# Knows next to nothing: half an event in a year.
PRIOR = GammaRate(0.5, 1.0)


def days_between(lo: float, mode: float, hi: float) -> Pert:
    """Events a year from days between failures. The longest time is the lowest rate."""
    if not 0 < lo <= mode <= hi:
        raise ValueError(f"days between failures need 0 < lo ≤ mode ≤ hi, not {lo}, {mode}, {hi}")
    return Pert(DAYS_OF_A_YEAR / hi, DAYS_OF_A_YEAR / mode, DAYS_OF_A_YEAR / lo)


def poisson_counts(rates: Floats, uniform: Floats) -> Counts:
    """Events of each year by inversion, so that a higher rate never gives fewer events for the same uniform number.

    Above _SMALL_RATE by the Cornish-Fisher expansion, which there is right to a hundredth of an event.
    """
    counts = np.zeros(rates.shape, dtype=np.int64)
    many = np.flatnonzero(rates > _SMALL_RATE)
    if many.size:
        normal, rate = normal_quantile(uniform[many]), rates[many]
        found = np.ceil(rate + np.sqrt(rate) * normal + (normal**2 - 1) / 6 - 0.5)
        counts[many] = np.clip(found, 0, 1e15).astype(np.int64)
    searched = np.flatnonzero(rates <= _SMALL_RATE)
    wanted, rate = uniform[searched], rates[searched]
    term = np.exp(-rate)
    cumulated = term
    # 200 events at a rate of 30 never come: the bound only ends the search where rounding keeps the sum below 1.
    for number in range(1, 200):
        further = wanted > cumulated
        if not further.any():
            break
        searched, wanted, rate = searched[further], wanted[further], rate[further]
        term = term[further] * rate / number
        cumulated = cumulated[further] + term
        counts[searched] = number
    return counts


def normal_quantile(uniform: Floats) -> Floats:
    return _normal_table()(uniform)


class _Table:
    """The inverse of a distribution function that is known at nodes.

    Read at evenly spaced ranks, which needs no search; at both ends, where the quantile is steep, from the nodes.
    """

    _RANKS = 16_384
    _STEEP = 32

    def __init__(self, values: Floats, cumulated: Floats) -> None:
        self._values, self._cumulated = values, cumulated
        self._even = np.interp(np.linspace(0, 1, self._RANKS + 1), cumulated, values)
        self._steps = np.diff(self._even)

    def __call__(self, uniform: Floats) -> Floats:
        place = uniform * self._RANKS
        rank = np.minimum(place.astype(np.int64), self._RANKS - 1)
        place -= rank
        place *= self._steps[rank]
        place += self._even[rank]
        steep = np.flatnonzero((rank < self._STEEP) | (rank >= self._RANKS - self._STEEP))
        place[steep] = np.interp(uniform[steep], self._cumulated, self._values)
        return place


@lru_cache(maxsize=1)
def _normal_table() -> _Table:
    deviations = np.linspace(-8.2, 8.2, 4 * _NODES)
    return _Table(deviations, np.array([math.erfc(-each / math.sqrt(2)) / 2 for each in deviations.tolist()]))


@lru_cache(maxsize=256)
def _beta_table(a: float, b: float) -> _Table:
    # Nodes crowd at both ends, where the quantile is steep.
    angle = np.linspace(0, math.pi, _NODES)
    shares = (1 - np.cos(angle)) / 2
    return _Table(shares, _cumulated(shares ** (a - 1) * (1 - shares) ** (b - 1) * np.sin(angle)))


@lru_cache(maxsize=256)
def _gamma_table(shape: float) -> _Table:
    # Over the logarithm the density has no pole at 0. Outside these ends there is less than a millionth.
    lowest = max(-700.0, (math.log(1e-7) + math.lgamma(shape + 1)) / shape)
    if shape > 100:
        lowest = math.log(shape - 8 * math.sqrt(shape))
    highest = math.log(shape + 8 * math.sqrt(shape) + 30)
    logarithms = np.linspace(lowest, highest, 4 * _NODES)
    exponent = shape * logarithms - np.exp(logarithms)
    return _Table(logarithms, _cumulated(np.exp(exponent - exponent.max())))


def _cumulated(density: Floats) -> Floats:
    """The distribution function at evenly spaced nodes, by the trapezoid rule."""
    cumulated = np.concatenate(([0.0], np.cumsum((density[1:] + density[:-1]) / 2)))
    scaled: Floats = cumulated / cumulated[-1]
    return scaled
