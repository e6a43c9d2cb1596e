"""The loader of usage: a file's figures into the tables, in one transaction that ends with the fence.

Scope is source × format × account × service × environment. A state is in force while its import is the scope's last
applied one, so undoing an import brings back what was before it; a day's figure is the last import's that tells it.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from costs import reading
from costs.models import UsageFigure, UsageScope
from costs.usage import registry
from costs.usage.entities import add_arrivals
from costs.usage.records import Reject, Usage, UsageError, UsageRecord
from platform_risk.core.errors import Conflict
from platform_risk.core.imports import faults
from platform_risk.core.imports.loaders import ImportFailedError
from platform_risk.core.imports.rejects import as_before, unless_rejected
from platform_risk.core.imports.runner import Job
from platform_risk.core.models import Import, ImportReject
from platform_risk.core.redaction import Redactor
from platform_risk.core.unpack import Limits, UnpackError, unpack

MOST_BYTES = 256 * 1024 * 1024  # read as one: what says how much is used is small
MOST_FIGURES, MOST_REJECTS_KEPT = 200_000, 10_000
KEPT_BEFORE = 5  # imports of a scope whose states are kept, so that so many can be undone one after another
_BIGGEST = 10**30
_A_DAY_OR_SO = timedelta(hours=20)  # lists that come each day come a little earlier now and then
Key = tuple[str, str, Any]


def load_usage(job: Job) -> None:
    """Raises ImportFailedError with place and remedy when the file cannot be read."""
    redact = _redactor().text
    try:
        usage = _read(job)
    except UnpackError as error:
        raise ImportFailedError(error.code, error.message, remedy=error.remedy, location=error.location) from error
    except UsageError as error:
        if error.code == "unknown_format" and not job.row.requested_format and _is_bill(job.row):
            raise ImportFailedError(
                "bill_file", "This is no usage: it looks like a bill.",
                remedy="Hand it in as a bill: with kind bill, or without a kind.",
            ) from error  # fmt: skip
        location = {name: redact(value) if isinstance(value, str) else value for name, value in error.location.items()}
        raise ImportFailedError(error.code, redact(error.message), remedy=error.remedy, location=location) from error
    faults.at("mid_parse")
    job.records_done = len(usage.records)
    job.check()
    with transaction.atomic():
        scope = _scope(job.row, usage)
        if not _same_again(job, scope, usage):
            _apply(job, scope, usage)
        faults.at("before_commit")
    faults.at("after_commit")


def _redactor() -> Redactor:
    salt = settings.REDACTION_SALT
    assert salt is not None
    return Redactor(salt.encode())


def _is_bill(row: Import) -> bool:
    with row.file.open("rb") as stored:
        return reading.is_bill(stored)


def _read(job: Job) -> Usage:
    """Several files in an archive are one when they are of one format."""
    limits = settings.IMPORT_LIMITS[job.row.kind]
    names = {"stored_bytes", "unpacked_bytes", "ratio", "entries"}
    bounds = Limits(**{name: limits[name] for name in names}, depth=limits["archive_depth"])
    found: Usage | None = None
    with tempfile.TemporaryDirectory(prefix="usage-") as folder, job.row.file.open("rb") as stored:
        for entry in unpack(stored, folder=Path(folder), limits=bounds):
            if entry.size > MOST_BYTES:
                raise UsageError(
                    "too_large", f"It has {entry.size:,} bytes; usage is read up to {MOST_BYTES:,}.", entry=entry.name,
                    remedy="Ask for fewer days or fewer series.",
                )  # fmt: skip
            try:
                usage = registry.read(entry.path.read_bytes(), job.row.requested_format)
            except UsageError as error:
                if entry.name:
                    error.location.setdefault("entry", entry.name)
                raise
            entry.path.unlink()
            job.check()
            usage.rejects = [replace(each, entry=entry.name) for each in usage.rejects]
            found = usage if found is None else _joined(found, usage, entry.name)
    if found is None:
        raise UsageError("empty_archive", "The archive holds no files.", remedy="Put the usage file into it.")
    if len(found.records) > MOST_FIGURES:
        raise UsageError(
            "too_many", f"It has {len(found.records):,} figures; {MOST_FIGURES:,} are taken at once.",
            remedy="Ask for fewer days or fewer series.",
        )  # fmt: skip
    return found


def _joined(one: Usage, other: Usage, name: str) -> Usage:
    if one.format != other.format:
        raise UsageError(
            "several_formats", f"The archive holds {one.format} and {other.format}.", entry=name,
            remedy="Upload each format by itself.",
        )  # fmt: skip
    one.records += other.records
    one.rejects += other.rejects
    one.notes += [note for note in other.notes if note not in one.notes]
    one.observed_at = max(filter(None, (one.observed_at, other.observed_at)), default=None)
    one.incomplete_because = one.incomplete_because or other.incomplete_because
    return one


def _scope(row: Import, usage: Usage) -> UsageScope:
    """Locked until the transaction ends: one writer of a scope at a time."""
    source = (row.export or row.source or usage.source)[:100]
    place: dict[str, Any] = {"service_id": row.service_id, "environment_id": row.environment_id}  # or None
    place |= {"source": source, "format": usage.format, "account": (row.billing_account or usage.account)[:200]}
    scope, _ = UsageScope.objects.get_or_create(**place, defaults={"provider": usage.source})
    return UsageScope.objects.select_for_update().get(pk=scope.pk)


def _about(row: Import, scope: UsageScope, usage: Usage) -> dict[str, Any]:
    reason = f"{registry.FORMATS[usage.format].title}. {' '.join(usage.notes)}".strip()
    observed_at, observed_from = _observed_at(row, usage)
    return {
        "format": usage.format,
        "format_reason": _redactor().text(reason)[:1000],
        "source": scope.source,
        "observed_at": observed_at,
        "observed_at_from": observed_from,
        "is_complete": row.complete == "yes" or (row.complete == "auto" and not usage.incomplete_because),
        "incomplete_because": usage.incomplete_because[:500],
    }


def _observed_at(row: Import, usage: Usage) -> tuple[datetime, str]:
    """The time given, else the file's own, else the time received; a time in the future is not believed."""
    if row.stated_observed_at is not None:
        return row.stated_observed_at, "given"
    if usage.observed_at is not None and usage.observed_at <= timezone.now():
        return usage.observed_at, "report"
    return row.created_at, "received"


def _same_again(job: Job, scope: UsageScope, usage: Usage) -> bool:
    last = scope.last_applied
    if job.row.replay or last is None or last.sha256 != job.row.sha256:
        return False
    about = _about(job.row, scope, usage) | as_before(job.row, last)
    if last.is_complete != about["is_complete"]:
        return False
    UsageScope.objects.filter(pk=scope.pk).update(last_seen_at=timezone.now())
    job.finish(
        **about, duplicate_of=last, read=last.read, collapsed=last.collapsed,
        rejected=last.rejected, unchanged=last.read - last.collapsed - last.rejected,
    )  # fmt: skip
    return True


def _apply(job: Job, scope: UsageScope, usage: Usage) -> None:
    _add_arrivals(job.row, scope, usage)
    about = _about(job.row, scope, usage)
    late = scope.last_complete_at is not None and about["observed_at"] < scope.last_complete_at
    before = _known(scope)
    figures, collapsed, rejects = _figures(job.row, scope, usage)
    ImportReject.objects.bulk_create(rejects[:MOST_REJECTS_KEPT], batch_size=1_000)
    missed = [] if late else [figure for key, figure in before.items() if key[2] is None and key not in figures]
    if missed and about["is_complete"] and job.row.complete == "auto":
        about |= unless_rejected(job.row, len(rejects), Import.objects.filter(usage_figures__scope=scope))
    carried = [] if about["is_complete"] else [_carried(figure, job.row) for figure in missed]
    UsageFigure.objects.bulk_create([*figures.values(), *carried], batch_size=5_000)
    faults.at("after_copy")
    job.check()
    new = sum(key not in before for key in figures)
    unchanged = sum(key in before and before[key].as_state == figure.as_state for key, figure in figures.items())
    previous = scope.last_applied_id
    if not late:
        scope.last_applied_id, scope.last_complete_at = job.row.pk, about["observed_at"]
    scope.last_seen_at, scope.provider = timezone.now(), usage.source
    scope.save()
    _prune(scope)
    job.finish(
        **about, is_late=late, is_applied=True, previous_id=previous,
        read=len(usage.records) + len(usage.rejects), collapsed=collapsed, new=new, unchanged=unchanged,
        changed=len(figures) - new - unchanged, closed=len(missed) - len(carried), rejected=len(rejects),
    )  # fmt: skip


def _add_arrivals(row: Import, scope: UsageScope, usage: Usage) -> None:
    """Lists of pods that come one by one tell arrivals together: each against the newest that is a day older, or else
    against the oldest there is."""
    if not usage.births:
        return
    at, _ = _observed_at(row, usage)
    applied = Import.objects.filter(usage_figures__scope=scope, is_applied=True, observed_at__lt=at).exclude(pk=row.pk)
    times = sorted(filter(None, applied.distinct().values_list("observed_at", flat=True)))
    old_enough = [each for each in times if each <= at - _A_DAY_OR_SO]
    if times:
        add_arrivals(usage, old_enough[-1] if old_enough else times[0], at)


def _known(scope: UsageScope) -> dict[Key, UsageFigure]:
    rows: Iterator[UsageFigure] = iter([*scope.figures.states(), *scope.figures.days()])
    return {(row.measure, row.subject, row.day): row for row in rows}


def _carried(figure: UsageFigure, to: Import) -> UsageFigure:
    """What an incomplete file does not name holds on, and says of what import it is."""
    return UsageFigure(
        scope_id=figure.scope_id, import_row=to, carried_from_id=figure.carried_from_id or figure.import_row_id,
        measure=figure.measure, subject=figure.subject, value=figure.value, is_part=figure.is_part, note=figure.note,
    )  # fmt: skip


def _figures(row: Import, scope: UsageScope, usage: Usage) -> tuple[dict[Key, UsageFigure], int, list[ImportReject]]:
    """(By what they are of, how many said the same thing twice, what cannot be kept)."""
    redact = _Remembering(_redactor())
    figures: dict[Key, UsageFigure] = {}
    collapsed = 0
    rejects = [_reject(row, each, redact) for each in usage.rejects]
    for each in usage.records:
        if each.value is not None and abs(each.value) >= _BIGGEST:
            rejects.append(_reject(row, Reject(each.subject, "Its figure has more than thirty digits."), redact))
            continue
        figure = _figure(row, scope, each, redact)
        key = (figure.measure, figure.subject, figure.day)
        if key in figures:
            collapsed += 1
        else:
            figures[key] = figure
    return figures, collapsed, rejects


class _Remembering:
    """The same names come again and again."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor, self._seen = redactor, dict[str, str]()

    def __call__(self, text: str) -> str:
        if text not in self._seen:
            self._seen[text] = self._redactor.text(text)
        return self._seen[text]


def _figure(row: Import, scope: UsageScope, each: UsageRecord, redact: _Remembering) -> UsageFigure:
    value = None if each.value is None else round(each.value, 10)
    return UsageFigure(
        scope=scope, import_row=row, measure=each.measure.value, subject=redact(each.subject)[:500], day=each.day,
        value=value, is_part=each.is_part, note=redact(each.note)[:200],
    )  # fmt: skip


def _reject(row: Import, each: Reject, redact: _Remembering) -> ImportReject:
    return ImportReject(
        import_row=row, pointer=redact(each.pointer)[:500], line=each.line, entry=redact(each.entry)[:500],
        reason=redact(each.reason)[:1000], excerpt=redact(each.excerpt)[:1000],
    )  # fmt: skip


def _prune(scope: UsageScope) -> None:
    """States of imports that can hardly be undone any more; days stay, for they are history."""
    applied = Import.objects.filter(usage_figures__scope=scope, is_applied=True).exclude(pk=scope.last_applied_id or 0)
    kept = list(applied.distinct().order_by("-pk").values_list("pk", flat=True)[:KEPT_BEFORE])
    old = UsageFigure.objects.filter(scope=scope, day__isnull=True, import_row__is_applied=True)
    old.exclude(import_row_id__in=[*kept, scope.last_applied_id]).delete()


def is_last(import_id: int) -> bool:
    """Whether it is the last applied one of its scope, so that it can be undone."""
    return UsageScope.objects.filter(last_applied_id=import_id).exists()


def undo_usage(import_id: int) -> None:
    """In the caller's transaction. Raises Conflict when another was applied after it."""
    scope = UsageScope.objects.select_for_update().filter(last_applied_id=import_id).first()
    if scope is None:
        raise Conflict("Only the last applied import of its scope can be undone.", allowed=[])
    before = Import.objects.get(pk=import_id).previous
    scope.last_applied = before
    scope.last_complete_at = before.observed_at if before else None
    scope.last_seen_at = before.finished_at if before else None
    scope.save()
