"""What a list of charges comes to with given columns, before anything of it is applied. PURE."""

import codecs
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from costs.bills import charges_csv
from costs.bills.cube import Cube, Total
from costs.bills.opening import open_bill
from costs.bills.records import Reject

# Bytes of each file that are read: a page waits for it.
MOST = 4_000_000
ROWS = 8
_MOST_LINES_OF_A_CELL = 200


@dataclass(frozen=True)
class Preview:
    """`columns`: (what it means, the column that says so), of `fields`; `rows`: for each of them (as read, as it
    stands)."""

    fields: list[str]
    columns: list[tuple[str, str]]
    rows: list[tuple[list[tuple[str, str]], str]]  # the cells, and what is wrong with the line
    days: str
    decimals: str
    lines: int
    rejected: int
    totals: list[Total]  # of the lines that can be used
    rejects: list[Reject]
    months: list[str]
    is_whole: bool


def preview(
    files: Sequence[tuple[str, Path]], columns: Mapping[str, str], *, folder: Path, tag_keys: frozenset[str]
) -> Preview:
    """Reads the files' beginnings, exactly as an import would. Raises BillError."""
    begun = [_beginning(entry, path, folder, at) for at, (entry, path) in enumerate(files)]
    bill = open_bill(
        [(entry, path) for entry, path, _ in begun], folder=folder, requested=charges_csv.NAME, tag_keys=tag_keys,
        remembered=lambda _: columns,
    )  # fmt: skip
    shown = [name for name in charges_csv.LABELS if name in columns and name not in charges_csv.WRITTEN]
    with Cube(bill, folder=folder, tag_keys=tag_keys) as cube:
        days, decimals, rows = cube.first(ROWS)
        return Preview(
            fields=shown,
            columns=[(charges_csv.LABELS[name], columns[name].removeprefix("=")) for name in shown],
            rows=[([_cell(name, row) for name in shown], row["problem"]) for row in rows],
            days=charges_csv.WRITTEN["days"][days],
            decimals=charges_csv.WRITTEN["decimals"][decimals],
            lines=cube.lines,
            rejected=cube.rejected,
            totals=cube.totals(usable=True),
            rejects=list(cube.rejects())[:ROWS],
            months=[f"{month:%B %Y}" for month in sorted({scope.period for scope in cube.scopes()})],
            is_whole=all(whole for _, _, whole in begun),
        )


def _beginning(entry: str, path: Path, folder: Path, at: int) -> tuple[str, Path, bool]:
    """The file, or its first lines as one of their own. (name, path, whether it is the whole)"""
    with path.open("rb") as file:
        start = file.read(MOST)
        # Of other encodings the end of a line is not known from a byte, and Parquet has its end at its end.
        is_text = not start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, b"PAR1"))
        if not is_text or not file.read(1):
            return entry, path, True
    cut = folder / f"begin-{at}"
    cut.write_bytes(_whole_lines(start))
    return entry, cut, False


def _whole_lines(start: bytes) -> bytes:
    """Without the last record, which may be cut: not in a quote, or what is read of it would not be a table."""
    whole = start[: start.rfind(b"\n") + 1]
    for _ in range(_MOST_LINES_OF_A_CELL):
        if whole.count(b'"') % 2 == 0:
            break
        whole = whole[: whole.rfind(b"\n", 0, -1) + 1]
    return whole or start


def _cell(name: str, row: Mapping[str, Any]) -> tuple[str, str]:
    if name == "starts":
        return f"{row['day'] or ''}", str(row["raw_starts"] or "")
    if name == "period":
        return f"{row['month']:%Y-%m}" if row["month"] else "", ""
    if name == "billed":
        return _number(row["billed"]), str(row["raw_billed"] or "")
    if name in ("effective", "quantity"):
        return _number(row[name]), ""
    if name.startswith("tag_"):
        return str(json.loads(row["tags"] or "{}").get(name.removeprefix("tag_")) or ""), ""
    return str(row[name] or ""), ""


def _number(amount: Decimal | None) -> str:
    if amount is None:
        return ""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") or "0"
