"""From the files of one upload to one bill: what each is, that they belong together, and what a manifest adds. PURE."""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from costs.bills import azure, charges_csv, detect, places, registry, tables
from costs.bills.records import BillError, Head, Meaning, Table, Tick
from platform_risk.core import looks

# What file managers leave in every folder, and so in archives of it.
_OF_FOLDERS = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
_COLUMN = re.compile(r"\bc([0-9]+)\b")
Remembered = Callable[[str], Mapping[str, str] | None]  # a header's signature → which column means what


@dataclass(frozen=True)
class Part:
    table: Table
    meaning: Meaning


@dataclass(frozen=True)
class Bill:
    """One upload, ready to be reduced."""

    format: str
    reason: str
    parts: tuple[Part, ...]
    export: str
    billing_account: str  # "": each line says it
    notes: tuple[str, ...]
    bytes_total: int
    estimated: frozenset[str]


def open_bill(
    files: Sequence[tuple[str, Path]],
    *,
    folder: Path,
    requested: str = "",
    tag_keys: frozenset[str],
    remembered: Remembered = lambda _: None,
    tick: Tick = lambda _: None,
) -> Bill:
    """`files`: (name inside the archive or "", path). `tick` is called while JSON lines become a table. Raises
    BillError with place and remedy."""
    manifests: list[dict[str, Any]] = []
    parts: list[Part] = []
    reasons: dict[str, str] = {}
    notes: list[str] = []
    charges: list[tuple[str, Path]] = []
    sizes = [path.stat().st_size for _, path in files]
    for number, (entry, path) in enumerate(files):
        if (path.stat().st_size == 0 and len(files) > 1) or entry.rpartition("/")[2] in _OF_FOLDERS:
            continue  # markers such as _SUCCESS
        readable, read_as = tables.in_utf8(path, folder)
        notes += read_as
        head, table = tables.look(readable, entry, folder)
        described = tables.manifest(head, readable)
        if described is not None:
            manifests.append(described)
            continue
        if not requested and table is not None and remembered(charges_csv.signature(table.headers)):
            format_, reason = charges_csv.NAME, "Its columns were told what they mean."
        else:
            format_, reason = _told(head, readable, requested, entry)
        reasons[format_] = reason
        charges.append((entry, path))
        of_all = _of_all(tick, sizes, number)
        parts.append(_part(format_, head, table, readable, entry, folder, tag_keys, remembered, of_all))
    _refuse_twice(charges)
    format_ = _one_format(reasons, parts)
    manifest = _checked(manifests, parts)
    notes += [note for part in parts for note in (*part.table.notes, *part.meaning.notes)]
    return Bill(
        format=format_,
        reason=reasons[format_],
        parts=tuple(parts),
        export=str(manifest.get("reportName") or "") or _export(parts) or format_,
        billing_account=str(manifest.get("account") or ""),
        notes=tuple(dict.fromkeys(notes)),
        bytes_total=max(sum(path.stat().st_size for _, path in charges), 1),
        estimated=frozenset(month for part in parts for month in part.meaning.estimated),
    )


def _of_all(tick: Tick, sizes: Sequence[int], number: int) -> Tick:
    """A tick of one file as one of all of them."""
    before, own, whole = sum(sizes[:number]), sizes[number], max(sum(sizes), 1)
    return lambda share: tick((before + share * own) / whole)


def _refuse_twice(files: Sequence[tuple[str, Path]]) -> None:
    """The same bytes under two names would count their money twice. Of a header alone there may be several."""
    sizes = Counter(path.stat().st_size for _, path in files)
    seen: dict[bytes, str] = {}
    for entry, path in files:
        if sizes[path.stat().st_size] == 1 or places.count(path) < 2:
            continue
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").digest()
        if digest in seen:
            raise BillError(
                "same_file_twice", f"It is the same as {seen[digest]}, byte for byte: its charges would count twice.",
                remedy="Pack each file once.", entry=entry,
            )  # fmt: skip
        seen[digest] = entry


def _told(head: Head, path: Path, requested: str, entry: str) -> tuple[str, str]:
    """(format, why). Of JSON that breaks, the place is said instead of what it is not."""
    try:
        return detect.of(head, requested, entry)
    except BillError:
        small = not requested and head.kind == "json" and path.stat().st_size <= looks.MOST_BYTES
        fault = looks.fault(path.read_bytes()) if small else None
        tables.refuse(fault, entry)
        raise


def _part(
    format_: str,
    head: Head,
    table: Table | None,
    path: Path,
    entry: str,
    folder: Path,
    tag_keys: frozenset[str],
    remembered: Remembered,
    tick: Tick,
) -> Part:
    known = registry.FORMATS[format_]
    if table is None:
        if known.rows is None:
            raise _other_shape(known.title, "a table", entry)
        return Part(*known.rows(path, entry, folder, tick))
    if known.meaning is None:
        raise _other_shape(known.title, "JSON", entry)
    if format_ == charges_csv.NAME:
        columns = remembered(charges_csv.signature(table.headers))
        meaning = charges_csv.meaning(table, tag_keys, columns)
        _refuse_twins(table, meaning)
        return Part(table, charges_csv.looked(table, meaning, columns))
    meaning = known.meaning(table, tag_keys)
    if "billed" not in meaning.fields and "billed" not in meaning.computed:
        raise BillError(
            "no_amounts", f"It has none of the columns in which {known.title} states what was billed.", line=1,
            entry=entry, remedy="Export it with its cost columns, or leave the format out to have it found.",
        )  # fmt: skip
    if "starts" not in meaning.fields:
        raise BillError(
            "no_days", f"It has none of the columns in which {known.title} states when a charge begins.", line=1,
            entry=entry, remedy="Export it with its time columns, or leave the format out to have it found.",
        )  # fmt: skip
    _refuse_twins(table, meaning)
    return Part(table, known.looked(table, meaning) if known.looked else meaning)


def _refuse_twins(table: Table, meaning: Meaning) -> None:
    """Two columns of one name that money or time would be read from: either may be the one that is meant."""
    read = " ".join(
        str(meaning.fields.get(name, "")) for name in ("starts", "period", "billed", "effective", "currency")
    )
    for number in map(int, _COLUMN.findall(read)):
        name = table.headers[number] if number < len(table.headers) else ""
        if table.headers.count(name) > 1:
            raise BillError(
                "duplicate_header", f"Two of its columns are called {name}: which of them is meant cannot be told.",
                remedy="Rename or drop one of them and send it again.", line=1, entry=table.entry,
            )  # fmt: skip


def _export(parts: Sequence[Part]) -> str:
    """What the lines say that it is. Parts that fit to either say nothing."""
    named = sorted({part.meaning.export for part in parts if part.meaning.export})
    if len(named) > 1:
        raise azure.mixed(next(part.table.entry for part in parts if part.meaning.export == named[0]))
    return named[0] if named else ""


def _other_shape(title: str, expected: str, entry: str) -> BillError:
    export = "Export it as CSV" if expected == "a table" else "Save the tool's own answer, as JSON"
    return BillError(
        "wrong_shape", f"{title} is read as {expected}, and this file is none.", entry=entry,
        remedy=f"{export}; or leave the format out, if it is something else, to have it found.",
    )  # fmt: skip


def _one_format(reasons: dict[str, str], parts: Sequence[Part]) -> str:
    if not parts:
        raise BillError(
            "no_bill", "There is no bill in it, only what describes one.",
            remedy="Pack the report's own files together with the manifest.",
        )  # fmt: skip
    if len(reasons) > 1:
        raise BillError(
            "several_formats", f"The archive holds bills of several formats: {', '.join(sorted(reasons))}.",
            remedy="Upload each by itself.",
        )  # fmt: skip
    return next(iter(reasons))


def _checked(manifests: Sequence[dict[str, Any]], parts: Sequence[Part]) -> dict[str, Any]:
    """The manifest, where there is one. A report of which a file is missing would be a smaller bill."""
    if not manifests:
        return {}
    _refuse_two_deliveries(manifests)
    named = {str(key).rpartition("/")[2].removesuffix(".gz") for each in manifests for key in each["reportKeys"]}
    there = {part.table.entry.rpartition("/")[2].removesuffix(".gz") for part in parts}
    missing = sorted(named - there)
    # Files may have been renamed: it is their number that must not be smaller.
    if missing and len(parts) < len(named):
        raise BillError(
            "part_missing", f"The manifest names {len(named)} files, {len(parts)} are here: {missing[0]} is missing.",
            remedy="Pack all of the report's files together.", entry=missing[0],
        )  # fmt: skip
    return dict(manifests[0])


def _refuse_two_deliveries(manifests: Sequence[dict[str, Any]]) -> None:
    """Each delivery of a report is the whole month anew. Raises BillError."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for each in manifests:
        period = each.get("billingPeriod")
        begins = re.sub(r"\D", "", str(period.get("start") or "")) if isinstance(period, dict) else ""
        if begins and each.get("assemblyId"):
            found[str(each.get("reportName")), f"{begins[:4]}-{begins[4:6]}"].add(str(each["assemblyId"]))
    for (name, month), deliveries in found.items():
        if len(deliveries) > 1:
            raise BillError(
                "two_deliveries", f"It holds {len(deliveries)} deliveries of {name} for {month}: each is the"
                " whole month, and together they would count it more than once.",
                remedy="Pack the files of the newest delivery alone, with its manifest.",
            )  # fmt: skip
