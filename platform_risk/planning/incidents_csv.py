"""Incidents out of a CSV file: all of them, or what is wrong with which line. PURE."""

import csv
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from platform_risk.core import looks

MOST_BYTES = 2_000_000
MOST_LINES = 5_000
MOST_PROBLEMS = 50
COLUMNS = (
    "service", "title", "started_at", "detected_at", "recovered_at", "users_affected", "was_predicted", "was_alerted",
    "findings", "notes",
)  # fmt: skip
NEEDED = ("service", "title", "started_at")
_OTHER_NAMES = {
    "start": "started_at", "started": "started_at", "detected": "detected_at", "recovered": "recovered_at",
    "predicted": "was_predicted", "alerted": "was_alerted", "finding": "findings", "users": "users_affected",
}  # fmt: skip
_ZIP = b"PK\x03\x04"
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Line:
    number: int  # in the file, from 1
    values: Mapping[str, Any]  # what could be read
    wrong: tuple[str, ...] = ()  # what could not, naming the line


class BadFile(ValueError):
    """`problems`: in the order of the file, at most MOST_PROBLEMS, each naming its line."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def parse(data: bytes, now: datetime) -> list[Line]:
    """Every line, with what is wrong in it; raises BadFile for what is no such file at all. Columns by name, in any
    order; what is empty is "nobody says"."""
    if len(data) > MOST_BYTES:
        raise BadFile(f"The file is larger than {MOST_BYTES // 1_000_000} MB: divide it.")
    data, _ = looks.as_utf8(data)  # spreadsheets write UTF-16 as “Unicode text”
    if data.startswith(_ZIP):
        raise BadFile("It is a workbook (.xlsx) or an archive: save its sheet as CSV, and send that.")
    if fault := looks.no_export(data):
        raise BadFile(f"{fault.message} {fault.remedy}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadFile(f"The file is no UTF-8 text (byte {error.start}): save it as CSV in UTF-8.") from error
    if "\x00" in text:
        raise BadFile("The file holds a NUL character: it is no CSV.")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    lines: list[Line] = []
    firsts: dict[tuple[Any, ...], int] = {}
    try:
        header = _header(next(reader, []))
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if len(lines) >= MOST_LINES:
                raise BadFile(f"More than {MOST_LINES:,} incidents: divide the file.")
            values, wrong = _line(header, row, now)
            named = tuple(values.get(name) for name in NEEDED)
            # The second would overwrite the first, and the file again would change both.
            if None not in named and firsts.setdefault(named, reader.line_num) != reader.line_num:
                wrong.append(f"the incident of line {firsts[named]} again (service, title, start): leave one of them.")
            lines.append(Line(reader.line_num, values, tuple(f"Line {reader.line_num}: {each}" for each in wrong)))
    except csv.Error as error:
        found = [each for line in lines for each in line.wrong][: MOST_PROBLEMS - 1]
        raise BadFile(*found, f"Line {reader.line_num}: this is no CSV ({error}).") from error
    if not lines:
        raise BadFile("The file has no incident below its header.")
    return lines


def _delimiter(text: str) -> str:
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)


def _header(row: list[str]) -> list[str]:
    names = [re.sub(r"[^a-z0-9]+", "_", cell.strip().lower()).strip("_") for cell in row]
    names = [_OTHER_NAMES.get(name, name) for name in names]
    lacking = [name for name in NEEDED if name not in names]
    if lacking:
        raise BadFile(f"Line 1: the header lacks {', '.join(lacking)}. The columns are {', '.join(COLUMNS)}.")
    unknown = [cell for cell, name in zip(row, names, strict=True) if name not in COLUMNS]
    if unknown:
        raise BadFile(f"Line 1: there is no column “{unknown[0][:40]}”. The columns are {', '.join(COLUMNS)}.")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise BadFile(f"Line 1: the column {twice} is there twice.")
    return names


def _line(header: list[str], row: list[str], now: datetime) -> tuple[dict[str, Any], list[str]]:
    if len(row) != len(header):
        return {}, [f"{len(row)} cells where the header has {len(header)}."]
    values: dict[str, Any] = {name: _EMPTY[name] for name in COLUMNS if name not in header}
    wrong: list[str] = []
    for name, cell in zip(header, row, strict=True):
        try:
            values[name] = _READERS[name](cell.strip(), now)
        except ValueError as error:
            wrong.append(f"{name}: {error}")
    if not wrong and (found := disorder(values["started_at"], values["detected_at"], values["recovered_at"])):
        wrong.append(found[1])
    return values, wrong


def disorder(
    started_at: datetime, detected_at: datetime | None, recovered_at: datetime | None
) -> tuple[str, str] | None:
    """Which time comes before one that it follows, and in words."""
    if detected_at is not None and detected_at < started_at:
        return "detected_at", "It cannot be detected before it starts."
    if recovered_at is not None and recovered_at < (detected_at or started_at):
        return "recovered_at", "It cannot be recovered before it starts or is detected."
    return None


def is_past(moment: datetime, now: datetime) -> bool:
    """An hour is granted to clocks."""
    return _EARLIEST <= moment <= now + timedelta(hours=1)


def _text(most: int, *, needed: bool) -> Callable[[str, datetime], str]:
    def read(cell: str, now: datetime) -> str:
        if needed and not cell:
            raise ValueError("it is empty.")
        if len(cell) > most:
            raise ValueError(f"longer than {most} letters.")
        return cell

    return read


def _moment(cell: str, now: datetime) -> datetime | None:
    if not cell:
        return None
    try:
        found = datetime.fromisoformat(cell)
    except ValueError:
        raise ValueError(f"“{cell[:40]}” is no time such as 2026-11-02T09:30:00Z.") from None
    if found.tzinfo is None:
        raise ValueError(f"“{cell[:40]}” has no zone: write 2026-11-02T09:30:00Z.")
    try:
        found = found.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"“{cell[:40]}” is no time that can be stored.") from None
    if not is_past(found, now):
        raise ValueError(f"“{cell[:40]}” is in the future, or before 1970.")
    return found


def _start(cell: str, now: datetime) -> datetime:
    found = _moment(cell, now)
    if found is None:
        raise ValueError("it is empty.")
    return found


def _share(cell: str, now: datetime) -> Decimal | None:
    if not cell:
        return None
    number, percent = (cell[:-1].strip(), 100) if cell.endswith("%") else (cell, 1)
    try:
        found = Decimal(number) / percent
    except (ArithmeticError, ValueError):
        raise ValueError(f"“{cell[:40]}” is no share: write 0.35 or 35 %.") from None
    if not found.is_finite() or not 0 <= found <= 1:
        raise ValueError(f"“{cell[:40]}” is no share between 0 and 1.")
    return found.quantize(Decimal("0.000001"))


_WORDS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False, "": None}


def _yes_or_no(cell: str, now: datetime) -> bool | None:
    if cell.lower() not in _WORDS:
        raise ValueError(f"“{cell[:40]}” is neither yes nor no.")
    return _WORDS[cell.lower()]


def _numbers(cell: str, now: datetime) -> tuple[int, ...]:
    words = [word.lstrip("#") for word in re.split(r"[\s;,]+", cell) if word]
    if not all(word.isascii() and word.isdigit() and len(word) < 19 for word in words):
        raise ValueError(f"“{cell[:40]}” holds no numbers of findings, such as #12 #15.")
    return tuple(dict.fromkeys(int(word) for word in words))


_READERS: dict[str, Callable[[str, datetime], Any]] = {
    "service": _text(80, needed=True),
    "title": _text(300, needed=True),
    "started_at": _start,
    "detected_at": _moment,
    "recovered_at": _moment,
    "users_affected": _share,
    "was_predicted": _yes_or_no,
    "was_alerted": _yes_or_no,
    "findings": _numbers,
    "notes": _text(10_000, needed=False),
}
_EMPTY: dict[str, Any] = dict.fromkeys(COLUMNS) | {"findings": (), "notes": ""}
