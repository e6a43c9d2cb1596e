"""What a remedy is worth. Amounts are of a year. PURE."""

from decimal import Decimal


def return_on_investment(loss_now: Decimal, loss_after: Decimal, cost: Decimal) -> Decimal | None:
    """(loss avoided in the first year − cost) ÷ cost. None for a remedy that costs nothing."""
    return (loss_now - loss_after - cost) / cost if cost else None


def payback_years(loss_now: Decimal, loss_after: Decimal, cost: Decimal) -> Decimal | None:
    """None: it never pays itself back."""
    avoided = loss_now - loss_after
    return cost / avoided if avoided > 0 else None


def avoided_per_day(now: Decimal, after: Decimal, engineer_days: Decimal) -> Decimal | None:
    """By which remedies are ranked. None where the effort is not known to be more than nothing."""
    return (now - after) / engineer_days if engineer_days > 0 else None
