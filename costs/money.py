"""Amounts as texts. PURE."""

from collections.abc import Iterable
from decimal import Context, Decimal

# Python's usual context rounds to 28 digits without a word, and amounts here have up to 48.
EXACT = Context(prec=100)


def added(amounts: Iterable[Decimal]) -> Decimal:
    """The sum, to the last digit."""
    total = Decimal(0)
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total


def plain(amount: Decimal) -> str:
    """Every digit, no exponent, and no zeros that say nothing."""
    if not amount:
        return "0"
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def less(amount: Decimal, other: Decimal) -> Decimal:
    """The difference, to the last digit."""
    return EXACT.subtract(amount, other)


def every_digit(amount: Decimal) -> str:
    """For people: as `plain`, with thousands."""
    whole, point, places = plain(amount).partition(".")
    return f"{int(whole):,}{point}{places}" if abs(amount) >= 1 else plain(amount)


def short(amount: Decimal, places: int = 2) -> str:
    """For people: rounded, with thousands. What rounds to nothing but is something says so."""
    rounded = round(amount, places)
    if amount and not rounded:
        return f"< {Decimal(1).scaleb(-places)}" if amount > 0 else f"> -{Decimal(1).scaleb(-places)}"
    return f"{rounded:,}"
