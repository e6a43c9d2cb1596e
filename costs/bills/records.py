"""What every format of bill hands to the reduction: a table, and what its columns mean. PURE."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# What a charge says, beside its money, as texts. `period` and `starts` are times as the file writes them.
TEXTS = (
    "period", "starts", "billing_account", "account", "account_name", "provider", "cloud_service", "service_category",
    "charge_category", "region", "resource_group", "resource", "namespace", "unit", "currency", "tags",
)  # fmt: skip
AMOUNTS = ("billed", "effective", "list", "quantity")
# FOCUS, ChargeCategory; every other format is mapped to these.
CATEGORIES = ("Usage", "Purchase", "Tax", "Credit", "Adjustment")
Tick = Callable[[float], None]  # share done, 0 to 1; may raise to stop the work
NO_CURRENCY = "X" * 3  # ISO 4217: no currency is involved; here: the file names none


class BillError(Exception):
    """A bill that cannot be read: what, where, and what to do about it."""

    def __init__(self, code: str, message: str, *, remedy: str, **location: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.remedy = remedy
        self.location = location  # any of line, column, byte, pointer, entry


@dataclass(frozen=True)
class Reject:
    """One line that could not be used."""

    pointer: str
    reason: str
    excerpt: str = ""
    entry: str = ""
    line: int | None = None  # of CSV; of Parquet the row


@dataclass(frozen=True)
class Table:
    """One file of rows and columns. `headers` are as the file has them, `columns` the names in the database."""

    path: Path
    entry: str
    kind: str  # csv, parquet
    headers: tuple[str, ...]
    types: tuple[str, ...] = ()  # of Parquet
    rows: int = 0  # of Parquet
    delimiter: str = ","
    skip: int = 1
    notes: tuple[str, ...] = ()
    pointers: tuple[str, ...] = ()  # of a table that was made of JSON: where each of its rows stands there
    lines: Sequence[int] = ()  # of one that was made of JSON lines: the line of each row

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(f"c{number}" for number in range(len(self.headers)))

    def column(self, header: str) -> str | None:
        """The column of a header, whatever its case."""
        wanted = header.casefold()
        for number, name in enumerate(self.headers):
            if name.casefold() == wanted:
                return f"c{number}"
        return None


@dataclass(frozen=True)
class Meaning:
    """How a table's columns become charges: SQL over its columns, each of them text.

    `fields` maps TEXTS and AMOUNTS to expressions; what is left out is unknown. `number` wraps a column as an exact
    decimal, for amounts that have to be computed: such an expression stands in `computed` instead.
    """

    fields: Mapping[str, str]
    computed: Mapping[str, Callable[[Callable[[str], str]], str]] = field(default_factory=dict)
    export: str = ""
    billing_account: str = ""  # where the file as a whole says it
    empty_is_zero: bool = False  # a line without an amount costs nothing, by the format's own rules
    # Of lines that hold several charges: from SQL of the table to SQL of it with a row for each of them. Its column
    # `extra` says of a row that it is not the first of its line.
    unfolded: Callable[[str], str] | None = None
    # What else makes a line unusable, as a whole: a reason of the reduction's → SQL, given `number`.
    wrong: Mapping[str, Callable[[Callable[[str], str]], str]] = field(default_factory=dict)
    # How days and decimals are written, where somebody said so: a name of numbers.DATE_FORMATS; comma, point.
    days: str = ""
    decimals: str = ""
    estimated: frozenset[str] = frozenset()  # months (2026-06) that the bill itself calls not final
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Match:
    """How sure, from a file's beginning, that it is of a format; why, and what was missing."""

    confidence: float
    reason: str = ""
    missing: str = ""


@dataclass(frozen=True)
class Head:
    """The beginning of a file, as a format looks at it."""

    kind: str  # csv, parquet, json
    headers: tuple[str, ...] = ()
    text: str = ""  # of JSON: the first 64 KiB

    def has(self, *names: str) -> bool:
        known = {header.casefold() for header in self.headers}
        return all(name.casefold() in known for name in names)


def quoted(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def first_of(table: Table, *headers: str) -> str | None:
    """SQL of the first of these columns that is not empty; None when the table has none of them."""
    found = [column for header in headers if (column := table.column(header)) is not None]
    if not found:
        return None
    return found[0] if len(found) == 1 else f"coalesce({', '.join(found)})"


def chosen(**fields: str | None) -> dict[str, str]:
    """Fields without those that the table does not have."""
    return {name: expression for name, expression in fields.items() if expression is not None}
