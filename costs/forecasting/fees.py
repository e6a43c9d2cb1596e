"""Charges that come on one day of each month: support, licences, what is billed on the first. PURE."""

import numpy as np
from numpy.typing import NDArray

from costs.forecasting.daily import WEEK, Floats

_FEWEST_MONTHS = 3
_STANDS_OUT = 4.0  # spreads
_KEPT = 6  # months that the size is taken from


def by_day_of_month(values: Floats, days: NDArray[np.int64]) -> dict[int, float]:
    """{day of the month: what it has more (or less) than its neighbours}, where it has so in nearly every month."""
    if len(values) < 60:
        return {}
    around = np.lib.stride_tricks.sliding_window_view(np.pad(values, WEEK, mode="reflect"), 2 * WEEK + 1)
    apart = values - np.median(around, axis=1)
    spread = max(float(np.median(np.abs(apart))) * 1.4826, 1e-9 * max(float(np.abs(values).mean()), 1e-9))
    found = {}
    for day in range(1, 32):
        of_day = apart[days == day]
        if len(of_day) < _FEWEST_MONTHS:
            continue
        recent = of_day[-_KEPT:]
        size = float(np.median(recent))
        if abs(size) > _STANDS_OUT * spread and (np.abs(recent) > _STANDS_OUT / 2 * spread).mean() > 0.8:
            found[day] = size
    return found


def of_days(fees: dict[int, float], days: NDArray[np.int64]) -> Floats:
    out = np.zeros(len(days))
    for day, size in fees.items():
        out[days == day] = size
    return out
