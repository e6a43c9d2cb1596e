"""Days that cost what they should not have, and what made them so. PURE.

A day is compared with the weekday's usual figure on the running level of the days before it; only the past is looked
at, so that what is said of a day does not depend on when it is said. It is unusual when it is far outside what that
comparison usually misses by, and dear enough to matter.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from costs.forecasting.daily import WEEK, Daily, Floats, filled, money

_BEFORE = 4  # seasons that the usual is taken from
_FAR = 6.0  # spreads; days are many, and a false alarm costs more trust than a small miss
_MATTERS = 0.15  # of the usual day
_MOST_PARTS = 3


@dataclass(frozen=True)
class Cause:
    key: tuple[str, ...]
    size: Decimal


@dataclass(frozen=True)
class Anomaly:
    """`size` is money more (or less, negative) than usual; `stays`: the level has moved, and is usual from then on."""

    day: date
    actual: Decimal
    usual: Decimal
    size: Decimal
    stays: bool
    causes: tuple[Cause, ...] = ()


def usual(values: Floats, season: int = WEEK) -> Floats:
    """What each day would usually be, from the four seasons before it alone; nan where those are too few."""
    out = np.full(len(values), np.nan)
    if len(values) <= _BEFORE * season:
        return out
    past = np.lib.stride_tricks.sliding_window_view(values[:-1], _BEFORE * season)
    seasons = past.reshape(len(past), _BEFORE, season)
    levels = np.median(seasons, axis=2)
    shape = np.median(seasons[:, :, 0] - levels, axis=1)  # the first column is the weekday of the day that follows
    out[_BEFORE * season :] = levels[:, -1] + shape
    return out


def unusual(values: Floats, season: int = WEEK, *, days_of_month: NDArray[np.int64] | None = None) -> list[int]:
    """Positions that stand out. Runs are told once, at their beginning, until the level has caught up.

    With the days of the month, a charge that came a month ago too is none.
    """
    expected = usual(values, season)
    apart = values - expected
    first = (_BEFORE + 1) * season
    if len(values) <= first:
        return []
    spread = _spread(apart, season)
    level = np.maximum(np.abs(expected), _running(np.abs(values), _BEFORE * season, (0.5,))[0])
    far = np.abs(apart) > np.maximum(np.maximum(_FAR * spread, _MATTERS * level), 1e-9)
    found: list[int] = []
    for at in np.flatnonzero(far).tolist():
        if at < first or (found and at < found[-1] + season):
            continue
        if days_of_month is None or not _comes_monthly(values, float(apart[at]), at, days_of_month):
            found.append(at)
    return found


def _spread(apart: Floats, season: int) -> Floats:
    """What the comparison missed by in the eight seasons before: half the days miss by less than the median, and a
    tenth that misses by a lot more is the series' own manner."""
    middle, tenth = _running(np.abs(apart), 2 * _BEFORE * season, (0.5, 0.9))
    return np.asarray(np.maximum(1.4826 * middle, 0.6 * tenth))


def _running(values: Floats, window: int, shares: tuple[float, ...]) -> Floats:
    """The quantiles of the `window` figures before each, of those that there are: a row for each share."""
    out = np.full((len(shares), len(values)), np.nan)
    padded = np.concatenate([np.full(window, np.nan), values[:-1]])
    seen = np.lib.stride_tricks.sliding_window_view(padded, window)
    known = np.isfinite(seen).sum(axis=1)
    whole = known == window
    out[:, whole] = np.quantile(seen[whole], shares, axis=1)
    for at in np.flatnonzero((known > 0) & ~whole).tolist():  # few, at the beginning
        out[:, at] = np.quantile(seen[at][np.isfinite(seen[at])], shares)
    return out


def _comes_monthly(values: Floats, size: float, at: int, days: NDArray[np.int64]) -> bool:
    """Whether the same day of the month before stood out from its fortnight by about as much."""
    before = np.flatnonzero(days[:at] == days[at])
    if not len(before) or at - before[-1] > 31:
        return False
    last = int(before[-1])
    stood_out = values[last] - np.median(values[max(last - WEEK, 0) : last + WEEK + 1])
    return bool(0.5 < stood_out / size < 2)


def anomalies(whole: Daily, parts: Mapping[tuple[str, ...], Daily], *, since: date | None = None) -> Iterator[Anomaly]:
    """Of the whole, each with the parts (service, account …) that differ most from their own usual."""
    if whole.known <= (_BEFORE + 1) * WEEK:
        return
    values = filled(whole.values)
    expected = usual(values)
    own = {key: (series, usual(_on(series, whole))) for key, series in parts.items()}
    for at in unusual(values, days_of_month=whole.days_of_month()):
        day = whole.day(at)
        if not np.isfinite(whole.values[at]) or (since is not None and day < since):
            continue
        size = float(values[at] - expected[at])
        after = values[at + 1 : at + 1 + WEEK] - expected[at]
        stays = len(after) >= WEEK and bool((after * np.sign(size) > abs(size) / 2).mean() > 0.8)
        yield Anomaly(
            day, money(float(values[at])), money(float(expected[at])), money(size), stays,
            tuple(_causes(own, whole, at, size)),
        )  # fmt: skip


def _on(series: Daily, whole: Daily) -> Floats:
    """The part's figures on the whole's days: none is nothing."""
    out = np.zeros(len(whole.values))
    offset = (series.start - whole.start).days
    for at, value in enumerate(series.values.tolist()):
        if 0 <= at + offset < len(out) and np.isfinite(value):
            out[at + offset] = value
    return out


def _causes(own: Mapping[tuple[str, ...], tuple[Daily, Floats]], whole: Daily, at: int, size: float) -> Iterator[Cause]:
    differ = []
    for key, (series, expected) in own.items():
        value = _on(series, whole)[at]
        apart = value - (expected[at] if np.isfinite(expected[at]) else 0.0)
        if apart * size > 0:
            differ.append((abs(apart), apart, key))
    for share, apart, key in sorted(differ, key=lambda each: -each[0])[:_MOST_PARTS]:
        if share >= 0.1 * abs(size):
            yield Cause(key, money(apart))
