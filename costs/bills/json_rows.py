"""JSON exports as rows of our own: read whole, bounded, numbers as they are written. PURE."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from costs.bills.records import AMOUNTS, TEXTS, BillError, Meaning, Table, Tick
from costs.bills.tables import MOST_JSON
from platform_risk.core import looks

_COLUMNS = (*TEXTS, *AMOUNTS)
_LINES_A_TICK = 1_000


def parsed(path: Path, entry: str) -> Any:
    """The document; numbers are texts, so that no digit is lost. Raises BillError with line and column."""
    if path.stat().st_size > MOST_JSON:
        raise BillError(
            "too_large", f"JSON of more than {MOST_JSON:,} bytes is not read whole.",
            remedy="Export a shorter period, or the same as CSV.", entry=entry,
        )  # fmt: skip

    odd: list[_NoNumber] = []

    def constant(name: str) -> Any:
        odd.append(_NoNumber(name))
        return odd[-1]

    try:
        text = path.read_text(encoding="utf-8-sig")
        document = json.loads(text, parse_float=str, parse_int=str, parse_constant=constant)
    except ValueError as error:
        found = looks.fault(path.read_bytes())
        if found is None:
            found = looks.Fault("not_json", f"This is no JSON: {error}.", "Export it again.")
        raise BillError(found.code, found.message, remedy=found.remedy, entry=entry, **found.location) from error
    except RecursionError as error:
        found = looks.too_deep(path.read_bytes())
        raise BillError(found.code, found.message, remedy=found.remedy, entry=entry, **found.location) from error

    if odd:
        pointer = _pointer_to(odd[0], document)
        raise BillError(
            "not_json", f"At {pointer} stands {odd[0].name}, which is no number in JSON, and no cost.",
            remedy="See there why the tool has divided by nothing, or export it again without this entry.",
            pointer=pointer, entry=entry,
        )  # fmt: skip
    return document


def lines(path: Path, entry: str, tick: Tick) -> Iterator[tuple[int, Any]]:
    """(line, its document) of JSON lines, one at a time; numbers are texts. Raises BillError with the line."""
    size, done = max(path.stat().st_size, 1), 0
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            done += len(line)
            if number % _LINES_A_TICK == 0:
                tick(min(done / size, 1.0))
            if not line.strip():
                continue
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
                yield number, json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
            except (ValueError, RecursionError) as error:
                whole = "" if line.endswith(b"\n") else " It is the last, and may have been cut off."
                raise BillError(
                    "not_json", f"Line {number:,} is no JSON by itself, as lines before it are.{whole}",
                    remedy="Export it again, with one row a line, and compare its size.", line=number, entry=entry,
                ) from error  # fmt: skip


@dataclass(frozen=True, eq=False)
class _NoNumber:
    """NaN or Infinity: kept while the document is read, for only the whole of it says where it stands."""

    name: str


def _pointer_to(wanted: _NoNumber, document: Any) -> str:
    waiting: list[tuple[str, Any]] = [("", document)]
    while waiting:
        pointer, value = waiting.pop()
        if value is wanted:
            return pointer
        within = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        waiting.extend((f"{pointer}/{name}", each) for name, each in within)
    return "/"


def written(rows: Iterable[Mapping[str, str | None]], path: Path, entry: str) -> Table:
    """The rows as a table that the reduction reads like any other; each says in `pointer` where it stands."""
    pointers: list[str] = []
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for row in rows:
            writer.writerow([cell(row.get(name)) for name in _COLUMNS])
            pointers.append(row.get("pointer") or "")
    return Table(path, entry, "csv", _COLUMNS, pointers=tuple(pointers))


def cell(value: str | None) -> str:
    """Without NUL; half of a surrogate pair, which JSON may spell, is no character that could be written."""
    return (value or "").replace("\x00", "").encode("utf-8", "replace").decode()


def own_meaning(table: Table, **about: Any) -> Meaning:
    columns = dict(zip(table.headers, table.columns, strict=True))
    return Meaning(fields=columns, **about)


def mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def text(value: Any) -> str | None:
    """A scalar as text: other shapes are not what a cell may be."""
    return value if isinstance(value, str) and value else None


def broken(entry: str, pointer: str, expected: str) -> BillError:
    return BillError(
        "wrong_shape", f"At {pointer} there should be {expected}.", remedy="Export it again with the tool's own API.",
        pointer=pointer, entry=entry,
    )  # fmt: skip
