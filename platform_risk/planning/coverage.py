"""Which alert notices which failure of what, as the last import of each service's configuration says.

Kept with the import (findings.checks.coverage.as_json), so undoing an import puts this back too.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F
from django.db.models.fields.json import KeyTransform

from findings.checks import signals
from findings.checks.coverage import State
from platform_risk.core.models import ImportKind, Scope, Service, User

_WORST_FIRST = (State.NONE, State.UNKNOWN, State.COVERED)


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


@dataclass(frozen=True)
class Source:
    """One service's configuration in one environment, as last imported."""

    service: str
    environment: str | None
    import_id: int
    observed_at: datetime | None
    is_whole: bool
    alerts: tuple[Alert, ...]  # those that are not understood are among them
    cells: Sequence[Mapping[str, Any]]
    cells_count: int


@dataclass(frozen=True)
class Row:
    """One failure mode of one thing."""

    service: str
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

    def lets(self, row: Row) -> bool:
        return all(
            not wanted or value in wanted
            for wanted, value in ((self.services, row.service), (self.modes, row.mode), (self.states, row.state))
        )


def sources(user: User) -> list[Source]:
    """Of default branches. One query."""
    found = (
        Scope.objects.filter(
            target__is_default_branch=True,
            target__service__in=Service.objects.visible_to(user),
            last_applied__kind=ImportKind.PLATFORM,
        )
        .order_by("target__service__slug", "target__environment__slug", "source")
        .values_list(
            "target__service__slug", "target__environment__slug", "last_applied_id", "last_applied__observed_at",
            KeyTransform("alerts", F("last_applied__coverage")),
        )
    )  # fmt: skip
    return [_source(*row) for row in found if isinstance(row[4], dict)]


def _source(service: str, environment: str | None, import_id: int, at: datetime | None, told: Any) -> Source:
    alerts = tuple(Alert(**each) for each in told["rules"])
    return Source(
        service, environment, import_id, at, bool(told["is_whole"]), alerts, told["cells"], told["cells_count"]
    )


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
    for cell in source.cells:
        mode = signals.modes().get(cell["mode"])
        if mode is None:
            continue  # of an older version's list
        state, why = cell["state"], cell["why"]
        if state == State.NONE and not source.is_whole:
            state, why = State.UNKNOWN.value, "no alert rule is among the files: upload the rules with what they watch"
        yield Row(
            source.service, source.environment, cell["subject"], mode.id, mode.title, state,
            tuple(source.alerts[number] for number in cell["rules"]), why, cell["path"], cell["line"],
            source.import_id, source.observed_at,
        )  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """One failure mode in one service: the worst of what can fail so in it."""

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


def grid(found: Sequence[Row]) -> Grid:
    services = sorted({row.service for row in found})
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
    return Cell(state.value, len(found), slowest, tuple(names))
