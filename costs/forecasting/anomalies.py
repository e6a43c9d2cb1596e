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
    """What each day would usually be, from the days before it alone; nan where those are too few."""
    out = np.full(len(values), np.nan)
    for at in range(2 * season, len(values)):
        past = values[max(at - _BEFORE * season, 0) : at]
        same = past[-(len(past) // season) * season :].reshape(-1, season)
        levels = np.median(same, axis=1)
        shape = np.median(same - levels[:, None], axis=0)[0]  # the oldest column is this day's weekday
        out[at] = np.median(past[-season:]) + shape
    return out


def unusual(values: Floats, season: int = WEEK, *, days_of_month: NDArray[np.int64] | None = None) -> list[int]:
    """Positions that stand out. Runs are told once, at their beginning, until the level has caught up.

    With the days of the month, a charge that came a month ago too is none.
    """
    expected = usual(values, season)
    apart = values - expected
    found: list[int] = []
    quiet_until = 0
    for at in range(3 * season, len(values)):
        before = np.abs(apart[max(at - 8 * season, 2 * season) : at])
        before = before[np.isfinite(before)]
        if not len(before):
            continue
        # Half the days miss by less than the median; a tenth part of days by a lot more is this series' own manner.
        spread = max(1.4826 * float(np.median(before)), 0.6 * float(np.quantile(before, 0.9)))
        level = max(abs(float(expected[at])), float(np.median(np.abs(values[max(at - 4 * season, 0) : at]))))
        if abs(apart[at]) <= max(_FAR * spread, _MATTERS * level, 1e-9) or at < quiet_until:
            continue
        if days_of_month is None or not _comes_monthly(apart, at, days_of_month):
            found.append(at)
            quiet_until = at + season
    return found


def _comes_monthly(apart: Floats, at: int, days: NDArray[np.int64]) -> bool:
    """Whether it missed by about as much on the same day of the month before."""
    before = np.flatnonzero(days[:at] == days[at])
    last = apart[before[-1]] if len(before) and at - before[-1] < 32 else float("nan")
    return bool(0.5 < last / apart[at] < 2)


def anomalies(whole: Daily, parts: Mapping[tuple[str, ...], Daily], *, since: date | None = None) -> Iterator[Anomaly]:
    """Of the whole, each with the parts (service, account …) that differ most from their own usual."""
    if whole.known < 3 * WEEK:
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
