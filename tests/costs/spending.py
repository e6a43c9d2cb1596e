"""Days of spend for tests: written as the load of a bill writes them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any

import numpy as np

from costs.models import BillScope, BillVersion, ChargeDay, ChargeKey, DayTotal
from platform_risk.core.models import Import, Service, Team

FIRST = date(2026, 1, 5)  # a Monday


def version() -> BillVersion:
    row = Import.objects.create(kind="bill", file_name="bill.csv", size_bytes=1, sha256="0" * 64, is_applied=True)
    scope = BillScope.objects.get_or_create(export="focus", billing_account="acct", period=FIRST.replace(day=1))[0]
    return BillVersion.objects.create(
        scope=scope, import_row=row, observed_at=datetime(2026, 6, 1, tzinfo=UTC), is_complete=True, is_current=True,
        is_provisional=False, lines=1,
    )  # fmt: skip


def spend(
    values: Any, *, team: Team | None = None, service: Service | None = None, name: str = "Compute",
    account: str = "acct-1", currency: str = "USD", first: date = FIRST,
) -> None:  # fmt: skip
    """`values[i]` of the cloud's service `name` on day i."""
    of = version()
    digest = blake2b(f"{team}{service}{name}{account}".encode(), digest_size=16).hexdigest()
    key = ChargeKey.objects.get_or_create(
        digest=digest,
        defaults={"provider": "AWS", "cloud_service": name, "account": account, "team": team, "service": service},
    )[0]
    days, totals = [], []
    for at, value in enumerate(values):
        money = Decimal(repr(round(float(value), 4)))
        on: dict[str, Any] = {
            "day": first + timedelta(days=at), "charge_category": "Usage", "currency": currency, "billed": money,
            "effective": money,
        }  # fmt: skip
        days.append(ChargeDay(version=of, is_current=True, key=key, lines=1, **on))
        totals.append(
            DayTotal(scope=of.scope, provider="AWS", cloud_service=name, service=service, team=team, **on)
        )  # fmt: skip
    ChargeDay.objects.bulk_create(days)
    DayTotal.objects.bulk_create(totals)


def weekly(days: int, level: float, seed: int = 1, noise: float = 0.02) -> Any:
    rng = np.random.default_rng(seed)
    return level * np.resize([1.0, 1.0, 1.0, 1.0, 1.0, 0.6, 0.6], days) * (1 + rng.normal(0, noise, days))
