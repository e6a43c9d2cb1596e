"""In which line of its file a record of CSV stands, for people who look for it in an editor. PURE.

DuckDB counts records: a cell with a line break in it is one of several lines, and an empty line is none. Quotes are
followed here as DuckDB follows them, so the file is passed over once more, and only when something was rejected.
"""

import codecs
import csv
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from pathlib import Path

from costs.bills.records import Table

_SOON = 1_000_000  # rows that are looked through for a place
_MARK = codecs.BOM_UTF8.decode("latin-1")


def lines(table: Table, rows: Sequence[int], broken: Collection[int]) -> tuple[dict[int, int], dict[int, int]]:
    """(line by row, line by broken record). Rows are counted from one, without header, empty lines and `broken`,
    which are counted from one with them."""
    if table.kind == "parquet":
        return {row: row for row in rows}, {}
    if table.pointers:
        return {}, {}
    if table.lines:
        return {row: table.lines[row - 1] for row in rows}, {}
    wanted, last_row, last_broken = set(rows), max(rows, default=0), max(broken, default=0)
    of_rows: dict[int, int] = {}
    of_broken: dict[int, int] = {}
    row = 0
    for number, (line, is_empty, _) in enumerate(_records(table), start=1):
        if number in broken:
            of_broken[number] = line
        elif number > table.skip and not is_empty:
            row += 1
            if row in wanted:
                of_rows[row] = line
        if row >= last_row and number >= last_broken:
            break
    return of_rows, of_broken


def count(path: Path) -> int:
    """Lines of the file as they end by a line feed, and the one after the last."""
    found, last = 0, b""
    with path.open("rb") as file:
        while block := file.read(1 << 22):
            found += block.count(b"\n")
            last = block[-1:]
    return found + (last not in (b"", b"\n"))


def first_short(table: Table) -> int | None:
    """The line that the first row with too few cells ends on; None where it does not come soon."""
    with table.path.open(encoding="utf-8", errors="replace", newline="") as file:
        reader = csv.reader((line.replace("\x00", "") for line in file), delimiter=table.delimiter)
        try:
            for number, row in enumerate(islice(reader, _SOON)):
                if number >= table.skip and 0 < len(row) < len(table.columns):
                    return reader.line_num
        except csv.Error:  # a cell that is too long for it
            return None
    return None


def unended(table: Table) -> tuple[int, int, bool] | None:
    """(number, line, whether a quote is open) of the last record, where neither it nor its line has ended."""
    last: tuple[int, int, bool] | None = None
    for number, (line, _, has_ended) in enumerate(_records(table), start=1):
        last = None if has_ended else (number, line, has_ended is None)
    return last


def other_end(table: Table) -> int | None:
    """The first line that ends in another way than the first one: a lone carriage return or line feed."""
    usual, is_open = "", False
    with table.path.open(encoding="latin-1", newline="") as file:
        for number, line in enumerate(file, start=1):
            bare = line.rstrip("\r\n")
            is_open = _stays_open(bare, table.delimiter, is_open=is_open)
            usual = usual or line[len(bare) :]
            if not is_open and line != bare + usual:
                return number
    return None


def _records(table: Table) -> Iterator[tuple[int, bool, bool | None]]:
    """(the line on which it begins, whether it is empty, whether its line ends: None in an open quote) of every one."""
    begins, is_open = 1, False
    # Latin-1 takes every byte, and none of UTF-8's longer characters holds one that divides.
    with table.path.open(encoding="latin-1") as file:
        for number, line in enumerate(file, start=1):
            if number == 1:
                line = line.removeprefix(_MARK)
            if not is_open:
                begins = number
            is_empty = not is_open and line == "\n"
            if is_open or '"' in line:
                is_open = _stays_open(line, table.delimiter, is_open=is_open)
            if not is_open:
                yield begins, is_empty, line.endswith("\n")
    if is_open:
        yield begins, False, None


def _stays_open(line: str, delimiter: str, *, is_open: bool) -> bool:
    """Whether a quote is open at the line's end. One inside a cell that does not begin with it means itself."""
    line = line.replace('""', "")  # a quote that is meant, or an empty cell: neither opens nor closes
    at = 0
    while (quote := line.find('"', at)) >= 0:
        if is_open:
            is_open = False
        else:
            before = line[at:quote].rstrip(" ")
            is_open = before.endswith(delimiter) or not (before or at)
        at = quote + 1
    return is_open
