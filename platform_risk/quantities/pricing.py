"""Prices with their units as types: a price of one unit cannot be applied to an amount of another. PURE."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Context, Decimal
from enum import StrEnum

GIGABYTE, GIBIBYTE = 10**9, 2**30
_SHOWN, _WIDE = Decimal("0.000001"), Context(prec=300)  # what grows tenfold a month for ten years has 130 digits


class PriceUnit(StrEnum):
    PER_MILLION_POINTS = "per_million_points"
    PER_GB_INGESTED = "per_gb_ingested"
    PER_ACTIVE_SERIES_MONTH = "per_active_series_month"
    PER_ENTITY_MONTH = "per_entity_month"
    PER_GB_MONTH = "per_gb_month"  # kept for a month
    PER_GB_ONCE = "per_gb_once"  # each gigabyte once, however long it is kept: the analysis' reading of log prices
    PER_GB_SCANNED = "per_gb_scanned"
    PER_BILLION_POINTS_READ = "per_billion_points_read"
    PER_HOST_HOUR = "per_host_hour"


UNIT_WORDS = {
    PriceUnit.PER_MILLION_POINTS: "per million data points",
    PriceUnit.PER_GB_INGESTED: "per GB ingested",
    PriceUnit.PER_ACTIVE_SERIES_MONTH: "per active series and month",
    PriceUnit.PER_ENTITY_MONTH: "per entity and month",
    PriceUnit.PER_GB_MONTH: "per GB stored and month",
    PriceUnit.PER_GB_ONCE: "per GB, once",
    PriceUnit.PER_GB_SCANNED: "per GB searched",
    PriceUnit.PER_BILLION_POINTS_READ: "per billion data points read",
    PriceUnit.PER_HOST_HOUR: "per host and hour",
}


class Confidence(StrEnum):
    HIGH = "high"  # the provider's own page or a calculator's tested figures
    MEDIUM = "medium"  # told by others
    LOW = "low"  # from memory, or in part


class WrongUnitError(ValueError):
    """A price was applied to an amount of another unit."""


class BadPriceError(ValueError):
    """A price that contradicts itself: tiers that do not rise, amounts below zero."""


@dataclass(frozen=True, slots=True)
class Tier:
    """`amount` for each of the unit up to `up_to` a month in all; None: for all beyond."""

    up_to: Decimal | None
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Price:
    """Money for one of the unit, in an ISO 4217 currency.

    `free` of the unit are not billed each month. With `tiers`, `amount` is the first one's; what is free comes off
    before they are counted. Raises BadPriceError for tiers that do not rise or do not end with one without a bound.
    """

    amount: Decimal
    unit: PriceUnit
    currency: str = "USD"
    free: Decimal = Decimal(0)
    tiers: tuple[Tier, ...] = ()
    gb_bytes: int = GIGABYTE  # what the provider calls a gigabyte

    def __post_init__(self) -> None:
        amounts = [self.amount, self.free, *(tier.amount for tier in self.tiers)]
        if not all(each.is_finite() and each >= 0 for each in amounts):
            raise BadPriceError("A price, a tier's price and a free allowance are numbers of zero or more.")
        if not self.tiers:
            return
        bounds = [tier.up_to for tier in self.tiers]
        rising = [bound for bound in bounds[:-1] if bound is not None]
        if bounds[-1] is not None or len(rising) != len(bounds) - 1 or rising != sorted(set(rising)):
            raise BadPriceError("Tiers have rising bounds, and the last one has none.")
        if rising and rising[0] <= 0:
            raise BadPriceError("A tier's bound is above zero.")
        if self.tiers[0].amount != self.amount:
            raise BadPriceError("The price is the first tier's.")

    @property
    def is_linear(self) -> bool:
        return not self.tiers and not self.free

    def of(self, amount: Decimal, unit: PriceUnit) -> Decimal:
        """The cost of `amount` of `unit` in one month. Raises WrongUnitError for any unit but the price's own."""
        if unit is not self.unit:
            raise WrongUnitError(f"A price {self.unit} cannot be applied to an amount {unit}.")
        billed = max(amount - self.free, Decimal(0)) if self.free else amount
        return sum((part * tier_amount for part, tier_amount in self._parts(billed)), Decimal(0))

    def _parts(self, billed: Decimal) -> Iterable[tuple[Decimal, Decimal]]:
        if not self.tiers:
            yield billed, self.amount
            return
        below = Decimal(0)
        for tier in self.tiers:
            until = billed if tier.up_to is None else min(billed, tier.up_to)
            if until > below:
                yield until - below, tier.amount
                below = until

    def by_tier(self, amount: Decimal) -> list[tuple[Tier, Decimal, Decimal]]:
        """(tier, how much falls into it, what that costs) of a month's amount."""
        billed = max(amount - self.free, Decimal(0))
        tiers = self.tiers or (Tier(None, self.amount),)
        return [
            (tier, part, part * at) for tier, (part, at) in zip(tiers, self._parts(billed), strict=False) if part
        ]  # fmt: skip


@dataclass(frozen=True)
class Rate:
    """A price with what it is for, where it is from, and when it holds (`valid_to` excluded; None: open)."""

    item: str
    price: Price
    provider: str = ""
    valid_from: date | None = None
    valid_to: date | None = None
    source: str = ""
    source_date: str = ""  # as precise as the source is: 2026-05
    confidence: Confidence = Confidence.HIGH
    applies: bool = True  # by default, without being chosen
    note: str = ""
    book: str = field(default="", compare=False)

    def holds_on(self, day: date) -> bool:
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day < self.valid_to)


def applying(rates: Iterable[Rate], units: Sequence[PriceUnit], day: date, provider: str = "") -> Rate | None:
    """The rate that is taken when nobody chooses one: of the provider, in the first of the units that has one; the
    last to become valid. None where there is none: then there is usage and no cost."""
    fit = [
        rate for rate in rates
        if rate.applies and rate.holds_on(day) and rate.price.unit in units and rate.provider == provider
    ]  # fmt: skip
    order = {unit: number for number, unit in enumerate(units)}
    return min(
        fit,
        key=lambda rate: (order[rate.price.unit], -(rate.valid_from or date.min).toordinal(), rate.item),
        default=None,
    )


def shown(money: Decimal) -> str:
    """As text: to a millionth, with two decimals at least, however large it is."""
    whole, _, part = f"{money.quantize(_SHOWN, context=_WIDE):f}".partition(".")
    return f"{whole}.{part.rstrip('0').ljust(2, '0')}"
