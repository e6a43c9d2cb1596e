"""Which alert notices which failure of what, as the last import of each service's configuration says.

Rules and what can fail are kept with their import (findings.checks.kept) and held against one another here, so the
alerts of one import are seen to watch what another describes, and undoing an import puts this back too. A rule of an
import that the user may not see counts, without its name or place.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from django.db.models import Q, QuerySet

from findings import judging
from findings.checks import alert_coverage, coverage, signals
from findings.checks.alert_rules import Rule
from findings.checks.coverage import State
from findings.judging import Held
from findings.models import Finding
from platform_risk.core.models import Scope, Service, User

_WORST_FIRST = (State.NONE, State.UNKNOWN, State.COVERED)
_NO_RULES = "no alert rule was imported that is about any of it: import the rules, beside it or by themselves"


@dataclass(frozen=True)
class Alert:
    name: str
    language: str
    severity: str
    path: str
    line: int | None
    best_seconds: float | None
    worst_seconds: float | None
    wait_reason: str
    reason: str  # why it is not understood; "" when it is
    service: str | None  # whose import it is of; None: one that the user may not see
    import_id: int | None


@dataclass(frozen=True)
class Source:
    """One service's configuration in one environment, as last imported, and what it was held against."""

    service: str
    team: str | None
    environment: str | None
    import_id: int
    observed_at: datetime | None
    alerts: tuple[Alert, ...]  # its own; those that are not understood are among them
    found: coverage.Coverage = field(repr=False)
    names: dict[int, str] = field(repr=False)  # import → service, of those that the user may see


@dataclass(frozen=True)
class Row:
    """One failure mode of one thing."""

    service: str
    team: str | None
    environment: str | None
    subject: str
    mode: str
    title: str
    state: str
    alerts: tuple[Alert, ...]
    why: str
    path: str
    line: int | None
    import_id: int
    observed_at: datetime | None

    @property
    def best_seconds(self) -> float | None:
        return min((each.best_seconds for each in self.alerts if each.best_seconds is not None), default=None)

    @property
    def worst_seconds(self) -> float | None:
        """Of the alert that opens first at the latest; None when no bound is known."""
        return min((each.worst_seconds for each in self.alerts if each.worst_seconds is not None), default=None)


@dataclass(frozen=True)
class Filter:
    services: frozenset[str] = frozenset()
    modes: frozenset[str] = frozenset()
    states: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()

    def lets(self, row: Row) -> bool:
        asked = (
            (self.services, row.service), (self.modes, row.mode), (self.states, row.state), (self.teams, row.team),
        )  # fmt: skip
        return all(not wanted or value in wanted for wanted, value in asked)


def sources(user: User) -> list[Source]:
    """Of default branches that the user may see, each judged with the rules of all others. Two queries."""
    every = judging.held()
    seen = {scope.pk: scope for scope in _visible(user)}
    names = {scope.last_applied_id: scope.target.service.slug for scope in seen.values() if scope.last_applied_id}
    rules = {each.import_id: each.rules(hidden=each.import_id not in names) for each in every}
    found = [_source(each, seen[each.scope_id], every, rules, names) for each in every if each.scope_id in seen]
    return sorted(found, key=lambda each: (each.service, each.environment or "", each.import_id))


def silent(user: User) -> QuerySet[Finding]:
    """Open findings about alerts that open and tell nobody: they count for nothing above. The worst first."""
    rows = Finding.objects.visible_to(user).open().on_default_branch().filter(check_id=alert_coverage.META.id)
    told = Q()
    for name in alert_coverage.SILENT:
        told |= Q(quantities__contains=[{"name": name}])
    return rows.filter(told).select_related("service", "team").order_by("rank", "id")


def _visible(user: User) -> Iterable[Scope]:
    return (
        judging.current()
        .filter(target__service__in=Service.objects.visible_to(user))
        .select_related("target__service__team", "target__environment", "last_applied")
        .defer("last_applied__coverage")
    )


def _source(
    held: Held, scope: Scope, every: Sequence[Held], rules: dict[int, tuple[Rule, ...]], names: dict[int, str]
) -> Source:
    others = tuple(
        rule for other in every if other.is_shared and other.reaches(held) for rule in rules[other.import_id]
    )
    own = rules[held.import_id]
    found = coverage.judged(held.subjects(), own, others, is_complete=held.told.get("is_complete") is True)
    service, environment, last = scope.target.service, scope.target.environment, scope.last_applied
    return Source(
        service.slug,
        service.team.slug if service.team else None,
        environment.slug if environment else None,
        held.import_id,
        last.observed_at if last else None,
        tuple(_alert(each, names) for each in own),
        found,
        names,
    )


def _alert(rule: Rule, names: dict[int, str]) -> Alert:
    service = None if rule.is_hidden else names.get(rule.origin)
    return Alert(
        rule.name, rule.language, rule.severity, rule.place.path, rule.place.line, rule.best, rule.worst,
        rule.wait_reason, rule.reason, service, rule.origin if service else None,
    )  # fmt: skip


def rows(found: Iterable[Source], wanted: Filter | None = None) -> list[Row]:
    """What nothing notices first, then what cannot be told."""
    wanted = wanted or Filter()
    made = [row for source in found for row in _rows(source) if wanted.lets(row)]
    order = list(signals.modes())
    return sorted(
        made,
        key=lambda row: (_WORST_FIRST.index(State(row.state)), row.service, row.subject, order.index(row.mode)),
    )


def _rows(source: Source) -> Iterator[Row]:
    for cell in source.found.cells:
        mode = signals.modes().get(cell.mode)
        if mode is None:
            continue  # of an older version's list
        state, why = cell.state, cell.why
        if state == State.NONE and not source.found.is_whole:
            state, why = State.UNKNOWN, _NO_RULES
        yield Row(
            source.service, source.team, source.environment, cell.subject.id, mode.id, mode.title, state.value,
            tuple(dict.fromkeys(_alert(each, source.names) for each in cell.rules)), why, cell.subject.place.path,
            cell.subject.place.line, source.import_id, source.observed_at,
        )  # fmt: skip


# -- as a table of failure modes by service


@dataclass(frozen=True)
class Cell:
    """One failure mode in one service: the worst of what can fail so in it."""

    service: str
    state: str
    subjects: int
    worst_seconds: float | None  # the slowest to be noticed; None: not known
    alerts: tuple[str, ...]


@dataclass(frozen=True)
class Grid:
    services: list[str]
    lines: list[tuple[signals.Mode, list[Cell | None]]]
    covered: int
    unknown: int
    none: int


def worst_first(found: Iterable[Row]) -> list[str]:
    """Services, that with the most failures which nothing notices first, then that of which the least is known."""
    counts: dict[str, Counter[str]] = {}
    for row in found:
        counts.setdefault(row.service, Counter())[row.state] += 1
    return sorted(counts, key=lambda slug: (-counts[slug][State.NONE], -counts[slug][State.UNKNOWN], slug))


def grid(found: Sequence[Row], services: Sequence[str] | None = None) -> Grid:
    """`services`: in which order, where they are known already."""
    services = list(services) if services is not None else worst_first(found)
    held: dict[tuple[str, str], list[Row]] = {}
    for row in found:
        held.setdefault((row.mode, row.service), []).append(row)
    lines = [
        (mode, [_cell(held.get((mode.id, service))) for service in services])
        for mode in signals.modes().values()
        if any((mode.id, service) in held for service in services)
    ]
    states = [row.state for row in found]
    return Grid(services, lines, *(states.count(state) for state in (State.COVERED, State.UNKNOWN, State.NONE)))


def _cell(found: list[Row] | None) -> Cell | None:
    if not found:
        return None
    state = min((State(row.state) for row in found), key=_WORST_FIRST.index)
    times = [row.worst_seconds for row in found]
    known = [time for time in times if time is not None]
    slowest = max(known) if state == State.COVERED and len(known) == len(times) else None
    names = dict.fromkeys(alert.name for row in found for alert in row.alerts)
    return Cell(found[0].service, state.value, len(found), slowest, tuple(names))


# -- service by service


@dataclass(frozen=True)
class Line:
    """Things of one service that fail alike, and are noticed alike."""

    mode: str
    title: str
    state: str
    alerts: tuple[Alert, ...]
    why: str
    rows: tuple[Row, ...]

    @cached_property
    def best_seconds(self) -> float | None:
        return self.rows[0].best_seconds

    @cached_property
    def worst_seconds(self) -> float | None:
        return self.rows[0].worst_seconds


@dataclass(frozen=True)
class Group:
    """One service in one environment."""

    service: str
    environment: str | None
    imports: tuple[int, ...]
    lines: tuple[Line, ...]
    none: int
    unknown: int
    covered: int


def groups(found: Sequence[Row]) -> list[Group]:
    """By service; of each, what nothing notices first. What fails alike and is noticed alike is one line."""
    together: dict[tuple[str, str | None], list[Row]] = {}
    for row in found:
        together.setdefault((row.service, row.environment), []).append(row)
    made = [_group(each) for each in together.values()]
    return sorted(made, key=lambda each: (each.service, each.environment or ""))


def _group(found: list[Row]) -> Group:
    alike: dict[tuple[str, str, tuple[Alert, ...], str], list[Row]] = {}
    for row in found:
        alike.setdefault((row.mode, row.state, row.alerts, row.why), []).append(row)
    order = list(signals.modes())
    lines = sorted(
        (
            Line(mode, rows[0].title, state, alerts, why, tuple(rows))
            for (mode, state, alerts, why), rows in alike.items()
        ),
        key=lambda line: (_WORST_FIRST.index(State(line.state)), order.index(line.mode)),
    )
    states = [row.state for row in found]
    counts = (states.count(state) for state in _WORST_FIRST)
    imports = tuple(sorted({row.import_id for row in found}))
    return Group(found[0].service, found[0].environment, imports, tuple(lines), *counts)
