"""Prices with their units as types: a price of one unit cannot be applied to an amount of another. PURE."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class PriceUnit(StrEnum):
    PER_MILLION_POINTS = "per_million_points"
    PER_GB_INGESTED = "per_gb_ingested"
    PER_ACTIVE_SERIES_MONTH = "per_active_series_month"
    PER_ENTITY_MONTH = "per_entity_month"
    PER_GB_MONTH = "per_gb_month"  # kept for a month
    PER_GB_ONCE = "per_gb_once"  # each gigabyte once, however long it is kept: the analysis' reading of log prices


class WrongUnitError(ValueError):
    """A price was applied to an amount of another unit."""


@dataclass(frozen=True, slots=True)
class Price:
    """Money for one of the unit, in an ISO 4217 currency."""

    amount: Decimal
    unit: PriceUnit
    currency: str = "USD"

    def of(self, amount: Decimal, unit: PriceUnit) -> Decimal:
        """The cost of `amount` of `unit`. Raises WrongUnitError for any unit but the price's own."""
        if unit is not self.unit:
            raise WrongUnitError(f"A price {self.unit} cannot be applied to an amount {unit}.")
        return self.amount * amount


def shown(money: Decimal) -> str:
    """As text: to a millionth, with two decimals at least."""
    whole, _, part = f"{money.quantize(Decimal('0.000001')):f}".partition(".")
    return f"{whole}.{part.rstrip('0').ljust(2, '0')}"
