"""Which alert would notice which failure of what: rules, what can fail, and every pair of them. PURE.

Three answers for each failure mode of each subject: covered by these rules; unknown, because a rule that points there
is not understood; none.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from hashlib import blake2b

from findings.checks import kept
from findings.checks.alert_rules import Rule, rules
from findings.checks.signals import Sense, modes
from findings.checks.subjects import PLATFORM, Subject, subjects
from findings.checks.watching import NAMED_BY, includes
from findings.platform.model import Platform
from findings.vocabulary import Severity
from platform_risk.quantities.records import record


class State(StrEnum):
    COVERED = "covered"
    UNKNOWN = "unknown"
    NONE = "none"


@record(frozen=True, slots=True)
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
    """Of the files, with what the alerts of other imports notice of them (`platform.elsewhere`)."""
    own = tuple(rules(platform))
    others = tuple(kept.rule(each, hidden=True) for each in platform.elsewhere)
    return judged(tuple(subjects(platform, own)), own, others, is_complete=is_complete(platform))


def is_complete(platform: Platform) -> bool:
    """Whether the facts say that there is no alert beside those among the files."""
    stated = platform.facts.get("alerting.complete")
    return stated is not None and stated.value is True


def judged(
    found: tuple[Subject, ...], own: tuple[Rule, ...], others: tuple[Rule, ...] = (), *, is_complete: bool = False
) -> Coverage:
    """Every pair of what can fail and a way in which it does. `others`: rules of other imports.

    Something is missing only where alerts are: some of its own, or one elsewhere that would tell of an outage of it.
    """
    told = _by_mode((*own, *others))
    none = _Told()
    pairs = tuple(
        _cell(subject, mode, told.get(mode, none).about(subject)) for subject in found for mode in subject.modes
    )
    is_whole = bool(own) or is_complete or any(_tells_of_an_outage(each) for each in pairs)
    return Coverage((*own, *others), pairs, is_whole)


def _tells_of_an_outage(cell: Cell) -> bool:
    return cell.state == State.COVERED and modes()[cell.mode].severity == Severity.HIGH


def digest(found: Coverage) -> str:
    """The same while every pair has the same answer: by it one sees whether other alerts would change any."""
    told = sorted(f"{each.subject.id}\x1f{each.mode}\x1f{each.state}" for each in found.cells)
    text = "\x1e".join((str(found.is_whole), *told))
    return blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()


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
    if not told:
        return Cell(subject, mode, State.NONE)
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
