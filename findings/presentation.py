"""What the pages of findings show beyond the rows themselves: filter links, a finding's story, names for ids.

Reading only, and every function that asks the database takes the user or a finding that was looked up for them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet

from findings import actions, grouping, selectors
from findings.models import BulkAction, BulkItem, Comment, Finding, FindingQuerySet, History, Sighting
from findings.query import Query
from findings.risk.bands import Band
from findings.vocabulary import Lane, Severity, Status
from platform_risk.core.catalog.selectors import teams_visible_to
from platform_risk.core.models import Environment, Import, Service, Team, User

MENU_SIZE = 40  # longer lists are typed, not picked
MOST_EVENTS = 200


# --- the list


@dataclass(frozen=True)
class Choice:
    label: str
    url: str
    active: bool
    value: str


@dataclass(frozen=True)
class Menu:
    name: str
    title: str
    choices: list[Choice]
    more: bool = False

    @property
    def active(self) -> int:
        return sum(choice.active for choice in self.choices)


def list_url(query: Query, *, view: str = "", **more: str) -> str:
    """The address of the list with this filter: relative, so that it works wherever the list is mounted."""
    parameters = {"q": query.text(), "view": view, **more}
    if query.ordering != "priority":
        parameters["ordering"] = query.ordering
    return "?" + urlencode({name: value for name, value in parameters.items() if value})


def _changed(query: Query, name: str, values: Iterable[str]) -> Query:
    wanted = {key: kept for key, kept in query.wanted.items() if key != name}
    values = tuple(values)
    return replace(query, wanted={**wanted, name: values} if values else wanted)


def toggled(query: Query, name: str, value: str) -> Query:
    values = query.wanted.get(name, ())
    return _changed(query, name, [each for each in values if each != value] if value in values else [*values, value])


def _menu(query: Query, view: str, name: str, title: str, values: Iterable[tuple[str, str]]) -> Menu:
    shown = list(values)
    have = query.wanted.get(name, ())
    known = {value for value, _ in shown}
    shown = [(value, value) for value in have if value not in known] + shown[:MENU_SIZE]
    choices = [
        Choice(label, list_url(toggled(query, name, value), view=view), value in have, value) for value, label in shown
    ]
    return Menu(name, title, choices, more=len(known) > MENU_SIZE)


def _words(enum: Iterable[str]) -> list[tuple[str, str]]:
    return [(str(member), str(member).replace("_", " ").capitalize()) for member in enum]


STATES = [
    ("open", "Open"),
    ("closed", "Closed"),
    ("overdue", "Overdue"),
    ("unowned", "Of no team"),
    ("unassigned", "Without an owner"),
    ("regressed", "Came back"),
    ("unrated", "Unrated severity"),
    ("other_branch", "On other branches"),
]


FIRST_SEEN = [
    (">=today-7d", "In the last 7 days"),
    (">=today-30d", "In the last 30 days"),
    ("<today-90d", "Over 90 days ago"),
]
DUE = [("<=today+7d", "Within 7 days"), ("<=today+30d", "Within 30 days"), ("none", "No due date")]


def menus(query: Query, user: User, view: str) -> list[Menu]:
    """Filters as links: three queries (services, teams, colleagues)."""
    services = Service.objects.visible_to(user).order_by("slug").values_list("slug", "slug")[: MENU_SIZE + 1]
    teams = teams_visible_to(user).values_list("slug", "name")[: MENU_SIZE + 1]
    people = [(name, name) for name in colleagues(user).values_list("username", flat=True)[: MENU_SIZE + 1]]
    return [
        _menu(query, view, "is", "State", STATES),
        _menu(query, view, "lane", "Lane", _words(Lane)),
        _menu(query, view, "severity", "Severity", _words(Severity)),
        _menu(query, view, "band", "Risk", [*_words(Band), ("none", "Not known")]),
        _menu(query, view, "status", "Status", _words(Status)),
        _menu(query, view, "service", "Service", services),
        _menu(query, view, "team", "Team", [("none", "Nobody's"), *teams]),
        _menu(query, view, "owner", "Owner", [("me", "Me"), ("none", "Nobody"), *people]),
        _menu(query, view, "first_seen", "First seen", FIRST_SEEN),
        _menu(query, view, "due", "Due", DUE),
    ]


def tokens(query: Query, view: str) -> list[Choice]:
    """Every part of the filter, with the address of the list without it."""
    found = [
        Choice(f"{name}:{value}", list_url(toggled(query, name, value), view=view), active=True, value=value)
        for name, values in query.wanted.items()
        for value in values
    ]
    for name, values in query.excluded.items():
        for value in values:
            left = tuple(each for each in values if each != value)
            rest = {key: kept for key, kept in query.excluded.items() if key != name}
            without = replace(query, excluded={**rest, name: left} if left else rest)
            found.append(Choice(f"-{name}:{value}", list_url(without, view=view), active=True, value=value))
    for word in query.words:
        without = replace(query, words=tuple(each for each in query.words if each != word))
        found.append(Choice(word, list_url(without, view=view), active=True, value=word))
    return found


def group_query(query: Query, rule: str, service: str) -> Query:
    """The filter narrowed to one group."""
    return _changed(_changed(query, "rule", [rule]), "service", [service])


@dataclass(frozen=True)
class ShownGroup:
    group: grouping.Group
    flat_url: str
    rows_query: str
    sees_service: bool

    @property
    def key(self) -> int:
        return self.group.sample_id


def shown_groups(query: Query, user: User, rows: FindingQuerySet, *, offset: int, size: int) -> list[ShownGroup]:
    return [
        ShownGroup(
            group,
            list_url(group_query(query, group.rule, group.service), view="flat"),
            list_url(group_query(query, group.rule, group.service)),
            user.may_see(group.service_team_id),
        )
        for group in grouping.groups(query, user, rows, offset=offset, size=size)
    ]


def rows_only(rows: FindingQuerySet) -> FindingQuerySet:
    """What a row of the list shows, in two queries; the long texts stay in the database."""
    # Not by a join: findings share estimates, and a deferred column and a joined one do not go together here.
    rows = rows.select_related("service", "environment", "team", "owner").prefetch_related("estimate")
    return rows.defer("evidence", "message", "search")


# --- one finding


def one(user: User, number: int) -> Finding | None:
    return (
        Finding.objects.visible_to(user)
        .select_related("service__team", "environment", "team", "owner", "written_by", "created_by_import")
        .prefetch_related("estimate")
        .defer("search")
        .filter(pk=number)
        .first()
    )


def may_change(finding: Finding, user: User) -> bool:
    return user.may_write(finding.team_id, finding.service.team_id)


def colleagues(user: User) -> QuerySet[User]:
    """Whom the user may make an owner: people of their teams; anybody for an admin."""
    people = User.objects.filter(is_active=True).order_by("username")
    if user.is_admin:
        return people
    in_teams = Q(pk__in=User.objects.filter(memberships__team_id__in=user.team_ids).values("pk"))
    return people.filter(in_teams | Q(pk=user.pk))


def writable_services(user: User) -> QuerySet[Service]:
    """Services in which the user may write findings and import."""
    rows = Service.objects.visible_to(user).order_by("slug")
    if user.is_admin:
        return rows
    mine = Q(team_id__in=user.writing_team_ids)
    if user.sees_unowned:
        mine |= Q(team_id__isnull=True)
    return rows.filter(mine)


def teams(user: User) -> QuerySet[Team]:
    return teams_visible_to(user)


def environments() -> QuerySet[Environment]:
    return Environment.objects.order_by("slug")


def allowed(finding: Finding) -> list[Status]:
    return list(actions.ALLOWED[Status(finding.status)])


@dataclass(frozen=True)
class CodeLine:
    number: int
    text: str
    hit: bool


def evidence(finding: Finding) -> dict[str, Any]:
    """What the report tells beyond the columns. Its link is shown only when it leads to the web."""
    kept = dict(finding.evidence) if isinstance(finding.evidence, dict) else {}
    if not str(kept.get("help_uri", "")).startswith(("https://", "http://")):
        kept.pop("help_uri", None)
    return kept


def excerpt(finding: Finding) -> list[CodeLine]:
    kept = evidence(finding)
    code = str(kept.get("excerpt") or "")
    first = kept.get("excerpt_line") or finding.line or 1
    last = finding.end_line or finding.line or 0
    lines = code.rstrip("\n").split("\n")[:200] if code else []
    shown = [
        CodeLine(number, line.rstrip("\r"), finding.line is not None and finding.line <= number <= last)
        for number, line in enumerate(lines, start=int(first))
    ]
    # A mark on every line tells nothing.
    return [replace(line, hit=False) for line in shown] if all(line.hit for line in shown) else shown


def sightings(finding: Finding) -> list[Sighting]:
    rows = finding.sightings.select_related("scope__target__environment", "first_import", "last_import", "ended_by")
    return list(rows.order_by("last_import_id", "-id")[:MOST_EVENTS])


@dataclass(frozen=True)
class Change:
    field: str
    before: str
    after: str


@dataclass(frozen=True)
class Event:
    """One step of a finding's story."""

    at: datetime
    who: str
    through: str
    reason: str
    changes: list[Change]
    comment: str = ""
    import_id: int | None = None  # one that the user may open
    icon: str = "edit"


_THROUGH = {
    "page": "on a page", "api": "through the API", "import": "by an import", "rule": "by ownership rules",
    "clock": "by the clock",
}  # fmt: skip
_FIELDS = {
    "status": "status", "regressed": "came back", "dismiss_reason": "reason", "severity": "severity",
    "severity_source": "severity from", "lane": "lane", "owner": "owner", "team": "team", "tags": "tags",
    "due_on": "due", "snoozed_until": "snoozed until", "acceptance_expires_on": "accepted until", "title": "title",
    "path": "path", "line": "line", "withdrawn": "withdrawn",
}  # fmt: skip


def _shown(field: str, value: Any, names: dict[str, dict[int, str]]) -> str:
    if field in names:
        return names[field].get(value, "somebody who is gone") if value else "nobody"
    if value in ("", 0, None, []):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    return str(value).replace("_", " ")


def _event(row: History, names: dict[str, dict[int, str]], importable: set[int]) -> Event:
    changes = [
        Change(_FIELDS.get(field, field), _shown(field, before, names), _shown(field, after, names))
        for field, (before, after) in row.changes.items()
    ]
    changes.sort(
        key=lambda change: list(_FIELDS.values()).index(change.field) if change.field in _FIELDS.values() else 99
    )
    status = row.changes.get("status", ["", ""])[1]
    return Event(
        row.at,
        row.actor.get_username() if row.actor_id and row.actor else "",
        _THROUGH.get(row.source, row.source),
        row.reason,
        changes,
        import_id=row.import_row_id if row.import_row_id in importable else None,
        icon=str(status) if status in set(Status) else "edit",
    )


def story(finding: Finding, user: User) -> list[Event]:
    """History and comments, the newest first: at most five queries, whatever their number."""
    history = list(finding.history.select_related("actor").order_by("-id")[:MOST_EVENTS])
    comments = list(Comment.objects.filter(finding=finding).select_related("author").order_by("-id")[:MOST_EVENTS])
    names = {"owner": _names(history, "owner", User, "username"), "team": _names(history, "team", Team, "name")}
    imports = {row.import_row_id for row in history if row.import_row_id} | {finding.created_by_import_id}
    wanted = [pk for pk in imports if pk]
    importable = (
        set(Import.objects.visible_to(user).filter(pk__in=wanted).values_list("pk", flat=True)) if wanted else set()
    )
    events = [_event(row, names, importable) for row in history]
    events += [
        Event(
            row.created_at,
            row.author.get_username() if row.author else "",
            "",
            "",
            [],
            comment=row.text,
            icon="comment",
        )
        for row in comments
    ]
    events.append(_began(finding, importable))
    return sorted(events, key=lambda event: event.at, reverse=True)


def _began(finding: Finding, importable: set[int]) -> Event:
    by = finding.written_by.get_username() if finding.written_by else ""
    made = finding.created_by_import_id
    return Event(
        finding.first_seen_at, by, "", "", [], comment="", import_id=made if made in importable else None, icon="new"
    )


def _names(history: list[History], field: str, model: type[User] | type[Team], column: str) -> dict[int, str]:
    ids = {value for row in history for value in row.changes.get(field, ()) if value}
    return dict(model._default_manager.filter(pk__in=ids).values_list("pk", column)) if ids else {}


# --- decisions


def decision_of(user: User, text: str) -> BulkAction | None:
    """The decision an address names, when it is the user's to see."""
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        return None
    return selectors.bulk_of(user, int(text))


def last_decision(finding: Finding, user: User) -> BulkAction | None:
    items = BulkItem.objects.filter(finding=finding, bulk__actor=user).select_related("bulk").order_by("-bulk_id")
    item = items.first()
    return item.bulk if item else None
