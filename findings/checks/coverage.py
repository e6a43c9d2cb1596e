"""Which alert would notice which failure of what: rules, what can fail, and every pair of them. PURE.

Three answers for each failure mode of each subject: covered by these rules; unknown, because a rule that points there
is not understood; none.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from findings.checks.alert_rules import Rule, rules
from findings.checks.signals import Sense
from findings.checks.subjects import PLATFORM, Subject, subjects
from findings.checks.watching import NAMED_BY, includes
from findings.platform.model import Platform


class State(StrEnum):
    COVERED = "covered"
    UNKNOWN = "unknown"
    NONE = "none"


@dataclass(frozen=True)
class Cell:
    subject: Subject
    mode: str
    state: State
    rules: tuple[Rule, ...] = ()  # that cover it, the fastest first; of unknown, those that may
    why: str = ""  # of unknown

    @property
    def best(self) -> float | None:
        return min((each.best for each in self.rules if each.best is not None), default=None)

    @property
    def worst(self) -> float | None:
        """Of the rule that opens first at the latest."""
        return min((each.worst for each in self.rules if each.worst is not None), default=None)


@dataclass(frozen=True)
class Coverage:
    rules: tuple[Rule, ...]
    cells: tuple[Cell, ...]
    is_whole: bool  # the files hold every alert that there is, as far as they or the facts say

    @cached_property
    def _by_subject(self) -> dict[int, list[Cell]]:
        found: dict[int, list[Cell]] = {}
        for each in self.cells:
            found.setdefault(id(each.subject), []).append(each)
        return found

    def of(self, subject: Subject) -> list[Cell]:
        return self._by_subject.get(id(subject), [])

    @property
    def subjects(self) -> list[Subject]:
        return list({id(each.subject): each.subject for each in self.cells}.values())


def coverage(platform: Platform) -> Coverage:
    found = tuple(rules(platform))
    complete = platform.facts.get("alerting.complete")
    is_whole = bool(found) or (complete is not None and complete.value is True)
    told = _by_mode(found)
    none = _Told()
    pairs = [
        _cell(subject, mode, told.get(mode, none).about(subject))
        for subject in subjects(platform)
        for mode in subject.modes
    ]
    return Coverage(found, tuple(pairs), is_whole)


# -- who notices what


_Telling = tuple[int, "Rule", list["Sense"]]  # where it stands among all, the rule, and what of it is about a failure


@dataclass
class _Told:
    """The rules about one failure. Most name one workload: those are looked up by that name, not tried on all."""

    everywhere: list[_Telling] = field(default_factory=list)
    named: dict[str, list[_Telling]] = field(default_factory=dict)

    def add(self, telling: _Telling) -> None:
        names = {_named(sense) for sense in telling[2]}
        if names and None not in names:
            for name in names:
                self.named.setdefault(str(name), []).append(telling)
        else:
            self.everywhere.append(telling)

    def about(self, subject: Subject) -> list[_Telling]:
        """Those that are not about something else by name, in their order."""
        names = self.named if subject.id == PLATFORM else subject.names & self.named.keys()
        if not names:
            return self.everywhere
        found = {telling[0]: telling for name in names for telling in self.named[name]}
        return sorted([*self.everywhere, *found.values()], key=lambda telling: telling[0])


def _named(sense: Sense) -> str | None:
    """The one name that a subject has to have; None where none is asked for by itself."""
    return next(
        (each.value for each in sense.matchers if each.operator == "=" and each.value and each.label in NAMED_BY), None
    )


def _by_mode(found: tuple[Rule, ...]) -> dict[str, _Told]:
    """For each failure the rules that may be about it, with what of them is: most rules are about one or two."""
    told: dict[str, _Told] = {}
    for at, rule in enumerate(found):
        of_rule: dict[str, list[Sense]] = {mode: [] for mode in rule.hints}
        for sense in rule.senses:
            of_rule.setdefault(sense.mode, []).append(sense)
        for mode, senses in of_rule.items():
            told.setdefault(mode, _Told()).add((at, rule, senses))
    return told


def _cell(subject: Subject, mode: str, told: list[_Telling]) -> Cell:
    covering: list[Rule] = []
    doubtful: list[tuple[Rule, str]] = []
    for _, rule, senses in told:
        answers = [includes(sense, subject) for sense in senses]
        if True in answers:
            covering.append(rule)
        elif None in answers:
            doubtful.append((rule, "whether it is about this one is not known"))
        elif rule.reason and mode in rule.hints and not answers:
            doubtful.append((rule, rule.reason))
    if covering:
        covering.sort(key=lambda each: (each.worst is None, each.worst or each.best or 0.0, each.name))
        return Cell(subject, mode, State.COVERED, tuple(covering))
    if doubtful:
        why = "; ".join(f"{rule.name}: {reason}" for rule, reason in doubtful[:3])
        return Cell(subject, mode, State.UNKNOWN, tuple(rule for rule, _ in doubtful), why)
    return Cell(subject, mode, State.NONE)


# -- as it is kept with an import

MOST_CELLS = 5_000


def as_json(found: Coverage) -> dict[str, Any]:
    """Plain values. Cells name their rules by their place in the list; only rules that cover or may cover something,
    or that are not understood, are kept."""
    shown = found.cells[:MOST_CELLS]
    named = {id(rule): rule for cell in shown for rule in cell.rules}
    kept = [rule for rule in found.rules if id(rule) in named or rule.reason][:MOST_CELLS]
    place = {id(rule): number for number, rule in enumerate(kept)}
    return {
        "is_whole": found.is_whole,
        "rules_count": len(found.rules),
        "cells_count": len(found.cells),
        "rules": [_rule_as_json(each) for each in kept],
        "cells": [
            {
                "subject": each.subject.id,
                "path": each.subject.place.path,
                "line": each.subject.place.line,
                "mode": each.mode,
                "state": each.state.value,
                "rules": [place[id(rule)] for rule in each.rules if id(rule) in place],
                "why": each.why,
            }
            for each in shown
        ],
    }


def _rule_as_json(rule: Rule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "language": rule.language,
        "severity": rule.severity,
        "path": rule.place.path,
        "line": rule.place.line,
        "best_seconds": rule.best,
        "worst_seconds": rule.worst,
        "wait_reason": rule.wait_reason,
        "reason": rule.reason,
    }
