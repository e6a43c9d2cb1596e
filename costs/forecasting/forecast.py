"""Daily spend as it will go on, with intervals that say how sure that is, tried on the series' own past. PURE.

A model is tried by rolling origin: from three points in the past the days after are forecast and compared with what
came. If it errs no less than seasonal naive there, seasonal naive is what ships. The same trials scale the intervals.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from costs.forecasting import fees
from costs.forecasting.daily import FEWEST_DAYS, WEEK, Daily, Floats, TooShortError, filled
from costs.forecasting.models import COMBINED, MODELS, NAIVE, PAST_ERRORS, Path
from costs.forecasting.sums import SumErrors, sum_errors

LEVELS = (50, 80, 95)
MOST_DAYS_AHEAD = 400
_ORIGINS = 3
# Half-widths in standard sizes that cover 50, 80 and 95 % of what comes, set on the series of bench/bench_forecast.py
# before half of them were held out.
_KNOTS = (0.0, 50.0, 80.0, 95.0, 100.0)
_OVER_NORMAL = (1.0, 1.0, 1.09, 1.33, 1.5)
_TRUST = 0.5  # in the series' own trials, against all series'
_LEAST_SCALE, _MOST_SCALE = 0.4, 3.0


@dataclass(frozen=True)
class Backtest:
    """`mase`: mean absolute error over that of seasonal naive within the past; `coverage_80`: share of days within
    the 80 % interval. Both over all trials; None where there was no room for one."""

    origins: int
    days: int
    mase: float | None
    baseline_mase: float | None
    coverage_80: float | None


@dataclass(frozen=True)
class Forecast:
    """Rows are days from `start` on. `bounds[level]` is a pair of arrays, wider for higher levels."""

    start: date
    path: Path
    model: str
    bounds: dict[int, tuple[Floats, Floats]]
    backtest: Backtest
    sums: SumErrors
    is_spend: bool  # never below nothing
    notes: tuple[str, ...] = ()

    @property
    def mean(self) -> Floats:
        return self.path.mean

    def sum(self, first: int, last: int) -> tuple[float, float]:
        """(Expected sum of days `first` to `last` (excluded), its standard error)."""
        return float(self.mean[first:last].sum()), self.sums.of(self.path, first, last)


@dataclass(frozen=True)
class _Trial:
    """From one point in the past: what came less what was forecast, over the size of error that was announced."""

    mase: float
    standard: Floats
    total: float  # the same for the sum of all its days


def forecast(series: Daily, horizon: int, levels: Sequence[int] = LEVELS) -> Forecast:
    """Raises TooShortError below two weeks, with how many days there are."""
    if series.known < FEWEST_DAYS:
        known = "is 1 day" if series.known == 1 else f"are {series.known} days"
        raise TooShortError(
            f"There {known} of spend; a forecast takes at least {FEWEST_DAYS}. "
            f"It appears once {FEWEST_DAYS - series.known} more are imported."
        )
    values = filled(series.values)
    is_spend = bool(values.min() >= 0)
    monthly = fees.by_day_of_month(values, series.days_of_month())
    on_top = fees.of_days(monthly, series.days_of_month(horizon))
    base = values - on_top[: len(values)]
    trials = {name: _trials(base, name) for name in MODELS}
    chosen = _chosen(trials)
    path = MODELS[chosen](base, horizon)
    path = replace(path, mean=path.mean + on_top[len(values) :])
    if is_spend:
        path = replace(path, mean=np.maximum(path.mean, 0))
    tried = [trial.standard for trial in trials[chosen]]
    return Forecast(
        start=series.end,
        path=path,
        model=chosen,
        bounds=_bounds(path, tried, sorted(levels), is_spend=is_spend),
        backtest=_backtest(trials, chosen, len(values)),
        sums=sum_errors(path, PAST_ERRORS[chosen](base), len(values), [trial.total for trial in trials[chosen]]),
        is_spend=is_spend,
        notes=tuple(_notes(series, monthly, trials, chosen)),
    )


def _room(length: int) -> tuple[int, int]:
    """(How many trials, of how many days) a history has room for."""
    days = max(WEEK, min(4 * WEEK, length // 6))
    return min(_ORIGINS, max((length - FEWEST_DAYS) // days, 0)), days


def _trials(values: Floats, model: str) -> list[_Trial]:
    origins, days = _room(len(values))
    found = []
    for back in range(origins, 0, -1):
        at = len(values) - back * days
        past, came = values[:at], values[at : at + days]
        path = MODELS[model](past, days)
        errors = came - path.mean
        yardstick = float(np.abs(past[WEEK:] - past[:-WEEK]).mean())
        mase = float(np.abs(errors).mean()) / yardstick if yardstick > 0 else float("nan")
        spread = np.maximum(path.spread(), 1e-12)
        # What lies between the mean and most days, which do without what comes now and then, is within any interval.
        below, above = sorted((0.0, -path.usual_less))
        beside = errors - np.clip(errors, below, above)
        found.append(_Trial(mase, beside / spread, float(errors.sum()) / max(path.spread_of_sum(0, days), 1e-12)))
    return found


def _mean_mase(trials: Sequence[_Trial]) -> float | None:
    known = [trial.mase for trial in trials if np.isfinite(trial.mase)]
    return float(np.mean(known)) if known else None


def _chosen(trials: dict[str, list[_Trial]]) -> str:
    """What has not been shown to beat the yardstick does not ship."""
    model, yardstick = _mean_mase(trials[COMBINED]), _mean_mase(trials[NAIVE])
    return COMBINED if model is not None and yardstick is not None and model < yardstick else NAIVE


def _normal(level: float) -> float:
    """Half-width of the normal distribution's central interval."""
    from statistics import NormalDist

    return NormalDist().inv_cdf(0.5 + level / 200)


def _half_width(level: int, tried: Sequence[Floats]) -> float:
    """In standard sizes: what holds over all series, drawn half-way to what would have held in this one's trials."""
    usual = _normal(level) * float(np.interp(level, _KNOTS, _OVER_NORMAL))
    if not tried:
        return usual * 1.2  # nothing was tried: less sure
    own = float(np.quantile(np.abs(np.concatenate(tried)), level / 100))
    own = min(max(own, _LEAST_SCALE * usual), _MOST_SCALE * usual)
    return float(usual ** (1 - _TRUST) * own**_TRUST)


def _bounds(
    path: Path, tried: Sequence[Floats], levels: Sequence[int], *, is_spend: bool
) -> dict[int, tuple[Floats, Floats]]:
    spread, widest = path.spread(), 0.0
    found = {}
    for level in levels:
        widest = max(widest, _half_width(level, tried))
        below, above = sorted((0.0, -path.usual_less))
        low, high = path.mean + below - widest * spread, path.mean + above + widest * spread
        found[level] = (np.maximum(low, 0) if is_spend else low, high)
    return found


def _backtest(trials: dict[str, list[_Trial]], chosen: str, length: int) -> Backtest:
    """Each trial's coverage is that of intervals scaled by the other trials: it has not seen what it is measured on."""
    tried = [trial.standard for trial in trials[chosen]]
    within = [
        np.abs(standard) <= _half_width(80, [other for at, other in enumerate(tried) if at != number])
        for number, standard in enumerate(tried)
    ]
    return Backtest(
        origins=len(tried),
        days=_room(length)[1] if tried else 0,
        mase=_mean_mase(trials[chosen]),
        baseline_mase=_mean_mase(trials[NAIVE]),
        coverage_80=float(np.concatenate(within).mean()) if within else None,
    )


def _notes(series: Daily, monthly: dict[int, float], trials: dict[str, list[_Trial]], chosen: str) -> list[str]:
    said = []
    if series.missing:
        said.append(f"{series.missing} days were missing and were filled from the same weekdays around them.")
    if not trials[chosen]:
        said.append("There are too few days to try a model on the past, so each day is taken to be like a week before.")
    elif chosen == NAIVE:
        said.append("No model erred less than “like a week before” on this series, so that is what is shown.")
    if monthly:
        days = ", ".join(str(day) for day in sorted(monthly))
        said.append(f"Charges that come on day {days} of each month are taken to go on.")
    return said
