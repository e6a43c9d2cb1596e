"""A plain model of what becomes of findings: dictionaries and loops, and nothing of the product but its words.

One target per branch; any number of scopes (branch and source) in it. tests/findings/test_stateful.py holds the
database against it.
"""

import copy
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

UNRESOLVED = {"new", "triaged", "in_progress", "snoozed"}
CLOSED = {"fixed", "verified"}
DECIDED = {"accepted", "dismissed"}
LEVELS = {"error": "high", "warning": "medium", "note": "low"}
_RANK = {"critical": 0, "high": 1, "medium": 2, "low": 3, "info": 4}
BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
DEFAULT, OTHER = "main", "feature"

# What a report says of one rule: its level, the line, whether it is suppressed.
Said = tuple[str, int, bool]
Content = dict[str, Said]
ScopeName = tuple[str, str]  # branch, source


def moment(day: int) -> datetime:
    return BEGIN + timedelta(days=day)


@dataclass
class Interval:
    """One scope saw the finding, from one import on; until another, or still."""

    scope: ScopeName
    first: int
    said: Said
    ended_by: int | None = None


@dataclass
class Known:
    """One finding."""

    said: Said  # by whoever wrote it last
    opened: date
    status: str = "new"
    regressed: bool = False
    decided: str = ""  # severity at the decision
    suppressed: bool = False  # by the report
    fixed_by: int | None = None  # None: by a person
    withdrawn: bool = False
    override: str | None = None
    owner: str | None = None
    decided_at: int = 0  # the step in which a person changed its status last
    intervals: list[Interval] = field(default_factory=list)

    def open_in(self, scope: ScopeName) -> Interval | None:
        return next((one for one in self.intervals if one.scope == scope and one.ended_by is None), None)

    @property
    def seen(self) -> bool:
        return any(one.ended_by is None for one in self.intervals)

    @property
    def reported(self) -> str:
        return LEVELS[self.said[0]]

    @property
    def severity(self) -> str:
        return self.override or self.reported

    @property
    def counts(self) -> bool:
        return not self.withdrawn and self.status in UNRESOLVED


@dataclass
class Applied:
    """One import that was applied and not undone."""

    number: int
    step: int
    content: Content
    complete: bool
    late: bool
    day: int
    before: dict[str, Known]
    touched: set[str] = field(default_factory=set)  # what it changed of findings that were there before


@dataclass
class Scope:
    applied: list[Applied] = field(default_factory=list)
    changing: list[Applied] = field(default_factory=list)  # without late ones: the last of them can be undone

    @property
    def complete_day(self) -> int | None:
        return max((one.day for one in self.applied if one.complete and not one.late), default=None)


class Model:
    def __init__(self) -> None:
        self.findings: dict[str, dict[str, Known]] = {DEFAULT: {}, OTHER: {}}
        self.scopes: dict[ScopeName, Scope] = {}
        self.weeks: Counter[tuple[date, str]] = Counter()
        self.step = 0
        self._counted: dict[str, bool] = {}

    def visible(self) -> dict[tuple[str, str], Known]:
        return {
            (branch, name): known
            for branch, findings in self.findings.items()
            for name, known in findings.items()
            if not known.withdrawn
        }

    # Steps

    def _begin(self) -> None:
        self.step += 1
        self._counted = {name: known.counts for name, known in self.findings[DEFAULT].items()}

    def _end(self, at: date) -> None:
        """A week's figures say what turned open or closed in it."""
        monday = at - timedelta(days=at.weekday())
        for name, known in self.findings[DEFAULT].items():
            if known.counts != self._counted.get(name, False):
                self.weeks[monday, "opened" if known.counts else "closed"] += 1

    # Imports

    def is_duplicate(self, name: ScopeName, content: Content, *, complete: bool) -> bool:
        scope = self.scopes.get(name)
        last = scope.changing[-1] if scope is not None and scope.changing else None
        return last is not None and list(last.content.items()) == list(content.items()) and last.complete == complete

    def apply(self, name: ScopeName, content: Content, day: int, *, complete: bool, number: int) -> Counter[str]:
        """What an import does; returns its counts."""
        scope = self.scopes.setdefault(name, Scope())
        late = scope.complete_day is not None and day < scope.complete_day
        self._begin()
        before = copy.deepcopy(self.findings[name[0]])
        applied = Applied(number, self.step, content, complete, late, day, before)
        counts = Counter(self._see(name, rule, said, applied) for rule, said in content.items())
        if complete and not late:
            counts["closed"] = self._close(name, scope, applied)
        scope.applied.append(applied)
        if not late:
            scope.changing.append(applied)
        self._end(moment(day).date())
        return +counts

    def _see(self, scope: ScopeName, rule: str, said: Said, applied: Applied) -> str:
        findings = self.findings[scope[0]]
        known = findings.get(rule)
        if known is None or known.withdrawn:
            findings[rule] = self._new(scope, said, applied, known)
            return "new"
        sighted = known.open_in(scope)
        if applied.late:
            if sighted is None:
                known.intervals.append(Interval(scope, applied.number, said, applied.number))
            return "unchanged"
        kind = _kind(known, sighted, said)
        if kind == "unchanged":
            return kind
        same_words = known.said == said
        self._write(known, said, applied, reopened=kind == "reopened")
        applied.touched.add(rule)
        if sighted is None:
            known.intervals.append(Interval(scope, applied.number, said))
        else:
            sighted.said = said
        if kind == "seen_again":
            return "unchanged" if same_words else "changed"
        return kind

    def _new(self, scope: ScopeName, said: Said, applied: Applied, withdrawn: Known | None) -> Known:
        known = Known(said, moment(applied.day).date())
        if withdrawn is not None:  # its number, and what people said about it, come back
            known.override, known.owner = withdrawn.override, withdrawn.owner
        if said[2]:
            known.status, known.suppressed, known.decided = "dismissed", True, known.reported
        elif applied.late:
            known.status, known.fixed_by = "fixed", applied.number
        known.intervals.append(Interval(scope, applied.number, said, applied.number if applied.late else None))
        return known

    def _write(self, known: Known, said: Said, applied: Applied, *, reopened: bool) -> None:
        suppressed = said[2]
        was, was_suppressed = known.status, known.suppressed
        known.said, known.fixed_by = said, None
        if reopened:
            known.opened = moment(applied.day).date()
        if suppressed and was not in DECIDED:
            known.status = "dismissed"
            known.suppressed, known.decided = True, known.reported
            return
        if reopened:
            known.status = "new"
            known.regressed = known.regressed or not was_suppressed
        known.suppressed = was_suppressed and suppressed
        if known.status not in DECIDED:
            known.decided = ""

    def _close(self, name: ScopeName, scope: Scope, applied: Applied) -> int:
        closed = 0
        for rule, known in self.findings[name[0]].items():
            if known.withdrawn or rule in applied.content:
                continue
            by_hand = known.status == "fixed" and known.fixed_by is None
            sighted = known.open_in(name)
            if sighted is not None:
                sighted.ended_by = applied.number
                if not known.seen and (known.status in UNRESOLVED or by_hand):
                    known.status = "fixed"
                    known.fixed_by = applied.number
                    applied.touched.add(rule)
                    closed += 1
            elif known.status == "fixed" and known.fixed_by in {one.number for one in scope.applied}:
                known.status = "verified"
                applied.touched.add(rule)
        return closed

    # Undo

    def can_undo(self) -> list[ScopeName]:
        return [name for name, scope in self.scopes.items() if scope.changing]

    def undo(self, name: ScopeName, today: date) -> int:
        """Takes back the scope's last import; returns its number."""
        scope = self.scopes[name]
        applied = scope.changing.pop()
        scope.applied.remove(applied)
        self._begin()
        for rule, known in self.findings[name[0]].items():
            if not known.withdrawn:
                self._take_back(known, applied.before.get(rule), name, applied, touched=rule in applied.touched)
        self._end(today)
        return applied.number

    def _take_back(self, known: Known, old: Known | None, name: ScopeName, applied: Applied, *, touched: bool) -> None:
        number = applied.number
        sighted = known.open_in(name)
        if touched and old is not None:
            if sighted is not None and sighted.said == known.said:  # nobody has written it since
                known.said = old.said
            if known.decided_at <= applied.step:
                known.status, known.regressed, known.suppressed = old.status, old.regressed, old.suppressed
                known.decided, known.opened, known.fixed_by = old.decided, old.opened, old.fixed_by
            old_sighted = old.open_in(name)
            if sighted is not None and old_sighted is not None:
                sighted.said = old_sighted.said
        lost = any(one.first == number for one in known.intervals)
        resumed = any(one.ended_by == number for one in known.intervals)
        known.intervals = [one for one in known.intervals if one.first != number]
        for one in known.intervals:
            if one.ended_by == number:
                one.ended_by = None
        self._heed_others(known, applied, lost=lost, changed=touched or resumed)
        if known.fixed_by == number:
            known.fixed_by = None

    def _heed_others(self, known: Known, applied: Applied, *, lost: bool, changed: bool) -> None:
        """What other scopes have seen since, or have stopped to see."""
        if lost and not known.intervals:
            known.withdrawn = True
        elif lost and not known.seen and known.status in UNRESOLVED:
            ended = max(one.ended_by or 0 for one in known.intervals)
            if ended > applied.number:
                known.status, known.fixed_by = "fixed", ended
        elif changed and known.seen and known.status in CLOSED and known.decided_at <= applied.step:
            began = any(one.first > applied.number for one in known.intervals if one.ended_by is None)
            if began or (known.fixed_by or 0) > applied.number:
                known.status, known.fixed_by, known.regressed = "new", None, known.regressed or began

    # People

    def decide(self, known: Known, to: str, today: date) -> None:
        self._begin()
        if to == "new" and known.status not in UNRESOLVED:
            known.opened = today
        known.status, known.decided_at = to, self.step
        known.suppressed = False
        known.decided = known.reported if to in DECIDED else ""
        self._end(today)


def _kind(known: Known, sighted: Interval | None, said: Said) -> str:
    level, _, suppressed = said
    if known.status in CLOSED:
        return "reopened"
    worse = bool(known.decided) and _RANK[LEVELS[level]] < _RANK[known.decided]
    if known.status in DECIDED and not suppressed and (worse or known.suppressed):
        return "reopened"
    if sighted is None:
        return "seen_again"
    return "unchanged" if sighted.said == said else "changed"
