"""Prices that facts state, for the checks of cost. PURE."""

from dataclasses import dataclass
from decimal import Decimal

from findings.platform.model import Platform
from platform_risk.quantities.pricing import BadPriceError, Price, PriceUnit
from platform_risk.quantities.sourced import Input, Sourced, input_of


@dataclass(frozen=True)
class Stated:
    price: Price
    term: Input


def price(platform: Platform, below: str, units: tuple[PriceUnit, ...]) -> Stated | None:
    """`BELOW.price` with `BELOW.price_unit` (the first of `units` where it is left out) and `BELOW.currency`."""
    amount = platform.facts.number(f"{below}.price")
    if amount is None:
        return None
    unit = platform.facts.get(f"{below}.price_unit")
    chosen = units[0] if unit is None else next((each for each in units if each.value == unit.value), None)
    if chosen is None:
        return None
    currency = platform.facts.get(f"{below}.currency")
    named = str(currency.value) if currency is not None else "USD"
    try:
        stated = Price(exact(amount), chosen, named)
    except BadPriceError:
        return None  # as if nobody stated one: the check then asks for it
    return Stated(stated, input_of("price", amount, f"{named} {chosen.value}"))


def exact(stated: Sourced[float]) -> Decimal:
    """A number of a file as a decimal, as it is written there."""
    return Decimal(str(stated.value))


def plain(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else round(float(value), 6)
