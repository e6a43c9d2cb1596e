"""Incidents: what went wrong, whether it was foreseen and noticed; and what follows of that for the risks."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypedDict, Unpack

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Min, Q, QuerySet
from django.utils import timezone

from findings import estimating, stating
from findings.load import redactor
from findings.models import Finding, RiskInput
from findings.risk.stating import Kind
from platform_risk.core import changing
from platform_risk.core.access.audit import record
from platform_risk.core.errors import Refused
from platform_risk.core.facts.selectors import in_force
from platform_risk.core.models import Service, User
from platform_risk.planning import incidents_csv
from platform_risk.planning.evidence import Evidence, Seen, evidence
from platform_risk.planning.incidents_csv import BadFile, Line
from platform_risk.planning.models import Incident

# How a statement begins that incidents made: those of people are left alone.
BASIS = "Incidents: "
# The fact that says from when on there are any.
RECORDED_SINCE = "incidents.recorded_since"
_FED = ("frequency", "alert_probability", "detect_alerted", "detect_silent", "recover", "users_affected")
_SPREADS = {
    "detect_alerted": "minutes to detection of {count} that an alert told of",
    "detect_silent": "minutes to detection of {count} that no alert told of",
    "recover": "minutes from detection to recovery of {count}",
    "users_affected": "share of users in {count}",
}


class Fields(TypedDict, total=False):
    service: Service
    title: str
    started_at: datetime
    detected_at: datetime | None
    recovered_at: datetime | None
    users_affected: Decimal | None
    was_predicted: bool | None
    was_alerted: bool | None
    findings: Iterable[Finding]
    notes: str


# -- reading


def visible(user: User) -> QuerySet[Incident]:
    return Incident.objects.visible_to(user).select_related("service").prefetch_related("findings")


def findings_of(incident: Incident, user: User) -> list[Finding]:
    """A finding may be of another team than its service: only those that the user may see."""
    return list(Finding.objects.visible_to(user).filter(incidents=incident).order_by("id"))


def linkable(user: User, numbers: Iterable[int]) -> QuerySet[Finding]:
    return Finding.objects.visible_to(user).filter(pk__in=list(numbers))


@dataclass(frozen=True)
class Summary:
    """Of the incidents that the user may see."""

    count: int
    predicted: int
    predicted_told: int
    evidence: Evidence | None


def summary(rows: Sequence[Incident]) -> Summary:
    told = [each.was_predicted for each in rows if each.was_predicted is not None]
    made = None
    if rows:
        since = min(_recorded_since(each) for each in {each.service for each in rows})
        made = evidence([_seen(each) for each in rows], watched_since=since, today=timezone.now().date())
    return Summary(len(rows), sum(told), len(told), made)


def _seen(incident: Incident) -> Seen:
    users = incident.users_affected
    return Seen(
        incident.started_at, incident.detected_at, incident.recovered_at, incident.was_alerted,
        None if users is None else float(users),
    )  # fmt: skip


@dataclass(frozen=True)
class Cause:
    """What incidents tell of: a check in a service, or a finding of a scanner, which has no check of ours."""

    check: str = ""
    finding: Finding | None = None


def _causes(linked: Iterable[Finding]) -> set[Cause]:
    return {Cause(check=each.check_id) if each.check_id else Cause(finding=each) for each in linked}


def evidence_of(service: Service, cause: Cause) -> Evidence | None:
    """What the incidents linked to the cause's findings in a service tell; None without any."""
    rows = Finding.objects.filter(service=service)
    findings = rows.filter(check_id=cause.check) if cause.finding is None else rows.filter(pk=cause.finding.pk)
    linked = Incident.objects.filter(service=service, findings__in=findings).distinct()
    if not (seen := [_seen(each) for each in linked]):
        return None
    sharing = findings.open().on_default_branch().values("pk")
    count = findings.filter(Q(pk__in=sharing) | Q(incidents__service=service)).distinct().count()
    return evidence(seen, watched_since=_recorded_since(service), today=timezone.now().date(), findings=count)


def _recorded_since(service: Service) -> date:
    """From when on an incident of the service would be known here: the day that is stated, else that on which it was
    made here. One of whatever cause that is older shows that they were written down before. To begin with the first of
    one cause alone would count that one, and not the time in which it had not happened yet."""
    stated = in_force(service).get(RECORDED_SINCE)
    begin = _day(stated.value) if stated is not None else None
    first = Incident.objects.filter(service=service).aggregate(at=Min("started_at"))["at"]
    days: list[date] = [begin or service.created_at.date(), *([first.date()] if first is not None else [])]
    return min(days)


def _day(stated: object) -> date | None:
    """What a file states may be no day at all."""
    try:
        return date.fromisoformat(str(stated))
    except ValueError:
        return None


def told_by(incident: Incident, linked: Iterable[Finding]) -> QuerySet[RiskInput]:
    """The inputs that this incident and its like state, of the findings that the user may see."""
    causes = _causes(linked)
    of = Q(check_id__in={each.check for each in causes if each.check}, finding=None)
    of |= Q(finding__in=[each.finding for each in causes if each.finding is not None])
    rows = RiskInput.objects.filter(of, service=incident.service, source__startswith=BASIS)
    return rows.order_by("check_id", "finding_id", "id")


# -- writing


def may_write(user: User, service: Service) -> bool:
    return user.may_write(service.team_id)


def guard(user: User, service: Service) -> None:
    if not may_write(user, service):
        raise PermissionDenied("Writing of an incident takes the role member in its service's team.")


def _clean(fields: Fields) -> tuple[dict[str, Any], list[Finding] | None]:
    values: dict[str, Any] = {name: value for name, value in fields.items() if name != "findings"}
    redact = redactor().text
    for name in ("title", "notes"):
        if name in values:
            values[name] = redact(values[name])
    linked = list(fields["findings"]) if "findings" in fields else None
    return values, linked


def _check_links(service_id: int, linked: Iterable[Finding]) -> None:
    foreign = next((each for each in linked if each.service_id != service_id), None)
    if foreign is not None:
        raise Refused(f"Finding #{foreign.pk} is of another service.", field="findings")


def _check_times(incident: Incident) -> None:
    """The table holds their order; here the field that is wrong is named."""
    now = timezone.now()
    for name in ("started_at", "detected_at", "recovered_at"):
        moment = getattr(incident, name)
        if moment is not None and not incidents_csv.is_past(moment, now):
            raise Refused("This time is in the future, or before 1970.", field=name)
    found = incidents_csv.disorder(incident.started_at, incident.detected_at, incident.recovered_at)
    if found is not None:
        field, words = found
        raise Refused(words, field=field)


def _check_once(incident: Incident) -> None:
    same = Incident.objects.filter(
        service=incident.service, started_at=incident.started_at, title=incident.title
    ).exclude(pk=incident.pk)
    if same.exists():
        raise Refused("This incident is there already: same service, start and title. Change that one.", field="title")


@transaction.atomic
def create(*, user: User, through: str, **fields: Unpack[Fields]) -> Incident:
    guard(user, fields["service"])
    since = _recorded_since(fields["service"])
    values, linked = _clean(fields)
    incident = Incident(**values, created_by=user)
    _check_links(incident.service_id, linked or ())
    _check_times(incident)
    _check_once(incident)
    changing.save(incident)
    incident.findings.set(linked or ())
    record(user, "created", "incident", incident.pk, incident.title)
    _feed(incident.service, _causes(linked or ()), since=since, user=user, through=through)
    return incident


@transaction.atomic
def change(incident: Incident, *, user: User, through: str, **fields: Unpack[Fields]) -> bool:
    """Returns whether anything changed."""
    incident = Incident.objects.select_for_update(of=("self",)).select_related("service").get(pk=incident.pk)
    guard(user, incident.service)
    since = _recorded_since(incident.service)
    before = set(incident.findings.all())
    moved = fields.get("service", incident.service)
    if moved != incident.service:
        raise Refused("An incident stays with its service: delete it and write it anew.", field="service")
    values, linked = _clean(fields)
    wanted = copy(incident)  # what it would be: refused before anything is set
    for name, value in values.items():
        setattr(wanted, name, value)
    _check_times(wanted)
    _check_once(wanted)
    changes = changing.set_fields(incident, values)
    if linked is not None and set(linked) != before:
        # Links to findings that this user does not see stay.
        seen = set(Finding.objects.visible_to(user).filter(pk__in=[each.pk for each in before]))
        _check_links(incident.service_id, linked)
        kept = before - seen
        if kept | set(linked) != before:
            incident.findings.set(kept | set(linked))
            changes["findings"] = [sorted(each.pk for each in before), sorted(each.pk for each in kept | set(linked))]
    if changes:
        incident.save(update_fields=["updated_at"])
        record(user, "changed", "incident", incident.pk, incident.title, changes=changes)
        causes = _causes(before | set(incident.findings.all()))
        _feed(incident.service, causes, since=since, user=user, through=through)
    return bool(changes)


@transaction.atomic
def delete(incident: Incident, *, user: User, through: str) -> None:
    guard(user, incident.service)
    causes, service = _causes(incident.findings.all()), incident.service
    since = _recorded_since(service)
    pk, title = incident.pk, incident.title
    incident.delete()
    record(user, "deleted", "incident", pk, title)
    _feed(service, causes, since=since, user=user, through=through)


# -- from a file


@dataclass(frozen=True)
class Read:
    new: int
    changed: int
    unchanged: int


@transaction.atomic
def read_file(data: bytes, *, user: User, through: str) -> Read:
    """All of it or nothing; the same file again changes nothing. Raises BadFile with what is wrong in which line."""
    lines = incidents_csv.parse(data, timezone.now())
    services = {each.slug: each for each in Service.objects.visible_to(user)}
    known = {each.pk: each for each in linkable(user, {n for line in lines for n in line.values.get("findings", ())})}
    problems = [each for line in lines for each in (*line.wrong, *_problems(line, services, known, user))]
    if problems:
        raise BadFile(*problems[: incidents_csv.MOST_PROBLEMS])
    counts = {"new": 0, "changed": 0, "unchanged": 0}
    for line in lines:
        counts[_apply(line, services, known, user=user, through=through)] += 1
    return Read(**counts)


def _problems(line: Line, services: Mapping[str, Service], known: Mapping[int, Finding], user: User) -> Iterable[str]:
    named = line.values.get("service")
    service = services.get(named) if named is not None else None
    if named is None:
        pass  # it is wrong already
    elif service is None:
        yield f"Line {line.number}: there is no service “{named[:60]}” that you may see."
    elif not may_write(user, service):
        yield f"Line {line.number}: writing of incidents of {service.slug} takes the role member in its team."
    for number in line.values.get("findings", ()):
        if number not in known:
            yield f"Line {line.number}: there is no finding #{number} that you may see."


def _apply(
    line: Line, services: Mapping[str, Service], known: Mapping[int, Finding], *, user: User, through: str
) -> str:
    fields: Any = dict(line.values)
    fields["service"] = services[fields["service"]]
    fields["findings"] = [known[number] for number in fields["findings"]]
    there = Incident.objects.filter(
        service=fields["service"], started_at=fields["started_at"], title=redactor().text(fields["title"])
    ).first()
    try:
        if there is None:
            create(user=user, through=through, **fields)
            return "new"
        return "changed" if change(there, user=user, through=through, **fields) else "unchanged"
    except Refused as error:
        raise BadFile(f"Line {line.number}: {error}") from error


# -- what follows for the risks


def _wanted(found: Evidence | None) -> dict[str, tuple[Kind, dict[str, Any]]]:
    wanted: dict[str, tuple[Kind, dict[str, Any]]] = {}
    if found is not None:
        wanted["frequency"] = Kind.INCIDENTS, {"incidents": found.incidents, "years": found.finding_years}
        if found.alert_probability is not None:
            wanted["alert_probability"] = Kind.NUMBER, {"value": round(found.alert_probability, 4)}
        for name, each in found.spreads.items():
            wanted[name] = (
                (Kind.NUMBER, {"value": each.lo})
                if each.lo == each.hi
                else (Kind.RANGE, {"lo": each.lo, "mode": each.mode, "hi": each.hi})
            )
    return wanted


def _basis(name: str, found: Evidence) -> str:
    if name in found.spreads:
        return BASIS + _SPREADS[name].format(count=found.spreads[name].count)
    told = f"; an alert told of {found.caught} of {found.told}" if name == "alert_probability" else ""
    return f"{BASIS}{found.words}{told}"


def _feed(service: Service, causes: Collection[Cause], *, since: date, user: User, through: str) -> None:
    """States what the incidents tell, where no person has stated it. `since`: from when on there were any before: when
    that moves, the years of every other cause in the service are others too."""
    if causes:
        # Two incidents of one cause at once: the second counts both, instead of stating what is stated already.
        estimating.hold([service.pk])
    for cause in sorted(causes, key=lambda each: (each.check, 0 if each.finding is None else each.finding.pk)):
        if not stating.may_state(user, service, cause.finding):
            continue  # of another team than its service: theirs to state
        found = evidence_of(service, cause)
        wanted = _wanted(found)
        for name in _FED:
            _state(service, cause, name, wanted.get(name), found, user=user, through=through)
    if _recorded_since(service) != since:
        told = RiskInput.objects.filter(service=service, source__startswith=BASIS)
        _count_anew(told, reason="The incidents of the service begin on another day")


def follow_the_calendar() -> int:
    """Counts years and findings up to today in whatever incidents stated: a year without one more, and a finding more
    that shares them, are told by nothing else. Safe to call at any time, and again. Returns how many changed."""
    told = RiskInput.objects.filter(source__startswith=BASIS)
    return _count_anew(told, reason="Years and findings are counted up to today")


def _count_anew(rows: QuerySet[RiskInput], *, reason: str) -> int:
    changed = 0
    told: dict[tuple[Service, Cause], Evidence | None] = {}
    for row in rows.select_related("service", "finding"):
        of = row.service, Cause(row.check_id, row.finding)
        if of not in told:
            told[of] = evidence_of(*of)
        found = told[of]
        wanted = _wanted(found).get(row.name)
        if found is not None and wanted is not None and wanted[0] == row.kind:
            changed += stating.renew(row, numbers=wanted[1], basis=_basis(row.name, found), reason=reason)
    return changed


def _state(
    service: Service, cause: Cause, name: str, wanted: tuple[Kind, dict[str, Any]] | None, found: Evidence | None,
    *, user: User, through: str,
) -> None:  # fmt: skip
    row = RiskInput.objects.filter(service=service, check_id=cause.check, finding=cause.finding, name=name).first()
    if row is not None and not row.source.startswith(BASIS):
        return
    if wanted is None or found is None:
        if row is not None:
            stating.withdraw(row, user=user, through=through, reason="No incident tells of it any more")
        return
    kind, numbers = wanted
    basis = _basis(name, found)
    if row is not None and (row.kind, row.source) == (kind, basis) and _floats(row.numbers) == _floats(numbers):
        return
    if row is None:
        stating.state(
            user=user, through=through, service=service, check=cause.check, finding=cause.finding, name=name,
            kind=kind.value, numbers=numbers, basis=basis,
        )  # fmt: skip
    else:
        stating.restate(row, user=user, through=through, kind=kind.value, numbers=numbers, basis=basis, reason=basis)


def _floats(numbers: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in numbers.items()}
