"""The loader of bills: read and reduced outside the transaction, then every scope of it put in place in one.

Scope is export × billing account × billing period. A complete import replaces exactly its scopes' state; a piece
(`complete=no`) is added to it; one that was observed before the last complete one adds nothing. Nothing is applied
unless what was loaded equals what the file says, to the last digit.
"""

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from costs import ownership, reading, rollups
from costs.bills import azure
from costs.bills.charges import UNNAMED
from costs.bills.cube import MOST_REJECTS, Cube, Scoped, Total
from costs.bills.opening import Bill
from costs.bills.records import BillError
from costs.models import BillScope, BillVersion
from costs.money import added, plain
from platform_risk.core import copy
from platform_risk.core.errors import Conflict
from platform_risk.core.imports import faults
from platform_risk.core.imports.loaders import ImportFailedError
from platform_risk.core.imports.runner import Job
from platform_risk.core.models import Import, ImportKind, ImportReject
from platform_risk.core.redaction import Redactor

# Versions of a scope whose days are kept, beside those in force: so many imports can be undone one after another.
KEPT_BEFORE = 2
# The share of the work that it is to make a table of JSON lines, where a bill is of those.
_CONVERTING = 0.75
_DAYS = (
    "version_id", "is_current", "day", "key_id", "charge_category", "currency", "billed", "effective", "list",
    "quantity", "lines",
)  # fmt: skip
_RESOURCES = ("version_id", "is_current", "month", "resource", "key_id", "currency", "billed", "effective", "quantity")


@dataclass
class _Tally:
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    closed: int = 0
    loaded: dict[tuple[str, str], tuple[Decimal, Decimal]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    applied: int = 0
    late: int = 0


def load_bill(job: Job) -> None:
    """Applies a bill. Raises ImportFailedError with place and remedy when it cannot be read, or must not be added."""
    with transaction.atomic():
        if _same_again(job):
            return
    keys = reading.tag_keys()
    converted = 0.0

    def converting(share: float) -> None:
        nonlocal converted
        converted = _CONVERTING
        job.bytes_done = int(converted * share * job.bytes_total)
        job.check()

    def tick(share: float) -> None:
        job.bytes_done = int((converted + (1 - converted) * share) * job.bytes_total)
        job.check()

    try:
        with reading.opened(job.row, keys, converting) as (bill, folder):
            job.bytes_done, job.bytes_total = int(converted * bill.bytes_total), bill.bytes_total
            faults.at("mid_parse")
            cube = Cube(
                bill, folder=folder, tag_keys=keys, billing_account=job.row.billing_account, tick=tick,
                today=_observed_at(job.row)[0].date(), redactor=_redactor(),
            )  # fmt: skip
            with cube:
                job.records_done = cube.lines
                job.check()
                _apply(job, bill, cube)
    except BillError as error:
        redact = _redactor().text
        location = {name: redact(value) if isinstance(value, str) else value for name, value in error.location.items()}
        raise ImportFailedError(error.code, redact(error.message), remedy=error.remedy, location=location) from error
    faults.at("after_commit")


def _redactor() -> Redactor:
    salt = settings.REDACTION_SALT
    assert salt is not None
    return Redactor(salt.encode())


def _apply(job: Job, bill: Bill, cube: Cube) -> None:
    rejects = _rejects(job, cube)
    scopes = cube.scopes()
    if not scopes:
        if not cube.lines:
            raise ImportFailedError(
                "no_lines", "It has no charge: a header, or an answer without entries, is all there is.",
                remedy="Export it again, for a period in which something was billed.",
            )  # fmt: skip
        first = rejects[0] if rejects else None
        raise ImportFailedError(
            "nothing_usable",
            ("Its only line cannot be used" if cube.lines == 1 else f"None of its {cube.lines:,} lines can be used")
            + (f": {first.reason[:1].lower()}{first.reason[1:]}" if first else "."),
            remedy="Export it again; if its columns mean something else, say so when you hand it in.",
            location={"line": first.line, "pointer": first.pointer, "entry": first.entry} if first else {},
        )
    with transaction.atomic():
        rollups.lock()
        if _same_again(job):
            return
        ImportReject.objects.bulk_create(rejects, batch_size=1000)
        _replace(job, bill, cube, scopes)
        faults.at("before_commit")


def _rejects(job: Job, cube: Cube) -> list[ImportReject]:
    redact = _redactor().text
    found: list[ImportReject] = []
    for reject in cube.rejects():
        if len(found) == MOST_REJECTS:
            break
        found.append(
            ImportReject(
                import_row_id=job.row.pk,
                pointer=redact(reject.pointer)[:500],
                line=reject.line,
                entry=redact(reject.entry)[:500],
                reason=redact(reject.reason)[:1000],
                excerpt=redact(reject.excerpt).replace("\x00", "")[:1000],
            )
        )
    return found


def _same_again(job: Job) -> bool:
    """A file equal to the last applied one of all its scopes changes nothing but when they were last seen."""
    row = job.row
    if row.replay:
        return False
    last = (
        Import.objects.filter(
            kind=ImportKind.BILL, sha256=row.sha256, is_applied=True, undone_at=None, is_late=False,
            requested_format=row.requested_format, complete=row.complete,
        )
        .exclude(pk=row.pk)
        .order_by("-id")
        .first()
    )  # fmt: skip
    if last is None or not _goes_to(row, last):
        return False
    versions = list(BillVersion.objects.filter(import_row=last).select_related("scope"))
    if not versions or not all(version.is_current for version in versions) or _added_to(versions):
        return False
    BillScope.objects.filter(versions__in=versions).update(last_seen_at=timezone.now())
    job.records_done = last.read
    observed_at, observed_from = _observed_at(row)
    job.finish(
        format=last.format,
        format_reason=last.format_reason,
        export=last.export,
        billing_account=last.billing_account,
        observed_at=observed_at,
        observed_at_from=observed_from,
        is_complete=last.is_complete,
        totals=last.totals,
        duplicate_of=last,
        read=last.read,
        collapsed=last.collapsed,
        rejected=last.rejected,
        unchanged=last.read - last.collapsed - last.rejected,
    )
    return True


def _added_to(versions: list[BillVersion]) -> bool:
    """Whether pieces have come since on top of a whole month: handed in again, the month takes their place."""
    whole = {version.scope_id: version.pk for version in versions if version.is_complete}
    current = BillVersion.objects.filter(scope_id__in=whole, is_current=True).values_list("scope_id", "pk")
    return any(pk > whole[scope] for scope, pk in current)


def _goes_to(row: Import, last: Import) -> bool:
    """Whether the names that came with it lead to where the last one went."""
    account = row.billing_account == last.billing_account or not row.billing_account
    return account and (row.export == last.export or not row.export)


def _observed_at(row: Import) -> tuple[datetime, str]:
    """The time given, else the time received: bills do not say when they were written."""
    if row.stated_observed_at is not None:
        return row.stated_observed_at, "given"
    return row.created_at, "received"


def _replace(job: Job, bill: Bill, cube: Cube, scopes: list[Scoped]) -> None:
    row = job.row
    export = (row.export or bill.export)[:100]
    observed_at, observed_from = _observed_at(row)
    is_complete = row.complete != "no"
    cube.number(ownership.key_ids(cube.charge_keys(), _redactor().text))
    tally, touched = _Tally(), []
    for scoped in scopes:
        job.check()
        touched.append(_put(job, bill, cube, scoped, tally, export=export, observed_at=observed_at))
    faults.at("after_copy")
    rollups.recount(touched)
    accounts = {scoped.billing_account for scoped in scopes}
    distinct = tally.new + tally.changed + tally.unchanged
    job.finish(
        format=bill.format,
        format_reason="; ".join((bill.reason, *bill.notes, *cube.remarks(), *tally.remarks, *_twin(row, touched)))[
            :1000
        ],
        export=export,
        billing_account=next(iter(accounts))[:200] if len(accounts) == 1 else row.billing_account,
        observed_at=observed_at,
        observed_at_from=observed_from,
        is_complete=is_complete,
        incomplete_because="" if is_complete else "handed in as a piece: it is added to what is there",
        is_late=tally.late > 0 and not tally.applied,
        is_applied=tally.applied > 0,
        totals=_checked(cube, tally),
        read=cube.lines,
        rejected=cube.rejected,
        collapsed=cube.lines - cube.rejected - distinct,
        new=tally.new,
        changed=tally.changed,
        unchanged=tally.unchanged,
        closed=tally.closed,
    )


def _put(
    job: Job, bill: Bill, cube: Cube, scoped: Scoped, tally: _Tally, *, export: str, observed_at: datetime
) -> int:  # fmt: skip
    """One scope's new version in place of the old; returns the scope's id."""
    scope, _ = BillScope.objects.get_or_create(
        export=export, billing_account=scoped.billing_account[:200], period=scoped.period
    )
    _refuse_overlap(scope)
    _refuse_other_kind(scope, azure.kind_of("; ".join(bill.notes)))
    is_complete = job.row.complete != "no"
    late = scope.last_complete_at is not None and observed_at < scope.last_complete_at
    provisional = observed_at < _ends(scoped.period) or f"{scoped.period:%Y-%m}" in bill.estimated
    # The same import again: an earlier attempt's work was rolled back, so there can be none of its own.
    version = BillVersion.objects.create(
        scope=scope, import_row=job.row, observed_at=observed_at, is_complete=is_complete, is_current=not late,
        is_provisional=provisional, lines=scoped.lines, first_day=scoped.first_day, last_day=scoped.last_day,
    )  # fmt: skip
    if late:
        tally.late += 1
        version.totals = _totals(scoped.totals, {})
        version.save(update_fields=["totals"])
        return scope.pk
    tally.applied += 1
    copy.copy_blocks("costs_chargeday", _DAYS, cube.cell_lines(scoped, version.pk))
    copy.copy_blocks("costs_resourcemonth", _RESOURCES, cube.resource_lines(scoped, version.pk))
    cells = 0
    loaded: dict[tuple[str, str], tuple[Decimal, Decimal]] = {}
    for currency, category, billed, effective, count in rollups.ask("loaded", version=version.pk):
        loaded[currency, category] = (billed, effective)
        cells += count
    for key, (billed, effective) in loaded.items():
        before = tally.loaded.get(key, (Decimal(0), Decimal(0)))
        tally.loaded[key] = (added((before[0], billed)), added((before[1], effective)))
    version.totals = _totals(scoped.totals, loaded)
    replaced = [] if not is_complete else list(
        BillVersion.objects.filter(scope=scope, is_current=True).exclude(pk=version.pk).values_list("pk", flat=True)
    )  # fmt: skip
    new, changed, unchanged, gone = (
        rollups.ask("compare", version=version.pk, replaced=replaced)[0] if replaced else (cells, 0, 0, 0)
    )
    tally.new, tally.changed = tally.new + new, tally.changed + changed
    tally.unchanged, tally.closed = tally.unchanged + unchanged, tally.closed + gone
    if replaced:
        if scope.billing_account == UNNAMED and not tally.remarks:
            tally.remarks += _replaced_unnamed(job.row, scoped.period, replaced)
        version.difference = _difference(version.pk, replaced)
        _take_out_of_force(scope, version, replaced)
    version.save(update_fields=["totals", "difference"])
    scope.last_seen_at = timezone.now()
    scope.is_provisional = provisional
    if is_complete:
        scope.last_complete_at = observed_at
    scope.save()
    return scope.pk


def _replaced_unnamed(row: Import, period: date, replaced: list[int]) -> list[str]:
    """Lists of two vendors that name no account have one scope: that may be meant, and has to be said."""
    others = Import.objects.filter(bill_versions__in=replaced).exclude(file_name=row.file_name).order_by("-pk")
    return [
        f"No line names a billing account, so it takes the place of import {other.pk} in {period:%B %Y}: where that is"
        " another's bill, undo this and state billing_account"
        for other in others[:1]
    ]


def _twin(row: Import, touched: list[int]) -> list[str]:
    """The same bytes for another account or export: nobody has the same bill twice."""
    versions = BillVersion.objects.filter(is_current=True, import_row__sha256=row.sha256).exclude(scope__in=touched)
    other = versions.exclude(import_row=row).select_related("scope").order_by("-pk").first()
    if other is None:
        return []
    of = f"{other.scope.billing_account} in export {other.scope.export}"
    return [f"The same file is import {other.import_row_id}, of {of}: its money counts twice until one is undone"]


def _ends(period: date) -> datetime:
    last = period.replace(day=monthrange(period.year, period.month)[1])
    return datetime.combine(last + timedelta(days=1), datetime.min.time(), UTC)


def _refuse_overlap(scope: BillScope) -> None:
    """Two exports of one account and month would count its money twice."""
    other = (
        BillVersion.objects.filter(
            scope__billing_account=scope.billing_account, scope__period=scope.period, is_current=True
        )
        .exclude(scope=scope)
        .select_related("scope")
        .first()
    )
    if other is None:
        return
    kinds = {azure.ACTUAL: "actual", azure.AMORTIZED: "amortized"}
    both = {scope.export, other.scope.export} == set(kinds)
    unnamed = scope.billing_account == UNNAMED
    as_what = f", as {kinds[other.scope.export]} cost, and this is {kinds[scope.export]} cost" if both else ""
    raise ImportFailedError(
        "overlapping_export",
        f"{scope.billing_account} has {scope.period:%B %Y} already, from export {other.scope.export}"
        f" (import {other.import_row_id}){as_what}: added to it, its money would count twice. Nothing was applied.",
        remedy=f"Send it as export {other.scope.export} to replace that month, or undo import {other.import_row_id}"
        " first." + (" If it is another account's, state billing_account: no line names it." if unnamed else ""),
        location={"pointer": f"{scope.billing_account} {scope.period:%Y-%m}"},
    )


def _refuse_other_kind(scope: BillScope, kind: str) -> None:
    """Under one name, too: one view of the money is no restatement of the other."""
    current = BillVersion.objects.filter(scope=scope, is_current=True).select_related("import_row")
    for version in current if kind else ():
        known = azure.kind_of(version.import_row.format_reason)
        if known and known != kind:
            raise ImportFailedError(
                "overlapping_export",
                f"{scope.period:%B %Y} of export {scope.export} is {known} cost (import {version.import_row_id}), and"
                f" this is {kind} cost: the same money in another way. Nothing was applied.",
                remedy=f"Go on with {known} cost, or undo import {version.import_row_id} first.",
                location={"pointer": f"{scope.billing_account} {scope.period:%Y-%m}"},
            )


def _totals(file: Iterable[Total], loaded: dict[tuple[str, str], tuple[Decimal, Decimal]]) -> list[dict[str, str]]:
    nothing = (Decimal(0), Decimal(0))
    return [
        {
            "currency": total.currency,
            "charge_category": total.charge_category,
            "file_billed": plain(total.billed),
            "loaded_billed": plain(loaded.get((total.currency, total.charge_category), nothing)[0]),
            "file_effective": plain(total.effective),
            "loaded_effective": plain(loaded.get((total.currency, total.charge_category), nothing)[1]),
        }
        for total in file
    ]


def _checked(cube: Cube, tally: _Tally) -> list[dict[str, str]]:
    """The import's totals. Where nothing was left out, file and table must say the same."""
    totals = _totals(cube.totals(), tally.loaded)
    unequal = [
        each
        for each in totals
        if each["file_billed"] != each["loaded_billed"] or each["file_effective"] != each["loaded_effective"]
    ]
    if unequal and not cube.rejected and not tally.late:
        raise ImportFailedError(
            "does_not_reconcile",
            f"The file says {unequal[0]['file_billed']}, {unequal[0]['loaded_billed']} was loaded."
            " Nothing was applied.",
            remedy="This is a defect of Platform Risk: please report it with the file's format and size.",
        )
    return totals


def _difference(version: int, replaced: list[int]) -> list[dict[str, str]]:
    names = ("before_billed", "after_billed", "before_effective", "after_effective")
    return [
        {"currency": currency, **dict(zip(names, map(plain, amounts), strict=True))}
        for currency, *amounts in rollups.ask("difference", version=version, replaced=replaced)
    ]


def _take_out_of_force(scope: BillScope, version: BillVersion, replaced: list[int]) -> None:
    BillVersion.objects.filter(pk__in=replaced).update(is_current=False, replaced_by=version)
    for name in ("days_in_force", "resources_in_force"):
        rollups.run(name, versions=replaced, current=False)
    # The days of the last few states are kept, so that imports can be undone; those before go.
    states = (
        BillVersion.objects.filter(scope=scope, replaced_by__isnull=False, is_pruned=False)
        .values_list("replaced_by", flat=True).distinct().order_by("-replaced_by")
    )  # fmt: skip
    old = list(states[KEPT_BEFORE:])
    if old:
        gone = list(BillVersion.objects.filter(replaced_by__in=old).values_list("pk", flat=True))
        _drop(gone)
        BillVersion.objects.filter(pk__in=gone).update(is_pruned=True)


def _drop(versions: list[int]) -> None:
    for name in ("drop_days", "drop_resources"):
        rollups.run(name, versions=versions)


# --- undoing


def is_last(import_id: int) -> bool:
    """Whether nothing was put into any of its scopes after it."""
    mine = list(BillVersion.objects.filter(import_row=import_id, is_current=True).values_list("scope_id", "pk"))
    latest = dict(
        BillVersion.objects.filter(scope_id__in=[scope for scope, _ in mine], is_current=True)
        .values_list("scope_id")
        .annotate(last=Max("pk"))
    )
    applied = BillVersion.objects.filter(import_row=import_id, replaced_by__isnull=False).exists()
    return bool(mine) and not applied and all(latest[scope] == pk for scope, pk in mine)


def undo_bill(import_id: int) -> None:
    """Puts every scope of the import back to before it. In the caller's transaction; raises Conflict."""
    rollups.lock()
    if not is_last(import_id):
        raise Conflict("Only the last applied import of its scopes can be undone.", allowed=[])
    versions = list(BillVersion.objects.filter(import_row=import_id, is_current=True).select_related("scope"))
    before = BillVersion.objects.filter(replaced_by__in=versions)
    pruned = before.filter(is_pruned=True).first()
    if pruned is not None:
        raise Conflict(
            f"The days before it are no longer kept: read import {pruned.import_row_id} again instead.", allowed=[]
        )
    back = list(before.values_list("pk", flat=True))
    _drop([version.pk for version in versions])
    BillVersion.objects.filter(pk__in=[version.pk for version in versions]).update(is_current=False, is_pruned=True)
    BillVersion.objects.filter(pk__in=back).update(is_current=True, replaced_by=None)
    for name in ("days_in_force", "resources_in_force"):
        rollups.run(name, versions=back, current=True)
    scopes = [version.scope for version in versions]
    rollups.recount([scope.pk for scope in scopes])
    for scope in scopes:
        current = list(BillVersion.objects.filter(scope=scope, is_current=True).order_by("pk"))
        complete = [version.observed_at for version in current if version.is_complete]
        scope.last_complete_at = max(complete, default=None)
        scope.is_provisional = current[-1].is_provisional if current else False
        scope.last_seen_at = current[-1].observed_at if current else None
        scope.save()


@transaction.atomic
def forget_imports(import_ids: Iterable[int]) -> None:
    """Takes the bills of these imports out, whatever came after: before the imports themselves are deleted."""
    rollups.lock()
    versions = list(BillVersion.objects.filter(import_row__in=import_ids).values_list("pk", "scope_id"))
    _drop([pk for pk, _ in versions])
    scopes = {scope for _, scope in versions}
    BillVersion.objects.filter(pk__in=[pk for pk, _ in versions]).delete()
    rollups.recount(list(scopes))
    BillScope.objects.filter(pk__in=scopes, versions__isnull=True).delete()
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM costs_chargekey k WHERE NOT EXISTS (SELECT FROM costs_chargeday d WHERE d.key_id = k.id)"
            " AND NOT EXISTS (SELECT FROM costs_resourcemonth r WHERE r.key_id = k.id)"
        )
