"""Receiving, cancelling and undoing imports. The edge enqueues after commit; services never do."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from platform_risk.core.access.audit import record
from platform_risk.core.acting import acting_as
from platform_risk.core.errors import Conflict, Refused
from platform_risk.core.imports import runner
from platform_risk.core.imports.loaders import is_last_of, undoer_of
from platform_risk.core.models import ColumnMapping, Environment, Import, ImportKind, ImportState, Scope, Service, User

# Changes that are taken back while the caller waits: about two seconds of work.
UNDONE_AT_ONCE = 20_000


class TooLarge(Exception):
    """Over the limit for stored bytes; said before the file is read."""


@dataclass(frozen=True, kw_only=True)
class Destination:
    """Where an upload is meant to go; "" leaves it to the report."""

    service: Service | None
    environment: Environment | None = None
    source: str = ""
    branch: str = ""
    kind: str = ImportKind.SCAN
    format: str = ""
    complete: str = "auto"
    observed_at: datetime | None = None
    replay: bool = False
    export: str = ""
    billing_account: str = ""


def check_size(size: int | None, kind: str = ImportKind.SCAN) -> None:
    limit = settings.IMPORT_LIMITS[kind]["stored_bytes"]
    if size is not None and size > limit:
        raise TooLarge(f"The file has {size} bytes; at most {limit} are accepted for kind {kind}.")


def receive(upload: "UploadedFile[Any]", destination: Destination, *, user: User | None) -> Import:
    """Stores the file and its row, in this order: a row always has its file. Enqueue with the id after commit."""
    if not upload.size:
        raise Refused("The file is empty.", field="file")
    check_size(upload.size, destination.kind)
    digest = hashlib.sha256()
    for chunk in upload.chunks():
        digest.update(chunk)
    upload.seek(0)
    name = (upload.name or "upload").replace("\x00", "").encode("utf-8", "replace").decode()[-200:]
    row = Import(
        kind=destination.kind,
        file_name=name,
        size_bytes=upload.size,
        bytes_total=upload.size,
        sha256=digest.hexdigest(),
        service=destination.service,
        environment=destination.environment,
        source=destination.source,
        branch=destination.branch,
        requested_format=destination.format,
        complete=destination.complete,
        stated_observed_at=destination.observed_at,
        replay=destination.replay,
        export=destination.export,
        billing_account=destination.billing_account,
        created_by=user,
    )
    # Stored under its digest: what a user calls a file never becomes a path.
    row.file.save(digest.hexdigest()[:32], upload, save=False)
    row.save()
    return row


@transaction.atomic
def cancel(row: Import, *, user: User) -> Import:
    """Stops an import that is not finished. A running one stops at the worker's next look, and applies nothing."""
    now = timezone.now()
    if Import.objects.filter(pk=row.pk, state=ImportState.QUEUED).update(
        state=ImportState.CANCELLED, finished_at=now, cancel_requested_at=now
    ) or Import.objects.filter(pk=row.pk, state=ImportState.RUNNING).update(cancel_requested_at=now):
        record(user, "cancelled", "import", row.pk, row.file_name)
    else:
        row.refresh_from_db()
        raise Conflict(f"The import is {row.state}: there is nothing to cancel.", allowed=[])
    row.refresh_from_db()
    return row


_ASKED = (
    "kind", "file", "file_name", "size_bytes", "bytes_total", "sha256", "service", "environment", "source", "branch",
    "export", "billing_account", "requested_format", "complete",
)  # fmt: skip


@transaction.atomic
def again(row: Import, *, user: User) -> Import:
    """The same file to the same destination, as an import of its own: what happened to the first stays told."""
    if row.state in (ImportState.QUEUED, ImportState.RUNNING):
        raise Conflict(f"The import is {row.state}: wait for its end, or cancel it first.", allowed=[])
    made = Import(**{name: getattr(row, name) for name in _ASKED}, created_by=user)
    # One that was applied is read again on purpose: with other columns, or by a newer version. It keeps its time.
    made.replay = row.replay or row.state == ImportState.DONE
    made.stated_observed_at = row.stated_observed_at or (row.observed_at if row.state == ImportState.DONE else None)
    made.save()
    record(user, "repeated", "import", row.pk, row.file_name, changes={"import": [row.pk, made.pk]})
    return made


def read_again(row: Import, *, because: str) -> Import | None:
    """By nobody: the file of a scope's last applied import, since what it is held against has changed; under the
    target's lock. `because`: what is to come of it; None when that was tried since, whatever became of it but that it
    was taken back. It belongs to the import: undoing that one undoes this one too."""
    original = row.again_of_id or row.pk
    tried = Import.objects.filter(again_of=original, again_because=because, pk__gt=row.pk, undone_at=None)
    if tried.exists():
        return None
    made = Import(**{name: getattr(row, name) for name in _ASKED}, again_of_id=original, again_because=because)
    made.stated_observed_at = row.observed_at
    made.save()
    record(None, "read again", "import", row.pk, row.file_name, changes={"import": [row.pk, made.pk]})
    return made


@transaction.atomic
def remember_columns(signature: str, columns: dict[str, str], *, user: User, needed: Mapping[str, str]) -> None:
    """Which column of a list means what: for every later file with the same columns, whoever sends it. `needed`: the
    fields without which there is no list, and how a person calls them."""
    for field, words in needed.items():
        if field not in columns:
            raise Refused(f"Say which column holds the {words}.", field=field)
    known = ColumnMapping.objects.select_for_update().filter(signature=signature).first()
    before = known.columns if known else {}
    if before == columns:
        return
    ColumnMapping.objects.update_or_create(signature=signature, defaults={"columns": columns, "created_by": user})
    record(user, "changed", "column_mapping", signature[:12], signature, changes={"columns": [before, columns]})


def remembered_columns(signature: str) -> ColumnMapping | None:
    """What was said of lists with these columns, by whom and when."""
    return ColumnMapping.objects.filter(signature=signature).select_related("created_by").first()


def request_undo(row: Import, *, user: User, reason: str = "") -> Import:
    """Takes a small import back at once; a large one is left to a worker (enqueue its undo after commit): its row says
    that it was requested."""
    if is_undoing(row):
        return row
    if row.new + row.changed + row.reopened + row.closed <= UNDONE_AT_ONCE:
        return undo(row, user=user, reason=reason)
    if not can_undo(row):
        raise Conflict("Only the last applied import of its scope can be undone.", allowed=[])
    waiting = Import.objects.filter(pk=row.pk, undone_at__isnull=True, undo_requested_at__isnull=True)
    waiting.update(undo_requested_at=timezone.now(), undone_by=user, undo_reason=reason[:2000])
    row.refresh_from_db()
    return row


def is_undoing(row: Import) -> bool:
    return row.undo_requested_at is not None and row.undone_at is None


def carry_out_undo(import_id: int) -> None:
    """What a worker does about a request. Whole or not at all, so it may be called again; what another one is at is
    left to it, and what has become impossible meanwhile is refused in the audit."""
    with transaction.atomic():
        rows = Import.objects.select_for_update(skip_locked=True, no_key=True)
        row = rows.filter(pk=import_id, undo_requested_at__isnull=False, undone_at__isnull=True).first()
        if row is None:
            return
        user, reason = row.undone_by, row.undo_reason
        try:
            if user is None:
                raise Conflict("Who asked for it is gone.")
            undo(row, user=user, reason=reason)
        except Conflict as error:
            row.undo_requested_at, row.undone_by = None, None
            row.save(update_fields=["undo_requested_at", "undone_by"])
            record(user, "undo refused", "import", row.pk, row.file_name, reason=str(error))


def undos_left(limit: int = 100) -> list[int]:
    """Requests that a lost message left behind; a new one gets a moment first."""
    before = timezone.now() - timedelta(seconds=10)
    rows = Import.objects.filter(undo_requested_at__lt=before, undone_at__isnull=True)
    return list(rows.order_by("id").values_list("id", flat=True)[:limit])


@transaction.atomic
def undo(row: Import, *, user: User, reason: str = "") -> Import:
    """Puts the scope back to before this import. Only the last applied one of its scope can be undone."""
    if not row.is_applied or row.undone_at is not None:
        raise Conflict("Only an import that was applied can be undone.", allowed=[])
    if row.again_of_id is not None:
        raise Conflict(f"It belongs to import {row.again_of_id}: undo that one.", allowed=[])
    if is_last_of(row.kind) is not None:
        undoer_of(row.kind)(row.pk)
        return _undone(row, user, reason)
    if row.scope_id is None:
        raise Conflict("Only an import that was applied can be undone.", allowed=[])
    scope = Scope.objects.select_related("target").get(pk=row.scope_id)
    with runner.locked(scope.target_id):
        scope.refresh_from_db()
        again = _read_again_since(scope, row)
        if again is None:
            raise Conflict("Only the last applied import of its scope can be undone.", allowed=[])
        for each in again:
            take_back(scope, each, user=user, reason=reason)
        take_back(scope, row, user=user, reason=reason)
    return row


def _read_again_since(scope: Scope, row: Import) -> list[Import] | None:
    """What was applied since and belongs to this import, the newest first; None when something else was."""
    found: list[Import] = []
    last = scope.last_applied
    while last is not None and last.pk != row.pk:
        if last.again_of_id != row.pk:
            return None
        found.append(last)
        last = last.previous
    return found if last is not None else None


def take_back(scope: Scope, row: Import, *, user: User | None = None, reason: str = "") -> None:
    """Puts the scope back to before its last applied import; under the target's lock."""
    acting_as(user, source="import", reason=f"Import {row.pk} was undone. {reason}".strip(), import_id=row.pk)
    undoer_of(row.kind)(row.pk)
    scope.last_applied = before = row.previous
    last = _last_complete(row)
    scope.last_complete_at = last.observed_at if last else None
    scope.last_seen_at = (
        None if before is None else before.observed_at if before.observed_at_from == "given" else before.finished_at
    )
    scope.save()
    _undone(row, user, reason)


def _undone(row: Import, user: User | None, reason: str) -> Import:
    row.undone_at, row.undone_by, row.is_applied = timezone.now(), user, False
    row.save(update_fields=["undone_at", "undone_by", "is_applied"])
    record(user, "undone", "import", row.pk, row.file_name, reason=reason)
    return row


def can_undo(row: Import) -> bool:
    """Whether undoing it would be accepted: the last applied one of its scope, or of all its scopes."""
    if not row.is_applied or row.undone_at is not None or is_undoing(row) or row.again_of_id is not None:
        return False
    is_last = is_last_of(row.kind)
    if is_last is not None:
        return is_last(row.pk)
    return row.scope is not None and _read_again_since(row.scope, row) is not None


def _last_complete(row: Import) -> Import | None:
    assert row.scope_id is not None
    return (
        Import.objects.filter(scope_id=row.scope_id, is_applied=True, is_complete=True, is_late=False)
        .exclude(pk=row.pk)
        .order_by("-observed_at")
        .first()
    )


def counts(row: Import) -> dict[str, Any]:
    names = ("read", "collapsed", "new", "changed", "unchanged", "closed", "reopened", "rejected")
    return {name: getattr(row, name) for name in names}
