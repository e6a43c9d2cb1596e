"""The filter language of findings: one reading for pages, API, exports and bulk. PURE.

`lane:immediate owner:me -status:dismissed is:overdue "vault token"`: name:value pairs (several of one name: any of
them), a minus excludes, `is:` names states, `due:<=today+7d` and its like days (both narrow: all of several hold), all
other words are searched for by their beginnings.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from findings.vocabulary import Category, Lane, RiskClass, Severity, Status

# Filters whose values are of a fixed list
ENUMS: dict[str, frozenset[str]] = {
    "lane": frozenset(Lane),
    "status": frozenset(Status),
    "severity": frozenset(Severity),
    "category": frozenset(Category),
    "class": frozenset(RiskClass),
    # Where its risk stands; none: its figures are not known.
    "likelihood": frozenset("12345") | {"none"},
    "impact": frozenset("12345") | {"none"},
    "band": frozenset({"low", "medium", "high", "critical", "none"}),
    "is": frozenset({"open", "closed", "unowned", "unassigned", "overdue", "regressed", "unrated", "other_branch"}),
}
# Filters whose values name something
NAMES = (
    "service", "environment", "team", "owner", "scanner", "rule", "check", "import", "branch", "tag", "path",
    "identifier", "cell",
)  # fmt: skip
# Filters whose values are days, in UTC.
DAYS = ("first_seen", "opened", "updated", "closed", "due", "expires")
FILTERS = (*ENUMS, *NAMES, *DAYS)
ORDERINGS = {
    "priority": ("rank", "id"),
    "-priority": ("-rank", "-id"),
    # The other way round what has no date comes first: it is due last of all.
    "due": ("due_key", "id"),
    "-due": ("-due_key", "-id"),
    "severity": ("severity_key", "rank", "id"),
    "-severity": ("-severity_key", "-rank", "-id"),
    "first_seen": ("first_seen_at", "id"),
    "-first_seen": ("-first_seen_at", "-id"),
    "last_seen": ("seen_at", "id"),
    "-last_seen": ("-seen_at", "-id"),
    "updated": ("updated_at", "id"),
    "-updated": ("-updated_at", "-id"),
    # What is not known comes last, whichever way: its key is the least. Findings that share an estimate stand together,
    # so that a page is that of a few estimates.
    "annual_loss": ("loss_key", "risk_key", "id"),
    "-annual_loss": ("-loss_key", "-risk_key", "-id"),
    "bad_minutes": ("minutes_key", "risk_key", "id"),
    "-bad_minutes": ("-minutes_key", "-risk_key", "-id"),
    "number": ("id",),
    "-number": ("-id",),
}
# The names of the fields that a finding shows order by the same. Lanes and severities: the worst first, as priority.
SAME_ORDERINGS = {
    "lane": "priority",
    "-lane": "-priority",
    "due_on": "due",
    "-due_on": "-due",
    "first_seen_at": "first_seen",
    "-first_seen_at": "-first_seen",
    "last_seen_at": "last_seen",
    "-last_seen_at": "-last_seen",
    "updated_at": "updated",
    "-updated_at": "-updated",
    "bad_minutes_per_year": "bad_minutes",
    "-bad_minutes_per_year": "-bad_minutes",
}
DEFAULT_ORDERING = "priority"
MOST_WORDS = 20

_TOKEN = re.compile(r'(-?)(?:([a-z_]+):)?(?:"([^"]*)"|(\S+))')


class QueryError(ValueError):
    """The filter cannot be understood; `parameter` names the part."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(message)
        self.parameter = parameter


@dataclass(frozen=True)
class Query:
    """A filter, read. `wanted` and `excluded`: name → values, any of which match."""

    wanted: dict[str, tuple[str, ...]] = field(default_factory=dict)
    excluded: dict[str, tuple[str, ...]] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    ordering: str = DEFAULT_ORDERING

    @property
    def keyset(self) -> tuple[str, ...]:
        return ORDERINGS[self.ordering]

    @property
    def is_empty(self) -> bool:
        return not (self.wanted or self.excluded or self.words)

    def text(self) -> str:
        """The same filter in the language itself: what the search box shows."""
        parts = [f"{name}:{_quoted(value)}" for name, values in self.wanted.items() for value in values]
        parts += [f"-{name}:{_quoted(value)}" for name, values in self.excluded.items() for value in values]
        return " ".join((*parts, *self.words))


def _quoted(value: str) -> str:
    return f'"{value}"' if re.search(r"\s", value) or not value else value


_DAY = re.compile(r"(\d{4}-\d\d-\d\d)|today(?:([+-])(\d{1,4})([dw]))?")


@dataclass(frozen=True)
class Days:
    """From one day until before another; None: without that end. `none`: what has no such day at all."""

    begin: date | None = None
    end: date | None = None
    none: bool = False


def days_of(name: str, text: str, today: date) -> Days:
    """`2026-11-23`, `>2026-11-23`, `>=`, `<`, `<=`, `2026-11-23..2026-11-29` (both included), `2026-11-23..*`, `none`;
    in place of a date `today`, `today-7d`, `today+2w`. Raises QueryError."""
    if text == "none":
        return Days(none=True)
    try:
        if ".." in text:
            first, _, last = text.partition("..")
            begin = None if first == "*" else _day(first, today)
            return Days(begin, None if last == "*" else _day(last, today) + timedelta(days=1))
        sign = text[: 2 if text[1:2] == "=" else 1] if text[:1] in ("<", ">") else ""
        day = _day(text[len(sign) :], today)
        after = day + timedelta(days=1)
    except (ValueError, OverflowError) as error:
        raise QueryError(
            name, f"{name} takes days, as 2026-11-23, >=today-7d, 2026-11-23..2026-11-29, none; not “{text[:60]}”."
        ) from error
    return {
        "": Days(day, after), ">": Days(after), ">=": Days(day), "<": Days(end=day), "<=": Days(end=after),
    }[sign]  # fmt: skip


def _day(text: str, today: date) -> date:
    """Raises ValueError, OverflowError."""
    found = _DAY.fullmatch(text)
    if found is None:
        raise ValueError(text)
    stated, sign, count, unit = found.groups()
    if stated:
        return date.fromisoformat(stated)
    moved = timedelta(days=int(count or 0) * (7 if unit == "w" else 1))
    return today - moved if sign == "-" else today + moved


def _checked(name: str, value: str) -> str:
    if name in ENUMS and value not in ENUMS[name]:
        raise QueryError(name, f"{name} is one of {', '.join(sorted(ENUMS[name]))}; not “{value[:60]}”.")
    if "\x00" in value or len(value) > 500:
        raise QueryError(name, f"The value of {name} is too long or holds a NUL.")
    if name in DAYS:
        days_of(name, value, date(2000, 1, 1))
    # The language has no way to write a quote inside a value: kept, it would read as another filter when written out.
    return value.replace('"', "")


VIEWS = ("current", "inherent", "after")
UNITS = ("minutes", "money")


@dataclass(frozen=True)
class Cell:
    """A cell of a matrix, as `money-inherent-4-3`; levels None: what that matrix cannot place. Of what remedies
    close, `closed` is the only cell."""

    unit: str
    view: str
    likelihood: int | None
    impact: int | None


def cell_of(text: str) -> Cell:
    """Raises QueryError."""
    parts = text.split("-")
    if len(parts) >= 3 and parts[0] in UNITS and parts[1] in VIEWS:
        unit, view, *levels = parts
        if levels == ["none"]:
            return Cell(unit, view, None, None)
        if len(levels) == 2 and all(level in set("12345") for level in levels):
            return Cell(unit, view, int(levels[0]), int(levels[1]))
    raise QueryError("cell", f"cell is unit-view-likelihood-impact, as money-inherent-4-3; not “{text[:60]}”.")


def parse(q: str = "", parameters: Mapping[str, Iterable[str]] | None = None, ordering: str = "") -> Query:
    """`q` in the language, and `parameters` as name → values beside it; both must hold. Raises QueryError."""
    wanted: dict[str, list[str]] = {}
    excluded: dict[str, list[str]] = {}
    words: list[str] = []
    if len(q) > 2000 or "\x00" in q:
        raise QueryError("q", "The filter is too long (2,000 characters at most) or holds a NUL.")
    for minus, name, quoted, bare in _TOKEN.findall(q):
        value = quoted or bare
        if name in FILTERS:
            (excluded if minus else wanted).setdefault(name, []).append(_checked(name, value))
        else:
            # What only looks like a filter (a URL, `apps/v1:Deployment`) is searched for.
            words += re.findall(r"\w+", f"{name} {value}" if name else value)
    for name, values in (parameters or {}).items():
        for value in values:
            if value != "":
                wanted.setdefault(name, []).append(_checked(name, value))
    ordering = SAME_ORDERINGS.get(ordering, ordering)
    if ordering and ordering not in ORDERINGS:
        raise QueryError("ordering", f"ordering is one of {', '.join(sorted(ORDERINGS))}.")
    return Query(
        {name: tuple(dict.fromkeys(values)) for name, values in wanted.items()},
        {name: tuple(dict.fromkeys(values)) for name, values in excluded.items()},
        tuple(dict.fromkeys(word.lower() for word in words))[:MOST_WORDS],
        ordering or DEFAULT_ORDERING,
    )
