"""A platform's configuration as one opened report: unpacked, read, checked; what fails are its records."""

import math
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from django.utils import timezone

from findings import judging
from findings.checks import coverage, engine, identity, kept, stated, telling
from findings.checks.engine import Found
from findings.platform import facts, files, reader
from findings.platform.files import File, Skipped
from findings.platform.model import Platform
from findings.reading import OpenedReport, unpack_limits
from findings.scans import bounds
from findings.scans.records import FindingRecord, Related, ReportInfo, ScanError, Suppression
from findings.vocabulary import SeveritySource
from platform_risk import __version__
from platform_risk.core.facts.selectors import said
from platform_risk.core.facts.services import Statement
from platform_risk.core.models import Import, ImportKind
from platform_risk.core.unpack import Entry, Limits, UnpackError, unpack

FORMAT = "platform-files"
# What is kept of an import's coverage; the counts are of all.
MOST_SKIPPED, MOST_UNKNOWN = 1_000, 200
_BEFORE, _AFTER = 3, 6
_LARGEST_INT = 2**63 - 1


@dataclass
class Configuration:
    """What failed, as records (scans.records.Report)."""

    info: ReportInfo
    found: tuple[Found, ...]
    texts: dict[str, list[str]] = field(default_factory=dict)
    position: int = 0

    def records(self) -> Iterator[FindingRecord]:
        for found in self.found:
            yield _record(found, self.texts)


@contextmanager
def open_configuration(row: Import, limits: dict[str, int]) -> Iterator[OpenedReport]:
    """Raises ScanError with place and remedy. What only one file cannot be read for is in the coverage."""
    if row.requested_format not in ("", FORMAT):
        raise ScanError(
            "unknown_format",
            f"{row.requested_format} is a format of scan reports, not of configuration.",
            remedy=f"Leave the format out or say {FORMAT}; or upload the file as a scan report.",
        )
    read, is_archive = _read(row, limits)
    platform = reader.read(read)
    if not platform.files_read:
        broken = next((each for each in platform.skipped if each.is_error), None)
        if broken is not None:
            place = {"entry": broken.path} | ({"line": broken.line} if broken.line else {})
            raise ScanError(
                "nothing_to_read",
                f"None of its files can be read. {broken.path}: {broken.reason}.",
                remedy="Correct this place, or leave the file out.",
                **place,
            )
        left = next((each for each in platform.skipped if not each.reason.startswith("no kind of file")), None)
        raise ScanError(
            "nothing_to_read",
            "None of its files is of a kind that is read as configuration."
            + (f" {left.path}: {left.reason}." if left is not None else ""),
            remedy="Upload Kubernetes YAML, Terraform, Prometheus rules, settings, Python or Dockerfiles, as a zip, "
            "a tar or a single file.",
        )
    today = timezone.now().date()
    by_people = _said(row)
    elsewhere = judging.elsewhere(row, telling.TOOL)
    platform = replace(platform, facts=facts.beside(platform.facts, by_people), elsewhere=elsewhere)
    outcome = engine.run(platform, today=today)
    because = _not_looked_at(platform.skipped)
    if not is_archive and _has_others(row):
        because.append(_ONE_OF_SEVERAL)
    info = ReportInfo(
        scanner=telling.TOOL,
        scanner_version=__version__,
        complete=not because,
        incomplete_because="; ".join(because),
    )
    shown = {place.path for found in outcome.found for place in found.fail.places[:1]}
    texts = {each.path: each.text.splitlines() for each in read if isinstance(each, File) and each.path in shown}
    report = Configuration(info, outcome.found, texts)
    size = sum(len(each.text) for each in read if isinstance(each, File))
    count = len(platform.files_read)
    yield OpenedReport(
        format=FORMAT,
        reason=f"Configuration: {count} file{'' if count == 1 else 's'} read, {len(platform.skipped)} skipped."
        + (" Judged again: alert rules of other imports have changed." if row.again_of_id else ""),
        source=telling.TOOL,
        info=info,
        parts=[("", report)],
        bytes_total=max(size, 1),
        coverage=storable(
            _coverage(platform.files_read, platform.skipped, outcome)
            | {"said": _told(by_people), "alerts": _alerts(platform)}
        ),
        statements=tuple(_statements(platform)),
        renamed=partial(identity.renamed, [each.identity for each in outcome.found]),
    )


def _not_looked_at(skipped: tuple[Skipped, ...]) -> list[str]:
    """Files that should have been read and could not, by the reason: the first of each name what is the matter."""
    paths: dict[str, list[str]] = {}
    for each in skipped:
        if each.is_error:
            paths.setdefault(each.reason, []).append(each.path)
    return [
        f"{', '.join(named[:_NAMED])}{f' and {len(named) - _NAMED} more' if len(named) > _NAMED else ''}: {reason}"
        for reason, named in list(paths.items())[:_REASONS]
    ]


_REASONS, _NAMED = 5, 3
_ONE_OF_SEVERAL = (
    "One file, and its scope has had others: what they brought is not closed by it. Hand in the folder as one archive, "
    "or each file under a source of its own, or say complete=yes"
)


def _has_others(row: Import) -> bool:
    """Whether its scope holds what came with another file: then a single file says nothing of all that is there."""
    same = {"kind": ImportKind.PLATFORM, "service": row.service, "environment": row.environment, "is_applied": True}
    others = Import.objects.filter(**same, source=row.source or telling.TOOL).exclude(file_name=row.file_name)
    if row.branch:
        others = others.filter(branch=row.branch)
    elif row.service is not None:
        others = others.filter(branch=row.service.default_branch)
    return others.exists()


def _said(row: Import) -> dict[str, tuple[Any, str]]:
    """What people stated of the service in this environment, and who: a check asks for it like for a file's."""
    if row.service is None:
        return {}
    return {
        name: (fact.value, f"stated by {fact.stated_by or 'a person'} on {fact.stated_at:%Y-%m-%d}")
        for name, fact in said(row.service, row.environment).items()
    }


def _alerts(platform: Platform) -> dict[str, Any]:
    """What can fail and which alerts there are, kept so that imports are held against one another; with the answer
    that this one was given."""
    found = coverage.coverage(platform)
    only_own = platform.facts.get("alerting.only_own")
    own = [each for each in found.rules if not each.is_hidden]
    held = kept.as_json(found.subjects, own, only_own=only_own is not None and only_own.value is True)
    return held | {"is_complete": coverage.is_complete(platform), "judged": coverage.digest(found)}


def _told(said: Mapping[str, tuple[Any, str]]) -> dict[str, Any]:
    """Beside the coverage, so that the same files under other facts are not taken for the same import."""
    return {name: value for name, (value, _) in sorted(said.items())}


def _statements(platform: Platform) -> Iterator[Statement]:
    for each in stated.stated(platform):
        place = each.value.place
        yield Statement(
            bounds.line(each.name, bounds.NAME), storable(each.value.value), each.unit, each.value.source.value,
            place.path, bounds.number(place.line), bounds.line(each.value.note, bounds.NAME),
        )  # fmt: skip


def _read(row: Import, limits: dict[str, int]) -> tuple[list[File | Skipped], bool]:
    """Its files, and whether they came as an archive."""
    folders: set[str] = set()
    found: list[File | Skipped] = []
    is_archive, size = False, 0
    with tempfile.TemporaryDirectory(prefix="import-") as folder, row.file.open("rb") as stored:
        try:
            for entry in unpack(stored, folder=Path(folder), limits=Limits(**unpack_limits(limits))):
                is_archive = is_archive or bool(entry.name)
                path = (entry.name or _own_name(row.file_name)).replace("\\", "/").removeprefix("./")
                skipped = files.in_skipped_folder(path)
                if skipped is None:
                    each = _file(path, entry)
                    size += len(each.text) if isinstance(each, File) else 0
                    is_held = isinstance(each, Skipped) or size <= MOST_TEXT
                    found.append(each if is_held else Skipped(each.path, _MORE_TEXT))
                elif skipped.path not in folders:
                    folders.add(skipped.path)
                    found.append(skipped)
                entry.path.unlink()
        except UnpackError as error:
            raise ScanError(error.code, error.message, remedy=error.remedy, **error.location) from error
    return found, is_archive


MOST_TEXT = 256_000_000  # characters of one import, which are held at once
_MORE_TEXT = f"with it there are more than {MOST_TEXT // 1_000_000} MB: hand in less at a time"


def _own_name(name: str) -> str:
    """Of an upload that is no archive: what kind of file it is, its name says."""
    return name.rpartition("/")[2].removesuffix(".gz") or "upload"


def _file(path: str, entry: Entry) -> File | Skipped:
    shown = bounds.path(path)
    if files.is_of_tests(path):
        return Skipped(shown, files.OF_TESTS)
    if not reader.is_read(path):
        return Skipped(shown, reader.NO_KIND)
    with entry.path.open("rb") as file:
        large = files.too_large(shown, entry.size, file.read(files.HEAD))
    return large or files.without_tests(files.decoded(shown, entry.path.read_bytes()))


def _record(found: Found, texts: dict[str, list[str]]) -> FindingRecord:
    fail, meta = found.fail, found.check.meta
    first, *others = fail.places or (None,)
    path = first.path if first else ""
    line = bounds.number(first.line) if first else None
    excerpt_line = max(1, line - _BEFORE) if line else None
    shown = texts.get(path, [])[excerpt_line - 1 : line + _AFTER] if line and excerpt_line else []
    suppressed = found.suppressed
    parts = fail.subject.split("/")
    return FindingRecord(
        fingerprint=found.fingerprint,
        title=bounds.line(fail.title, bounds.TITLE),
        severity=found.severity,
        severity_source=SeveritySource.RULE_TABLE,
        category=meta.category,
        risk_class=found.risk_class,
        outcome=meta.outcome,
        rule=meta.id,
        rule_name=meta.title,
        rule_help=bounds.text(f"{meta.why}\n\n{meta.remedy}\n\nNot a problem: {meta.not_a_problem}", bounds.HELP),
        help_uri=meta.references[0] if meta.references else "",
        check=meta.id,
        scanner=telling.TOOL,
        pointer=f"{path}:{line}" if line else path,
        message=bounds.text(fail.why, bounds.MESSAGE),
        path=path,
        line=line,
        resource=bounds.line(fail.subject, bounds.NAME) if fail.subject != path else "",
        namespace=bounds.line(parts[1], bounds.NAMESPACE) if len(parts) == 3 and fail.subject != path else "",
        excerpt=bounds.text("\n".join(shown), bounds.EXCERPT),
        excerpt_line=excerpt_line,
        related=tuple(Related(place.path, place.line) for place in others[: bounds.MOST_RELATED] if place),
        suppression=Suppression(bounds.text(suppressed.reason, bounds.MESSAGE), suppressed.kind)
        if suppressed
        else None,
        quantities=tuple(storable(quantity.as_json()) for quantity in fail.quantities),
        remedies=meta.remedies,
    )


def _coverage(read: tuple[str, ...], skipped: tuple[Skipped, ...], outcome: engine.Outcome) -> dict[str, Any]:
    """Per check what was looked at, what failed and passed, and what cannot be told with how to provide it."""
    checks = []
    for tally in outcome.tallies:
        shown = telling.coverage(tally)
        suppressed = sum(each.check is tally.check and each.suppressed is not None for each in outcome.found)
        checks.append(
            shown
            | {
                "looked_at": tally.failed + tally.passed + len(tally.unsure),
                "suppressed": suppressed,
                "unknown_count": len(tally.unsure),
                "unknown": shown["unknown"][:MOST_UNKNOWN],
            }
        )
    return {
        "tool": {"name": telling.TOOL, "version": __version__},
        "files": {
            "read": len(read),
            "skipped_count": len(skipped),
            "skipped": [{"path": each.path, "reason": each.reason, "line": each.line, "is_error": each.is_error}
                        for each in sorted(skipped, key=lambda each: not each.is_error)[:MOST_SKIPPED]],
        },
        "checks": checks,
    }  # fmt: skip


def storable(value: Any) -> Any:
    """A tree of plain values as PostgreSQL's JSON takes it."""
    if isinstance(value, str):
        return bounds.text(value, bounds.MESSAGE)
    if isinstance(value, list | tuple):
        return [storable(each) for each in value]
    if isinstance(value, dict):
        return {str(key): storable(each) for key, each in value.items()}
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) <= _LARGEST_INT else None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return bounds.line(str(value), bounds.NAME)
