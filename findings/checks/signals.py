"""What an alert's expression would notice: which failure modes, by which metric and in which direction. PURE.

The mapping is data (data/failure_modes.tsv, data/alert_signals.tsv, each row with its source). An expression is
understood when it parses and every metric in it is known there; what is not understood is never taken for a watch.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from importlib.resources import files
from typing import Any

from findings.platform import promql
from findings.platform.promql import Binary, Call, Matcher, Metric, Node, NotUnderstood, Number
from findings.vocabulary import Severity
from platform_risk.quantities.records import record

# The label of a matcher that names what is watched in the words of another tool: when it differs from ours, whether it
# is the same thing is not known.
NAMED = "named"
RISES, FALLS, ABSENT, CHANGES, MEETS = "rises", "falls", "absent", "changes", "meets"
_OPPOSITE = {RISES: FALLS, FALLS: RISES, ABSENT: RISES}
_MOST_DEPTH = 80
_MOST_RECORDS = 5  # recording rules that lead to one another
_MOST_PARTS = 2_000


@dataclass(frozen=True)
class Mode:
    """One way in which a platform fails."""

    id: str
    title: str
    severity: Severity  # of its going unnoticed
    checks: tuple[str, ...]
    applies_to: frozenset[str]
    words: tuple[str, ...]  # by which a rule that is not understood points here

    @cached_property
    def clause(self) -> str:
        """The title within a sentence: after "when"."""
        return self.title if self.title.startswith("Kafka") else self.title[0].lower() + self.title[1:]


@dataclass(frozen=True)
class Signal:
    language: str
    metric: re.Pattern[str]
    where: tuple[tuple[frozenset[str], str], ...]  # labels, and what their value has to be
    directions: frozenset[str]
    modes: tuple[str, ...]
    source: str


@record(frozen=True, slots=True)
class Sense:
    """A failure mode that would be noticed, and by what. The matchers say whose."""

    mode: str
    metric: str
    matchers: tuple[Matcher, ...] = ()


@record(frozen=True, slots=True)
class Meaning:
    """`reason`: why the expression is not understood, or only in part; "" when it is."""

    senses: tuple[Sense, ...] = ()
    reason: str = ""


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = files("findings.checks").joinpath(f"data/{name}").read_text(encoding="utf-8")
    # No quoting: the patterns are written as they are.
    yield from csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)


@cache
def modes() -> dict[str, Mode]:
    return {
        row["id"]: Mode(
            row["id"],
            row["title"],
            Severity(row["severity"]),
            tuple(row["checks"].split(",")),
            frozenset(row["applies_to"].split(",")),
            tuple(row["words"].split(",")),
        )
        for row in _rows("failure_modes.tsv")
    }


@cache
def signals() -> tuple[Signal, ...]:
    return tuple(
        Signal(
            row["language"],
            re.compile(row["metric"]),
            tuple(_condition(each) for each in row["where"].split(" ") if each),
            frozenset(row["direction"].split(",")),
            tuple(each for each in row["modes"].split(",") if each != "-"),
            row["source"],
        )
        for row in _rows("alert_signals.tsv")
    )


def _condition(text: str) -> tuple[frozenset[str], str]:
    names, _, value = text.partition("=")
    return frozenset(names.split("|")), value


@record(frozen=True, slots=True)
class Atom:
    """One metric of an expression and what it has to do for the alert to open."""

    metric: Metric
    direction: frozenset[str]


@lru_cache(maxsize=4096)
def named(language: str, name: str) -> tuple[Signal, ...]:
    return tuple(each for each in signals() if each.language == language and each.metric.fullmatch(name[:300]))


def of_promql(text: str, records: Mapping[str, str] | None = None) -> Meaning:
    """`records`: recording rules by name, whose expressions stand for them."""
    try:
        node = promql.parse(text)
        if records and any(each.name in records for each in promql.metrics(node)):
            node = _expanded(node, records, _MOST_RECORDS, [_MOST_PARTS])
        odd = sorted(set(promql.calls(node)) & _OF_THE_CLOCK)
        if odd:
            return Meaning(reason=f"{odd[0]}() lets it open at certain times only")
        atoms = list(_atoms(node, 1, 0))
    except NotUnderstood as error:
        return Meaning(reason=str(error))
    unknown = sorted({each.name for each in promql.metrics(node) if not named("promql", each.name)})
    if unknown:
        more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
        return Meaning(reason=f"what {unknown[0][:120]}{more} measures is not known")
    if not _compares(node):
        always = isinstance(node, Call) and node.name == "vector"
        return Meaning(reason="" if always else "it compares with nothing")
    return Meaning(tuple(dict.fromkeys(sense for atom in atoms for sense in _senses("promql", atom))))


_OF_THE_CLOCK = frozenset(("hour", "minute", "month", "year", "day_of_week", "day_of_month", "day_of_year"))


def _expanded(node: Node, records: Mapping[str, str], levels: int, parts: list[int]) -> Node:
    """With each recording rule's expression in its place. `parts`: how many more may be made; rules that name one
    another several times would grow without end."""
    parts[0] -= 1
    if parts[0] < 0:
        raise NotUnderstood("its recording rules make it too long")
    if isinstance(node, Metric) and node.name in records and levels:
        return _with(_expanded(promql.parse(records[node.name]), records, levels - 1, parts), node.matchers)
    if isinstance(node, Call):
        return Call(node.name, tuple(_expanded(each, records, levels, parts) for each in node.arguments))
    if isinstance(node, Binary):
        left = _expanded(node.left, records, levels, parts)
        return Binary(node.operator, left, _expanded(node.right, records, levels, parts))
    return node


def _with(node: Node, matchers: tuple[Matcher, ...]) -> Node:
    if isinstance(node, Metric):
        return Metric(node.name, (*node.matchers, *matchers))
    if isinstance(node, Call):
        return Call(node.name, tuple(_with(each, matchers) for each in node.arguments))
    if isinstance(node, Binary):
        return Binary(node.operator, _with(node.left, matchers), _with(node.right, matchers))
    return node


def _compares(node: Node) -> bool:
    if isinstance(node, Call):
        return node.name.startswith("absent") or any(_compares(each) for each in node.arguments)
    if isinstance(node, Binary):
        return node.operator in (*_ORDERED, "==", "!=", "unless") or _compares(node.left) or _compares(node.right)
    return False


_ORDERED = {">": 1, ">=": 1, "<": -1, "<=": -1}


def _atoms(node: Node, sign: int, depth: int) -> Iterator[Atom]:
    """What has to rise (sign 1) or fall (-1) for the node to grow; for a comparison, for it to hold."""
    if depth > _MOST_DEPTH:
        raise NotUnderstood("nested too deeply")
    if isinstance(node, Metric):
        yield Atom(node, frozenset((RISES if sign > 0 else FALLS,)))
    elif isinstance(node, Call):
        yield from _of_call(node, sign, depth + 1)
    elif isinstance(node, Binary):
        yield from _of_binary(node, sign, depth + 1)


def atoms_of(node: Node, sign: int) -> list[Atom]:
    """What has to move for the node to rise (1) or to fall (-1). Raises NotUnderstood."""
    return list(_atoms(node, sign, 0))


def _of_call(node: Call, sign: int, depth: int) -> Iterator[Atom]:
    for argument in node.arguments:
        if node.name in ("absent", "absent_over_time"):
            direction = ABSENT if sign > 0 else RISES
            for atom in _atoms(argument, 1, depth):
                vanished = _OPPOSITE.get(next(iter(atom.direction)), FALLS) if _compares(argument) else direction
                yield Atom(atom.metric, frozenset((vanished, direction)))
        elif node.name in ("changes", "resets"):
            for atom in _atoms(argument, sign, depth):
                yield Atom(atom.metric, frozenset((CHANGES,)))
        else:
            yield from _atoms(argument, sign, depth)


def _of_binary(node: Binary, sign: int, depth: int) -> Iterator[Atom]:
    left, right, operator = node.left, node.right, node.operator
    if operator == "unless":
        yield from _atoms(left, sign, depth)
        if not _compares(left):
            yield from _atoms(right, -sign, depth)
    elif operator == "and":
        yield from _without_bands([*_atoms(left, sign, depth), *_atoms(right, sign, depth)])
    elif operator in ("or", "+", "*"):
        yield from _atoms(left, sign, depth)
        yield from _atoms(right, sign, depth)
    elif operator == "-":
        yield from _atoms(left, sign, depth)
        yield from _atoms(right, -sign, depth)
    elif operator in _ORDERED:
        yield from _of_order(left, right, sign * _ORDERED[operator], depth)
    elif operator in ("==", "!="):
        yield from _of_equality(node, sign, depth)
    elif operator == "/" and isinstance(left, Number):
        yield from _atoms(right, -sign, depth)
    else:  # of a ratio, what is divided; what it is divided by only scales it
        yield from _atoms(left, sign, depth)


def _without_bands(found: list[Atom]) -> Iterator[Atom]:
    """All but the metrics that have to be above one thing and below another: that they stay between tells of no
    failure at either end."""
    ways: dict[str, set[frozenset[str]]] = {}
    for atom in found:
        ways.setdefault(atom.metric.name, set()).add(atom.direction)
    band = {frozenset((RISES,)), frozenset((FALLS,))}
    yield from (atom for atom in found if not band <= ways[atom.metric.name])


def _of_order(left: Node, right: Node, sign: int, depth: int) -> Iterator[Atom]:
    if isinstance(left, Binary) and left.operator in (*_ORDERED, "==", "!="):  # 0.9 < x < 1: the first one counts
        yield from _atoms(left, 1, depth)
        return
    yield from _atoms(left, sign, depth)
    # x > 2 * x offset 1h: the same metric on both sides is what it is compared with.
    same = {each.name for each in promql.metrics(left)}
    yield from (atom for atom in _atoms(right, -sign, depth) if atom.metric.name not in same)


def _of_equality(node: Binary, sign: int, depth: int) -> Iterator[Atom]:
    left, right = (node.right, node.left) if isinstance(node.left, Number) else (node.left, node.right)
    if isinstance(right, Number) and node.operator == "==":
        yield from _atoms(left, -sign if right.value == 0 else sign, depth)
        return
    if isinstance(right, Number) and right.value == 0:  # != 0
        yield from _atoms(left, sign, depth)
        return
    both = frozenset((MEETS,)) if node.operator == "==" else frozenset((RISES, FALLS))
    for side in (left, right):
        for atom in _atoms(side, sign, depth):
            yield Atom(atom.metric, both)


def _senses(language: str, atom: Atom) -> Iterator[Sense]:
    for signal in named(language, atom.metric.name):
        if signal.modes and signal.directions & atom.direction and _holds(signal, atom.metric.matchers):
            for mode in signal.modes:
                yield Sense(mode, atom.metric.name, atom.metric.matchers)


def _holds(signal: Signal, matchers: Iterable[Matcher]) -> bool:
    return all(_selects(names, wanted, tuple(matchers)) for names, wanted in signal.where)


def _selects(names: frozenset[str], wanted: str, matchers: tuple[Matcher, ...]) -> bool:
    """Whether what the selector lets through is what the row is about. Without a matcher on the label it lets
    everything through, so it says nothing of errors, jobs or names in particular."""
    about = [each for each in matchers if each.label in names]
    if wanted in _ANSWERS:
        return _ANSWERS[wanted](about)
    if not about:
        return names.isdisjoint(("job", "job_name", "name", "key", "select"))
    for each in about:
        parts = each.value.strip("^$").removeprefix("(").removesuffix(")").split("|")
        hit = all(re.fullmatch(wanted, part[:300]) for part in parts)
        if each.operator in ("=", "=~") and not hit:
            return False
        if each.operator in ("!=", "!~") and all(re.fullmatch(wanted, part[:300]) for part in parts):
            return False
    return True


_BAD = re.compile(
    r"5|\[?\(?4?\|?5|.*(error|fail|internal|unavailable|unknown|deadline|aborted|exception)", re.IGNORECASE
)
_GOOD = re.compile(r"\(?(2|1|ok\b|success)", re.IGNORECASE)


def _is(matcher: Matcher, these: re.Pattern[str], others: re.Pattern[str]) -> bool:
    value = matcher.value.strip("^$")[:300]
    return bool((these if matcher.operator in ("=", "=~") else others).match(value))


# Which answers a selector of requests counts, by the label with their code.
_ANSWERS: dict[str, Callable[[list[Matcher]], bool]] = {
    "~error": lambda about: any(_is(each, _BAD, _GOOD) for each in about),
    "~good": lambda about: any(_is(each, _GOOD, _BAD) for each in about),
    "~all": lambda about: not about,
}


def hinted(words: str) -> tuple[str, ...]:
    """Failure modes that a rule which is not understood may be about, by the words in it. Never a cover."""
    lower = words.lower()
    return tuple(mode.id for mode in modes().values() if any(word in lower for word in mode.words))


def directions_of(operator: Any) -> frozenset[str]:
    """Of New Relic's and CloudWatch's operators."""
    text = str(operator).lower()
    if text.startswith(("above", "greaterthan", "upper_only")) and "lower" not in text.removeprefix("upper_only"):
        return frozenset((RISES,))
    if text.startswith(("below", "lessthan", "lower_only")) and "greater" not in text:
        return frozenset((FALLS,))
    return frozenset((RISES, FALLS, MEETS))
