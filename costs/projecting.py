"""From what was typed or sent to a projection, and back to plain values. PURE: pages and API share it."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from platform_risk.quantities import projections
from platform_risk.quantities.pricing import Price, PriceUnit, Tier, shown
from platform_risk.quantities.projections import Projection

NO_PRICE = "No price applies, so there is usage and no cost."
UNITS: dict[str, tuple[PriceUnit, ...]] = {
    "metrics": (PriceUnit.PER_MILLION_POINTS, PriceUnit.PER_GB_INGESTED, PriceUnit.PER_ACTIVE_SERIES_MONTH),
    "entities": (PriceUnit.PER_ENTITY_MONTH,),
    "logs": (PriceUnit.PER_GB_MONTH, PriceUnit.PER_GB_INGESTED, PriceUnit.PER_GB_ONCE),
}


def project(vector: str, inputs: Mapping[str, Any]) -> Projection:
    """`inputs` as the API names them; what is None or left out takes the model's default.

    Raises BadPriceError for tiers that contradict themselves.
    """
    given = {name: value for name, value in inputs.items() if value is not None}
    tiers = tuple(Tier(each["up_to"], each["amount"]) for each in given.pop("tiers", ()))
    amount = given.pop("price")
    price = Price(
        tiers[0].amount if tiers else amount, PriceUnit(given.pop("price_unit")), given.pop("currency", "USD"),
        free=given.pop("free_per_month", Decimal(0)), tiers=tiers,
    )  # fmt: skip
    return priced(vector, given, price)


def priced(vector: str, inputs: Mapping[str, Any], price: Price) -> Projection:
    """The same with a price that is known, perhaps from a book."""
    return getattr(projections, vector)(price=price, **inputs)  # type: ignore[no-any-return]  # one of UNITS


def unpriced(vector: str, inputs: Mapping[str, Any]) -> Projection:
    """Usage and no cost, and it says so."""
    found = priced(vector, inputs, Price(Decimal(0), UNITS[vector][0]))
    return replace(
        found,
        rows=tuple(replace(row, cost=None, cumulative_cost=None) for row in found.rows),
        steady_state=replace(found.steady_state, cost_per_month=None),
        assumptions=(*(each for each in found.assumptions if "billed" not in each), NO_PRICE),
        figures={name: value for name, value in found.figures.items() if "cost" not in name},
    )


def number(value: Decimal | None) -> int | float | None:
    """As JSON has it: whole ones without a point."""
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else round(float(value), 6)


def money(value: Decimal | None) -> str | None:
    return None if value is None else shown(value)


def answer(projection: Projection, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """As the contract names it."""
    steady = projection.steady_state
    return {
        "rows": [
            {
                "month": row.month,
                "quantity": number(row.quantity),
                "unit": row.unit,
                "cost": money(row.cost),
                "cumulative_cost": money(row.cumulative_cost),
            }
            for row in projection.rows
        ],
        "steady_state": {
            "quantity": number(steady.quantity),
            "cost_per_month": money(steady.cost_per_month),
            "reached_month": steady.reached_month,
        },
        "currency": projection.currency,
        "formula": projection.formula,
        "inputs": {name: _plain(value) for name, value in inputs.items()},
        "assumptions": list(projection.assumptions),
        "figures": {name: number(value) for name, value in projection.figures.items()},
    }


def _plain(value: Any) -> Any:
    return number(value) if isinstance(value, Decimal) else value
