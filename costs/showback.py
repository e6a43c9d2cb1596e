"""What each team has cost in a month: its own charges, and its part of what is shared, by the stated rules."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Max, Sum
from django.utils import timezone

from costs.allocation import split
from costs.models import ChargeMonth, SharedCost
from costs.money import EXACT
from platform_risk.core.models import Team, User

_ZERO = Decimal(0)


@dataclass(frozen=True)
class Amounts:
    billed: Decimal = _ZERO
    effective: Decimal = _ZERO

    def __add__(self, other: "Amounts") -> "Amounts":
        return Amounts(EXACT.add(self.billed, other.billed), EXACT.add(self.effective, other.effective))


@dataclass(frozen=True)
class Share:
    """Of one team, or of nobody (None), in one currency. What is shared and no team takes stays with nobody."""

    month: date
    team: str | None
    currency: str
    direct: Amounts
    shared: Amounts

    @property
    def total(self) -> Amounts:
        return self.direct + self.shared


def last_month(user: User) -> date | None:
    """The latest of which the user sees anything; months to come are left out."""
    rows = ChargeMonth.objects.visible_to(user).filter(month__lte=timezone.now().date())
    found: date | None = rows.aggregate(last=Max("month"))["last"]
    return found


def of_month(month: date, user: User) -> list[Share]:
    """By team and currency, nobody last: the user's teams; for managers nobody's too, for administrators all.

    The rows of all teams add up to the month, to the last digit. A part depends on what the others spend, so all
    charges are added up here, whoever asks; only the user's own rows go out.
    """
    charges = (
        ChargeMonth.objects.filter(month=month)
        .values_list("currency", "key__team_id", "key__shared_id")
        .annotate(billed=Sum("billed"), effective=Sum("effective"))
    )
    direct: dict[str, dict[int | None, Amounts]] = {}
    shared: dict[str, dict[int, Amounts]] = {}
    for currency, team, rule, billed, effective in charges:
        amounts = Amounts(billed, effective)
        if rule is not None and team is None:
            known = shared.setdefault(currency, {})
            known[rule] = known.get(rule, Amounts()) + amounts
        else:
            mine = direct.setdefault(currency, {})
            mine[team] = mine.get(team, Amounts()) + amounts
    rules = dict(SharedCost.objects.values_list("pk", "split"))
    slugs = dict(Team.objects.values_list("pk", "slug"))
    found = [
        Share(month, None if team is None else slugs[team], currency, own, part)
        for currency in sorted({*direct, *shared})
        for team, own, part in _parts(direct.get(currency, {}), shared.get(currency, {}), rules)
        if _sees(user, team)
    ]
    return sorted(found, key=lambda share: (share.team is None, share.team or "", share.currency))


def _parts(
    direct: Mapping[int | None, Amounts], shared: Mapping[int, Amounts], rules: Mapping[int, str]
) -> Iterable[tuple[int | None, Amounts, Amounts]]:
    """Each team with its own amounts and its part of what is shared; nobody with what nobody takes."""
    weights = {team: own.effective for team, own in direct.items() if team is not None}
    parts: dict[int | None, Amounts] = {}
    for rule, amounts in shared.items():
        # Both amounts by the same weights: a part of what was billed is the same part of what it was worth.
        billed = split(amounts.billed, weights, rules[rule])
        effective = split(amounts.effective, weights, rules[rule])
        for team in weights:
            parts[team] = parts.get(team, Amounts()) + Amounts(billed[team], effective[team])
        if not weights:
            parts[None] = parts.get(None, Amounts()) + amounts
    for party in {*direct, *parts}:
        yield party, direct.get(party, Amounts()), parts.get(party, Amounts())


def _sees(user: User, team: int | None) -> bool:
    if user.is_admin:
        return True
    return user.sees_unowned if team is None else team in user.team_ids
