"""A JSON list of findings with whatever keys it has: a list of objects, or an object that holds one. PURE."""

from collections.abc import Iterator
from typing import Any

import msgspec

from findings.scans import bounds, fingerprint, json_reader, mapping
from findings.scans.options import Match, Options
from findings.scans.records import Absent, FindingRecord, Reject, ReportInfo, ScanError

NAME = "findings-json"
LISTS = ("findings", "results", "issues", "items", "vulnerabilities")
_SAMPLE = 50  # objects whose keys are taken for the columns
_DEEPEST_KEY = 4
_MOST_KEYS = 300


def sniff(head: bytes) -> Match:
    keys = json_reader.outline(head)
    if not keys:
        return Match(0.0, "It is no JSON.", "it does not begin like JSON")
    best = Match(0.08, "It is JSON.", f"no list of objects at its top or under {', '.join(LISTS)}")
    for base in ("[].", *(f"{name}[]." for name in LISTS)):
        columns = [name[len(base) :] for name in keys if name.startswith(base)]
        if columns:
            confidence, reason, missing = mapping.evidence(columns)
            # A format of its own that happens to hold such a list is the better answer: never quite sure.
            match = Match(min(confidence, 0.8), reason.replace("a table", "a list of objects"), missing)
            best = max(best, match, key=lambda one: one.confidence)
    return best


def open_report(data: Any, options: Options) -> "JsonListReport":
    view = json_reader.prepared(data)
    json_reader.check_depth(view, options.max_depth)
    if bytes(view[:4096]).lstrip()[:1] == b"[":
        return JsonListReport(json_reader.decode(view, list[msgspec.Raw]), "", view, options)
    document = json_reader.decode(view, dict[str, msgspec.Raw])
    for name in LISTS:
        if name in document and bytes(memoryview(document[name])[:64]).lstrip()[:1] == b"[":
            items = json_reader.decode(memoryview(document[name]), list[msgspec.Raw])
            return JsonListReport(items, f"/{name}", view, options)
    raise ScanError(
        "wrong_shape",
        "This is JSON, but holds no list of findings.",
        remedy=f"Give a list of objects, by itself or under one of {', '.join(LISTS)}.",
        pointer="",
    )


class JsonListReport:
    """An opened JSON list (scans.records.Report)."""

    def __init__(self, items: list[msgspec.Raw], base: str, view: memoryview, options: Options) -> None:
        self._items = items
        self._base = base
        self._view = view
        self.position = 0
        self.info = ReportInfo(scanner="")
        headers = _headers(items)
        self.headers = tuple(headers)
        self._columns = mapping.mapping_of(headers, options) if headers else mapping.ColumnMapping({"title": "title"})

    def records(self) -> Iterator[FindingRecord | Reject | Absent]:
        self.position = 0
        occurrences = fingerprint.Occurrences()
        decode = msgspec.json.Decoder(dict[str, Any]).decode
        for index, raw in enumerate(self._items):
            pointer = f"{self._base}/{index}"
            try:
                values = self._columns.values(flat(decode(raw)))
            except json_reader.RECORD_ERRORS as error:
                yield json_reader.rejected(raw, pointer, error)
            else:
                record = mapping.record_of(values, pointer, NAME, occurrences)
                # A rejected row shows all it has, not only the columns that are read.
                yield Reject(pointer, record.reason, json_reader.excerpt(raw)) if isinstance(record, Reject) else record
            self.position += len(memoryview(raw))
        self.position = len(self._view)


def _headers(items: list[msgspec.Raw]) -> list[str]:
    found: dict[str, None] = {}
    for raw in items[:_SAMPLE]:
        try:
            found.update(dict.fromkeys(flat(msgspec.json.decode(raw, type=dict[str, Any]))))
        except json_reader.RECORD_ERRORS:
            continue
    return list(found)


def flat(item: dict[str, Any]) -> dict[str, str]:
    """Nested objects as dotted keys (`location.path`), lists of plain values joined. Without recursion, bounded."""
    found: dict[str, str] = {}
    waiting: list[tuple[str, dict[str, Any], int]] = [("", item, 1)]
    while waiting:
        prefix, values, depth = waiting.pop()
        for name, value in values.items():
            if len(found) >= _MOST_KEYS:
                return found
            key = prefix + name[: bounds.RULE]
            if isinstance(value, dict):
                if depth < _DEEPEST_KEY:
                    waiting.append((key + ".", value, depth + 1))
            elif isinstance(value, list):
                found[key] = ", ".join(_plain(one) for one in value[: bounds.MOST_IDENTIFIERS] if _is_plain(one))
            else:
                found[key] = _plain(value)
    return found


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float)


def _plain(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else str(value)
