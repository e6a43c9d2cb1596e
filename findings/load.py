"""The loader: a report becomes findings in one transaction. The only bulk writer of findings.

COPY into a temporary table, then the set-based statements of sql/load.sql; history and rollups follow by trigger in
the same transaction; the fence (Job.finish) ends it. Nothing is applied twice and nothing half.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from findings import estimating
from findings.configuration import open_configuration
from findings.models import Finding
from findings.reading import OpenedReport, open_report
from findings.risk import lanes
from findings.scans.records import Absent, FindingRecord, Reject, ScanError
from findings.staging import COLUMNS, Stager, redacted
from findings.vocabulary import RiskClass, Severity
from platform_risk.core.acting import acting_as
from platform_risk.core.catalog.owners import team_finder
from platform_risk.core.copy import copy_lines
from platform_risk.core.facts.services import Statement, keep
from platform_risk.core.imports import faults, runner
from platform_risk.core.imports.loaders import ImportFailedError
from platform_risk.core.imports.rejects import as_before, unless_rejected
from platform_risk.core.imports.runner import Job
from platform_risk.core.models import Environment, Import, ImportReject, Scope, Service, Target
from platform_risk.core.redaction import Redactor
from platform_risk.core.sqlfile import statements

_SQL = Path(__file__).resolve().parent / "sql"
# Kept of one report; the count goes on.
MOST_REJECTS_KEPT = 10_000
# Looked up in memory, 20 MB for a hundred thousand; beyond that they are compared by the database alone.
MOST_KNOWN = 300_000
_CHECK_EVERY = 500
# Characters of lines that the database works on at once: few at first, so that it begins soon, then half as many again,
# which takes as long to read as the last took to store.
_FIRST_PART, _PART = 2_000_000, 32_000_000
# So many records change what the planner should do, and what it should know of the tables.
_MANY = 1_000


@dataclass
class Tally:
    """What was read, while it is being read."""

    read: int = 0
    absent: int = 0
    staged: int = 0
    rejected: int = 0


def redactor() -> Redactor:
    return Redactor(_salt())


def _salt() -> bytes:
    salt = settings.REDACTION_SALT
    assert salt is not None
    return salt.encode()


Opener = Callable[[Import, dict[str, int]], AbstractContextManager[OpenedReport]]


def load_scan(job: Job) -> None:
    """Applies a scan report to its scope. Raises ImportFailedError with place and remedy when it cannot be read."""
    _load(job, open_report)


def load_platform(job: Job) -> None:
    """The same for a platform's configuration: it is read, and what its checks find is applied."""
    _load(job, open_configuration)


def _load(job: Job, opener: Opener) -> None:
    try:
        with ExitStack() as stack:
            with job.interruptible(settings.IMPORT_THINKING_SECONDS):
                report = stack.enter_context(opener(job.row, settings.IMPORT_LIMITS[job.row.kind]))
            job.bytes_total = report.bytes_total
            new = _apply(job, report)
    except ScanError as error:
        location = redact_values(error.location)
        message = redactor().text(error.message)
        raise ImportFailedError(error.code, message, remedy=error.remedy, location=location) from error
    faults.at("after_commit")
    if new >= _MANY:
        # Not left to autovacuum, which comes a minute later: until then the planner takes the new rows for a few, and
        # what is read of them is read row by row. After the commit, until which it would keep others from doing it.
        with connection.cursor() as cursor:
            cursor.execute(statements(_SQL / "load.sql")["analyze"])


def redact_values(location: dict[str, Any]) -> dict[str, object]:
    return {key: _redacted(value, redactor().text) for key, value in location.items()}


def _redacted(value: object, redact: Callable[[str], str]) -> object:
    """A place may hold lists and mappings of texts: the headers of a table are what its first line holds."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [redact(str(one)) for one in value]
    if isinstance(value, dict):
        return {key: redact(str(one)) for key, one in value.items()}
    return value


def _scope_of(job: Job, report: OpenedReport) -> Scope:
    """The scope this report replaces: what was stated, else what the report says, else the default."""
    row = job.row
    service = row.service
    if service is None:
        raise ImportFailedError(
            "no_service", "The import names no service.", remedy="Upload it again and say which service it is about."
        )
    source = row.source or report.source
    branch = row.branch or report.info.branch or service.default_branch
    target = target_for(service, row.environment_id, branch)
    return Scope.objects.select_related("target__service").get_or_create(target=target, source=source)[0]


def target_for(service: Service, environment_id: int | None, branch: str) -> Target:
    # Environment by object or None: a null id is looked up as IS NULL.
    environment = Environment.objects.get(pk=environment_id) if environment_id is not None else None
    return Target.objects.get_or_create(
        service=service,
        environment=environment,
        branch=branch,
        defaults={"is_default_branch": branch == service.default_branch},
    )[0]


def _observed_at(job: Job, report: OpenedReport) -> tuple[datetime, str]:
    """The report's own time, else the time given, else the time received. A time in the future is not believed."""
    stated = parse_datetime(report.info.observed_at) if report.info.observed_at else None
    if stated is not None and timezone.is_aware(stated) and stated <= timezone.now():
        return stated, "report"
    if job.row.stated_observed_at is not None:
        return job.row.stated_observed_at, "given"
    return job.row.created_at, "received"


def _why(report: OpenedReport) -> str:
    return redactor().text(report.info.incomplete_because)[:500]


def _apply(job: Job, report: OpenedReport) -> int:
    """Returns how many findings are new."""
    scope = _scope_of(job, report)
    observed_at, observed_from = _observed_at(job, report)
    about: dict[str, Any] = {
        "format": report.format,
        "format_reason": report.reason,
        "scope": scope,
        "source": scope.source,
        "branch": scope.target.branch,
        "observed_at": observed_at,
        "observed_at_from": observed_from,
        "is_complete": job.row.complete == "yes" or (job.row.complete == "auto" and report.info.complete),
        "incomplete_because": "" if job.row.complete == "yes" else _why(report),
        "coverage": redacted(report.coverage, redactor().text),
    }
    with transaction.atomic(), runner.locked(scope.target_id):
        scope.refresh_from_db()
        new = 0 if _same_again(job, scope, about) else _replace(job, report, scope, about)
        faults.at("before_commit")
    return new


def _same_again(job: Job, scope: Scope, about: dict[str, Any]) -> bool:
    """A file equal to the last applied one of its scope changes nothing but when the scope was last seen.

    Unless more was made of it: the same configuration says something else to newer checks, or on a later day.
    """
    last = scope.last_applied
    if job.row.replay or last is None or last.sha256 != job.row.sha256:
        return False
    about = about | as_before(job.row, last)
    if (last.is_complete, last.coverage) != (about["is_complete"], about["coverage"]):
        return False
    kept = last.read - last.collapsed - last.rejected
    Scope.objects.filter(pk=scope.pk).update(last_seen_at=_seen_at(scope, about))
    job.records_done = last.read
    job.finish(
        **about,
        duplicate_of=last,
        read=last.read,
        collapsed=last.collapsed,
        rejected=last.rejected,
        unchanged=kept,
    )
    return True


def _seen_at(scope: Scope, about: dict[str, Any]) -> datetime:
    """When the source was last heard of: now, unless the sender says that the report is of another time."""
    seen: datetime = about["observed_at"] if about["observed_at_from"] == "given" else timezone.now()
    return max(scope.last_seen_at or seen, seen)


def _replace(job: Job, report: OpenedReport, scope: Scope, about: dict[str, Any]) -> int:
    late = scope.last_complete_at is not None and about["observed_at"] < scope.last_complete_at
    parameters = {
        "import": job.row.pk,
        "scope": scope.pk,
        "target": scope.target_id,
        "previous": scope.last_applied_id,
        # The first import of a target need not be compared with itself, part by part.
        "first": not Finding.objects.filter(target=scope.target_id).exists(),
        "observed_at": about["observed_at"],
        "late": late,
        "lane_version": lanes.RULES_VERSION,
        **settings.DUE_DAYS,
    }
    reason = f"Import of {job.row.file_name}"
    acting_as(job.row.created_by, source="import", reason=reason, import_id=job.row.pk, at=about["observed_at"])
    if report.renamed is not None and not (late or parameters["first"]):
        _rename(report.renamed, scope.target_id)
    tally = _stage(job, report, scope, parameters)
    if report.statements:
        keep(job.row, _redacted_statements(report.statements), stated_at=about["observed_at"])
    faults.at("after_copy")
    job.check()
    if about["is_complete"] and job.row.complete == "auto" and scope.last_applied_id is not None:
        about |= unless_rejected(job.row, tally.rejected, Import.objects.filter(scope=scope))
    new, changed, unchanged, reopened, closed = _statements(parameters, closing=about["is_complete"] and not late)
    estimating.follow_target(scope.target_id, scope.target.service_id)
    about |= {"is_late": late, "is_applied": True, "previous_id": scope.last_applied_id}
    if not late:
        scope.last_applied_id = job.row.pk
        if about["is_complete"]:
            scope.last_complete_at = about["observed_at"]
    scope.last_seen_at = _seen_at(scope, about)
    scope.save(update_fields=["last_applied", "last_complete_at", "last_seen_at"])
    distinct = new + changed + unchanged + reopened
    job.finish(
        **about,
        read=tally.read,
        collapsed=tally.staged - distinct,
        new=new,
        changed=changed,
        unchanged=unchanged,
        reopened=reopened,
        closed=closed,
        rejected=tally.rejected,
    )
    return new


def _redacted_statements(statements: Iterable[Statement]) -> Iterator[Statement]:
    redact = redactor().text
    for each in statements:
        yield replace(each, value=redacted(each.value, redact), note=redact(each.note))


def _stage(job: Job, report: OpenedReport, scope: Scope, parameters: dict[str, Any]) -> Tally:
    """Every record into the staging table, and what is new into findings. In parts: the database works on one while
    the next is read."""
    tally = Tally()
    rejects: list[ImportReject] = []
    redactor_ = redactor()
    stager = Stager(redactor=redactor_, team_of=team_finder(scope.target.service), key=_salt(), known=_known(scope))
    lines = _lines(job, report, stager, tally, rejects, redactor_)
    sql = statements(_SQL / "load.sql")
    begins_at, working = 0, None
    # One thread: what it is given runs on this connection, and nothing else does until its result is there.
    with connection.cursor() as cursor, ThreadPoolExecutor(max_workers=1) as background:
        cursor.execute(sql["stage"])
        cursor.execute(sql["seen"])
        for part in _parts(lines):
            if working is not None:
                working.result()
            copy_lines("findings_staging", COLUMNS, part)
            if begins_at + len(part) >= _MANY:
                cursor.execute(sql["many"])
            working = background.submit(_add, cursor, parameters | {"begins_at": begins_at})
            begins_at += len(part)
        if working is not None:
            working.result()
    # The attempt may be a second one: what an earlier one kept was rolled back with it.
    ImportReject.objects.bulk_create(rejects, batch_size=1000)
    return tally


def _parts(lines: Iterator[str]) -> Iterator[list[str]]:
    part: list[str] = []
    characters, most = 0, _FIRST_PART
    for line in lines:
        part.append(line)
        characters += len(line)
        if characters >= most:
            yield part
            part, characters, most = [], 0, min(most * 3 // 2, _PART)
    if part:
        yield part


def _add(cursor: CursorWrapper, parameters: dict[str, Any]) -> None:
    sql = statements(_SQL / "load.sql")
    cursor.execute(sql["compare"], parameters)
    cursor.execute(sql["insert_new"], parameters)


def _rename(renamed: Callable[[Mapping[str, str]], Mapping[str, str]], target_id: int) -> None:
    """What is now called otherwise goes on under its new name, whatever state it is in (docs/decisions/0016)."""
    sql = statements(_SQL / "load.sql")
    with connection.cursor() as cursor:
        cursor.execute(sql["called"], {"target": target_id, "most": MOST_KNOWN})
        names = renamed(dict(cursor.fetchall()))
        if names:
            cursor.execute(sql["rename"], {"target": target_id, "before": list(names), "now": list(names.values())})


def _known(scope: Scope) -> Set[str]:
    """Fingerprint and hash of what the scope sees now: equal records need not be stored again."""
    with connection.cursor() as cursor:
        cursor.execute(statements(_SQL / "load.sql")["known"], {"scope": scope.pk, "most": MOST_KNOWN})
        joined: str = cursor.fetchone()[0]
    return frozenset(joined.split())


def _lines(
    job: Job, report: OpenedReport, stager: Stager, tally: Tally, rejects: list[ImportReject], redactor_: Redactor
) -> Iterator[str]:
    for record in report.records():
        if isinstance(record, Absent):
            # The report's own "it is gone": not a record that could be stored, and not one that was rejected.
            tally.absent += 1
            continue
        tally.read += 1
        if isinstance(record, FindingRecord):
            yield stager.line(tally.staged, record)
            tally.staged += 1
        else:
            tally.rejected += 1
            if len(rejects) < MOST_REJECTS_KEPT:
                rejects.append(_reject(job, record, redactor_))
        if tally.read % _CHECK_EVERY == 0:
            job.bytes_done, job.records_done = report.position, tally.read
            job.check()
            faults.at("mid_parse")
    job.records_done = tally.read


def _reject(job: Job, record: Reject, redactor_: Redactor) -> ImportReject:
    return ImportReject(
        import_row_id=job.row.pk,
        pointer=record.pointer[:500],
        entry=redactor_.text(record.entry)[:500],
        reason=redactor_.text(record.reason)[:1000],
        excerpt=redactor_.text(record.excerpt)[:1000],
    )


_ALWAYS = ("keep_before", "update_known", "begin_sightings", "renew_sightings")
_CLOSING = ("end_sightings", "keep_closed", "close_gone", "keep_verified", "verify")


def _statements(parameters: dict[str, Any], *, closing: bool) -> tuple[int, int, int, int, int]:
    sql = statements(_SQL / "load.sql")
    with connection.cursor() as cursor:
        for name in _ALWAYS + (_CLOSING if closing else ()):
            cursor.execute(sql[name], parameters)
        cursor.execute(sql["count"], parameters)
        new, changed, unchanged, reopened, closed = cursor.fetchone()
    return new, changed, unchanged, reopened, closed


def undo_scan(import_id: int) -> None:
    """Puts the scope back to before its last applied import. In the caller's transaction, under the target's lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT scope_id FROM core_import WHERE id = %s", [import_id])
        scope = Scope.objects.select_related("target").get(pk=cursor.fetchone()[0])
        parameters: dict[str, Any] = {
            "import": import_id,
            "scope": scope.pk,
            "lanes": json.dumps(_lanes()),
            "days": json.dumps(settings.DUE_DAYS),
        }
        for statement in statements(_SQL / "undo.sql").values():
            cursor.execute(statement, parameters)
    estimating.follow_target(scope.target_id, scope.target.service_id)


def _lanes() -> list[dict[str, object]]:
    """The table of lanes, for statements that set a severity back."""
    found: list[dict[str, object]] = []
    for severity in Severity:
        for risk_class in RiskClass:
            decided = lanes.decide(severity, risk_class)
            row = {"lane": decided.lane, "reason": decided.reason, "days": settings.DUE_DAYS[decided.lane]}
            found.append({"severity": severity, "risk_class": risk_class, **row})
    return found
