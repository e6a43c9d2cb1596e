"""The weekly review: what is new, came back, was closed, is overdue, expires, and costs more or less; per team.

A week (Monday to Monday, UTC) that has ended is kept as it was: a past review stays true whatever happens to its
findings later. The week that runs is counted when it is looked at.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.db.models import Count, F, Q, QuerySet, Sum, Window
from django.db.models.expressions import RawSQL
from django.db.models.functions import RowNumber
from django.utils import timezone

from costs.models import DayTotal
from findings.load import redactor
from findings.models import Finding, FindingQuerySet, RiskRollup, Rollup
from findings.vocabulary import OPEN_STATUSES, Lane, Status
from platform_risk.core import changing
from platform_risk.core.access.audit import record
from platform_risk.core.catalog.selectors import teams_visible_to
from platform_risk.core.errors import Refused
from platform_risk.core.models import Team, User
from platform_risk.planning.models import ReviewNote, ReviewSnapshot

LISTED = 25  # findings of each list that are kept by name; the counts are of all
_FEW = 50_000
MOVERS = 8
EXPIRING_DAYS = 14
EXPIRING_SOON_DAYS = 3  # after the day of a digest
COUNTS = ("new", "regressed", "closed", "overdue", "expiring")
_EARLIEST = date(2000, 1, 3)
_Key = tuple[str, str]  # service, currency


def monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def this_week() -> date:
    return monday(timezone.now().date())


def last_week() -> date:
    return this_week() - timedelta(weeks=1)


def _bounds(week: date) -> tuple[datetime, datetime]:
    begin = datetime.combine(week, time(), UTC)
    return begin, begin + timedelta(weeks=1)


# -- counting


def figures(teams: Sequence[Team | None], week: date) -> dict[int | None, dict[str, Any]]:
    """Each team's week (None: what is of no team) as plain values, by the team's id: what a snapshot keeps. The
    number of queries does not depend on the number of teams."""
    begin, end = _bounds(week)
    ids = [team.pk if team else None for team in teams]
    lists = _lists(_of(ids), begin, end)
    counts = {name: _counted(rows) for name, rows in lists.items()}
    listed = {name: _listed(rows, ids, sum(counts[name].values())) for name, rows in lists.items()}
    lanes, risks, costs = _open_by_lane(ids), _risks(ids), _movers(ids, week)
    return {
        key: {
            **{name: counts[name].get(key, 0) for name in COUNTS},
            "open_by_lane": {lane.value: lanes.get((key, lane.value), 0) for lane in Lane},
            **risks.get(key, {"bad_minutes_per_year": None, "annual_losses": {}}),
            "listed": {name: listed[name].get(key, []) for name in COUNTS},
            "costs": costs.get(key, []),
        }
        for key in ids
    }


def _among(ids: Sequence[int | None]) -> Q:
    known = Q(team_id__in=[key for key in ids if key is not None])
    return known | Q(team__isnull=True) if None in ids else known


def _of(ids: Sequence[int | None]) -> FindingQuerySet:
    return Finding.objects.filter(_among(ids), withdrawn_by__isnull=True, is_default_branch=True)


def _lists(rows: FindingQuerySet, begin: datetime, end: datetime) -> dict[str, FindingQuerySet]:
    week_end = end.date()
    return {
        "new": rows.filter(first_seen_at__gte=begin, first_seen_at__lt=end),
        "regressed": rows.filter(
            regressed=True, first_seen_at__lt=begin, opened_on__gte=begin.date(), opened_on__lt=week_end
        ),
        "closed": rows.filter(closed_at__gte=begin, closed_at__lt=end),
        "overdue": rows.open().filter(due_on__lt=min(week_end, timezone.now().date())),
        "expiring": rows.filter(
            status=Status.ACCEPTED,
            acceptance_expires_on__gte=begin.date(),
            acceptance_expires_on__lt=week_end + timedelta(days=EXPIRING_DAYS),
        ),
    }


def _counted(rows: FindingQuerySet) -> dict[int | None, int]:
    return dict(rows.order_by().values_list("team_id").annotate(n=Count("*")))


def _listed(rows: FindingQuerySet, ids: Sequence[int | None], count: int) -> dict[int | None, list[dict[str, Any]]]:
    """The worst of each team, in two queries, or three."""
    chosen = _worst_of_many(rows, ids) if count > _FEW else _worst_of_few(rows)
    found: dict[int | None, list[dict[str, Any]]] = {}
    for each in Finding.objects.filter(pk__in=chosen).select_related("service").order_by("rank", "id"):
        found.setdefault(each.team_id, []).append(_shown(each))
    return found


def _worst_of_few(rows: FindingQuerySet) -> list[int]:
    """All are sorted."""
    place = Window(RowNumber(), partition_by=F("team_id"), order_by=["rank", "id"])
    return list(rows.annotate(nth=place).filter(nth__lte=LISTED).values_list("pk", flat=True))


def _worst_of_many(rows: FindingQuerySet, ids: Sequence[int | None]) -> list[int]:
    """The index gives those of a team in order: the first that fit are soon found where many do."""
    known = [key for key in ids if key is not None]
    worst = rows.filter(team_id=RawSQL("team.id", ())).order_by("rank", "id").values("pk")[:LISTED]
    inner, parameters = worst.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT worst.pk FROM unnest(%s::bigint[]) AS team (id) CROSS JOIN LATERAL ({inner}) AS worst",  # noqa: S608
            [known, *parameters],
        )
        chosen = [pk for (pk,) in cursor.fetchall()]
    if None in ids:
        unowned = rows.filter(team__isnull=True).order_by("team_id", "rank", "id")  # by the team's index
        chosen += unowned.values_list("pk", flat=True)[:LISTED]
    return chosen


def _shown(finding: Finding) -> dict[str, Any]:
    expires = finding.acceptance_expires_on
    return {
        "number": finding.pk,
        "title": finding.title,
        "place": finding.place,
        "service": finding.service.slug,
        "lane": finding.lane,
        "due_on": finding.due_on.isoformat() if finding.due_on else None,
        "expires_on": expires.isoformat() if expires else None,
    }


def _open_by_lane(ids: Sequence[int | None]) -> dict[tuple[int | None, str], int]:
    rows = Rollup.objects.filter(_among(ids), status__in=list(OPEN_STATUSES))
    counted = rows.values_list("team_id", "lane").annotate(n=Sum("count")).order_by()
    return {(team, lane): count for team, lane, count in counted}


def _risks(ids: Sequence[int | None]) -> dict[int | None, dict[str, Any]]:
    """Of what is open now, in minutes and money a year."""
    rows = RiskRollup.objects.filter(_among(ids)).values("team_id", of=F("estimate__currency"))
    told = rows.annotate(
        minutes=Sum(F("count") * F("estimate__bad_minutes")), loss=Sum(F("count") * F("estimate__annual_loss"))
    ).order_by("team_id", "of")
    found: dict[int | None, dict[str, Any]] = {}
    for row in told:
        held = found.setdefault(row["team_id"], {"bad_minutes_per_year": None, "annual_losses": {}})
        if row["minutes"] is not None:
            held["bad_minutes_per_year"] = (held["bad_minutes_per_year"] or 0.0) + row["minutes"]
        if row["loss"] is not None:
            held["annual_losses"][row["of"]] = str(row["loss"])
    return found


def _movers(ids: Sequence[int | None], week: date) -> dict[int | None, list[dict[str, Any]]]:
    """What each service costs a day, against the week before: the largest changes first. Days that no bill has count
    for neither week; without a bill of both there is nothing to compare."""
    now, before = _daily(ids, week), _daily(ids, week - timedelta(weeks=1))
    return {key: _moved(now[key], before[key]) for key in now.keys() & before.keys()}


def _moved(now: Mapping[_Key, Decimal], before: Mapping[_Key, Decimal]) -> list[dict[str, Any]]:
    moved = []
    for key in now.keys() | before.keys():
        old, new = before.get(key, Decimal(0)), now.get(key, Decimal(0))
        moved.append((abs(new - old), key, old, new))
    moved.sort(key=lambda each: (-each[0], each[1]))
    return [
        {
            "service": service or None, "currency": currency, "before_per_day": _cents(old),
            "now_per_day": _cents(new), "change_per_day": _cents(new - old),
        }
        for size, (service, currency), old, new in moved[:MOVERS]
        if size >= Decimal("0.005")
    ]  # fmt: skip


def _daily(ids: Sequence[int | None], week: date) -> dict[int | None, dict[_Key, Decimal]]:
    """Mean of the days that the bills have, by team."""
    rows = DayTotal.objects.filter(_among(ids), day__gte=week, day__lt=week + timedelta(weeks=1)).order_by()
    days = dict(rows.values_list("team_id").annotate(n=Count("day", distinct=True)))
    found: dict[int | None, dict[_Key, Decimal]] = {}
    sums = rows.values_list("team_id", "service__slug", "currency").annotate(cost=Sum("effective"))
    for team, slug, currency, cost in sums:
        found.setdefault(team, {})[slug or "", currency] = cost / days[team]
    return found


def _cents(amount: Decimal) -> str:
    return str(amount.quantize(Decimal("0.01")))


# -- keeping


def keep(week: date) -> int:
    """Keeps a week that has ended, for every team that has none kept yet: safe to call at any time, and again."""
    if week >= this_week():
        raise ValueError("a week is kept when it has ended")
    kept = set(ReviewSnapshot.objects.filter(week=week).values_list("team_id", flat=True))
    missing = [team for team in [*Team.objects.order_by("pk"), None] if (team.pk if team else None) not in kept]
    told = figures(missing, week) if missing else {}
    rows = [ReviewSnapshot(week=week, team=team, figures=told[team.pk if team else None]) for team in missing]
    # Another worker may have been quicker: what it kept stays.
    ReviewSnapshot.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


# -- reading


@dataclass(frozen=True)
class Part:
    """One team's week. `team` None: of no team."""

    team: Team | None
    figures: Mapping[str, Any]

    @property
    def name(self) -> str:
        return self.team.name if self.team else "Of no team"


@dataclass(frozen=True)
class Review:
    week: date
    is_kept: bool
    parts: list[Part]

    @property
    def end(self) -> date:
        """Its last day."""
        return self.week + timedelta(days=6)

    @property
    def counts(self) -> dict[str, int]:
        return {name: sum(part.figures[name] for part in self.parts) for name in COUNTS}

    @property
    def bad_minutes(self) -> float | None:
        return _sum(part.figures["bad_minutes_per_year"] for part in self.parts)

    @property
    def losses(self) -> dict[str, Decimal]:
        """A year's loss by currency."""
        return _losses(part.figures["annual_losses"] for part in self.parts)

    @property
    def lists(self) -> list[tuple[str, list[dict[str, Any]], int]]:
        """Each list with its findings of all teams, the worst lane first, and how many there are in all."""
        order = [lane.value for lane in Lane]
        found = []
        for name in COUNTS:
            rows = [row for part in self.parts for row in part.figures["listed"][name]]
            rows.sort(key=lambda row: (order.index(row["lane"]), row["number"]))
            found.append((name, rows, self.counts[name]))
        return found

    @property
    def costs(self) -> list[dict[str, Any]]:
        rows = [row | {"team": part.name} for part in self.parts for row in part.figures["costs"]]
        return sorted(rows, key=lambda row: -abs(Decimal(row["change_per_day"])))[:MOVERS]


def snapshots_visible_to(user: User) -> QuerySet[ReviewSnapshot]:
    return ReviewSnapshot.objects.visible_to(user).select_related("team")


def weeks(user: User) -> list[date]:
    """That are kept, the newest first."""
    rows = ReviewSnapshot.objects.visible_to(user).order_by("-week").values_list("week", flat=True)
    return list(rows.distinct()[:104])


def review(user: User, week: date, team: Team | None = None) -> Review | None:
    """Of the teams that the user may see, or of one of them. None for a past week of which nothing was kept."""
    if week == this_week():
        teams: list[Team | None] = [team] if team else list(teams_visible_to(user))
        if team is None and user.sees_unowned:
            teams.append(None)
        told = figures(teams, week)
        parts = [Part(each, told[each.pk if each else None]) for each in teams]
        return Review(week, is_kept=False, parts=parts)
    rows = snapshots_visible_to(user).filter(week=week)
    if team is not None:
        rows = rows.filter(team=team)
    parts = [Part(row.team, row.figures) for row in rows.order_by("team__slug")]
    return Review(week, is_kept=True, parts=parts) if parts else None


@dataclass(frozen=True)
class Since:
    """How much more or less is expected of a year than when the week before had ended, as a share of that."""

    week: date
    minutes: float | None
    loss: float | None  # where all of it is in one currency, then and now


def since(
    user: User, minutes: float | None, losses: Mapping[str, Decimal], *, week: date, team: Team | None = None
) -> Since | None:
    """Of what is expected now, or was when `week` had ended. None where nothing was kept of the week before, or later
    than a day after its end: then it says what was expected on some other day."""
    before = week - timedelta(weeks=1)
    soon = _bounds(before)[1] + timedelta(days=1)
    rows = ReviewSnapshot.objects.visible_to(user).filter(week=before, created_at__lt=soon)
    if team is not None:
        rows = rows.filter(team=team)
    # Two figures of each: its lists are most of a snapshot.
    kept = list(rows.values_list("figures__bad_minutes_per_year", "figures__annual_losses"))
    if not kept:
        return None
    then = _losses(told for _, told in kept)
    one = next(iter(losses)) if len(losses) == 1 and losses.keys() == then.keys() else None
    return Since(
        before,
        _moved_by(_sum(told for told, _ in kept), minutes),
        None if one is None else _moved_by(float(then[one]), float(losses[one])),
    )


def _sum(told: Iterable[float | None]) -> float | None:
    known = [each for each in told if each is not None]
    return sum(known) if known else None


def _losses(told: Iterable[Mapping[str, str]]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for each in told:
        for currency, loss in each.items():
            found[currency] = found.get(currency, Decimal(0)) + Decimal(loss)
    return found


def _moved_by(then: float | None, now: float | None) -> float | None:
    return (now - then) / then if then and now is not None else None


def notes(user: User, week: date, team: Team | None = None) -> QuerySet[ReviewNote]:
    rows = ReviewNote.objects.visible_to(user).filter(week=week).select_related("team", "author")
    return rows if team is None else rows.filter(team=team)


def notes_visible_to(user: User) -> QuerySet[ReviewNote]:
    return ReviewNote.objects.visible_to(user).select_related("team", "author")


# -- writing


def may_note(user: User, team_id: int | None) -> bool:
    return user.may_write(team_id)


@transaction.atomic
def add_note(*, user: User, week: date, team: Team | None, kind: str, text: str) -> ReviewNote:
    """Notes are kept: they are added, and not changed."""
    if not may_note(user, team.pk if team else None):
        raise PermissionDenied("Writing in a team's review takes the role member in it; of no team, a manager.")
    if week != monday(week) or not _EARLIEST <= week <= this_week():
        raise Refused("A week is named by its Monday, and has begun.", field="week")
    note = ReviewNote(week=week, team=team, kind=kind, text=redactor().text(text.strip()), author=user)
    changing.save(note)
    record(user, "created", "review_note", note.pk, f"{week} {team.slug if team else 'no team'}")
    return note


# -- as filters of today's findings


def query(name: str, first: date, last: date, expiring_days: int) -> str:
    """The list of that name, of both days and those between, as the list of findings is asked for it."""
    days = f"{first}..{last}"
    filters = {
        "new": f"first_seen:{days}",
        "regressed": f"is:regressed first_seen:<{first} opened:{days}",
        "closed": f"closed:{days}",
        "overdue": "is:overdue",
        "expiring": f"status:accepted expires:{first}..{last + timedelta(days=expiring_days)}",
    }
    return f"{filters[name]} -is:other_branch"


# -- a day, for the digest


def day_query(name: str, day: date) -> str:
    """The list of that name of `day_figures`, as the list of findings is asked for it: by whom it was sent to."""
    if name == "overdue":
        return f"owner:me {query(name, day, day, 0)}"
    if name == "expiring":
        return query(name, day + timedelta(days=1), day, EXPIRING_SOON_DAYS)
    return query(name, day, day, 0)


def day_figures(user: User, day: date) -> dict[str, tuple[list[dict[str, Any]], int]]:
    """What happened on a day to findings that the user may see, what of the user's own is overdue, and what expires:
    the worst of each by name, and how many there are."""
    begin = datetime.combine(day, time(), UTC)
    end = begin + timedelta(days=1)
    rows = Finding.objects.visible_to(user).on_default_branch()
    lists = {
        "new": rows.filter(first_seen_at__gte=begin, first_seen_at__lt=end),
        "regressed": rows.filter(regressed=True, first_seen_at__lt=begin, opened_on=day),
        "overdue": rows.open().filter(owner=user, due_on__lt=end.date()),
        "expiring": rows.filter(
            status=Status.ACCEPTED,
            acceptance_expires_on__gt=day,
            acceptance_expires_on__lte=day + timedelta(days=EXPIRING_SOON_DAYS),
        ),
    }
    return {
        name: (
            [_shown(each) for each in found.select_related("service").order_by("rank", "id")[:LISTED]],
            found.count(),
        )
        for name, found in lists.items()
    }


def merged(parts: Sequence[Part]) -> Iterable[Part]:
    """The teams with anything to tell, the busiest first."""
    told = (*COUNTS, "costs", "bad_minutes_per_year")
    busy = [part for part in parts if any(part.figures[name] for name in told)]
    return sorted(busy, key=lambda part: -sum(part.figures[name] for name in COUNTS))
