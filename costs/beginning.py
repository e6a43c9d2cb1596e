"""Projections that begin from what was imported, laid open: every input with its source, and what nobody said."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from costs import pricing, projecting, using
from costs.using import Begin, LogGroup, Usage
from platform_risk.core.models import Service, User
from platform_risk.quantities.pricing import GIGABYTE, PriceUnit, Rate, shown
from platform_risk.quantities.projections import Projection

NEEDED = {
    "metrics": ("pods", "series_per_pod", "interval_seconds"),
    "entities": ("churn_per_day", "lifetime_days"),
    "logs": ("gb_per_day",),
}
FORMULAS = {
    "metrics": "pods × series per pod × 86,400 ÷ interval × days per month × environments × replicas of the scraper",
    "entities": "live + churn per day × lifetime in days",
    "logs": "GB per day × days kept, each day’s stock × price ÷ days per month",
}


class NoSuchPriceError(LookupError):
    """The price that was chosen is none, or of a unit that this vector has no amount of."""


def rate_of(vector: str, price_id: int, begun: Begin) -> Rate | None:
    """The one that was chosen, else the one that applies. Raises NoSuchPriceError."""
    if not price_id:
        return begun.rate
    row = pricing.rates().filter(pk=price_id).first()
    if row is None:
        raise NoSuchPriceError("There is no such price.")
    if PriceUnit(row.unit) not in projecting.UNITS[vector]:
        raise NoSuchPriceError(f"{row.item} is a price {row.unit}; {vector} have no amount of that.")
    return row.rate


def projected(vector: str, inputs: Mapping[str, Any], rate: Rate | None) -> Projection:
    return projecting.unpriced(vector, inputs) if rate is None else projecting.priced(vector, inputs, rate.price)


def imported(
    vector: str, user: User, *, service: Service | None = None, months: int = 12, price_id: int = 0
) -> dict[str, Any]:  # fmt: skip
    """As the API answers it. Without the inputs that it takes there are no rows, and `missing` says what to give."""
    usage = Usage(user, service)
    begun = using.begin(vector, usage)
    rate = rate_of(vector, price_id, begun)
    about = {
        "sources": using.plain(begun.inputs),
        "rule": using.RULE,
        "missing": dict(begun.missing),
        "price": told_rate(rate),
        "groups": _groups(usage, months, price_id) if vector == "logs" else [],
    }
    notes = [note for note in begun.notes if rate is None or note != using.NO_PRICE]
    missing = [name for name in NEEDED[vector] if name not in begun.inputs]
    if missing:
        said = [f"{name} is not known: give {begun.missing[name]}." for name in missing]
        return {
            "rows": [], "steady_state": {"quantity": None, "cost_per_month": None, "reached_month": None},
            "currency": rate.price.currency if rate else None, "formula": FORMULAS[vector],
            "inputs": _flat(begun.values), "assumptions": said + notes, "figures": {}, **about,
        }  # fmt: skip
    # What is null is left to the model; of a retention it means for ever, there too.
    inputs = {name: value for name, value in begun.values.items() if value is not None} | {"months": months}
    found = projected(vector, inputs, rate)
    told = projecting.answer(found, inputs)
    told["assumptions"] += [note for note in notes if note != using.NO_PRICE]  # a projection without a price says so
    return told | about | {"currency": rate.price.currency if rate else None}


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: projecting.number(value) if isinstance(value, Decimal) else value for name, value in values.items()}


def told_rate(rate: Rate | None) -> dict[str, Any] | None:
    if rate is None:
        return None
    return {
        "item": rate.item, "book": rate.book, "amount": shown(rate.price.amount), "unit": rate.price.unit.value,
        "currency": rate.price.currency, "confidence": rate.confidence.value, "source": rate.source,
    }  # fmt: skip


def group_cost(group: LogGroup, months: int, rate: Rate | None) -> Projection | None:
    """None where it is not known what comes in: then nobody knows what will be there either."""
    if group.bytes_per_day is None:
        return None
    gigabyte = rate.price.gb_bytes if rate else GIGABYTE
    inputs = {
        "gb_per_day": group.bytes_per_day / gigabyte,
        "stored_gb": (group.stored_bytes or Decimal(0)) / gigabyte,
        "retention_days": group.retention_days,
        "months": months,
    }
    return projected("logs", inputs, rate)


def storage_rate(group: LogGroup) -> Rate | None:
    return pricing.applying_to((PriceUnit.PER_GB_MONTH,), group.provider)


def _groups(usage: Usage, months: int, price_id: int) -> list[dict[str, Any]]:
    """By log group, each with the storage price that applies to its provider, or the one that was chosen."""
    rates: dict[str, Rate | None] = {}
    told = []
    for group in using.log_groups(usage):
        if group.provider not in rates:
            rates[group.provider] = rate_of("logs", price_id, Begin("logs", rate=storage_rate(group)))
        rate = rates[group.provider]
        found = group_cost(group, months, rate)
        gigabyte = rate.price.gb_bytes if rate else GIGABYTE
        now = group.stored_bytes / gigabyte if group.stored_bytes is not None else None
        is_stock = rate is not None and rate.price.unit is PriceUnit.PER_GB_MONTH
        told.append(
            {
                "group": group.name,
                "provider": group.provider,
                "gb_per_day": _gigabytes(group.bytes_per_day, gigabyte),
                "stored_gb": projecting.number(now),
                "retention_days": group.retention_days,
                "retention_known": group.is_retention_known,
                "cost_per_month_now": projecting.money(rate.price.of(now, rate.price.unit))
                if rate is not None and is_stock and now is not None
                else None,
                "cost_last_month": projecting.money(found.rows[-1].cost) if found else None,
                "currency": rate.price.currency if rate else None,
            }
        )
    return told


def _gigabytes(value: Decimal | None, gigabyte: int) -> int | float | None:
    return None if value is None else projecting.number(value / gigabyte)
