"""Elasticsearch: what indices hold, and which lifecycle deletes them. PURE."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from costs.usage.reading import days, entries, json, mapping, number, size, text
from costs.usage.records import Measure, Usage, UsageError

INDICES, ILM = "elasticsearch-indices", "elasticsearch-ilm"
_DATED = re.compile(r"(?:\.ds-)?(.*?)[-_.](\d{4})[.-](\d{2})[.-](\d{2})(?:[-_.]\d+)?\Z")


# What _cat/indices prints without `v`, in this order; newer versions add the size of the data set.
_PRINTED = ("health", "status", "index", "uuid", "pri", "rep", "docs.count", "docs.deleted", "store.size",
            "pri.store.size", "dataset.size")  # fmt: skip
_ALIASES = {"i": "index", "idx": "index", "ss": "store.size", "storeSize": "store.size", "dc": "docs.count",
            "docsCount": "docs.count"}  # fmt: skip
_LINE = re.compile(r"\s*(?:(?:green|yellow|red|unknown)\s+)?(?:open|close)\s+\S+\s+[\w-]{22}(?:\s|\Z)")
_WORD = re.compile(r"\S+")


def is_printed(head: str) -> bool:
    """Whether a text begins as the table does that _cat/indices prints, with or without its header."""
    first = head.lstrip("\r\n").partition("\n")[0]
    headers = _named(first)
    return bool(_LINE.match(first)) or ("index" in headers and bool({"store.size", "pri.store.size"} & {*headers}))


def read_indices(content: bytes) -> Usage:
    """As JSON or as it is printed. store.size has replicas and is what the disks hold; pri.store.size is what came in,
    once. Raises UsageError."""
    begins = content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    rows = list(_of_json(json(content)) if begins in (b"[", b"{") else _of_lines(text(content)))
    if not any("index" in row for _, row in rows):
        raise UsageError(
            "wrong_shape",
            "This is no list of indices.",
            remedy="Save the answer of GET /_cat/indices?format=json&bytes=b, or of ?v&bytes=b.",
        )
    _refuse_other_unit([row for _, row in rows])
    usage = Usage(INDICES, "elasticsearch")
    for place, row in rows:
        name, line = row.get("index"), int(place[5:]) if place.startswith("line ") else None
        if not isinstance(name, str):
            usage.reject(place, "It has no index.", row.get("", row), line)
            continue
        stored, primary = size(row.get("store.size")), size(row.get("pri.store.size"))
        if stored is None:
            where = place if line else f"{place}/store.size"
            usage.reject(where, "It has no size: a closed index has none.", row.get("", row), line)
            continue
        group, on = _dated(name)
        note = "" if str(row.get("store.size")).isdigit() else "rounded: ask with bytes=b"
        usage.add(Measure.STORED_BYTES, stored, name, note=note)
        if primary is not None:
            usage.add(Measure.PRIMARY_BYTES, primary, name, note=note)
            if on is not None:
                usage.add(Measure.INGESTED_BYTES, primary, group, day=on, note="from the size of the day’s index")
    return usage


Row = Mapping[str, Any]  # under "" the line as it stands, where it is one


def _of_json(root: Any) -> Iterator[tuple[str, Row]]:
    for at, row in enumerate(root if isinstance(root, list) else ()):
        yield f"/{at}", row if isinstance(row, Mapping) else {"": row}


def _of_lines(printed: str) -> Iterator[tuple[str, Row]]:
    """Cells stand below their header, at its left or its right end, so that empty ones are told."""
    headers: list[str] | None = None
    left: dict[int, str] = {}
    right: dict[int, str] = {}
    for at, line in enumerate(printed.splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        if headers is None:
            headers = [] if _LINE.match(line) else _named(line)
            spans = list(zip(headers, _WORD.finditer(line), strict=False))
            left, right = ({place(found): name for name, found in spans} for place in (re.Match.start, re.Match.end))
            if headers:
                continue
        names = headers or (_PRINTED if words[0] not in ("open", "close") else _PRINTED[1:])
        if len(words) == len(names) or not headers:
            row = dict(zip(names, words, strict=False))
        else:
            cells = ((left.get(word.start()) or right.get(word.end()), word[0]) for word in _WORD.finditer(line))
            row = {name: cell for name, cell in cells if name}
        yield f"line {at}", {**row, "": line.strip()}


def _named(line: str) -> list[str]:
    return [_ALIASES.get(word, word) for word in line.split()]


def _refuse_other_unit(rows: list[Row]) -> None:
    """With bytes=gb sizes are bare numbers too, of which nothing says so but that no document is smaller than a byte.
    Raises UsageError."""
    sized = [(number(row.get("store.size")), number(row.get("docs.count"))) for row in rows]
    held = [(stored, documents) for stored, documents in sized if stored is not None and documents is not None]
    stored, documents = (sum(each, Decimal(0)) for each in zip(*held, strict=True)) if held else (1, 0)
    if stored < documents:
        raise UsageError(
            "unclear_unit", f"Its sizes come to {stored:,} for {documents:,} documents: they are not in bytes, and no"
            " cell says in what.", remedy="Ask with bytes=b.",
        )  # fmt: skip


def _dated(name: str) -> tuple[str, date | None]:
    """logs-app-2026.06.01 → (logs-app, the day); a data stream's backing indices too."""
    found = _DATED.match(name)
    if found is None:
        return name, None
    try:
        return found[1], date(int(found[2]), int(found[3]), int(found[4]))
    except ValueError:
        return name, None


def stream_of(index: str) -> str:
    """What the days of an index are days of."""
    return _dated(index)[0]


def is_ilm(root: Mapping[str, Any]) -> bool:
    """Policies by name, or one: with phases, as no other tool's have."""
    return any(mapping(mapping(each, "policy"), "phases") for each in (root, *root.values()))


def read_ilm(content: bytes) -> Usage:
    """min_age of the delete phase counts from rollover, not from creation; without that phase nothing is deleted."""
    root = json(content)
    policies = (
        {name: body for name, body in root.items() if mapping(body, "policy")} if isinstance(root, Mapping) else {}
    )
    if isinstance(root, Mapping) and mapping(root, "policy"):
        policies = {"": root}
    if not policies:
        raise UsageError("wrong_shape", "There is no policy in it.", remedy="Save the answer of GET /_ilm/policy.")
    usage = Usage(ILM, "elasticsearch")
    for name, body in policies.items():
        phases = mapping(mapping(body, "policy"), "phases")
        kept = _kept(usage, name, phases)
        if kept is False:
            continue
        usage.add(Measure.RETENTION_DAYS, kept, name, note=_rollover(phases))
        for index in entries(mapping(body, "in_use_by"), "indices"):
            usage.add(Measure.RETENTION_DAYS, kept, str(index), note=f"policy {name}")
    return usage


def _kept(usage: Usage, name: str, phases: Mapping[str, Any]) -> Decimal | bool | None:
    """Days, None for ever, False for what cannot be read."""
    if not isinstance(phases.get("delete"), Mapping):
        return None
    age = days(phases["delete"].get("min_age", "0ms"))
    if age is None:
        usage.reject(f"/{name}/policy/phases/delete/min_age", "It is no span of time, as 30d.", phases["delete"])
        return False
    return age


def _rollover(phases: Mapping[str, Any]) -> str:
    rollover = mapping(mapping(mapping(phases, "hot"), "actions"), "rollover")
    age = rollover.get("max_age") or rollover.get("max_primary_shard_size") or rollover.get("max_size")
    return f"counted from rollover at {age}" if age else ""
