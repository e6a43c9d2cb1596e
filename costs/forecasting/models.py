"""How a series goes on: seasonal naive as the yardstick, a level by weekday, Theta, and the mean of the last two. PURE.

Theta is statsforecast's (Fiorucci et al., 2016). It is imported when first used: that takes a second and 100 MB, and
most processes never forecast.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from costs.forecasting.daily import WEEK, Floats

_MOST_DAYS = 400  # what lies further back says nothing of the next months, and takes time
_WEEKS = 16  # that the shape of the week is taken from
_LEAST_MEMORY = 0.1  # Theta's own least α too: even a level that seems to stand still may move
_MEMORIES = np.array([0.02, 0.05, 0.1, 0.2, 0.3, 0.45, 0.65, 0.9])
_FIRST_ERROR = 3 * WEEK  # days that have to lie before one from which the past is tried
_PARTS = 5  # of the past: what came in two of them at most was once, not now and then
_ROOM = 1.2816  # sizes that an interval of 80 % has on either side
_OUTLIER = 4.0  # of the spread around the running median
# Even what has never erred may: as much as one surprise of this share of a usual day, in as many days as are known.
_UNSEEN = 0.1

NAIVE, COMBINED = "seasonal_naive", "theta_and_level"


@dataclass(frozen=True)
class Path:
    """The days to come, and how the error grows: its standard size one day ahead and the share α of each day's
    surprise that stays (the error h days ahead is ε_h + α (ε_1 + … + ε_h-1), as of exponential smoothing)."""

    mean: Floats
    size: float
    memory: float
    weekly: bool = False  # seasonal naive: errors add up from week to week instead
    share: float = 0.0  # of each day's mean: what comes now and then, and not on most days

    @property
    def usual_less(self) -> float:
        """How much less than its mean most days are; nothing where an interval has room for that anyway."""
        return self.share if abs(self.share) > _ROOM * self.size else 0.0

    def weights(self, horizon: int) -> Floats:
        """What is left of a surprise after 0, 1, 2 … days."""
        if self.weekly:
            return np.asarray((np.arange(horizon) % WEEK == 0).astype(np.float64))
        kept = np.full(horizon, self.memory)
        kept[:1] = 1.0
        return kept

    def spread(self) -> Floats:
        """Standard size of the error of each day."""
        return np.asarray(self.size * np.sqrt(np.cumsum(self.weights(len(self.mean)) ** 2)))

    def spread_of_sum(self, first: int, last: int) -> float:
        """Of the sum of days `first` to `last` (excluded), which share surprises and so err together."""
        kept = np.concatenate([[0.0], np.cumsum(self.weights(last))])
        surprise = np.arange(last)
        totals = kept[last - surprise] - kept[np.maximum(first - surprise, 0)]
        return float(self.size * np.sqrt((totals**2).sum()))


Model = Callable[[Floats, int], Path]


def naive(values: Floats, horizon: int) -> Path:
    """Each day like the same weekday of the last week; that is every model's yardstick."""
    steps = values[WEEK:] - values[:-WEEK]
    return Path(np.resize(values[-WEEK:], horizon), max(_size(steps), _least_size(values)), 0.0, weekly=True)


def naive_errors(values: Floats) -> "PastErrors":
    """Of sums of h days from each day on, had each been taken to be like the week before."""
    values = values[-_MOST_DAYS:]
    sums = np.concatenate([[0.0], np.cumsum(values)])

    def of(days: int) -> Floats:
        at = np.arange(_FIRST_ERROR, len(values) - days + 1)
        weeks, rest = divmod(days, WEEK)
        like = weeks * (sums[at] - sums[at - WEEK]) + sums[at - WEEK + rest] - sums[at - WEEK]
        return np.asarray(sums[at + days] - sums[at] - like)

    return of


def combined(values: Floats, horizon: int) -> Path:
    """The mean of Theta and the level by weekday: on spend and on public series it errs less than either.

    What was cut off as outliers comes again where it came in most parts of the past, nobody knows when: each day has
    its share of it, for without it months come to too little.
    """
    calm = _without_outliers(values)
    level = _level(values, calm, horizon)
    parts = np.array_split((values - calm)[-_MOST_DAYS:], _PARTS)
    share = float(np.median([part.mean() for part in parts]))
    mean = (_theta(calm[-_MOST_DAYS:], horizon) + level.mean) / 2 + share
    return Path(mean, max(level.size, _least_size(values)), level.memory, share=share)


def combined_errors(values: Floats) -> "PastErrors":
    """Of sums of h days from each day on, by the level that stood then: Theta's are much the same."""
    calm = _without_outliers(values)[-_MOST_DAYS:]
    shape, level, _ = _fitted(calm, 0)
    rest = values[-_MOST_DAYS:] - shape
    sums = np.concatenate([[0.0], np.cumsum(rest)])

    def of(days: int) -> Floats:
        at = np.arange(_FIRST_ERROR, len(rest) - days + 1)
        return np.asarray(sums[at + days] - sums[at] - days * level[at - 1])

    return of


PastErrors = Callable[[int], Floats]
MODELS: dict[str, Model] = {NAIVE: naive, COMBINED: combined}
PAST_ERRORS: dict[str, Callable[[Floats], PastErrors]] = {NAIVE: naive_errors, COMBINED: combined_errors}


def _size(errors: Floats) -> float:
    """As a standard deviation, but from the quantile that intervals are about: single outliers do not count."""
    if not len(errors):
        return 0.0
    absolute = np.abs(errors)
    return float(max(np.quantile(absolute, 0.8) / 1.2816, 0.25 * absolute.mean()))


def _least_size(values: Floats) -> float:
    """Nothing where nothing was ever spent, of which there is no usual day."""
    return float(_UNSEEN * np.abs(values).mean() / np.sqrt(len(values)))


def _level(values: Floats, calm: Floats, horizon: int) -> Path:
    """Exponential smoothing of what is left without the shape of the week; α is the one that errs least in the past."""
    calm, values = calm[-_MOST_DAYS:], values[-_MOST_DAYS:]
    shape, level, memory = _fitted(calm, horizon)
    errors = (values - shape[: len(values)])[WEEK:] - level[WEEK - 1 : -1]
    return Path(level[-1] + shape[len(calm) :], _size(errors), max(memory, _LEAST_MEMORY))


def _fitted(calm: Floats, horizon: int) -> tuple[Floats, Floats, float]:
    """(The shape of the week, also of the days to come; the level after each day; α)."""
    shape = _shape(calm, len(calm) + horizon)
    rest = calm - shape[: len(calm)]
    levels = _smoothed(rest)
    next_day = np.abs(rest[WEEK:, None] - levels[WEEK - 1 : -1]).mean(axis=0)
    next_week = np.abs(rest[2 * WEEK - 1 :, None] - levels[WEEK - 1 : -WEEK]).mean(axis=0)
    best = int(np.argmin(next_day + next_week))
    return shape, levels[:, best], float(_MEMORIES[best])


def _smoothed(values: Floats) -> Floats:
    """The level after each day, one column for each of the memories."""
    out = np.empty((len(values), len(_MEMORIES)))
    level = np.full(len(_MEMORIES), values[:WEEK].mean())
    for at, value in enumerate(values.tolist()):
        level = level + _MEMORIES * (value - level)
        out[at] = level
    return out


def _shape(values: Floats, length: int) -> Floats:
    """Each weekday's distance from the week's mean, shrunk by what chance alone would make of it."""
    recent = values[-_WEEKS * WEEK :]
    apart = recent[3:-3] - np.convolve(recent, np.full(WEEK, 1 / WEEK), "valid")
    if len(apart) < WEEK:
        return np.zeros(length)
    weekday = np.arange(len(apart)) % WEEK
    means = np.array([apart[weekday == day].mean() for day in range(WEEK)])
    chance = np.array([apart[weekday == day].var() / (weekday == day).sum() for day in range(WEEK)]).mean()
    strength = max(0.0, 1 - chance / max(float((means**2).mean()), 1e-30))
    first = len(values) - len(recent) + 3
    return np.asarray(((means - means.mean()) * strength)[(np.arange(length) - first) % WEEK])


def _without_outliers(values: Floats) -> Floats:
    """What sticks out of its fortnight is cut to where sticking out begins; a step is none, for it stays."""
    weekday = np.arange(len(values)) % WEEK
    usual = np.array([np.median(values[weekday == day][-8:]) for day in range(WEEK)])[weekday]
    rest = values - usual
    around = np.lib.stride_tricks.sliding_window_view(np.pad(rest, WEEK, mode="reflect"), 2 * WEEK + 1)
    middle = np.median(around, axis=1)
    spread = np.median(np.abs(around - middle[:, None]), axis=1) * 1.4826
    most = _OUTLIER * np.maximum(spread, np.median(spread)) + 1e-12
    return np.asarray(np.clip(rest, middle - most, middle + most) + usual)


@cache
def theta_class() -> Any:
    from statsforecast.models import DynamicOptimizedTheta

    return DynamicOptimizedTheta


def _theta(values: Floats, horizon: int) -> Floats:
    if np.ptp(values) <= 1e-9 * max(abs(float(values[-1])), 1e-9):
        return np.full(horizon, values[-1])
    scale = max(float(np.abs(values).mean()), 1e-12)  # its optimiser has absolute tolerances
    model = theta_class()(season_length=WEEK, decomposition_type="additive").fit(values / scale)
    return np.asarray(model.predict(h=horizon)["mean"], dtype=float) * scale
