"""What the pages of the overview, a service and a team show together. Every function takes the user."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.db.models import Count, QuerySet
from django.utils import timezone

from findings.models import Finding, FindingQuerySet
from findings.selectors import ServiceRow, Tallies
from findings.vocabulary import Lane
from platform_risk.core.catalog.selectors import members_of, scopes_of
from platform_risk.core.models import Import, Membership, Scope, Service, Team, User

SERVICES_SHOWN = 6
SOURCES_SHOWN = 100
MINUTES_OF_30_DAYS = 30 * 24 * 60


def filters(place: str = "") -> dict[str, str]:
    """The filters of the findings list that find exactly what `findings.selectors.tallies` counts; `place` narrows
    them (`service:checkout`)."""
    states = {
        "open": "is:open",
        "unowned": "is:open is:unowned",
        "unassigned": "is:open is:unassigned",
        "overdue": "is:open is:overdue",
        "snoozed": "status:snoozed",
    } | {lane.value: f"is:open lane:{lane}" for lane in Lane}
    return {name: " ".join(filter(None, (state, place, "-is:other_branch"))) for name, state in states.items()}


def _counted(user: User, service: Service | None = None, team: Team | None = None) -> FindingQuerySet:
    """The findings behind the open figures."""
    rows = Finding.objects.visible_to(user).open().on_default_branch()
    if service is not None:
        rows = rows.filter(service=service)
    return rows if team is None else rows.filter(team=team)


@dataclass(frozen=True)
class LaneColumn:
    lane: str
    count: int
    filter: str
    worst: list[Finding]


def lanes(
    user: User,
    tallies: Tallies,
    links: dict[str, str],
    *,
    service: Service | None = None,
    team: Team | None = None,
    shown: int = 4,
) -> list[LaneColumn]:
    """The four lanes with the worst findings of each: a query for each lane that is not empty."""
    rows = _counted(user, service, team).select_related("service", "owner").defer("evidence", "message", "search")
    columns = []
    for number, lane in enumerate(Lane):
        count = tallies.open_by_lane[lane]
        # A range of ranks, not `lane=`: the index is by rank.
        worst = rows.filter(rank__gte=number * 10, rank__lt=number * 10 + 10).order_by("rank", "id")[:shown]
        columns.append(LaneColumn(lane.value, count, links[lane], list(worst) if count else []))
    return columns


def worst_services(rows: Iterable[ServiceRow], shown: int = SERVICES_SHOWN) -> list[ServiceRow]:
    """Services with open findings: the one with the most immediate ones first, then by the next lane."""
    busy = [row for row in rows if row.open]
    return sorted(busy, key=lambda row: ([-row.by_lane[lane] for lane in Lane], row.service.slug))[:shown]


def recent_imports(user: User, *, service: Service | None = None, shown: int = 6) -> QuerySet[Import]:
    rows = Import.objects.visible_to(user).select_related("service", "environment", "created_by").order_by("-id")
    return (rows if service is None else rows.filter(service=service))[:shown]


@dataclass(frozen=True)
class Source:
    scope: Scope
    silent: bool


def sources(service: Service, silent_days: int) -> list[Source]:
    """What reports about the service, default branch first. Only a default branch can fall silent: others end."""
    limit = timezone.now() - timedelta(days=silent_days)
    return [
        Source(
            scope,
            scope.target.is_default_branch and scope.last_seen_at is not None and scope.last_seen_at < limit,
        )
        for scope in scopes_of(service)[:SOURCES_SHOWN]
    ]


@dataclass(frozen=True)
class Promise:
    """A service's SLO as one says it."""

    percent: Decimal
    bad_minutes: Decimal  # in 30 days


def promise(service: Service) -> Promise | None:
    if service.slo is None:
        return None
    bad_minutes = ((1 - service.slo) * MINUTES_OF_30_DAYS).quantize(Decimal("0.1"))
    return Promise(Decimal(f"{(service.slo * 100).normalize():f}"), bad_minutes)


@dataclass(frozen=True)
class MemberRow:
    membership: Membership
    open: int
    filter: str


def member_rows(user: User, team: Team) -> list[MemberRow]:
    """Who is in the team, in which role, and how many of its open findings each one owns: two queries."""
    owned = _counted(user, team=team).filter(owner__isnull=False)
    counts = {row["owner_id"]: row["n"] for row in owned.order_by().values("owner_id").annotate(n=Count("id"))}
    return [
        MemberRow(
            membership,
            counts.get(membership.user_id, 0),
            filters(f"team:{team.slug} owner:{membership.user.username}")["open"],
        )
        for membership in members_of(team)
    ]


def services_of(team: Team, rows: Iterable[ServiceRow]) -> list[ServiceRow]:
    return [row for row in rows if row.service.team_id == team.pk]
