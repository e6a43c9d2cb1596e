"""Files as tables for DuckDB: what a file begins with, and how it is read without trusting it. PURE."""

import codecs
import csv
import io
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from costs.bills import places
from costs.bills.records import BillError, Head, Table, quoted
from platform_risk.core import looks

HEAD_BYTES = 256 * 1024
MOST_COLUMNS = 3_000
# A Parquet of a few kilobytes can claim billions of rows; what it claims is looked at before any is read.
MOST_ROWS = 300_000_000
# Characters of one line of CSV.
LONGEST_LINE = 4_000_000
# Broken lines that are kept; a file with more of them is no CSV.
MOST_BROKEN = 10_000
# Columns that lines lack, in all: those of ten thousand lines of a bill of a hundred columns.
MOST_FAULTS = 1_000_000
NULLS = ("", "NULL", "null", "Null")
_DELIMITERS = ",;\t|"
_SEPARATOR = re.compile(r'"?sep=([,;|\t])"?[,;|\t]*\r?\n', re.IGNORECASE)  # what Excel is told above the header
_MAGIC = b"PAR1"
_PARTITION = re.compile(r"BILLING_PERIOD=(\d{4}-\d{2})")
_UUID = re.compile(r"-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
# Bytes of JSON, which is read whole into memory: about eight times its size.
MOST_JSON = 60_000_000
_READ_AS = "Read as {}, for it is not UTF-8"


def in_utf8(path: Path, folder: Path) -> tuple[Path, tuple[str, ...]]:
    """The file, or a copy in UTF-8 of what is UTF-16 or UTF-32; and what is to be said of that."""
    with path.open("rb") as file:
        start = file.read(HEAD_BYTES)
    encoding = looks.encoding_of(start)
    if start[:4] == _MAGIC or encoding not in looks.NAMES or looks.no_export(start) is not None:
        return path, ()
    is_json = start.decode(encoding, "ignore").lstrip()[:1] in ("{", "[")
    if not is_json:  # of which its reader knows the place
        refuse(looks.cut_character(encoding, path.stat().st_size), "")
    if is_json and path.stat().st_size > 4 * MOST_JSON:  # of four bytes each; it is refused for its size
        return path, ()
    return _as_utf8(path, folder, encoding), (_READ_AS.format(looks.NAMES[encoding]),)


def look(path: Path, entry: str, folder: Path) -> tuple[Head, Table | None]:
    """What a file is: JSON with its beginning, or a table with its columns. Raises BillError."""
    with path.open("rb") as file:
        start = file.read(HEAD_BYTES)
    if not start.removeprefix(codecs.BOM_UTF8).strip():
        raise BillError("empty", "The file holds nothing.", remedy="Export it again.", byte=0, entry=entry)
    if start[:4] == _MAGIC:
        return _parquet(path, entry)
    refuse(looks.no_export(start), entry)
    text, encoding = _decoded(start)
    if text.lstrip()[:1] in ("{", "["):
        return Head("json", text=text), None
    if encoding == "utf-8" and start.isascii() and _first_is_no_utf8(path):
        encoding = "cp1252"
    return _csv(path, entry, folder, text, encoding)


def refuse(fault: looks.Fault | None, entry: str) -> None:
    """Raises BillError with what is wrong, where something is."""
    if fault is not None:
        raise BillError(fault.code, fault.message, remedy=fault.remedy, entry=entry, **fault.location)


def _decoded(start: bytes) -> tuple[str, str]:
    encoding = looks.encoding_of(start)
    if encoding != "utf-8":
        return start.decode(encoding, "ignore"), encoding
    if _is_no_utf8(start):
        return start.decode("cp1252", "replace"), "cp1252"
    return start.decode("utf-8", "replace"), "utf-8"


def _is_no_utf8(start: bytes) -> bool:
    """Whether the first character beyond ASCII is none of UTF-8. Where a later one is none, the file is UTF-8 all the
    same, and that line is broken: read as something else, every other name would be."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)  # the last character may be cut in two
    except UnicodeDecodeError as error:
        return start[: error.start].isascii()
    return False


def _first_is_no_utf8(path: Path) -> bool:
    """The same of a whole file: customers, products and people with umlauts may come late in it."""
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            if not block.isascii():
                return _is_no_utf8(block + file.read(4))
    return False


def peek(start: bytes) -> Head:
    """The same from the first bytes alone, for JSON and CSV."""
    text, _ = _decoded(start)
    if text.lstrip()[:1] in ("{", "["):
        return Head("json", text=text)
    return Head("csv", _header(text, "")[0])


def _csv(path: Path, entry: str, folder: Path, text: str, encoding: str) -> tuple[Head, Table]:
    notes: tuple[str, ...] = ()
    if encoding not in ("utf-8", "utf-8-sig"):
        path = _as_utf8(path, folder, encoding)
        notes = (_READ_AS.format(looks.NAMES.get(encoding, encoding)),)
    elif encoding == "utf-8-sig" and text[:1] == '"' and "\n" in text[: text.find('"', 1)]:
        path = _as_utf8(path, folder, encoding)  # behind a mark, DuckDB takes no quote for one while it skips lines
    headers, delimiter, skip = _header(text, entry)
    return Head("csv", headers), Table(path, entry, "csv", headers, delimiter=delimiter, skip=skip, notes=notes)


def _header(text: str, entry: str) -> tuple[tuple[str, ...], str, int]:
    """The header, what divides it, and how many records it is with the empty lines before it."""
    first = text.lstrip("\r\n")
    blank = text[: len(text) - len(first)].count("\n")
    stated = _SEPARATOR.match(first)
    if stated:
        first, blank = first[stated.end() :], blank + 1
    delimiter = stated[1] if stated else max(_DELIMITERS, key=first.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(first.replace("\x00", ""), newline=""), delimiter=delimiter)
    try:
        headers = tuple(header.strip() for header in next(reader, []))
    except csv.Error as error:
        said = f"Its first line cannot be read: {error}."
        remedy = "Save it as CSV with a header."
        raise BillError("not_csv", said, remedy=remedy, line=1, entry=entry) from error
    if len(headers) > MOST_COLUMNS:
        raise BillError(
            "too_many_columns", f"It has {len(headers):,} columns; {MOST_COLUMNS:,} are read.",
            remedy="This is no billing export.", line=1, entry=entry,
        )  # fmt: skip
    return headers, delimiter, blank + 1  # one record for DuckDB, however many lines the header takes


def _as_utf8(path: Path, folder: Path, encoding: str) -> Path:
    made = folder / f"{path.name}.utf8"
    with (
        path.open(encoding=encoding, errors="replace", newline="") as old,
        made.open("w", newline="", encoding="utf-8") as new,
    ):
        while block := old.read(1 << 20):
            new.write(block)
    return made


def _parquet(path: Path, entry: str) -> tuple[Head, Table]:
    with duckdb.connect(config={"memory_limit": "500MB", "threads": "1"}) as connection, reading(entry):
        source = quoted(str(path))
        rows, groups = connection.execute(
            f"SELECT num_rows, num_row_groups FROM parquet_file_metadata({source})"  # noqa: S608 # our own path
        ).fetchall()[0]
        described = connection.execute(f"DESCRIBE SELECT * FROM read_parquet({source})").fetchall()  # noqa: S608
    if rows > MOST_ROWS or groups > 100_000:
        raise BillError(
            "too_many_rows", f"It claims {rows:,} rows; {MOST_ROWS:,} are read.", remedy="Export shorter periods.",
            entry=entry,
        )  # fmt: skip
    if len(described) > MOST_COLUMNS:
        raise BillError(
            "too_many_columns", f"It has {len(described):,} columns.", remedy="This is no billing export.", entry=entry
        )
    headers, types = tuple(str(row[0]) for row in described), tuple(str(row[1]) for row in described)
    floats = [header for header, type_ in zip(headers, types, strict=True) if type_ in ("DOUBLE", "FLOAT")]
    notes: tuple[str, ...] = ()
    if floats:
        named = ", ".join(floats[:5]) + (" …" if len(floats) > 5 else "")
        notes = (f"{named}: floating point in the file, taken as the shortest decimal that means the same",)
    return Head("parquet", headers), Table(path, entry, "parquet", headers, types, rows, notes=notes)


def most_faults(table: Table) -> int:
    """How many faults DuckDB keeps: of a line that holds but a blank, one for each column that is missing."""
    return min((MOST_BROKEN + 1) * max(len(table.headers), 1), MOST_FAULTS)


def source(table: Table, *, keep_broken: bool = False, pad: bool = False) -> str:
    """SQL: a SELECT of the table's columns, each as text, empty ones NULL; `pad`: of short lines too."""
    if table.kind == "parquet":
        return _parquet_source(table)
    columns = "{" + ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in table.columns) + "}"
    broken = f"store_rejects=true, rejects_limit={most_faults(table)}" if keep_broken else "ignore_errors=true"
    broken += ", null_padding=true, parallel=false" if pad else ""  # no padding beside line breaks in quotes otherwise
    nulls = ", ".join(map(quoted, NULLS))
    return (
        f"SELECT * FROM read_csv({quoted(str(table.path))}, auto_detect=false, header=false, skip={table.skip},"  # noqa: S608
        f" columns={columns}, delim={quoted(table.delimiter)}, quote='\"', escape='\"', nullstr=[{nulls}],"
        f" max_line_size={LONGEST_LINE}, {broken})"
    )


def _parquet_source(table: Table) -> str:
    def text(header: str, type_: str) -> str:
        name = '"' + header.replace('"', '""') + '"'
        if type_ == "VARCHAR":
            return f"CASE WHEN {name} IN ({', '.join(map(quoted, NULLS))}) THEN NULL ELSE {name} END"
        if type_.startswith(("TIMESTAMP", "DATE")):
            return f"strftime({name}, '%Y-%m-%dT%H:%M:%SZ')"
        if type_ == "BLOB":
            return "NULL::VARCHAR"
        if type_.startswith(("MAP", "STRUCT")) or type_.endswith("[]"):
            return f"CAST(to_json({name}) AS VARCHAR)"
        return f"CAST({name} AS VARCHAR)"

    columns = ", ".join(
        f"{text(header, type_)} AS {column}"
        for header, type_, column in zip(table.headers, table.types, table.columns, strict=True)
    )
    return f"SELECT {columns} FROM read_parquet({quoted(str(table.path))})"  # noqa: S608 # our own path


_PATH = re.compile(r"""(?:file )?["'](?:/|[A-Za-z]:\\)[^"']*["']""")


class reading:
    """What DuckDB cannot read, as a BillError with place and remedy."""

    def __init__(self, entry: str = "", tables: Sequence[Table] = ()) -> None:
        self.entry, self.tables = entry, tables

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, duckdb.Error):
            raise _said(error, self.entry, self.tables) from error


def _said(error: duckdb.Error, entry: str, tables: Sequence[Table]) -> BillError:
    message = str(error)
    # Where the file lies on this machine is nobody's to know.
    first = _PATH.sub("the file", message.partition("\n")[0])[:300]
    if isinstance(error, duckdb.OutOfMemoryException):
        return BillError(
            "too_large", "It does not fit into the memory that reading a bill may take.",
            remedy="Export it by month, or with fewer columns.", entry=entry,
        )  # fmt: skip
    if isinstance(error, duckdb.OutOfRangeException):
        return BillError(
            "too_much_money", "Its amounts add up to more than 38 digits.",
            remedy="One of the amounts cannot be meant: look for the largest.", entry=entry,
        )  # fmt: skip
    if isinstance(error, duckdb.BinderException | duckdb.CatalogException | duckdb.ParserException):
        return BillError(
            "internal", f"Reading it went wrong here: {first}", entry=entry,
            remedy="This is a defect of Platform Risk: please report it with the file's format.",
        )  # fmt: skip
    for table in tables if "invalid state" in message else ():
        if table.kind == "csv" and (odd := places.other_end(table)) is not None:
            return BillError(
                "not_csv", f"Line {odd:,} ends in another way than the first: with a lone carriage return, or without.",
                remedy="Save it with one kind of line end, and cells that hold a line break in quotes.", line=odd,
                entry=table.entry,
            )  # fmt: skip
    line = _line(message)
    if "CSV" in message or line is not None:
        place: dict[str, Any] = {} if line is None else {"line": line}
        return BillError(
            "not_csv", f"It cannot be read as a table: {first}", entry=entry, **place,
            remedy="Look at this line: an unclosed quote, or a file that was cut off. Then export it again.",
        )  # fmt: skip
    ends = "magic bytes" in message
    if isinstance(error, duckdb.IOException) and not ends:
        return BillError(
            "unreadable", f"It cannot be read: {first}", entry=entry,
            remedy="Read it again; if that does not help, export or copy it again.",
        )  # fmt: skip
    return BillError(
        "cut_file", "It is Parquet that ends in the middle: its end, which tells what is in it, is missing." if ends
        else "It is Parquet with bytes that cannot be read: it was cut off, or changed on its way.", entry=entry,
        remedy="Export or copy it again, as it is and not as text, and compare its size.",
    )  # fmt: skip


def _line(message: str) -> int | None:
    found = re.search(r"Line: (\d+)", message)
    return int(found[1]) if found else None


def manifest(head: Head, path: Path) -> dict[str, Any] | None:
    """The description of a report's files by AWS or Azure, where the JSON is one: {reportKeys, reportName, account,
    assemblyId, billingPeriod}."""
    if head.kind != "json" or path.stat().st_size > 5_000_000:
        return None
    if not any(key in head.text for key in ('"reportKeys"', '"exportConfig"', '"exportArn"')):
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    return found if isinstance(found.get("reportKeys"), list) else _of_azure(found) or _of_data_export(found)


def _of_azure(found: dict[str, Any]) -> dict[str, Any] | None:
    config, blobs = found.get("exportConfig"), found.get("blobs")
    if not isinstance(config, dict) or not isinstance(blobs, list):
        return None
    names = [str(blob["blobName"]) for blob in blobs if isinstance(blob, dict) and blob.get("blobName")]
    return {"reportKeys": names, "reportName": config.get("exportName")}


def _of_data_export(found: dict[str, Any]) -> dict[str, Any] | None:
    """AWS Data Exports. The account in the name of an export is its owner's, who need not be the payer."""
    name, files = found.get("exportArn"), found.get("dataFiles")
    if not isinstance(name, str) or not isinstance(files, list):
        return None
    keys = [key for key in files if isinstance(key, str)]
    period = next((month[1] for key in keys if (month := _PARTITION.search(key))), "")
    called = _UUID.sub("", name.rpartition("/")[2])
    about = {"assemblyId": found.get("executionId"), "billingPeriod": {"start": period}}
    return {"reportKeys": keys, "reportName": called, **about}


def ask(table: Table, select: str) -> tuple[Any, ...]:
    """One row about the whole table, by an SQL list of aggregates over its columns. Raises BillError."""
    with duckdb.connect(config={"memory_limit": "500MB", "threads": "1"}) as connection, reading(table.entry):
        asked = f"SELECT {select} FROM ({source(table)})"  # noqa: S608 # names and literals of our own
        found: tuple[Any, ...] = connection.execute(asked).fetchall()[0]
    return found
