"""A bill's files to what comes of them, for the tests of formats."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from costs.bills.cube import Cube, Scoped
from costs.bills.opening import open_bill
from costs.bills.records import BillError, Reject
from costs.bills.tags import KEYS

DAY = "2026-06-01T00:00:00Z"
FOCUS = {
    "BilledCost": "1.5", "EffectiveCost": "1.25", "ListCost": "2", "BillingAccountId": "payer",
    "BillingCurrency": "USD",
    "BillingPeriodStart": DAY, "BillingPeriodEnd": "2026-07-01T00:00:00Z", "ChargePeriodStart": DAY,
    "ChargePeriodEnd": "2026-06-02T00:00:00Z", "ChargeCategory": "Usage", "ConsumedQuantity": "3",
    "ConsumedUnit": "Hours", "ServiceProviderName": "AWS", "ServiceName": "EC2", "ServiceCategory": "Compute",
    "RegionId": "eu-west-1", "ResourceId": "i-1", "SubAccountId": "prod", "Tags": "",
}  # fmt: skip

AZURE = {
    "SubscriptionId": "sub", "Date": "2026-06-01", "MeterCategory": "Virtual Machines", "CostInBillingCurrency": "0",
    "ChargeType": "Usage", "PricingModel": "OnDemand", "ReservationId": "", "BillingAccountId": "1",
    "BillingCurrencyCode": "EUR", "Quantity": "1",
}  # fmt: skip
ON_DEMAND = {"CostInBillingCurrency": "3.5"}
COVERED = {"PricingModel": "Reservation", "ReservationId": "r-1"}
PAID = {**COVERED, "ChargeType": "Purchase", "CostInBillingCurrency": "8760"}


def focus(*rows: Mapping[str, str], base: Mapping[str, str] = FOCUS) -> bytes:
    """A FOCUS CSV; each row says only what is different."""
    return table([{**base, **row} for row in rows])


def azure(*lines: Mapping[str, str]) -> bytes:
    """Cost details of Azure; each line says only what is different."""
    return table([{**AZURE, **line} for line in lines])


def table(rows: Sequence[Mapping[str, str]], delimiter: str = ",") -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


class Reduced:
    """What came of it, read out before the database of it is gone."""

    def __init__(self, cube: Cube) -> None:
        self.format, self.export, self.notes = cube.bill.format, cube.bill.export, cube.bill.notes
        self.estimated = cube.bill.estimated
        self.lines, self.rejected, self.scale = cube.lines, cube.rejected, cube.scale
        self.scopes: list[Scoped] = cube.scopes()
        self.totals = {(each.currency, each.charge_category): (each.billed, each.effective) for each in cube.totals()}
        self.keys = {key[0]: key[1:] for key in cube.charge_keys()}
        cube.number({digest: digest for digest in self.keys})
        self.cells = [cell for scope in self.scopes for cell in _cells(cube.cell_lines(scope, 1))]
        self.resources = [row for scope in self.scopes for row in _cells(cube.resource_lines(scope, 1))]
        self.rejects: list[Reject] = list(cube.rejects())
        self.remarks = cube.remarks()

    def billed(self, currency: str | None = None) -> Decimal:
        return sum((both[0] for (cur, _), both in self.totals.items() if currency in (None, cur)), Decimal(0))

    def effective(self) -> Decimal:
        return sum((both[1] for both in self.totals.values()), Decimal(0))

    @property
    def loaded(self) -> Decimal:
        return sum((Decimal(cell[4]) for cell in self.cells), Decimal(0))

    @property
    def days(self) -> list[str]:
        return sorted({cell[0] for cell in self.cells})


def _cells(blocks: Iterable[str]) -> list[tuple[str, ...]]:
    """Of each line what follows its version."""
    return [tuple(line.split("\t")[2:]) for block in blocks for line in block.split("\n") if line]


def reduce(
    folder: Path, *files: bytes, names: Sequence[str] = (), requested: str = "", account: str = "",
    remembered: Callable[[str], Mapping[str, str] | None] = lambda _: None, keys: frozenset[str] = KEYS,
    today: date = date(2028, 1, 1),
) -> Reduced:  # fmt: skip
    paths = []
    for number, content in enumerate(files):
        path = folder / f"in-{number}"
        path.write_bytes(content)
        paths.append((names[number] if names else "", path))
    work = folder / "work"
    work.mkdir(exist_ok=True)
    for left in work.iterdir():
        if left.is_file():
            left.unlink()
    bill = open_bill(paths, folder=work, requested=requested, tag_keys=keys, remembered=remembered)
    with Cube(bill, folder=work, tag_keys=keys, billing_account=account, today=today) as cube:
        return Reduced(cube)


def refused(folder: Path, *files: bytes, **options: Any) -> BillError:
    with pytest.raises(BillError) as caught:
        reduce(folder, *files, **options)
    assert caught.value.remedy
    return caught.value
