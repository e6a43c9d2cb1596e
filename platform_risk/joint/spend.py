"""What a service or a team costs, for its page: findings and costs of the same thing meet there."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from costs import ahead, spending
from costs.ahead import Tile
from platform_risk.core.models import Service, Team, User


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
