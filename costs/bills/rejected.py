"""Lines of a bill that could not be used: what is wrong with each, and where in its file it stands. PURE."""

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple

from costs.bills import places, tables
from costs.bills.records import BillError, Meaning, Reject, Table

CURRENCY_LONGEST = 40
# How far ahead of the day on which a bill was observed something may lie. Commitments are bought for three years, some
# for five, and their instalments may be listed; but nobody invoices a period that begins in more than a year.
FARTHEST_CHARGE = timedelta(days=5 * 366)
FARTHEST_PERIOD = timedelta(days=366)
_NO_NUMBER = "is no number, or not written as the rest of its column is (-1234.5 and 35.2E-7 are read anywhere)"
REASONS = {
    "starts": "no day",
    "starts_bad": "the day cannot be read (2026-06-30, 6/30/2026 and 2026-06 can), or is before 2000",
    "starts_ahead": "it begins more than five years ahead, and no commitment runs so long: look at the year",
    "period_ahead": "its billing period begins more than a year ahead, and nobody invoices that yet: look at the year",
    "period_bad": "the billing period cannot be read",
    "currency_long": f"the currency's name is longer than {CURRENCY_LONGEST} characters, so that two might read alike",
    "currency_other": "the amount names a currency that is not its line's, or a sign that several have",
    "billed": "no amount",
    "billed_bad": f"the amount {_NO_NUMBER}",
    "billed_digits": "the amount has more digits than can be kept exactly (38, of which 28 after the point)",
    "credits_bad": "a credit of it has no amount that can be read",
    "credits_digits": "a credit of it has more digits than can be kept exactly",
    "effective_bad": f"the effective cost {_NO_NUMBER}",
    "effective_digits": "the effective cost has more digits than can be kept exactly",
}
_COLUMNS = re.compile(r"Expected Number of Columns: (\d+) Found: (\d+)")
BROKEN = (
    "SELECT e.line, any_value(e.error_message), any_value(left(e.csv_line, 500)), any_value(s.file_path), count(*)"
    " FROM reject_errors e JOIN reject_scans s USING (scan_id, file_id) GROUP BY e.scan_id, e.file_id, e.line"
    " ORDER BY 4, 1"
)


class Broken(NamedTuple):
    """A record that has not the table's columns."""

    record: int
    said: str
    text: str
    path: str
    faults: int  # that DuckDB has found in it, and that count for how many it keeps


class Unused(NamedTuple):
    """A row whose charge cannot be used."""

    row: int
    problem: str
    day: str | None
    billed: str | None
    effective: str | None


def checked(broken: Sequence[Broken], parts: Sequence[Table]) -> Sequence[Broken]:
    """The same, unless they say that a file as a whole is no table. Raises BillError."""
    for table in parts:
        of_it = [each for each in broken if each.path == str(table.path)]
        if len(of_it) > tables.MOST_BROKEN or sum(each.faults for each in of_it) >= tables.most_faults(table):
            record = of_it[0].record
            many = f"More than {tables.MOST_BROKEN:,}" if len(of_it) > tables.MOST_BROKEN else "Too many"
            raise BillError(
                "not_csv", f"{many} of its lines do not have the header's columns.",
                remedy="Look at its delimiter and quotes, then export it again.", entry=table.entry,
                line=places.lines(table, (), {record})[1][record],
            )  # fmt: skip
        _refuse_torn(table, of_it)
    return broken


def _refuse_torn(table: Table, broken: Sequence[Broken]) -> None:
    """Raises BillError where the file ends within its last line: what is missing would be missing from the month, which
    a whole bill replaces. What a quote that never closes has swallowed would be one line among the rejected."""
    last = places.unended(table) if broken else None
    if last is None:
        return
    number, line, in_quote = last
    remedy = "Export or download it again, and compare its size: it may have been cut off on its way."
    if in_quote:
        said = f"A quote that opens in line {line:,} is never closed: all that follows is one cell."
        remedy = f"Close it where its cell ends. {remedy}"
    elif any(each.record == number and _has_too_few(each.said) for each in broken):
        said = f"It ends in the middle of line {line:,}, which has fewer columns than the header and no end."
        remedy += " If that line is a remark below the table, take it out."
    else:
        return
    raise BillError("cut_file", said, remedy=remedy, line=line, entry=table.entry)


def _has_too_few(said: str) -> bool:
    found = _COLUMNS.search(said)
    return found is not None and int(found[2]) < int(found[1])


def query(charges: str, meaning: Meaning, most: int) -> str:
    """SQL of the rows of `charges` that cannot be used. What a line holds beside its charge is not counted."""
    lines = f"{charges}{' WHERE NOT extra' if meaning.unfolded else ''}"
    raws = ", ".join(f"left(raw_{name}, 500)" for name in ("starts", "billed", "effective"))
    return (
        f"SELECT n, problem, {raws} FROM (SELECT *, row_number() OVER () AS n FROM ({lines}))"  # noqa: S608
        f" WHERE problem IS NOT NULL LIMIT {most}"
    )


def named(table: Table, broken: Sequence[Broken], unused: Sequence[Unused]) -> Iterator[Reject]:
    if not broken and not unused:
        return
    of_rows, of_broken = places.lines(table, [each.row for each in unused], {each.record for each in broken})
    name = "row" if table.kind == "parquet" else "line"
    for each in broken:
        line = of_broken.get(each.record)
        excerpt = each.text.strip("\r\n").replace("\x00", "␀")
        yield Reject(f"line {line or each.record}", _said(each.said, each.text), excerpt, table.entry, line)
    for row in unused:
        line = of_rows.get(row.row)
        pointer = table.pointers[row.row - 1] if table.pointers else f"{name} {line or row.row}"
        values = (("day", row.day), ("amount", row.billed), ("effective", row.effective))
        excerpt = ", ".join(f"{what} {value}" for what, value in values if value)
        excerpt = excerpt.replace("\x00", "␀")  # a number with one in it would look like a good one
        reason = REASONS[row.problem]
        yield Reject(pointer, f"{reason[0].upper()}{reason[1:]}.", excerpt[:500], table.entry, line)


def _said(message: str, text: str) -> str:
    """What DuckDB finds wrong with a record, in our words."""
    if "\x00" in text:
        return "It holds zero bytes (NUL): the file was not written or copied to its end."
    if found := _COLUMNS.search(message):
        more = "" if _has_too_few(message) else ": a cell with the delimiter in it has to stand in quotes"
        return f"Its number of columns is {found[2]}, and the header’s {found[1]}{more}."
    if "unicode" in message.lower() or "encod" in message.lower():
        return "It holds bytes that are no UTF-8, as the rest of the file is."
    if "unterminated quote" in message:
        return "A quote in it does not end, or text follows where it ends."
    return "It cannot be read as a line of the table."
