"""What the pages of the overview, a service and a team show together. Every function takes the user."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, QuerySet
from django.urls import reverse
from django.utils import timezone

from findings import portfolio, risk_presentation
from findings.models import Finding
from findings.portfolio import Part, Sums
from findings.selectors import ServiceRow, Tallies
from findings.vocabulary import Lane
from platform_risk.core.catalog.selectors import members_of, scopes_of
from platform_risk.core.models import Import, Membership, Scope, Service, Team, User
from platform_risk.core.templatetags.money import percent

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


@dataclass(frozen=True)
class LaneColumn:
    lane: str
    count: int
    filter: str
    worst: list[Finding]
    sums: Sums


def lanes(
    user: User,
    tallies: Tallies,
    links: dict[str, str],
    *,
    service: Service | None = None,
    team: Team | None = None,
    shown: int = 4,
    sums: Sums | None = None,
) -> list[LaneColumn]:
    """The four lanes: the worst findings of each by loss and bad minutes, and what it is expected to cost."""
    part = Part(service, team)
    sums = portfolio.sums(user, part) if sums is None else sums
    worst = portfolio.worst_of_lanes(user, part, shown=shown)
    return [
        LaneColumn(
            lane.value, tallies.open_by_lane[lane], links[lane], worst.get(lane.value, []),
            sums.by_lane.get(lane.value, Sums()),
        )
        for lane in Lane
    ]  # fmt: skip


GROUPS_SHOWN = 6


@dataclass(frozen=True)
class Mark:
    """One line of a scorecard: what was looked at, how it stands, and where it is put right."""

    what: str
    good: bool | None  # None: not known
    words: str
    url: str


def risk(user: User, part: Part, sums: Sums) -> dict[str, Any]:
    """What the page of a service or a team shows of its risk."""
    return {
        "sums": sums,
        "groups": risk_presentation.groups(user, part=part, shown=GROUPS_SHOWN),
        "lacking": [(each, risk_presentation.title_of(each.input)) for each in portfolio.missing(user, part)],
    }


def scorecard(user: User, service: Service, sums: Sums, tallies: Tallies, found: Iterable["Source"]) -> list[Mark]:
    """What can be said of how a service is kept; unknown is no pass."""
    edit = reverse("core:service-edit", args=[service.slug]) if user.may_manage(service.team_id) else ""
    heard = list(found)
    silent = sum(each.silent for each in heard)
    value, share = service.value_per_bad_minute, sums.budget_share
    links = {name: f"{reverse('findings:finding-list')}?{urlencode({'q': q})}"
             for name, q in filters(f"service:{service.slug}").items()}  # fmt: skip
    known = bool(heard or tallies.open)

    def none_of(count: int) -> tuple[bool | None, str]:
        return (count == 0 if known else None), (f"{count:,}" if count else "" if known else "nothing has reported")

    return [
        Mark("Owned by a team", service.team_id is not None, "" if service.team_id else "nobody's", edit),
        Mark("Promises an SLO", service.slo is not None, "" if service.slo is not None else "not promised", edit),
        Mark("Says what a bad minute costs", value is not None, "" if value is not None else "not stated yet", edit),
        Mark(
            "Expected downtime fits the SLO",
            None if share is None else share <= 1,
            "not known" if share is None else f"{percent(share)} of the budget",
            "#risk",
        ),
        Mark(
            "Every source reports",
            not silent if heard else None,
            f"{silent} silent" if silent else "" if heard else "nothing has reported",
            "#sources",
        ),
        Mark("Nothing immediate is open", *none_of(tallies.open_by_lane["immediate"]), links["immediate"]),
        Mark("Nothing is overdue", *none_of(tallies.overdue), links["overdue"]),
    ]


def team_scorecard(
    team: Team, rows: Sequence[ServiceRow], by_service: Mapping[int, Sums], tallies: Tallies, silent: Collection[str]
) -> list[Mark]:
    """How the services of a team are kept, and what of its findings is due. `silent`: services with a silent source."""
    links = {name: f"{reverse('findings:finding-list')}?{urlencode({'q': q})}"
             for name, q in filters(f"team:{team.slug}").items()}  # fmt: skip
    shares = {row.service.slug: by_service.get(row.service.pk, Sums()).budget_share for row in rows}
    promised = {slug: share for slug, share in shares.items() if share is not None}
    heard = [row.service.slug for row in rows if row.last_import_at is not None]
    without_slo = [row.service.slug for row in rows if row.service.slo is None]
    without_value = [row.service.slug for row in rows if row.service.value_per_bad_minute is None]

    def of_all(what: str, lacking: list[str], of: int, nothing: str) -> Mark:
        """Whether it holds for each of so many services; the first that lacks it is where it is put right."""
        words = f"{of - len(lacking)} of {of}" + (f": not {_some(lacking)}" if lacking else "") if of else nothing
        url = reverse("joint:service", args=[lacking[0]]) if lacking else ""
        return Mark(what, not lacking if of else None, words, url)

    def none_of(what: str, count: int, link: str) -> Mark:
        return Mark(what, count == 0, f"{count:,}" if count else "", links[link])

    return [
        of_all("Services promise an SLO", without_slo, len(rows), "no service"),
        of_all("Services say what a bad minute costs", without_value, len(rows), "no service"),
        of_all("Expected downtime fits the SLO", [n for n, s in promised.items() if s > 1], len(promised), "not known"),
        of_all("Every source reports", [n for n in heard if n in silent], len(heard), "nothing has reported"),
        none_of("Nothing immediate is open", tallies.open_by_lane["immediate"], "immediate"),
        none_of("Nothing is overdue", tallies.overdue, "overdue"),
        none_of("Nothing is without an owner", tallies.unassigned, "unassigned"),
    ]


def _some(names: Sequence[str], shown: int = 3) -> str:
    more = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {more:,} more" if more > 0 else "")


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
class Reporter:
    """What one source tells of one branch, in every environment that it reports from."""

    source: str
    branch: str
    heard: tuple[Source, ...]

    @property
    def silent(self) -> bool:
        return any(each.silent for each in self.heard)

    @property
    def latest(self) -> Scope:
        """The one that was heard of last; one that never was counts as before all others."""
        known = [each.scope for each in self.heard if each.scope.last_seen_at is not None]
        return max(known, key=lambda scope: scope.last_seen_at or 0, default=self.heard[0].scope)


def reporters(found: Iterable[Source]) -> list[Reporter]:
    grouped: dict[tuple[str, str], list[Source]] = {}
    for each in found:
        grouped.setdefault((each.scope.target.branch, each.scope.source), []).append(each)
    return [Reporter(source, branch, tuple(heard)) for (branch, source), heard in grouped.items()]


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
    owned = Finding.objects.visible_to(user).open().on_default_branch().filter(team=team, owner__isnull=False)
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
