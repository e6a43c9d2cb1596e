"""The tables of costs, in one place for Django; each family of them has a module of its own."""

from costs.models.bills import (
    BillScope,
    BillVersion,
    ChargeDay,
    ChargeKey,
    ChargeMonth,
    DayTotal,
    ResourceMonth,
    SharedCost,
)

__all__ = [
    "BillScope",
    "BillVersion",
    "ChargeDay",
    "ChargeKey",
    "ChargeMonth",
    "DayTotal",
    "ResourceMonth",
    "SharedCost",
]
