"""Text and JSON of usage files, with the place of what is wrong. PURE."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from costs.usage.records import UsageError
from platform_risk.core import looks

_BOM = b"\xef\xbb\xbf"
_BYTE = re.compile(r"\(byte (\d+)\)")
_DIGITS = re.compile(rb"[0-9]{400,}")
_SIZE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([kmgtpe]?)(i?)b?\s*\Z", re.IGNORECASE)
_SPAN = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|micros|nanos|[smhdwy])")
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5, "e": 6}
_SECONDS = {
    "ms": Decimal("0.001"), "micros": Decimal("0.000001"), "nanos": Decimal("0.000000001"), "s": Decimal(1),
    "m": Decimal(60), "h": Decimal(3600), "d": Decimal(86400), "w": Decimal(604800), "y": Decimal(31536000),
}  # fmt: skip
_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_decoder = msgspec.json.Decoder(float_hook=Decimal)


def text(data: bytes) -> str:
    """UTF-8, with or without a mark. Raises UsageError with the byte."""
    refuse(looks.no_export(data) or looks.wrong_encoding(data))
    body = data.removeprefix(_BOM)
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        line = body[: error.start].count(b"\n") + 1
        raise UsageError(
            "wrong_encoding", f"The file is no UTF-8: line {line} holds a byte that is none.", line=line,
            remedy="Save it as UTF-8, and send it again.", byte=len(data) - len(body) + error.start,
        ) from error  # fmt: skip


def refuse(fault: looks.Fault | None) -> None:
    """Raises UsageError with what is wrong, where something is."""
    if fault is not None:
        raise UsageError(fault.code, fault.message, remedy=fault.remedy, **fault.location)


def json(data: bytes) -> Any:
    """Numbers with a point as Decimal, so that nothing is rounded. Raises UsageError with line and column."""
    refuse(looks.no_export(data) or looks.wrong_encoding(data))
    body = data.removeprefix(_BOM)
    if not body.strip():
        raise UsageError("empty", "The file holds nothing.", remedy="Check that the tool wrote it.", byte=0)
    if _DIGITS.search(body):
        raise UsageError("not_json", "A number has hundreds of digits.", remedy="Check how the file was made.")
    try:
        return _decoder.decode(body)
    except RecursionError:
        refuse(looks.too_deep(body))
        raise
    except (msgspec.DecodeError, UnicodeDecodeError, InvalidOperation) as error:
        if len(data) <= looks.MOST_BYTES and "trailing comma" not in str(error):
            refuse(looks.json_fault(data))
        found = _BYTE.search(str(error))
        byte = int(found[1]) if found else 0
        if "trailing comma" in str(error):
            byte = body.rfind(b",", 0, byte)  # it is found where the next entry should begin, perhaps lines later
        before = body[:byte]
        line, column = before.count(b"\n") + 1, byte - (before.rfind(b"\n") + 1) + 1
        raise UsageError(
            "not_json", f"This is no JSON: {_plain(error)}.",
            remedy="JSON has no comma after the last entry and no comments: correct the place, or export it again.",
            line=line, column=column, byte=byte,
        ) from error  # fmt: skip


def _plain(error: Exception) -> str:
    words = _BYTE.sub("", str(error)).strip()
    return (words.partition(": ")[2] or words).rstrip(".")


def number(value: Any) -> Decimal | None:
    """A finite number, given as one or as text; None for NaN, infinities and what is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return None
    try:
        found = Decimal(str(value).strip())
    except (InvalidOperation, ValueError):
        return None
    return found if found.is_finite() and abs(found) < Decimal("1e30") else None


def size(value: Any) -> Decimal | None:
    """Bytes, of a number or of text as 10.2gb (Elasticsearch's kb is 1024 bytes)."""
    if not isinstance(value, str):
        return number(value)
    found = _SIZE.match(value)
    return None if found is None else Decimal(found[1]) * 1024 ** _POWERS[found[2].lower()]


def days(value: Any) -> Decimal | None:
    """Days, of text as 30d, 744h or 1d12h; 0 is 0. None for what is no span of time."""
    if value == 0 and not isinstance(value, bool):
        return Decimal(0)  # Loki's bare 0; of any other number the unit is unknown
    if not isinstance(value, str) or not value.strip():
        return None
    rest, total = value.strip(), Decimal(0)
    if rest == "0":
        return total
    while rest:
        found = _SPAN.match(rest)
        if found is None:
            return None
        total += Decimal(found[1]) * _SECONDS[found[2]]
        rest = rest[found.end() :]
    return total / 86400


def at_seconds(value: Any) -> datetime | None:
    """A time from Unix seconds; None where it lies outside 2000 to 2200 (sentinels do)."""
    seconds = number(value)
    if seconds is None or abs(seconds) > 10**11 or not math.isfinite(seconds):
        return None
    found = datetime.fromtimestamp(0, UTC) + timedelta(seconds=float(seconds))
    return found if _EARLIEST <= found < _LATEST else None


def at_milliseconds(value: Any) -> datetime | None:
    found = number(value)
    return None if found is None else at_seconds(found / 1000)


def moment(value: Any) -> datetime | None:
    """RFC 3339, or a day; without a zone it is UTC."""
    if not isinstance(value, str):
        return at_seconds(value)
    try:
        found = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return found.astimezone(UTC) if _EARLIEST <= found < _LATEST else None


def day(value: Any) -> date | None:
    found = moment(value)
    return found.date() if found else None


def mapping(value: Any, name: str) -> Mapping[str, Any]:
    """`value[name]` as a mapping; empty where it is none."""
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def entries(value: Any, name: str) -> list[Any]:
    """`value[name]` as a list; empty where it is none."""
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, list) else []
