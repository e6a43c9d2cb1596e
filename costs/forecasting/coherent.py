"""Forecasts of parts that add up to the forecast of the whole, to the last digit. PURE.

Each part is forecast by itself and so is the whole, whose forecast errs least and stands. What the parts together
differ by is shared out over them by how unsure each is (by the variances of their errors). Any grouping of the same
spend, by team or by service, so adds up to the very same whole.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from costs.forecasting.daily import Daily, Floats, money
from costs.forecasting.forecast import Forecast, forecast

Key = tuple[str, ...]


@dataclass(frozen=True)
class Part:
    """One part's own forecast (None: its history is too short) and the decimals that add up."""

    own: Forecast | None
    means: tuple[Decimal, ...]


@dataclass(frozen=True)
class Coherent:
    whole: Forecast
    means: tuple[Decimal, ...]  # of the whole, and of the parts together
    parts: Mapping[Key, Part]

    def grouped(self, keys: Iterable[Key]) -> tuple[Decimal, ...]:
        """Of several parts together."""
        wanted = [self.parts[key].means for key in keys]
        return tuple(sum(day, Decimal(0)) for day in zip(*wanted, strict=True))


def coherent(whole: Daily, parts: Mapping[Key, Daily], horizon: int, levels: tuple[int, ...]) -> Coherent:
    """Raises TooShortError when the whole is too short; a part that is too short takes its share of the whole."""
    top = forecast(whole, horizon, levels)
    total = tuple(money(value) for value in top.mean.tolist())
    if not parts:
        return Coherent(top, total, {})
    own = {key: _own(series, top, horizon, levels) for key, series in parts.items()}
    means = np.array([each.mean if each else _share(parts[key], whole, top) for key, each in own.items()])
    doubt = np.array([each.path.spread() ** 2 if each else means[at] ** 2 for at, each in enumerate(own.values())])
    never_negative = np.array([_is_spend(series) for series in parts.values()])
    shared = _adding_up(means, doubt, top.mean, never_negative)
    exact = _exactly(shared, total)
    told = {key: Part(each, exact[at]) for at, (key, each) in enumerate(own.items())}
    return Coherent(top, total, told)


def _adding_up(means: Floats, doubt: Floats, total: Floats, never_negative: NDArray[np.bool_]) -> Floats:
    """Rows are parts, columns days. Every column comes to its total."""
    out = means + (total - means.sum(axis=0)) * _shares(doubt)
    low = never_negative[:, None] & (out < 0)
    if low.any():
        out[low] = 0.0
        # What was cut off comes out of those above zero, by their size.
        out -= (out.sum(axis=0) - total) * _shares(np.maximum(out, 0))
    return np.asarray(out)


def _shares(weights: Floats) -> Floats:
    together = weights.sum(axis=0)
    return np.asarray(np.where(together > 0, weights / np.maximum(together, 1e-300), 1 / len(weights)))


def _exactly(values: Floats, total: tuple[Decimal, ...]) -> list[tuple[Decimal, ...]]:
    """As decimals; what rounding leaves over goes to the largest part of the day."""
    rows = [[money(value) for value in row] for row in values.tolist()]
    for at, wanted in enumerate(total):
        largest = max(rows, key=lambda row: row[at])
        largest[at] += wanted - sum((row[at] for row in rows), Decimal(0))
    return [tuple(row) for row in rows]


def _own(series: Daily, top: Forecast, horizon: int, levels: tuple[int, ...]) -> Forecast | None:
    """None for what has ended before the whole has, or is too short to be forecast by itself."""
    if series.end != top.start or series.known < 2 * 14:
        return None
    return forecast(series, horizon, levels)


def _share(series: Daily, whole: Daily, top: Forecast) -> Floats:
    """Of the whole's forecast, as in the last four weeks."""
    days = min(28, len(whole.values))
    first = len(whole.values) - days + (whole.start - series.start).days
    recent = series.values[max(first, 0) : max(first + days, 0)]
    total = float(np.nansum(whole.values[-days:]))
    return np.asarray(top.mean * (float(np.nansum(recent)) / total if total else 0.0))


def _is_spend(series: Daily) -> bool:
    known = series.values[np.isfinite(series.values)]
    return not len(known) or bool(known.min() >= 0)
