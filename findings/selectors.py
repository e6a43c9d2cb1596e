"""Reading findings. Every function takes the user and starts at `visible_to`; page, API and exports share them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any

from django.contrib.postgres.search import SearchQuery
from django.db.models import (
    Case,
    DateField,
    DateTimeField,
    Exists,
    F,
    Max,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils import timezone

from findings.checks.remedies import remedies
from findings.models import (
    NEVER_DUE,
    BulkAction,
    Effect,
    Estimate,
    Finding,
    FindingQuerySet,
    GroupRollup,
    RiskRollup,
    Rollup,
    Sighting,
    WeekRollup,
)
from findings.query import DAYS, Query, QueryError, cell_of, days_of
from findings.vocabulary import OPEN_STATUSES, Lane, Status
from platform_risk.core.catalog.selectors import teams_visible_to
from platform_risk.core.models import Environment, Import, Scope, Service, Team, User

_remedied: list[Callable[[], frozenset[str]]] = []


def on_remedies(provider: Callable[[], frozenset[str]]) -> None:
    """Whoever keeps the list of remedies says which checks they would close; without one the list as it comes does."""
    _remedied[:] = [provider]


def remedied_checks() -> frozenset[str]:
    """Checks whose findings go once the remedies on the list are carried out."""
    if _remedied:
        return _remedied[0]()
    return frozenset(check for remedy in remedies().values() for check in remedy.fixes_checks)


def _ids(
    name: str, values: Iterable[str], rows: QuerySet[Any], column: str = "slug", *, nobody: bool = False
) -> tuple[list[int], bool]:
    """Slugs → ids among what the user may see. One that is unknown or not visible is named as such, not ignored."""
    wanted = set(values)
    with_none = nobody and "none" in wanted
    if with_none:
        wanted.discard("none")
    found = dict(rows.filter(**{f"{column}__in": wanted}).values_list(column, "pk"))
    missing = sorted(wanted - set(found))
    if missing:
        raise QueryError(name, f"No {name} “{missing[0][:60]}” that you may see.")
    return list(found.values()), with_none


def people_visible_to(user: User) -> QuerySet[User]:
    """Who can be named as an owner: for admins everybody, else who shares a team, and oneself."""
    if user.is_admin:
        return User.objects.all()
    return User.objects.filter(Q(pk=user.pk) | Q(memberships__team_id__in=user.team_ids)).distinct()


def services_named_to(user: User) -> QuerySet[Service]:
    """Those that the user sees, and those of whose findings some are given to a team of the user's: their names stand
    beside these findings, in filters as well."""
    if user.is_admin:
        return Service.objects.all()
    theirs = Finding.objects.visible_to(user).filter(service=OuterRef("pk"))
    return Service.objects.filter(Q(pk__in=Service.objects.visible_to(user)) | Exists(theirs))


def _by_service(values: Iterable[str], user: User) -> Q:
    return Q(service_id__in=_ids("service", values, services_named_to(user))[0])


def _by_environment(values: Iterable[str], user: User) -> Q:
    ids, nobody = _ids("environment", values, Environment.objects.all(), nobody=True)
    return Q(environment_id__in=ids) | (Q(environment_id__isnull=True) if nobody else Q(pk__in=[]))


def _by_team(values: Iterable[str], user: User) -> Q:
    ids, nobody = _ids("team", values, teams_visible_to(user), nobody=True)
    return Q(team_id__in=ids) | (Q(team_id__isnull=True) if nobody else Q(pk__in=[]))


def _by_owner(values: Iterable[str], user: User) -> Q:
    names = [user.get_username() if value == "me" else value for value in values]
    ids, nobody = _ids("owner", names, people_visible_to(user), "username", nobody=True)
    return Q(owner_id__in=ids) | (Q(owner_id__isnull=True) if nobody else Q(pk__in=[]))


def _by_import(values: Iterable[str], user: User) -> Q:
    """Findings that the import created or touched (its diff)."""
    condition = Q(pk__in=[])
    for value in values:
        row = None
        if value.isascii() and value.isdigit() and len(value) < 19:
            row = Import.objects.visible_to(user).filter(pk=int(value)).first()
        if row is None:
            raise QueryError("import", f"No import “{value[:60]}” that you may see.")
        condition |= Q(created_by_import=row) | Q(pk__in=Effect.objects.filter(import_row=row).values("finding_id"))
    return condition


def _any(column: str, values: Iterable[str]) -> Q:
    condition = Q(pk__in=[])
    for value in values:
        condition |= Q(**{column: [value] if column.endswith("contains") else value})
    return condition


def _by_state(values: Iterable[str], user: User) -> Q:
    is_open = Q(status__in=list(OPEN_STATUSES))
    states = {
        "open": is_open,
        "closed": ~is_open & ~Q(status=Status.SNOOZED),
        "unowned": Q(team_id__isnull=True),
        "unassigned": Q(owner_id__isnull=True),
        "overdue": is_open & Q(due_on__lt=timezone.now().date()),
        "regressed": Q(regressed=True),
        "unrated": Q(severity_source="unrated"),
        "other_branch": Q(is_default_branch=False),
    }
    condition = Q()
    for value in values:  # states narrow: open and overdue means both
        condition &= states[value]
    return condition


# Days, and times whose day is meant.
_DATES = {"opened": "opened_on", "due": "due_on", "expires": "acceptance_expires_on"}
_TIMES = {"first_seen": "first_seen_at", "updated": "updated_at", "closed": "closed_at"}


def _by_days(name: str, values: Iterable[str]) -> Q:
    today = timezone.now().date()
    condition = Q()
    for value in values:  # days narrow: from one and until another means both
        days = days_of(name, value, today)
        column = _DATES.get(name) or _TIMES[name]
        if days.none:
            condition &= Q(**{f"{column}__isnull": True})
        if days.begin is not None:
            condition &= Q(**{f"{column}__gte": _begin(name, days.begin)})
        if days.end is not None:
            condition &= Q(**{f"{column}__lt": _begin(name, days.end)})
    return condition


def _begin(name: str, day: date) -> date | datetime:
    return datetime.combine(day, time(), UTC) if name in _TIMES else day


def _by_level(column: str, values: Iterable[str]) -> Q:
    levels = [int(value) for value in values if value != "none"]
    return _of_estimates(Q(**{f"{column}__in": levels}), "none" in values, column)


def _by_band(values: Iterable[str]) -> Q:
    bands = [value for value in values if value != "none"]
    return _of_estimates(Q(band__in=bands), "none" in values, "likelihood")


def _of_estimates(condition: Q, unknown: bool, column: str) -> Q:  # noqa: FBT001 (private, and both are conditions)
    """Few estimates stand for many findings: they are found first, then findings by their keys."""
    if unknown:
        known = Estimate.objects.filter(**{f"{column}__isnull": False}).exclude(condition)
        return ~Q(risk_key__in=known.values("key"))
    return Q(risk_key__in=Estimate.objects.filter(condition).values("key"))


# What the remedies on the list would close, were they carried out.
def _closed_by_remedies() -> Q:
    return Q(check_id__in=sorted(remedied_checks()))


def _by_cell(values: Iterable[str], user: User) -> Q:
    condition = Q(pk__in=[])
    for value in values:
        cell = cell_of(value)
        columns = placement_columns(cell.unit, cell.view)
        if cell.likelihood is None:
            known = Estimate.objects.filter(**{f"{columns.likelihood}__isnull": False})
            found_ = ~Q(risk_key__in=known.values("key"))
        else:
            levels = {columns.likelihood: cell.likelihood, columns.impact: cell.impact}
            found_ = Q(risk_key__in=Estimate.objects.filter(**levels).values("key"))
        if cell.view == "after":
            found_ &= ~_closed_by_remedies()
        condition |= found_
    return condition


@dataclass(frozen=True)
class Placement:
    """Columns of Estimate that hold one matrix in one view."""

    likelihood: str
    impact: str
    band: str
    minutes: str
    loss: str


def placement_columns(unit: str, view: str) -> Placement:
    before = ("inherent_" if view == "inherent" else "") + ("money_" if unit == "money" else "")
    minutes, loss = ("inherent_minutes", "inherent_loss") if view == "inherent" else ("bad_minutes", "annual_loss")
    return Placement(f"{before}likelihood", f"{before}impact", f"{before}band", minutes, loss)


_CONDITIONS: dict[str, Callable[[Iterable[str], User], Q]] = {
    "lane": lambda values, user: Q(lane__in=list(values)),
    "status": lambda values, user: Q(status__in=list(values)),
    "severity": lambda values, user: Q(severity__in=list(values)),
    "category": lambda values, user: Q(category__in=list(values)),
    "class": lambda values, user: Q(risk_class__in=list(values)),
    "rule": lambda values, user: Q(rule__in=list(values)),
    "check": lambda values, user: Q(check_id__in=list(values)),
    "branch": lambda values, user: Q(branch__in=list(values)),
    "scanner": lambda values, user: _any("scanners__contains", values),
    "tag": lambda values, user: _any("tags__contains", values),
    "identifier": lambda values, user: _any("identifiers__contains", values),
    "path": lambda values, user: _any("path__startswith", values),
    "is": _by_state,
    "likelihood": lambda values, user: _by_level("likelihood", list(values)),
    "impact": lambda values, user: _by_level("impact", list(values)),
    "band": lambda values, user: _by_band(list(values)),
    "cell": _by_cell,
    "service": _by_service,
    "environment": _by_environment,
    "team": _by_team,
    "owner": _by_owner,
    "import": _by_import,
    **{name: partial(lambda name, values, user: _by_days(name, values), name) for name in DAYS},
}


def condition(name: str, values: Iterable[str], user: User) -> Q:
    """One filter as a condition, on findings or on what repeats their columns. Raises QueryError."""
    return _CONDITIONS[name](values, user)


def found(query: Query, user: User, *, only_whole_words: bool = False) -> FindingQuerySet:
    """What the filter finds of what the user may see, with what its ordering needs. Raises QueryError."""
    rows = Finding.objects.visible_to(user)
    for name, values in query.wanted.items():
        rows = rows.filter(_CONDITIONS[name](values, user))
    for name, values in query.excluded.items():
        rows = rows.exclude(_CONDITIONS[name](values, user))
    if query.words:
        # Words are letters and digits only (query.parse), so they cannot break tsquery's syntax.
        expression = " & ".join(word if only_whole_words else f"{word}:*" for word in query.words)
        rows = rows.filter(search=SearchQuery(expression, search_type="raw", config="simple"))
    if query.ordering.endswith("severity"):
        rows = rows.annotate(severity_key=F("rank") % 10)
    if query.ordering.endswith("due"):
        rows = rows.annotate(due_key=Coalesce("due_on", Value(NEVER_DUE), output_field=DateField()))
    if query.ordering.endswith("last_seen"):
        rows = with_last_seen(rows)
    if query.ordering.endswith(("bad_minutes", "annual_loss")):
        # From the few estimates in order to their findings, not from all findings to an order. Every finding has an
        # estimate; what an upgrade has not computed yet is not listed by its figures.
        rows = rows.filter(estimate__key__isnull=False).annotate(
            minutes_key=F("estimate__minutes_key"), loss_key=F("estimate__loss_key")
        )
    return rows


def with_context(rows: FindingQuerySet) -> FindingQuerySet:
    """Everything that a row of a list shows, in three queries however many rows there are."""
    sightings = Sighting.objects.select_related("scope", "last_import", "first_import").order_by("id")
    return rows.select_related("service", "environment", "team", "owner").prefetch_related(
        Prefetch("sightings", queryset=sightings)
    )


def with_last_seen(rows: FindingQuerySet) -> FindingQuerySet:
    """Each with `seen_at`: what `last_seen_at` says, for many."""
    seen = Case(
        When(last_import__isnull=True, then=F("scope__last_seen_at")),
        default=F("last_import__observed_at"),
        output_field=DateTimeField(),
    )
    of = Sighting.objects.filter(finding=OuterRef("pk")).order_by().values("finding")
    return rows.annotate(seen_at=Coalesce(Subquery(of.annotate(at=Max(seen)).values("at")), "first_seen_at"))


def last_seen_at(finding: Finding, sightings: Iterable[Sighting] | None = None) -> datetime:
    """From the sightings (prefetched, or given): the scope's last run where it is still seen, else when it was last
    seen."""
    times = [
        (sighting.scope.last_seen_at if sighting.last_import is None else sighting.last_import.observed_at)
        for sighting in (finding.sightings.all() if sightings is None else sightings)
    ]
    return max((time for time in times if time is not None), default=finding.first_seen_at)


def seen_by(finding: Finding) -> list[str]:
    return sorted(set(finding.scanners)) or ["manual"]


def capped_count(rows: QuerySet[Any], cap: int = 10_000) -> int:
    """Exact up to the cap, then cap + 1: counting millions for a page's corner is not worth its time."""
    return rows.order_by().values("pk")[: cap + 1].count()


def _rollup_visible(model: Any, user: User) -> QuerySet[Any]:
    rows = model.objects.all()
    if user.is_admin:
        return rows  # type: ignore[no-any-return]
    mine = Q(team_id__in=user.team_ids) | Q(
        service_id__in=Service.objects.filter(team_id__in=user.team_ids).values("id")
    )
    if user.sees_unowned:
        mine |= Q(team_id__isnull=True)
    return rows.filter(mine)  # type: ignore[no-any-return]


def rollup(user: User) -> QuerySet[Rollup]:
    """Counts of default branches by service, team, environment, lane, severity, status; sum `count`."""
    return _rollup_visible(Rollup, user)


def risk_rollup(user: User) -> QuerySet[RiskRollup]:
    """Counts of open findings of default branches by service, team, lane and estimate; sum `count`."""
    return _rollup_visible(RiskRollup, user)


def group_rollup(user: User) -> QuerySet[GroupRollup]:
    """Counts of findings of all branches and states by what lists are narrowed by; sum `count`."""
    return _rollup_visible(GroupRollup, user)


@dataclass(frozen=True)
class Tallies:
    """Honest counts of default branches, for the overview and the side bar."""

    open_by_lane: dict[str, int]
    open: int
    snoozed: int
    unowned: int
    unassigned: int
    overdue: int
    by_status: dict[str, int]


def tallies(user: User, *, service: Service | None = None, team: Team | None = None) -> Tallies:
    rows = rollup(user)
    due = Finding.objects.visible_to(user).open().filter(is_default_branch=True, due_on__lt=timezone.now().date())
    if service is not None:
        rows, due = rows.filter(service=service), due.filter(service=service)
    if team is not None:
        rows, due = rows.filter(team=team), due.filter(team=team)
    by_lane = {lane.value: 0 for lane in Lane}
    by_status = {status.value: 0 for status in Status}
    unowned = unassigned = 0
    for row in rows.values("lane", "status", "team_id", "has_owner").annotate(n=Sum("count")):
        by_status[row["status"]] += row["n"]
        if row["status"] in OPEN_STATUSES:
            by_lane[row["lane"]] += row["n"]
            unowned += row["n"] if row["team_id"] is None else 0
            unassigned += 0 if row["has_owner"] else row["n"]
    return Tallies(
        open_by_lane=by_lane,
        open=sum(by_lane.values()),
        snoozed=by_status[Status.SNOOZED],
        unowned=unowned,
        unassigned=unassigned,
        overdue=due.count(),
        by_status=by_status,
    )


@dataclass(frozen=True)
class Week:
    start: date
    opened: int
    closed: int


def weeks(user: User, *, count: int = 12, service: Service | None = None, team: Team | None = None) -> list[Week]:
    """The last `count` weeks (Mondays, UTC), the current one last; weeks in which nothing happened are zero."""
    today = timezone.now().date()
    monday = today - timedelta(days=today.weekday())
    first = monday - timedelta(weeks=count - 1)
    rows = _rollup_visible(WeekRollup, user).filter(week__gte=first)
    if service is not None:
        rows = rows.filter(service=service)
    if team is not None:
        rows = rows.filter(team=team)
    sums = {row["week"]: row for row in rows.values("week").annotate(o=Sum("opened"), c=Sum("closed"))}
    starts = [first + timedelta(weeks=number) for number in range(count)]
    return [
        Week(start, sums[start]["o"] if start in sums else 0, sums[start]["c"] if start in sums else 0)
        for start in starts
    ]


def silent_sources(user: User, days: int) -> QuerySet[Scope]:
    """Sources of default branches that have sent nothing for this many days: what is not known any more."""
    limit = timezone.now() - timedelta(days=days)
    return (
        Scope.objects.filter(
            target__is_default_branch=True,
            last_seen_at__lt=limit,
            target__service__in=Service.objects.visible_to(user),
        )
        .select_related("target__service", "target__environment")
        .order_by("last_seen_at")
    )


DIFF_KINDS = ("new", "changed", "reopened", "closed")


def diff(row: Import, user: User, kind: str) -> FindingQuerySet:
    """Findings that an import made new, changed, reopened or closed, of those the user may see."""
    rows = Finding.objects.visible_to(user)
    if kind == "new":
        return rows.filter(created_by_import=row)
    return rows.filter(pk__in=Effect.objects.filter(import_row=row, kind=kind).values("finding_id"))


def bulk_of(user: User, pk: int) -> BulkAction | None:
    rows = BulkAction.objects.all() if user.is_admin else BulkAction.objects.filter(actor=user)
    return rows.filter(pk=pk).first()


@dataclass(frozen=True)
class ServiceRow:
    service: Service
    open: int
    by_lane: dict[str, int]
    last_import_at: datetime | None


def service_rows(user: User) -> list[ServiceRow]:
    """Every visible service with its open findings and when it was last heard of: three queries."""
    services = list(Service.objects.visible_to(user).select_related("team").order_by("slug"))
    counts: dict[int, dict[str, int]] = {}
    opened = rollup(user).filter(status__in=list(OPEN_STATUSES))
    for row in opened.values("service_id", "lane").annotate(n=Sum("count")):
        counts.setdefault(row["service_id"], {})[row["lane"]] = row["n"]
    seen = dict(
        Scope.objects.filter(target__service__in=[service.pk for service in services])
        .values_list("target__service_id")
        .annotate(last=Max("last_seen_at"))
    )
    return [
        ServiceRow(
            service,
            sum(counts.get(service.pk, {}).values()),
            {lane.value: counts.get(service.pk, {}).get(lane.value, 0) for lane in Lane},
            seen.get(service.pk),
        )
        for service in services
    ]
