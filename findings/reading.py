"""From a stored upload to one opened report: unpack it, find out what it is, open what it holds."""

import mmap
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from findings.scans import detect, mapping, registry
from findings.scans.options import Options
from findings.scans.records import Absent, FindingRecord, Reject, Report, ReportInfo, ScanError
from platform_risk.core.facts.services import Statement
from platform_risk.core.models import ColumnMapping, Import
from platform_risk.core.unpack import Limits, UnpackError, unpack

_Record = FindingRecord | Reject | Absent


@dataclass
class OpenedReport:
    """One upload's report; several when an archive holds several files of one tool."""

    format: str
    reason: str
    source: str
    info: ReportInfo
    parts: list[tuple[str, Report]]
    bytes_total: int
    coverage: dict[str, Any] | None = None  # of configuration: what each check looked at
    statements: tuple[Statement, ...] = ()  # of configuration: what it states beside what is wrong with it
    # Former fingerprint → the one of now, given the file of each that is known: of findings that changed their name.
    renamed: Callable[[Mapping[str, str]], Mapping[str, str]] | None = None
    _done: int = 0
    _current: Report | None = None

    @property
    def position(self) -> int:
        return self._done + (self._current.position if self._current else 0)

    def records(self) -> Iterator[_Record]:
        self._done = 0
        for entry, report in self.parts:
            self._current = report
            with _naming(entry):
                for record in report.records():
                    # An archive's entry is part of the place, so that a reject can be found.
                    yield _in_entry(record, entry) if entry and isinstance(record, Reject) else record
            self._done += report.position
        self._current = None


def columns_of(row: Import, limits: dict[str, int]) -> tuple[list[str], dict[str, str]]:
    """(headers, the mapping in force) of an import that is a list with columns; ([], {}) when it is none."""
    try:
        with open_report(row, limits) as report:
            headers = next((list(getattr(part, "headers", ())) for _, part in report.parts), [])
    except ScanError as error:
        headers = list(error.location.get("headers") or [])
    if not headers:
        return [], {}
    remembered = mapping_for(mapping.header_signature(headers)) or {}
    return headers, {**mapping.guess(headers), **remembered}


def _in_entry(record: Reject, entry: str) -> Reject:
    return Reject(record.pointer, record.reason, record.excerpt, entry)


@contextmanager
def _naming(entry: str) -> Iterator[None]:
    """An error inside names the archive's entry."""
    try:
        yield
    except ScanError as error:
        if entry:
            error.location.setdefault("entry", entry)
        raise


def mapping_for(signature: str) -> Any:
    row = ColumnMapping.objects.filter(signature=signature).first()
    return row.columns if row else None


@contextmanager
def open_report(row: Import, limits: dict[str, int]) -> Iterator[OpenedReport]:
    """Raises ScanError with place and remedy. Temporary files are gone when the context ends."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="import-")))
        stored = stack.enter_context(row.file.open("rb"))
        try:
            entries = list(unpack(stored, folder=folder, limits=Limits(**unpack_limits(limits))))
        except UnpackError as error:
            raise ScanError(error.code, error.message, remedy=error.remedy, **error.location) from error
        parts: list[tuple[str, Report]] = []
        formats: dict[str, str] = {}
        for entry in entries:
            data = _mapped(entry.path)
            options = Options(max_depth=limits["depth"], mapping_for=mapping_for)
            with _naming(entry.name):
                match = detect.of(data, row.requested_format)
                parts.append((entry.name, registry.formats()[match.format].open(data, options)))
            formats[match.format] = match.reason
        yield _as_one(parts, formats, sum(entry.size for entry in entries), row)


def unpack_limits(limits: dict[str, int]) -> dict[str, int]:
    names = {"stored_bytes", "unpacked_bytes", "ratio", "entries"}
    return {name: limits[name] for name in names} | {"depth": limits["archive_depth"]}


def _mapped(path: Path) -> memoryview:
    """The file as a buffer that the kernel pages in and out: 200 MB of report are not 200 MB of worker.

    Not closed by hand: parsers hold slices of it, and the map goes with the last of them.
    """
    if path.stat().st_size == 0:
        return memoryview(b"")
    with path.open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def _as_one(parts: list[tuple[str, Report]], formats: dict[str, str], size: int, row: Import) -> OpenedReport:
    if not parts:
        raise ScanError("empty_archive", "The archive holds no files.", remedy="Put the report into it.")
    scanners = sorted({report.info.scanner for _, report in parts})
    if len(scanners) > 1 and not row.source:
        raise ScanError(
            "several_tools",
            f"The archive holds reports of several tools: {', '.join(scanner or 'unnamed' for scanner in scanners)}.",
            remedy="Upload each tool's reports by themselves, or give a source under which they belong together.",
        )
    infos = [report.info for _, report in parts]
    first = infos[0]
    info = ReportInfo(
        scanner=first.scanner,
        scanner_version=first.scanner_version,
        observed_at=max(info.observed_at for info in infos),
        branch=first.branch if len({info.branch for info in infos}) == 1 else "",
        category=first.category if len({info.category for info in infos}) == 1 else "",
        complete=all(info.complete for info in infos),
        incomplete_because="; ".join(info.incomplete_because for info in infos if info.incomplete_because),
    )
    source = first.scanner or next(iter(formats))
    if info.category:
        source = f"{source}:{info.category}"[:100]
    # With the reason goes what a person should know of how it was read: a guessed encoding.
    notes = dict.fromkeys(note for info in infos for note in info.notes)
    return OpenedReport(
        format=next(iter(formats)) if len(formats) == 1 else "archive",
        reason="; ".join((*formats.values(), *notes))[:1000],
        source=source,
        info=info,
        parts=parts,
        bytes_total=max(size, 1),
    )
