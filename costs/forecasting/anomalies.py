"""Days that cost what they should not have, and what made them so. PURE.

A day is compared with the weekday's usual figure on the running level of the days before it; only the past is looked
at, so that what is said of a day does not depend on when it is said. It is unusual when it is far outside what that
comparison usually misses by, and dear enough to matter.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from costs.forecasting.daily import WEEK, Daily, Floats, filled, money

_BEFORE = 4  # seasons that the usual is taken from
_FAR = 6.0  # spreads; days are many, and a false alarm costs more trust than a small miss
_MATTERS = 0.15  # of the usual day
_MATTERS_TO_ALL = 0.02  # of the usual day of all, for a service by itself
_MOST_PARTS = 3


@dataclass(frozen=True)
class Cause:
    key: tuple[str, ...]
    size: Decimal


@dataclass(frozen=True)
class Anomaly:
    """`size` is money more (or less, negative) than usual; `stays`: the level has moved, and is usual from then on.
    `services`: those alone that the figures are of; none: they are of the whole."""

    day: date
    actual: Decimal
    usual: Decimal
    size: Decimal
    stays: bool
    causes: tuple[Cause, ...] = ()
    services: tuple[str, ...] = ()


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
    """Of the whole, each with the parts (service, account …) that differ most from their own usual; and of each part's
    service by itself, where that is much for the whole though the whole hides it."""
    if whole.known <= (_BEFORE + 1) * WEEK:
        return
    values = filled(whole.values)
    expected = usual(values)
    own = [_Own(key, on := _on(series, whole), usual(on)) for key, series in parts.items()]
    found = {at: _anomaly(whole, values, expected, own, at) for at in _unusual_days(whole, values)}
    for at, services in _hidden(whole, own, expected).items():
        if not any(told <= at < told + WEEK for told in found):
            # Figures and causes are of these services alone: others may have cost less on the day.
            names = {each.key[0] for each in services}
            part_values = np.sum([each.values for each in services], axis=0)
            part_usual = np.sum([each.usual for each in services], axis=0)
            theirs = [each for each in own if each.key[0] in names]
            found[at] = replace(_anomaly(whole, part_values, part_usual, theirs, at), services=tuple(sorted(names)))
    for at in sorted(found):
        if np.isfinite(whole.values[at]) and (since is None or whole.day(at) >= since):
            yield found[at]


@dataclass(frozen=True)
class _Own:
    """A part's figures on the whole's days, and what they would usually be."""

    key: tuple[str, ...]
    values: Floats
    usual: Floats


def _unusual_days(whole: Daily, values: Floats) -> list[int]:
    return unusual(values, days_of_month=whole.days_of_month())


def _hidden(whole: Daily, own: list[_Own], expected: Floats) -> dict[int, list[_Own]]:
    """Days on which a service by itself was unusual, by at least this share of a usual day of all."""
    by_service: dict[str, list[_Own]] = defaultdict(list)
    for each in own:
        by_service[each.key[0]].append(each)
    found: dict[int, list[_Own]] = defaultdict(list)
    for name, members in by_service.items():
        values = np.sum([each.values for each in members], axis=0)
        service = _Own((name,), values, usual(values))
        for at in _unusual_days(whole, values):
            if abs(values[at] - service.usual[at]) > _MATTERS_TO_ALL * abs(expected[at]):
                found[at].append(service)
    return found


def _anomaly(whole: Daily, values: Floats, expected: Floats, own: list[_Own], at: int) -> Anomaly:
    size = float(values[at] - expected[at])
    after = values[at + 1 : at + 1 + WEEK] - expected[at]
    stays = len(after) >= WEEK and bool((after * np.sign(size) > abs(size) / 2).mean() > 0.8)
    return Anomaly(
        whole.day(at), money(float(values[at])), money(float(expected[at])), money(size), stays,
        tuple(_causes(own, at, size)),
    )  # fmt: skip


def _on(series: Daily, whole: Daily) -> Floats:
    """The part's figures on the whole's days: none is nothing."""
    out = np.zeros(len(whole.values))
    offset = (series.start - whole.start).days
    for at, value in enumerate(series.values.tolist()):
        if 0 <= at + offset < len(out) and np.isfinite(value):
            out[at + offset] = value
    return out


def _causes(own: list[_Own], at: int, size: float) -> Iterator[Cause]:
    differ = []
    for each in own:
        apart = float(each.values[at]) - (float(each.usual[at]) if np.isfinite(each.usual[at]) else 0.0)
        if apart * size > 0:
            differ.append((abs(apart), apart, each.key))
    for share, apart, key in sorted(differ, key=lambda found: -found[0])[:_MOST_PARTS]:
        if share >= 0.1 * abs(size):
            yield Cause(key, money(apart))
