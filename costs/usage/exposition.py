"""Metrics as a target exports them: OpenMetrics and the older Prometheus text. PURE.

What counts is series: one name with one set of labels, however many points it has. OpenMetrics ends with # EOF and has
seconds; the older text has milliseconds.
"""

import re
from collections import Counter
from decimal import Decimal

from costs.usage.reading import at_milliseconds, at_seconds, number, text
from costs.usage.records import Measure, Usage, UsageError

FORMAT = "openmetrics"
_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:.]*"
_LABELS = re.compile(r'\s*(?:"[^"\n]*"|[a-zA-Z_][a-zA-Z0-9_.]*)\s*(?:=\s*"((?:[^"\\\n]|\\.)*)"\s*)?(?:,|(?=\}))')
_SAMPLE = re.compile(rf"({_NAME})?\s*")
_VALUE = re.compile(
    r"[+-]?(?:nan|inf(?:inity)?|0x[0-9a-f.]+(?:p[+-]?\d+)?|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\Z", re.IGNORECASE
)
_REMEDY = "Save the text exactly as GET /metrics answers it."
_COMMENT = re.compile(r"#\s*(HELP|TYPE|UNIT)\s")


def read(content: bytes) -> Usage:
    """Series in all and by metric, of one target. Raises UsageError with the line."""
    usage = Usage(FORMAT, "prometheus")
    series: dict[str, set[str]] = {}
    samples, has_ended, latest = 0, False, Decimal(0)
    for line_number, line in enumerate(text(content).split("\n"), start=1):
        line = line.rstrip("\r").strip(" \t")
        if not line:
            continue
        if has_ended:
            raise _wrong("Something stands after # EOF.", line_number)
        if line.startswith("#"):
            has_ended = line.removesuffix(" ") == "# EOF"
            continue
        name, labels, stamp = _sample(line, line_number)
        series.setdefault(name, set()).add(labels)
        samples += 1
        latest = max(latest, stamp or Decimal(0))
    if not samples:
        raise UsageError("empty", "There is no sample in it.", remedy=_REMEDY)
    total = sum(len(each) for each in series.values())
    usage.observed_at = (at_seconds if has_ended else at_milliseconds)(latest) if latest else None
    usage.add(Measure.SERIES_OF_TARGET, total)
    for name, count in Counter({name: len(each) for name, each in series.items()}).most_common():
        usage.add(Measure.SERIES_OF_METRIC, count, name, is_part=True, note="of one target")
    kind = "OpenMetrics" if has_ended else "Prometheus text"
    usage.notes.append(f"{kind}: {samples} samples of {total} series.")
    return usage


def is_exposition(head: str) -> bool:
    """Whether a text begins as one of the two does."""
    for line in head.split("\n")[:50]:
        line = line.strip()
        if _COMMENT.match(line):
            return True
        if line and not line.startswith("#"):
            try:
                _sample(line, 1)
            except UsageError:
                return False
            return True
    return False


def _wrong(what: str, line: int) -> UsageError:
    return UsageError("not_openmetrics", f"Line {line}: {what}", remedy=_REMEDY, line=line)


def _sample(line: str, at: int) -> tuple[str, str, Decimal | None]:
    """(name, labels as they stand, timestamp)."""
    found = _SAMPLE.match(line)
    assert found is not None
    name, position = found[1] or "", found.end()
    labels = ""
    if position < len(line) and line[position] == "{":
        end = _after_labels(line, position, at)
        labels = line[position + 1 : end - 1]
        position = end
    elif not name:
        raise _wrong("it begins with no name of a metric.", at)
    # An exemplar follows the value after a mark of its own.
    rest = line[position:].split(" # ", 1)[0].split()
    if not 1 <= len(rest) <= 2 or not _VALUE.match(rest[0]):
        raise _wrong("it has no value that is a number.", at)
    stamp = number(rest[1]) if len(rest) == 2 else None
    if len(rest) == 2 and stamp is None:
        raise _wrong("its timestamp is no number.", at)
    return name or labels.split(",", 1)[0].strip(' "'), labels, stamp


def _after_labels(line: str, position: int, at: int) -> int:
    position += 1
    while position < len(line) and line[position : position + 1] != "}":
        found = _LABELS.match(line, position)
        if found is None:
            raise _wrong('its labels are not name="value", separated by commas.', at)
        position = found.end()
        while line[position : position + 1] == " ":
            position += 1
    if position >= len(line):
        raise _wrong("its labels do not end.", at)
    return position + 1
