"""What metrics, entities and logs will come to: three models of stock and flow, in exact decimals. PURE.

Pages, API, and the checks metric-volume, entity-churn and log-retention share them. Rows are months from now, 1 the
first. A figure that cannot be computed is None, never 0.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from platform_risk.quantities.pricing import Price, PriceUnit, WrongUnitError

DAYS_OF_A_YEAR = Decimal(365)
DAYS_PER_MONTH = DAYS_OF_A_YEAR / 12
MOST_MONTHS = 120
_MILLION = Decimal(1_000_000)


@dataclass(frozen=True)
class Row:
    month: int
    quantity: Decimal
    unit: str
    cost: Decimal | None
    cumulative_cost: Decimal | None


@dataclass(frozen=True)
class Steady:
    """Where it stays; all None where it grows for ever."""

    quantity: Decimal | None = None
    cost_per_month: Decimal | None = None
    reached_month: int | None = None


@dataclass(frozen=True)
class Projection:
    rows: tuple[Row, ...]
    steady_state: Steady
    formula: str
    assumptions: tuple[str, ...]
    currency: str
    figures: dict[str, Decimal | None] = field(default_factory=dict)  # what else one wants to know

    @property
    def total_cost(self) -> Decimal | None:
        return self.rows[-1].cumulative_cost if self.rows else None


def _rows(
    months: int, quantity: Callable[[int], Decimal], unit: str, cost: Callable[[int], Decimal | None]
) -> Iterator[Row]:
    total: Decimal | None = Decimal(0)
    for month in range(1, months + 1):
        of_month = cost(month)
        total = None if total is None or of_month is None else total + of_month
        yield Row(month, quantity(month), unit, of_month, total)


def _growth(percent_per_month: Decimal, month: int) -> Decimal:
    return (1 + percent_per_month / 100) ** (month - 1) if month > 1 else Decimal(1)  # -100 % is nought to the nought


def metrics(
    *,
    pods: Decimal,
    series_per_pod: Decimal,
    interval_seconds: Decimal,
    price: Price,
    months: int,
    environments: Decimal = Decimal(1),
    replicas_of_scraper: Decimal = Decimal(1),
    days_per_month: Decimal = Decimal(30),
    growth_percent_per_month: Decimal = Decimal(0),
    bytes_per_point: Decimal | None = None,
) -> Projection:
    """Data points a month: pods × series × 86,400 ÷ interval × days × environments × replicas of the scraper.

    Raises WrongUnitError for a price of another kind.
    """
    series = pods * series_per_pod * environments
    points = series * replicas_of_scraper * 86_400 * days_per_month / interval_seconds
    assumptions = [f"A month has {days_per_month.normalize():f} days."]

    def cost(month: int) -> Decimal | None:
        grown = _growth(growth_percent_per_month, month)
        if price.unit is PriceUnit.PER_MILLION_POINTS:
            return price.of(points * grown / _MILLION, price.unit)
        if price.unit is PriceUnit.PER_ACTIVE_SERIES_MONTH:
            return price.of(series * grown, price.unit)
        if price.unit is PriceUnit.PER_GB_INGESTED:
            if bytes_per_point is None:
                return None
            return price.of(points * grown * bytes_per_point / 10**9, price.unit)
        raise WrongUnitError(f"Metrics are not priced {price.unit}.")

    if price.unit is PriceUnit.PER_GB_INGESTED and bytes_per_point is None:
        assumptions.append("Bytes per data point are not known, so there is no cost: give bytes_per_point.")
    if price.unit is PriceUnit.PER_ACTIVE_SERIES_MONTH and replicas_of_scraper > 1:
        assumptions.append("Replicas of the scraper send each point again, but a series is billed once.")
    steady = Steady(points, cost(1), 1) if growth_percent_per_month == 0 else Steady()
    return Projection(
        tuple(_rows(months, lambda month: points * _growth(growth_percent_per_month, month), "data points", cost)),
        steady,
        "pods × series per pod × 86,400 ÷ interval × days per month × environments × replicas of the scraper",
        tuple(assumptions),
        price.currency,
        {"active_series": series, "data_points_per_minute": points / days_per_month / 1440},
    )


def entities(
    *,
    churn_per_day: Decimal,
    lifetime_days: Decimal,
    price: Price,
    months: int,
    live: Decimal = Decimal(0),
    days_per_month: Decimal = DAYS_PER_MONTH,
) -> Projection:
    """Entities that exist: the live ones, and arrivals a day × days an entity outlives its pod.

    Source: Little's law, L = λ W.
    """
    zombies = churn_per_day * lifetime_days

    def stock(month: int) -> Decimal:
        return live + churn_per_day * min(lifetime_days, days_per_month * month)

    def cost(month: int) -> Decimal:
        return price.of(stock(month), PriceUnit.PER_ENTITY_MONTH)

    reached = max(math.ceil(lifetime_days / days_per_month), 1)
    return Projection(
        tuple(_rows(months, stock, "entities", cost)),
        Steady(live + zombies, price.of(live + zombies, PriceUnit.PER_ENTITY_MONTH), reached),
        "live + churn per day × lifetime in days",
        ("The stock at the end of a month is what the month is billed for.",),
        price.currency,
        {"zombies": zombies, "zombie_cost_per_month": price.of(zombies, PriceUnit.PER_ENTITY_MONTH)},
    )


def logs(
    *,
    gb_per_day: Decimal,
    price: Price,
    months: int,
    retention_days: int | None = None,
    stored_gb: Decimal = Decimal(0),
    growth_percent_per_month: Decimal = Decimal(0),
    days_per_month: Decimal = DAYS_PER_MONTH,
) -> Projection:
    """Stock at each day's end, billed price ÷ days per month a day; or each gigabyte once, as it comes in.

    What is stored already is taken to be evenly old, so that it leaves evenly over the retention. `retention_days`
    None: nothing ever leaves.
    """
    if price.unit not in (PriceUnit.PER_GB_MONTH, PriceUnit.PER_GB_INGESTED, PriceUnit.PER_GB_ONCE):
        raise WrongUnitError(f"Logs are not priced {price.unit}.")
    by_stock = price.unit is PriceUnit.PER_GB_MONTH
    stocks: list[Decimal] = []
    costs: list[Decimal] = []
    ingested: list[Decimal] = []
    stock, day = stored_gb, 0
    for month in range(1, months + 1):
        stock_days = arrived = Decimal(0)
        until = int((days_per_month * month).to_integral_value())
        arriving = gb_per_day * _growth(growth_percent_per_month, month)
        while day < until:
            day += 1
            ingested.append(arriving)
            stock += arriving - _leaving(ingested, day, retention_days, stored_gb)
            stock_days += stock
            arrived += arriving
        stocks.append(stock)
        # Tiers and free allowances are a month's, so the month is priced as one.
        costs.append(price.of(stock_days / days_per_month if by_stock else arrived, price.unit))
    assumptions = ["Stock is taken at each day's end and billed price ÷ days per month a day."] if by_stock else [
        "Each gigabyte is billed once, when it comes in: retention changes the stock and not the cost."
    ]  # fmt: skip
    if stored_gb and retention_days is not None:
        assumptions.append("What is stored already is evenly old.")
    return Projection(
        tuple(_rows(months, lambda month: stocks[month - 1], "GB stored", lambda month: costs[month - 1])),
        _steady_logs(gb_per_day, price, retention_days, growth_percent_per_month, days_per_month, stored_gb),
        "GB per day × days kept, each day’s stock × price ÷ days per month" if by_stock else "GB per day × price",
        tuple(assumptions),
        price.currency,
        {"gb_per_month": gb_per_day * days_per_month},
    )


def _leaving(ingested: list[Decimal], day: int, retention: int | None, stored: Decimal) -> Decimal:
    if retention is None:
        return Decimal(0)
    if retention == 0:
        return ingested[-1] + (stored if day == 1 else 0)
    old = stored / retention if day <= retention else Decimal(0)
    return old + (ingested[day - retention - 1] if day > retention else Decimal(0))


def _steady_logs(
    gb_per_day: Decimal,
    price: Price,
    retention: int | None,
    growth: Decimal,
    days_per_month: Decimal,
    stored: Decimal,
) -> Steady:
    if gb_per_day and (growth or retention is None):
        return Steady()
    stock = stored if retention is None else gb_per_day * retention
    by_stock = price.unit is PriceUnit.PER_GB_MONTH
    cost = price.of(stock if by_stock else gb_per_day * days_per_month, price.unit)
    reached = max(math.ceil(Decimal(retention or 0) / days_per_month), 1)
    return Steady(stock, cost, reached)
