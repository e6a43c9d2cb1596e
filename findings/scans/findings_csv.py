"""A CSV of findings with whatever columns it has: what a review, an audit or a spreadsheet hands over. PURE."""

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from findings.scans import bounds, fingerprint, mapping
from findings.scans.options import Match, Options
from findings.scans.records import Absent, FindingRecord, Reject, ReportInfo, ScanError

NAME = "findings-csv"
_DELIMITERS = ",;\t|"
_BLOCK = 1024 * 1024
_MOST_COLUMNS = 1_000
# csv refuses fields over 131,072 characters by itself; a message of 10 MB is to be cut, not to end the import. The
# limit is the process's own: set once, here, far enough above that and far below what memory holds.
csv.field_size_limit(32 * 1024 * 1024)


@dataclass(frozen=True)
class _Dialect:
    encoding: str
    delimiter: str
    headers: tuple[str, ...]
    first_row: int  # rows before the first record: the headers, and Excel's sep= line


def sniff(head: bytes) -> Match:
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[", b"<") or not head.strip():
        return Match(0.0, "It is no table.", "it does not begin with a line of column names")
    try:
        dialect = _dialect(head, _encoding(memoryview(head), whole=False))
    except ScanError as error:
        return Match(0.0, "It is no table.", error.message)
    if len(dialect.headers) < 2:
        # Text, at least: if it is anything, then this.
        return Match(0.05, "It is text.", "it does not begin with a line of column names")
    confidence, reason, missing = mapping.evidence(dialect.headers)
    return Match(confidence, reason, missing)


def open_report(data: Any, options: Options) -> "CsvReport":
    view = memoryview(data)
    if not bytes(view[:4096]).strip(b" \t\r\n\xef\xbb\xbf\xff\xfe\x00") and len(view) <= 4096:
        raise ScanError("empty", "The file holds nothing.", remedy="Check that the list was written.", byte=0)
    encoding = _encoding(view, whole=True)
    dialect = _dialect(bytes(view[: 1024 * 64]), encoding)
    return CsvReport(view, dialect, mapping.mapping_of(dialect.headers, options))


class CsvReport:
    """An opened CSV (scans.records.Report)."""

    def __init__(self, view: memoryview, dialect: _Dialect, columns: mapping.ColumnMapping) -> None:
        self._view = view
        self._dialect = dialect
        self._columns = columns
        self.headers = dialect.headers
        self.position = 0
        flagged = dialect.encoding == "cp1252"
        self.info = ReportInfo(
            scanner="", notes=("The file is not UTF-8: read as Windows-1252, accents may be wrong.",) if flagged else ()
        )

    def records(self) -> Iterator[FindingRecord | Reject | Absent]:
        self.position = 0
        occurrences = fingerprint.Occurrences()
        source = _Source(self._view)
        text = io.TextIOWrapper(
            io.BufferedReader(source), encoding=self._dialect.encoding, errors="replace", newline=""
        )
        rows = csv.reader(text, delimiter=self._dialect.delimiter, strict=True)
        skip = self._dialect.first_row
        while True:
            line = rows.line_num + 1
            try:
                row = next(rows)
            except StopIteration:
                break
            except csv.Error as error:
                yield self._broken(error, line)
                continue
            if skip:
                skip -= 1
            elif any(row):
                yield self._record(row, line, occurrences)
            self.position = source.read_so_far
        self.position = len(self._view)

    def _record(
        self, row: list[str], line: int, occurrences: fingerprint.Occurrences
    ) -> FindingRecord | Reject | Absent:
        # Too short a row leaves its last columns empty; what is too much has no column.
        named = dict(zip(self._dialect.headers, row, strict=False))
        return mapping.record_of(self._columns.values(named), f"line {line}", NAME, occurrences)

    def _broken(self, error: csv.Error, line: int) -> Reject:
        """One broken row is rejected; a quote that never closes has swallowed the rest, so the file as a whole is."""
        if "unexpected end of data" in str(error) or "field limit" in str(error):
            raise ScanError(
                "not_csv",
                f"The quote opened in the row at line {line} is never closed.",
                remedy="Close it, or write the file again.",
                line=line,
            ) from error
        return Reject(f"line {line}", bounds.line(str(error), 200))


class _Source(io.RawIOBase):
    """The buffer as a stream that says how far it was read, without copying it whole."""

    def __init__(self, view: memoryview) -> None:
        self._view = view
        self.read_so_far = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        part = self._view[self.read_so_far : self.read_so_far + len(buffer)]
        buffer[: len(part)] = part
        self.read_so_far += len(part)
        return len(part)


def _encoding(view: memoryview, *, whole: bool) -> str:
    """By byte-order mark, else UTF-8 if all of it is, else Windows-1252, which reads anything."""
    head = bytes(view[:4096])
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if head.count(b"\x00") * 4 > len(head):
        raise ScanError(
            "wrong_encoding", "The file is UTF-16 without a byte-order mark.", remedy="Save it as UTF-8.", byte=0
        )
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    try:
        for start in range(0, len(view), _BLOCK):
            decoder.decode(bytes(view[start : start + _BLOCK]), whole and start + _BLOCK >= len(view))
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def _dialect(head: bytes, encoding: str) -> _Dialect:
    """The delimiter under which the first line is the best list of columns. Raises ScanError when there is no line."""
    text = head.decode(encoding, "replace").lstrip("\ufeff")
    lines = text.splitlines(keepends=True)
    skipped = 0
    delimiters = _DELIMITERS
    while lines and not lines[0].strip():
        lines, skipped = lines[1:], skipped + 1
    if lines and lines[0].lower().startswith("sep=") and len(lines[0].strip()) == 5:
        delimiters, lines, skipped = lines[0][4], lines[1:], skipped + 1
    best: tuple[tuple[int, int], str, list[str]] | None = None
    for delimiter in delimiters:
        try:
            headers = next(csv.reader(lines, delimiter=delimiter), [])
        except csv.Error:
            continue
        score = (len(mapping.guess(headers[:_MOST_COLUMNS])), len(headers))
        if best is None or score > best[0]:
            best = (score, delimiter, headers)
    if best is None or not any(header.strip() for header in best[2]):
        raise ScanError("not_csv", "The file has no line of column names.", remedy="Add one.", line=1)
    headers = [bounds.line(header, bounds.RULE) for header in best[2][:_MOST_COLUMNS]]
    return _Dialect(encoding, best[1], tuple(headers), skipped + 1)
