"""Showback as the page shows it: one month, one currency, one kind of cost."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from costs import showback as shares
from costs.models import ChargeMonth
from costs.money import added
from platform_risk.core.models import Team, User

_ZERO = Decimal(0)
COLUMNS = ("month", "team", "direct", "shared", "total", "currency")


@dataclass(frozen=True)
class Row:
    slug: str
    name: str
    direct: Decimal
    shared: Decimal

    @property
    def total(self) -> Decimal:
        return added((self.direct, self.shared))


@dataclass(frozen=True)
class Showback:
    """`nobodys` is None for whoever may not see it; `sees_all`: the rows add up to the month, so their sums are shown.
    A team sees its own row alone."""

    rows: list[Row]
    nobodys: Decimal | None
    sees_all: bool

    @property
    def direct(self) -> Decimal:
        return added((*(row.direct for row in self.rows), self.nobodys or _ZERO))

    @property
    def shared(self) -> Decimal:
        return added(row.shared for row in self.rows)

    @property
    def total(self) -> Decimal:
        return added((self.direct, self.shared))


def months(user: User, currency: str) -> list[date]:
    rows = ChargeMonth.objects.visible_to(user).filter(currency=currency)
    return list(rows.values_list("month", flat=True).distinct().order_by("-month"))


def showback(user: User, month: date, currency: str, cost: str) -> Showback:
    """`cost` is billed or effective. A team of the user's that spent nothing has a row, too."""
    found = {share.team: share for share in shares.of_month(month, user) if share.currency == currency}
    teams = Team.objects.filter(slug__in=[slug for slug in found if slug]) if user.is_admin else (
        Team.objects.filter(pk__in=user.team_ids)
    )  # fmt: skip
    rows = [
        Row(slug, name, getattr(found[slug].direct, cost), getattr(found[slug].shared, cost))
        if slug in found
        else Row(slug, name, _ZERO, _ZERO)
        for slug, name in teams.order_by("slug").values_list("slug", "name")
    ]
    nobodys = None
    if user.sees_unowned:
        nobodys = getattr(found[None].total, cost) if None in found else _ZERO
    return Showback(rows, nobodys, user.is_admin)
