"""What changing one thing of a projection does: intervals, dropped series, retentions, prices of another unit. PURE."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from costs import projecting
from platform_risk.quantities.pricing import UNIT_WORDS, Price, PriceUnit, Rate
from platform_risk.quantities.projections import DAYS_PER_MONTH, Projection

INTERVALS = (15, 30, 60, 120, 300)
RETENTIONS: tuple[int | None, ...] = (1, 3, 7, 14, 30, 60, 90, 180, 365, None)
_LOOK_AHEAD = 120  # months


@dataclass(frozen=True)
class ByUnit:
    """The same usage under a price of some unit: which reading of a price is right is a matter of its unit."""

    item: str
    book: str
    unit: str
    amount: Decimal
    currency: str
    confidence: str
    first: Decimal | None
    last: Decimal | None
    total: Decimal | None


# Words in a provider's name that tell whose prices of gigabytes are meant.
_OF_LOGS, _OF_METRICS = ("log", "s3"), ("prometheus", "datadog", "signoz")


def fits(vector: str, rate: Rate) -> bool:
    """Whether a rate can price this vector: by its unit, and a gigabyte of logs is none of metrics."""
    strangers = {"metrics": _OF_LOGS, "logs": _OF_METRICS}.get(vector, ())
    return rate.price.unit in projecting.UNITS[vector] and not any(word in rate.provider for word in strangers)


def by_unit(vector: str, inputs: Mapping[str, Any], rates: Iterable[Rate]) -> list[ByUnit]:
    """Nothing is said under a price of a unit that the vector has no amount of."""
    found = []
    for rate in rates:
        if not fits(vector, rate):
            continue
        projection = projecting.priced(vector, inputs, rate.price)
        rows = projection.rows
        found.append(
            ByUnit(
                rate.item, rate.book, UNIT_WORDS[rate.price.unit], rate.price.amount, rate.price.currency,
                rate.confidence.value, rows[0].cost, rows[-1].cost, projection.total_cost,
            )
        )  # fmt: skip
    return found


@dataclass(frozen=True)
class Effect:
    """What the first month would come to. `saving` None where there is no cost."""

    words: str
    points: Decimal
    series: Decimal
    cost: Decimal | None
    saving: Decimal | None
    is_now: bool = False


def of_metrics(inputs: Mapping[str, Any], price: Price, unused: Decimal | None = None) -> list[Effect]:
    """Longer intervals, dropping what nobody reads (`unused`: its share of the series), one set of series for all
    pods of a kind instead of one for each."""
    given = {**inputs, "months": 1}
    now = projecting.priced("metrics", given, price)
    found = [_effect("As it is", now, now, is_now=True)]
    interval = Decimal(given["interval_seconds"])
    for seconds in (each for each in INTERVALS if each > interval):
        slower = {**given, "interval_seconds": Decimal(seconds)}
        found.append(_effect(f"Every {seconds} s", projecting.priced("metrics", slower, price), now))
    share = Decimal("0.25") if unused is None else unused
    words = "A quarter of the series dropped" if unused is None else f"What nobody reads dropped, {100 * share:.0f} %"
    fewer = {**given, "series_per_pod": Decimal(given["series_per_pod"]) * (1 - share)}
    found.append(_effect(words, projecting.priced("metrics", fewer, price), now))
    if Decimal(given["pods"]) > 1:
        together = {**given, "pods": Decimal(1)}
        found.append(_effect("Aggregated over all pods", projecting.priced("metrics", together, price), now))
    return found


def _effect(words: str, found: Projection, now: Projection, *, is_now: bool = False) -> Effect:
    cost, before = found.rows[0].cost, now.rows[0].cost
    saving = None if cost is None or before is None else before - cost
    series = found.figures["active_series"] or Decimal(0)
    return Effect(words, found.rows[0].quantity, series, cost, saving, is_now)


@dataclass(frozen=True)
class Retention:
    """Keeping logs for so many days (None: for ever). `dearer_from`: the first month in which keeping for ever has
    cost more than this, in all; None where it does not within ten years."""

    days: int | None
    stock: Decimal
    cost: Decimal
    total: Decimal
    saving: Decimal
    dearer_from: int | None
    is_now: bool


def retentions(inputs: Mapping[str, Any], storage: Price) -> list[Retention]:
    """By storage alone: no retention changes what it costs to take logs in. Raises WrongUnitError for another price."""
    storage.of(Decimal(0), PriceUnit.PER_GB_MONTH)
    months = int(inputs["months"])
    own = inputs.get("retention_days")
    found = []
    ever = _kept(inputs, storage, None)
    options = list(RETENTIONS) if own in RETENTIONS else [*RETENTIONS[:-1], own, None]
    for days in sorted(options, key=lambda each: (each is None, each or 0)):
        kept = _kept(inputs, storage, days)
        row, last = kept.rows[months - 1], ever.rows[months - 1]
        total, most = row.cumulative_cost or Decimal(0), last.cumulative_cost or Decimal(0)
        dearer = next(
            (one.month for one, other in zip(ever.rows, kept.rows, strict=True)
             if (one.cumulative_cost or 0) > (other.cumulative_cost or 0)),
            None,
        )  # fmt: skip
        found.append(Retention(days, row.quantity, row.cost or Decimal(0), total, most - total, dearer, days == own))
    return found


def _kept(inputs: Mapping[str, Any], storage: Price, days: int | None) -> Projection:
    months = min(max(int(inputs["months"]), 13), _LOOK_AHEAD)
    return projecting.priced("logs", {**inputs, "retention_days": days, "months": months}, storage)


def days_that_cost_as_much_as_ingest(ingest: Price, storage: Price) -> Decimal | None:
    """How long a gigabyte is kept for what it costs to take it in, at the first prices; None where storage is free."""
    if not storage.amount or ingest.currency != storage.currency or ingest.gb_bytes != storage.gb_bytes:
        return None
    return ingest.amount / storage.amount * DAYS_PER_MONTH


@dataclass(frozen=True)
class TierPart:
    words: str
    amount: Decimal
    price: Decimal
    cost: Decimal


def by_tier(price: Price, amount: Decimal) -> list[TierPart]:
    """A month's amount, of the price's unit, over its tiers; what is free first."""
    parts = [TierPart("free", min(price.free, amount), Decimal(0), Decimal(0))] if price.free else []
    for tier, part, cost in price.by_tier(amount):
        words = "beyond" if tier.up_to is None else f"up to {tier.up_to.normalize():f}"
        parts.append(TierPart(words if price.tiers else "all", part, tier.amount, cost))
    return parts
