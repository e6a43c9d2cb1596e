"""Forecasts of parts that add up to the forecast of the whole, to the last digit. PURE.

Each part is forecast by itself and so is the whole; what they differ by is shared out by how unsure each is (weighted
least squares with the variances of the errors, Wickramasuriya et al., 2019, for a tree of one level). Any grouping of
the parts, and the whole, are then sums of the very same figures.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

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
    means: tuple[Decimal, ...]  # of the whole: the sums of the parts'
    parts: Mapping[Key, Part]

    def grouped(self, keys: Iterable[Key]) -> tuple[Decimal, ...]:
        """Of several parts together."""
        wanted = [self.parts[key].means for key in keys]
        return tuple(sum(day, Decimal(0)) for day in zip(*wanted, strict=True))


def coherent(whole: Daily, parts: Mapping[Key, Daily], horizon: int, levels: tuple[int, ...]) -> Coherent:
    """Raises TooShortError when the whole is too short; a part that is too short takes its share of the whole."""
    top = forecast(whole, horizon, levels)
    own = {key: _own(series, top, horizon, levels) for key, series in parts.items()}
    means = {key: each.mean if each else _share(parts[key], whole, top) for key, each in own.items()}
    doubt = {key: each.path.spread() ** 2 if each else means[key] ** 2 for key, each in own.items()}
    apart = top.mean - sum(means.values(), np.zeros(horizon))
    weight = top.path.spread() ** 2 + sum(doubt.values(), np.zeros(horizon))
    shared = {
        key: means[key] + apart * np.where(weight > 0, doubt[key] / np.maximum(weight, 1e-30), 0.0) for key in means
    }
    told = {key: Part(own[key], _decimals(shared[key], is_spend=_is_spend(parts[key]))) for key in shared}
    totals = [sum(day, Decimal(0)) for day in zip(*(part.means for part in told.values()), strict=True)]
    return Coherent(top, tuple(totals) if told else _decimals(top.mean, is_spend=top.is_spend), told)


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


def _decimals(values: Floats, *, is_spend: bool) -> tuple[Decimal, ...]:
    return tuple(money(max(value, 0.0) if is_spend else value) for value in values.tolist())
