"""Showback: what each team spends in a month, with its part of what is shared."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import QuerySet, Sum

from costs import allocation
from costs.models import ChargeMonth, SharedCost
from platform_risk.core.models import Team, User

_ZERO = Decimal(0)
COLUMNS = ("month", "team", "direct", "shared", "total", "currency")


@dataclass(frozen=True)
class Row:
    name: str
    direct: Decimal
    shared: Decimal

    @property
    def total(self) -> Decimal:
        return self.direct + self.shared


@dataclass(frozen=True)
class Showback:
    """`sees_all`: the sums and what is nobody's are shown; a team sees its own rows alone."""

    rows: list[Row]
    nobodys: Decimal
    sees_all: bool

    @property
    def direct(self) -> Decimal:
        return sum((row.direct for row in self.rows), self.nobodys)

    @property
    def shared(self) -> Decimal:
        return sum((row.shared for row in self.rows), _ZERO)

    @property
    def total(self) -> Decimal:
        return self.direct + self.shared


def months(user: User, currency: str) -> list[date]:
    rows = ChargeMonth.objects.visible_to(user).filter(currency=currency)
    return list(rows.values_list("month", flat=True).distinct().order_by("-month"))


def showback(user: User, month: date, currency: str, cost: str) -> Showback:
    """Split over all teams that spend, then shown to whom may see each: a part does not depend on who looks."""
    rows = (
        ChargeMonth.objects.filter(month=month, currency=currency)
        .values("key__team_id", "key__shared_id")
        .annotate(sum=Sum(cost))
    )
    direct: dict[int, Decimal] = defaultdict(Decimal)
    pools: dict[int, Decimal] = defaultdict(Decimal)
    nobodys = _ZERO
    for row in rows:
        if row["key__team_id"] is not None:
            direct[row["key__team_id"]] += row["sum"]
        elif row["key__shared_id"] is not None:
            pools[row["key__shared_id"]] += row["sum"]
        else:
            nobodys += row["sum"]
    shared: dict[int, Decimal] = defaultdict(Decimal)
    splits = dict(SharedCost.objects.values_list("pk", "split"))
    for pool, amount in pools.items():
        parts = allocation.split(amount, direct, splits[pool])
        if not parts:
            nobodys += amount
        for team, part in parts.items():
            shared[team] += part
    seen = Team.objects.filter(pk__in=direct) if user.is_admin else Team.objects.filter(pk__in=user.team_ids)
    sees_all = user.is_admin
    found = [Row(team.name, direct.get(team.pk, _ZERO), shared.get(team.pk, _ZERO)) for team in seen.order_by("slug")]
    return Showback(found, nobodys, sees_all)


def rules_visible_to(user: User) -> QuerySet[SharedCost]:
    """Rules concern every team: for managers and administrators."""
    return SharedCost.objects.order_by("id") if user.sees_unowned else SharedCost.objects.none()
