"""What a service or a team costs, for its page, and where spend goes, for the overview."""

from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlencode

from django.db.models import Sum
from django.urls import reverse

from costs import ahead, spending
from costs.ahead import Tile
from costs.models import ChargeMonth
from platform_risk.core.models import Service, Team, User
from platform_risk.joint.charts import SpendChart, SpendMonth, spend_chart


@dataclass(frozen=True)
class Spend:
    tile: Tile
    explore: str  # the explorer, with this one's costs of the last two months


def spend_of(user: User, of: Service | Team) -> Spend | None:
    """None where it has cost nothing that the user sees."""
    tile = ahead.tile_of(user, of)
    if tile is None:
        return None
    kind = "service" if isinstance(of, Service) else "team"
    asked = {
        kind: of.slug, "rows": "cloud_service", "columns": "environment", "currency": tile.currency,
        "from": spending.previous(tile.month), "to": tile.last,
    }  # fmt: skip
    return Spend(tile, f"{reverse('costs:explorer')}?{urlencode(asked)}")


PAST, COMING = 6, 7  # months shown


@dataclass(frozen=True)
class Coming:
    """Where spend goes from here, for the overview. `why`: why it cannot be told."""

    chart: SpendChart
    year: Decimal | None  # the twelve months after the present one
    why: str


def coming(user: User) -> Coming | None:
    """None without any cost that the user sees."""
    tile = ahead.tile(user)
    if tile is None:
        return None
    rows = ChargeMonth.objects.visible_to(user).filter(currency=tile.currency, month__lt=tile.month)
    spent = rows.values_list("month").annotate(money=Sum("effective")).order_by("-month")[:PAST]
    months = [SpendMonth(month, money) for month, money in reversed(list(spent))]
    found = ahead.ahead(user, tile.currency, "effective", tile.month)
    months += [
        SpendMonth(each.first, each.mean, each.bounds.get(50), each.bounds.get(80)) for each in found.every[:COMING]
    ]
    return Coming(spend_chart(months, tile.currency), found.year, found.why)
