"""Whether forecasts hold: intervals against what came, error against seasonal naive, time.

From three points of each series the next four weeks (two where a series is short) and the next 90 days are forecast
from what lies before, and compared with what came: days, whole calendar months, and the sum of all days. What the
intervals are tuned on is told apart from what was held out: by the series' names, so that it stays what it is.
`PUBLIC_SERIES` adds public data sets (bench/series.py).
"""

import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from hashlib import blake2b

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from bench.series import Named, public, seeded
from costs.forecasting.daily import Daily, Floats, filled
from costs.forecasting.forecast import LEVELS, Forecast, forecast
from costs.forecasting.models import naive
from costs.forecasting.months import after

ORIGINS = 3


def is_tuned_on(each: Named) -> bool:
    return blake2b(each.name.encode(), digest_size=4).digest()[0] % 2 == 0


def tried(series: Iterable[Named], horizon: int) -> dict[str, float]:
    """Means over series and origins; `naive_shipped` is the share that no model won."""
    out = defaultdict(list)
    for each in series:
        days = horizon if len(each.values) >= 5 * horizon else 28 if len(each.values) >= 140 else 14
        for back in range(ORIGINS, 0, -1):
            at = len(each.values) - back * days
            past, came = each.values[:at], each.values[at : at + days]
            known = np.isfinite(came)
            found = forecast(Daily(each.start, past), days)
            whole = filled(past)
            yardstick = np.abs(whole[7:] - whole[:-7]).mean()
            out["mase"].append(np.abs(came - found.mean)[known].mean() / yardstick)
            out["naive_mase"].append(np.abs(came - naive(whole, days).mean)[known].mean() / yardstick)
            for level in LEVELS:
                low, high = found.bounds[level]
                out[f"covered_{level}"].append(((low <= came) & (came <= high))[known].mean())
            for first, last in months(found.start, days):
                if known[first:last].all():
                    out["months_covered_80"].append(_is_within(found, came, first, last))
            if known.all():
                out["sums_covered_80"].append(_is_within(found, came, 0, days))
            out["naive_shipped"].append(found.model == "seasonal_naive")
            if found.backtest.coverage_80 is not None:
                out["told_coverage_80"].append(found.backtest.coverage_80)
    return {name: float(np.mean(values)) for name, values in out.items()}


def months(start: date, days: int) -> Iterator[tuple[int, int]]:
    """Calendar months that lie within the days, as (first, after the last)."""
    first = start if start.day == 1 else after(start)
    while (after(first) - start).days <= days:
        yield (first - start).days, (after(first) - start).days
        first = after(first)


def _is_within(found: Forecast, came: Floats, first: int, last: int) -> bool:
    total, error = found.sum(first, last)
    return bool(abs(came[first:last].sum() - total) <= 1.2816 * error)


def told(what: str, count: int, found: dict[str, float]) -> None:
    print(f"| {what} | {count} | {found['mase']:.3f} | {found['naive_mase']:.3f} | "
          + " | ".join(f"{100 * found[f'covered_{level}']:.1f} %" for level in LEVELS)
          + "".join(f" | {100 * found[name]:.1f} %" if name in found else " | –"
                    for name in ("months_covered_80", "sums_covered_80", "told_coverage_80"))
          + f" | {100 * found['naive_shipped']:.0f} % |")  # fmt: skip


def main() -> int:
    ours, others = list(seeded(200)), public()
    forecast(Daily(ours[0].start, ours[0].values), 28)  # imports and compiles
    print("| series | how many | MASE | naive’s | 50 % | 80 % | 95 % | months, 80 % | sums, 80 % | told 80 % | naive |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    holds = True
    for horizon in (28, 90):
        for half, is_of in (("tuned on", is_tuned_on), ("held out", lambda each: not is_tuned_on(each))):
            kinds = {"seeded": list(filter(is_of, ours)), "public": list(filter(is_of, others))}
            for what, series in {**kinds, "both": kinds["seeded"] + kinds["public"]}.items():
                if not series or (what == "both" and not others):
                    continue
                found = tried(series, horizon)
                told(f"{half}, {what}, {horizon} days", len(series), found)
                if (half, what) == ("held out", "both"):
                    shares = [found[name] for name in ("covered_80", "sums_covered_80", "months_covered_80")
                              if name in found]  # fmt: skip
                    holds &= all(0.76 <= share <= 0.84 for share in shares) and found["mase"] < found["naive_mase"]
    began = time.perf_counter()
    for each in seeded(1000, seed=7):
        forecast(Daily(each.start, each.values), 90)
    print(f"\n1,000 series of 180 to 760 days, 90 days ahead: {time.perf_counter() - began:.1f} s")
    one, times = Daily(ours[0].start, np.resize(ours[0].values, 400)), []
    for _ in range(20):
        began = time.perf_counter()
        forecast(one, 365)
        times.append(time.perf_counter() - began)
    print(
        "one series of 400 days, a year ahead: "
        f"median {1000 * np.median(times):.0f} ms, most {1000 * max(times):.0f} ms"
    )
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
