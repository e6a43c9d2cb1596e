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
from costs.models.budgets import Budget, Scenario, SeenAnomaly
from costs.models.prices import PriceBook, PriceRate
from costs.models.usage import UsageFigure, UsageScope

__all__ = [
    "BillScope",
    "BillVersion",
    "Budget",
    "ChargeDay",
    "ChargeKey",
    "ChargeMonth",
    "DayTotal",
    "PriceBook",
    "PriceRate",
    "ResourceMonth",
    "Scenario",
    "SeenAnomaly",
    "SharedCost",
    "UsageFigure",
    "UsageScope",
]
