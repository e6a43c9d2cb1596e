"""How far sums of many days err, months above all: as sums of as many days did in the series' own past. PURE.

Errors of days in a row partly cancel out, and by how much differs: a level that stands still makes less of them than
one that wanders, and what comes in bursts is in every sum. So what a path's daily error and memory make of a sum is
scaled by three things: errors of sums in the past, of which a long history has many; the sums of the trials; and, where
both are few, what holds over all series. The weights were set on the tuning half of the series of
bench/bench_forecast.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from costs.forecasting.daily import WEEK, Floats
from costs.forecasting.models import PastErrors, Path

_LENGTHS = (1, WEEK, 2 * WEEK, 4 * WEEK, 8 * WEEK, 13 * WEEK, 26 * WEEK)
_USUAL = 1.1  # of a long history; of a short one more, for its level is less known
_SHORT, _LONG_DAYS = 0.8, 180
_TRIALS = 0.35  # weight of the trials' sums
_PRIOR_TRIALS = 2
_OVERALL = 0.97
_LEAST, _MOST, _MOST_SIZE = 0.4, 4.0, 4.0


@dataclass(frozen=True)
class SumErrors:
    """`ratios`: of errors of sums of `lengths` days in the past, over what the path makes of them. `tail`: by how much
    the mean square of daily errors exceeds the square of the path's size, in which single outliers do not count."""

    lengths: tuple[int, ...]
    ratios: tuple[float, ...]
    days: int
    usual: float
    trials: float
    tail: float

    def scale(self, days: int) -> float:
        found = max(self.days - days, 0) / days  # so many sums that do not overlap
        weight = found / (found + 1)
        past = float(np.interp(np.log(days), np.log(self.lengths), np.log(self.ratios))) if self.lengths else 0.0
        own = weight * past + (1 - weight) * np.log(self.usual)
        return float(np.clip(np.exp((1 - _TRIALS) * own + _TRIALS * np.log(self.trials)), _LEAST, _MOST))

    def of(self, path: Path, first: int, last: int) -> float:
        """Standard error of the sum of days `first` to `last` (excluded)."""
        days = last - first
        if days <= 0:
            return 0.0
        steady = self.scale(days) * path.spread_of_sum(first, last)
        return float(_OVERALL * np.sqrt(steady**2 + days * self.tail * path.size**2))


def sum_errors(path: Path, past: PastErrors, history: int, trials: Sequence[float]) -> SumErrors:
    """`trials`: error of each trial's sum, over what its path made of it."""
    known = [(days, past(days)) for days in _LENGTHS if past(days).size > 0]
    lengths = tuple(days for days, _ in known)
    ratios = tuple(_ratio(errors, path, days) for days, errors in known)
    squares = [min(trial**2, 81.0) for trial in trials]
    return SumErrors(
        lengths=lengths,
        ratios=ratios,
        days=known[0][1].size if known else 0,
        usual=_USUAL * (1 + _SHORT * max(0.0, 1 - history / _LONG_DAYS)),
        trials=float(np.sqrt((_PRIOR_TRIALS * 1.1**2 + sum(squares)) / (_PRIOR_TRIALS + len(squares)))),
        tail=_tail(known[0][1], path.size) if known else 0.0,
    )


def _ratio(errors: Floats, path: Path, days: int) -> float:
    spread = Path(np.zeros(days), path.size, path.memory, path.weekly).spread_of_sum(0, days)
    if spread <= 0:
        return 1.0
    return max(float(np.sqrt((np.minimum(np.abs(errors) / spread, _MOST) ** 2).mean())), 0.2)


def _tail(errors: Floats, size: float) -> float:
    if size <= 0:
        return 0.0
    return min(max(float((errors**2).mean()) / size**2, 1.0), _MOST_SIZE**2) - 1
