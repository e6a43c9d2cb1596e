"""The list of findings at any size: its groups, its count and its pages by figures come from the rollup of groups
wherever that can answer the filter; else from the findings themselves. Every function takes the user.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import EmptyResultSet
from django.db import DataError, connection
from django.db.models import BigIntegerField, Count, F, Func, IntegerField, Min, Model, Q, QuerySet, Sum
from django.db.models.expressions import RawSQL

from findings import latest, selectors
from findings.models import Finding, FindingQuerySet, GroupRollup, RiskRollup, Rollup
from findings.query import Query
from findings.vocabulary import OPEN_STATUSES, Lane, Severity
from platform_risk.core import keyset
from platform_risk.core.models import User

_Row = TypeVar("_Row", bound=Model)

# Columns of the rollup, or of the estimates that it counts.
_TOLD = frozenset({
    "lane", "status", "severity", "category", "class", "rule", "check", "is", "likelihood", "impact", "band", "cell",
    "service", "environment", "team", "owner",
})  # fmt: skip
# So many rows are sorted as they are; of more only those that the page can show are looked for.
_SORTED = 2_000


def rolled(query: Query, user: User) -> QuerySet[GroupRollup] | None:
    """The rollup's rows for a filter that it can answer. Raises QueryError."""
    states = {*query.wanted.get("is", ()), *query.excluded.get("is", ())}
    if query.words or not _names(query) <= _TOLD or "overdue" in states:
        return None
    return _applied(selectors.group_rollup(user), query, user)


def _names(query: Query) -> set[str]:
    return {*query.wanted, *query.excluded}


def _applied(rows: QuerySet[_Row], query: Query, user: User) -> QuerySet[_Row]:
    for name, values in query.wanted.items():
        rows = rows.filter(selectors.condition(name, values, user))
    for name, values in query.excluded.items():
        rows = rows.exclude(selectors.condition(name, values, user))
    return rows.order_by()


# Rollups with far fewer rows, of default branches alone: columns of that of risks, which counts what is open, and of
# that of states.
_OF_RISKS = frozenset({"is", "service", "team", "lane", "likelihood", "impact", "band"})
_OF_STATES = frozenset({"is", "service", "team", "environment", "lane", "severity", "status"})


def _of_risks(query: Query, user: User) -> QuerySet[RiskRollup] | None:
    rest = _here(query)
    if rest is None or not _names(query) <= _OF_RISKS or rest.wanted.get("is") != ("open",) or "is" in rest.excluded:
        return None
    wanted = {name: values for name, values in rest.wanted.items() if name != "is"}
    return _applied(selectors.risk_rollup(user), replace(rest, wanted=wanted), user)


def _of_states(query: Query, user: User) -> QuerySet[Rollup] | None:
    rest = _here(query)
    if rest is None or not _names(query) <= _OF_STATES:
        return None
    states = {*rest.wanted.get("is", ()), *rest.excluded.get("is", ())}
    return _applied(selectors.rollup(user), rest, user) if states <= {"open", "closed", "unowned"} else None


def _here(query: Query) -> Query | None:
    """Without the words that keep it to default branches; None: it is not kept to them."""
    states = query.excluded.get("is", ())
    if query.words or "other_branch" not in states:
        return None
    others = {name: values for name, values in query.excluded.items() if name != "is"}
    left = tuple(each for each in states if each != "other_branch")
    return replace(query, excluded={**others, "is": left} if left else others)


def counted(query: Query, user: User, rows: FindingQuerySet, cap: int = 1_000) -> tuple[int, bool]:
    """How many, and whether there are more: exact where the rollup answers, else up to the cap."""
    told: QuerySet[Any] | None
    for ask in (_of_risks, _of_states, rolled):
        told = ask(query, user)
        if told is not None:
            return int(told.aggregate(n=Sum("count"))["n"] or 0), False
    if query.words and selectors.capped_count(selectors.found(query, user, only_whole_words=True), cap) > cap:
        return cap, True  # whole words are found in a tenth of the time of beginnings, and are some of those
    count = selectors.capped_count(rows, cap)
    return min(count, cap), count > cap


# --- groups


@dataclass(frozen=True)
class Group:
    """Findings of one rule in one service."""

    rule: str
    service_id: int
    service: str
    title: str
    count: int
    lane: str
    severity: str
    unassigned: int
    first_due: date | None  # of what is open
    sample_id: int
    service_team_id: int | None


@dataclass(frozen=True)
class _Counted:
    rule: str
    service_id: int
    rank: int
    n: int
    unassigned: int


class _First(NamedTuple):
    """Of a group: one of its findings, and when the first of those that are open is due."""

    service: str
    service_team_id: int | None
    sample_id: int | None
    title: str
    due: date | None


def groups(query: Query, user: User, rows: FindingQuerySet, *, offset: int, size: int) -> list[Group]:
    """Rule × service, the worst first. Two queries; `size` + 1 at most, so that the caller knows of more."""
    told, only_open = rolled(query, user), _is_only_open(query)
    if told is None:
        found, firsts = _one_by_one(rows, offset, size + 1, only_open=only_open)
    else:
        found = _from_rollup(told, offset, size + 1)
        firsts = _firsts(rows, found, only_open=only_open)
    lanes, severities = list(Lane), list(Severity)
    return [
        Group(
            each.rule, each.service_id, first.service, first.title, each.n, lanes[each.rank // 10],
            severities[each.rank % 10], each.unassigned, first.due, first.sample_id, first.service_team_id,
        )
        for each, first in zip(found, firsts, strict=True)
        if first.sample_id is not None
    ]  # fmt: skip


def _one_by_one(
    rows: FindingQuerySet, offset: int, size: int, *, only_open: bool
) -> tuple[list[_Counted], list["_First"]]:
    """The groups, and of each what `_firsts` would say: in one pass, for what finds the findings of one group (words
    that thousands have) may take as long as what finds all."""
    first = Min(_Pair(_Days("due_on") if only_open else F("rank"), F("id")))
    unassigned = Count("id", filter=Q(owner_id__isnull=True))
    due = Min("due_on") if only_open else Min("due_on", filter=Q(status__in=OPEN_STATUSES))
    found = list(
        rows.order_by()
        .values_list("rule", "service_id")
        .annotate(worst=Min("rank"), n=Count("*"), unassigned=unassigned, first=first, due=due)
        .order_by("worst", "-n", "rule", "service_id")[offset : offset + size]
    )
    samples = Finding.objects.filter(pk__in=[row[5][1] for row in found])
    told = samples.values_list("service__slug", "service__team_id", "pk", "title")
    named = {pk: _First(slug, team, pk, title, None) for slug, team, pk, title in told}
    firsts = [named.get(row[5][1], _GONE)._replace(due=row[6]) for row in found]
    return [_Counted(*row[:5]) for row in found], firsts


_GONE = _First("", None, None, "", None)  # between two queries


class _Pair(Func):
    """Compared as a row is, but with a least one in every version of PostgreSQL; without a value comes last."""

    template = "ARRAY[%(expressions)s]::bigint[]"
    output_field = ArrayField(BigIntegerField())


class _Days(Func):
    template = "(%(expressions)s - DATE '2000-01-01')"
    output_field = IntegerField()


def _from_rollup(told: QuerySet[GroupRollup], offset: int, size: int) -> list[_Counted]:
    """Deltas are added up first: what they cancel must not tell of a rank that nothing has any more."""
    summed = (
        told.values("rule", "service_id", "rank")
        .annotate(n=Sum("count"), unassigned=Sum("count", filter=Q(owner_id__isnull=True)))
        .filter(n__gt=0)
    )
    # As int: sums of bigint are numeric, which takes twice as long.
    try:
        inner, parameters = summed.query.sql_with_params()
    except EmptyResultSet:  # of whoever is in no team
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rule, service_id, min(rank), sum(n::int), coalesce(sum(unassigned::int), 0)"  # noqa: S608
            f" FROM ({inner}) AS summed GROUP BY rule, service_id"
            " ORDER BY 3, 4 DESC, rule, service_id LIMIT %s OFFSET %s",
            [*parameters, size, offset],
        )
        return [_Counted(*row) for row in cursor.fetchall()]


def _is_only_open(query: Query) -> bool:
    statuses = query.wanted.get("status")
    if not {"open", "overdue"}.isdisjoint(query.wanted.get("is", ())):
        return True
    return statuses is not None and set(statuses) <= set(OPEN_STATUSES)


def _firsts(rows: FindingQuerySet, found: Sequence[_Counted], *, only_open: bool) -> list[_First]:
    """Of each group the finding that is due first (where all are open), or else any of the worst. One query, in which
    the index is asked once or twice for each group."""
    if not found:
        return []
    mine = rows.filter(service_id=RawSQL("g.service_id", ()), rule=RawSQL("g.rule", ()))
    by_due, beside = mine.order_by("due_on", "id"), ""
    if only_open:
        first, parameters = by_due.values("pk", "title", "due_on")[:1].query.sql_with_params()
    else:
        worst = mine.filter(rank=RawSQL("g.rank", ())).order_by("rank", "id")
        first, parameters = worst.values("pk", "title")[:1].query.sql_with_params()
        due, more = by_due.open().values("due_on")[:1].query.sql_with_params()
        beside, parameters = f" LEFT JOIN LATERAL ({due}) AS due ON true", (*parameters, *more)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.slug, s.team_id, first.pk, first.title, due_on"  # noqa: S608
            " FROM unnest(%s::bigint[], %s::text[], %s::smallint[])"
            " WITH ORDINALITY AS g (service_id, rule, rank, nth) JOIN core_service s ON s.id = g.service_id"
            f" LEFT JOIN LATERAL ({first}) AS first ON true{beside} ORDER BY nth",
            [
                [each.service_id for each in found],
                [each.rule for each in found],
                [each.rank for each in found],
                *parameters,
            ],
        )
        return [_First(*row) for row in cursor.fetchall()]


# --- pages by figures


def narrowed(query: Query, user: User, rows: FindingQuerySet, *, cursor: str | None, size: int) -> FindingQuerySet:
    """For a list by figures, or by when findings were last seen: the rows among which the page lies. Few estimates, and
    few runs, stand for many findings, so the page's are found first. Raises QueryError and keyset.BadCursor."""
    named = query.keyset[0].lstrip("-")
    if named == "seen_at":
        told = rolled(query, user)
        told = selectors.group_rollup(user) if told is None else told
        services = told.order_by().values_list("service_id", flat=True).distinct()
        return latest.narrowed(query, rows, services=list(services), cursor=cursor, size=size)
    if named not in ("minutes_key", "loss_key"):
        return rows
    kinds: QuerySet[Any] | None = _of_risks(query, user)
    kinds = rolled(query, user) if kinds is None else kinds
    if kinds is None:
        return rows
    place = keyset.place(cursor, query.keyset) if cursor else None
    forward = place is None or place.forward
    downwards = query.keyset[0].startswith("-") == forward
    begin = place.values if place is not None else None
    keys = _keys(kinds, named, downwards=downwards, begin=begin, most=size + 2)
    chosen: dict[int, int] = {}
    for key, n in keys:
        if sum(n for key, n in chosen.items() if begin is None or key != begin[1]) > size:
            break
        chosen[key] = n
    if sum(chosen.values()) <= _SORTED:
        return rows.filter(risk_key__in=list(chosen))
    many = [key for key, n in chosen.items() if n > size]
    few = [key for key in chosen if key not in many]
    edge = "id__lt" if downwards else "id__gt"
    parts = [rows.filter(risk_key__in=few).values("pk")] if few else []
    for key in many:
        part = rows.filter(risk_key=key)
        if begin is not None and key == begin[1]:
            part = part.filter(**{edge: begin[2]})
        parts.append(part.order_by("-id" if downwards else "id").values("pk")[: size + 1])
    found = parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]
    return rows.filter(pk__in=[row["pk"] for row in found])


def _keys(
    told: QuerySet[Any], named: str, *, downwards: bool, begin: Sequence[Any] | None, most: int
) -> list[tuple[int, int]]:
    """Keys of estimates in the list's order from the page's edge on, with how many findings each has."""
    kinds = told.values("risk_key").annotate(n=Sum("count")).filter(n__gt=0)
    try:
        inner, parameters = kinds.query.sql_with_params()
    except EmptyResultSet:
        return []
    order, beyond = ("DESC", "<=") if downwards else ("ASC", ">=")
    edge = f" WHERE (e.{named}, e.key) {beyond} (%s, %s)" if begin is not None else ""
    with connection.cursor() as cursor:
        try:
            # Summed up before it is joined: the other way the rollup would be read once for each estimate.
            cursor.execute(
                f"WITH kinds AS MATERIALIZED ({inner}) SELECT e.key, kinds.n FROM kinds"  # noqa: S608
                f" JOIN findings_estimate e ON e.key = kinds.risk_key{edge}"
                f" ORDER BY e.{named} {order}, e.key {order} LIMIT %s",
                [*parameters, *_edge(named, begin), most],
            )
            return [(key, int(n)) for key, n in cursor.fetchall()]
        except DataError as error:
            raise keyset.BadCursor("This cursor was not made here.") from error


def _edge(named: str, begin: Sequence[Any] | None) -> list[float | Decimal | int]:
    if begin is None:
        return []
    try:
        return [float(begin[0]) if named == "minutes_key" else Decimal(begin[0]), int(begin[1])]
    except (ValueError, TypeError, ArithmeticError) as error:
        raise keyset.BadCursor("This cursor was not made here.") from error
