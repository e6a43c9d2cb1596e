"""Every write to findings that is not an import, each with a name and one transaction.

`act` is the one way in which people change findings: a page's button, the API's PATCH and a bulk of 100,000 go through
it, so permission, history, due dates and undo are the same everywhere.
"""

import uuid
from datetime import timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import connection, transaction
from django.db.models import Case, CharField, DateField, ExpressionWrapper, F, Func, OuterRef, Value, When
from django.db.models.functions import Now
from django.utils import timezone

from findings import actions, estimating
from findings.actions import Action, Transition, Update
from findings.load import redactor, target_for
from findings.models import BulkAction, BulkItem, Comment, Finding, FindingQuerySet
from findings.risk import lanes
from findings.vocabulary import CLASS_OF_CATEGORY, Category, RiskClass, Severity, Status
from platform_risk.core.acting import acting_as
from platform_risk.core.catalog.owners import team_finder
from platform_risk.core.errors import Conflict, Refused, Stale
from platform_risk.core.models import Environment, Service, User
from platform_risk.core.sqlfile import statements

_SQL = Path(__file__).resolve().parent / "sql" / "act.sql"
# Above this many a bulk is done by a worker, and its per-item results are not listed.
ITEMIZED = 500


def _due() -> Case:
    """Today plus the lane's days, for rows whose clock starts anew; none on other branches."""
    today = timezone.now().date()
    whens = [
        When(is_default_branch=True, lane=name, then=Value(today + timedelta(days=days)))
        for name, days in settings.DUE_DAYS.items()
    ]
    return Case(*whens, default=Value(None), output_field=DateField())


def _check(action: Action) -> None:
    found = action.problem(timezone.now().date())
    if found is not None:
        field, words = found
        raise Refused(words, field=field)


@transaction.atomic
def act(
    rows: FindingQuerySet,
    action: Action,
    *,
    user: User,
    source: str,
    bulk: BulkAction | None = None,
) -> BulkAction:
    """Carries an action out on those of `rows` that the user may change and whose state allows it.

    One decision, whatever the number: `applied` and `refused` of the answer say how many. Raises Refused for an
    action that makes no sense.
    """
    _check(action)
    bulk = bulk or BulkAction.objects.create(actor=user, action=actions.described(action))
    matched = list(
        rows.writable_by(user).select_for_update(of=("self",), no_key=True).order_by("id").values_list("id", "status")
    )
    ids = [pk for pk, status in matched if _allows(action, Status(status))]
    why = redactor().text(action.why)
    acting_as(user, source=source, reason=why, bulk_id=bulk.pk)
    if ids:
        with connection.cursor() as cursor:
            cursor.execute(statements(_SQL)["keep_before"], {"bulk": bulk.pk, "ids": ids})
        chosen = Finding.objects.filter(pk__in=ids)
        _transition(chosen, action, why) if isinstance(action, Transition) else _update(chosen, action)
        # Several statements may have touched a row: what counts for undo is the version it has now.
        BulkItem.objects.filter(bulk=bulk).update(
            version_after=Finding.objects.filter(pk=OuterRef("finding_id")).values("version")[:1]
        )
    bulk.matched, bulk.applied, bulk.refused = len(matched), len(ids), len(matched) - len(ids)
    bulk.state, bulk.finished_at = "done", timezone.now()
    bulk.save()
    return bulk


def _allows(action: Action, status: Status) -> bool:
    return isinstance(action, Update) or action.to in actions.ALLOWED[status]


def _transition(rows: FindingQuerySet, action: Transition, why: str) -> None:
    now = timezone.now()
    columns: dict[str, Any] = {
        "status": action.to,
        "status_comment": why,
        "dismiss_reason": action.reason if action.to == Status.DISMISSED else "",
        "snoozed_until": action.until if action.to == Status.SNOOZED else None,
        "acceptance_expires_on": action.expires_on if action.to == Status.ACCEPTED else None,
        "suppressed_by_report": False,
        "version": F("version") + 1,
        "updated_at": Now(),
    }
    if action.to in (Status.DISMISSED, Status.ACCEPTED):
        columns |= {"decided_severity": F("reported_severity"), "closed_at": now}
    elif action.to in (Status.FIXED, Status.VERIFIED):
        columns |= {"decided_severity": "", "closed_at": now}
    else:
        columns |= {"decided_severity": "", "closed_at": None}
        if action.to == Status.SNOOZED:
            columns["snoozed_from"] = F("status")
        if action.to == Status.NEW:
            # Reopened: the clock starts anew where it had stopped, and goes on where it had not.
            stopped = rows.exclude(status__in=[Status.NEW, Status.TRIAGED, Status.IN_PROGRESS, Status.SNOOZED])
            ids = list(stopped.values_list("pk", flat=True))
            Finding.objects.filter(pk__in=ids).update(**columns, opened_on=now.date(), due_on=_due())
            rows = rows.exclude(pk__in=ids)
    rows.update(**columns)


def _update(rows: FindingQuerySet, action: Update) -> None:
    columns: dict[str, Any] = {}
    fields = action.fields
    if "owner" in fields:
        columns["owner_id"] = fields["owner"]
    if "team" in fields:
        columns |= {"team_id": fields["team"], "team_from": "user"}
    if "tags" in fields:
        columns["tags"] = sorted(set(fields["tags"]))
    for tag in fields.get("add_tags", ()):
        rows.exclude(tags__contains=[tag]).update(tags=_array("array_append", tag))
    for tag in fields.get("remove_tags", ()):
        rows.update(tags=_array("array_remove", tag))
    if "severity" in fields:
        _override_severity(rows, fields["severity"])
    if "lane" in fields:
        _override_lane(rows, fields["lane"], action.why)
    if "severity" in fields or "lane" in fields:
        _follow_figures(rows)
    rows.update(**columns, version=F("version") + 1, updated_at=Now())


def _array(function: str, tag: str) -> Func:
    member = CharField(max_length=60)
    return Func(F("tags"), Value(tag, member), function=function, output_field=ArrayField(member))


def _override_severity(rows: FindingQuerySet, severity: str | None) -> None:
    """Lane and due date follow the severity; the day the clock started stays."""
    ids = list(rows.values_list("pk", flat=True))
    base = Finding.objects.filter(pk__in=ids)
    for risk_class in RiskClass:
        for reported in Severity:
            group = base.filter(risk_class=risk_class, reported_severity=reported)
            effective = Severity(severity) if severity else reported
            decision = lanes.decide(effective, risk_class)
            days = timedelta(days=settings.DUE_DAYS[decision.lane])
            rated: dict[str, Any] = {
                "severity": effective,
                "severity_source": "user" if severity else F("reported_severity_source"),
            }
            by_hand = list(group.filter(lane_from="user").values_list("pk", flat=True))
            group.exclude(pk__in=by_hand).update(
                **rated,
                lane=decision.lane,
                lane_reason=decision.reason,
                lane_version=lanes.RULES_VERSION,
                lane_from="",
                due_on=Case(When(is_default_branch=True, then=F("opened_on") + Value(days)), output_field=DateField()),
            )
            base.filter(pk__in=by_hand).update(**rated)


def _override_lane(rows: FindingQuerySet, lane: str | None, why: str) -> None:
    """By a person, with the reason; None: as severity and class decide, until the figures say otherwise."""
    ids = list(rows.values_list("pk", flat=True))
    base = Finding.objects.filter(pk__in=ids)
    if lane is not None:
        due = F("opened_on") + Value(timedelta(days=settings.DUE_DAYS[lane]))
        base.update(
            lane=lane, lane_reason=f"Set by hand: {why}"[:300], lane_version=lanes.RULES_VERSION, lane_from="user",
            due_on=Case(When(is_default_branch=True, then=due), output_field=DateField()),
        )  # fmt: skip
        return
    for severity, risk_class in base.order_by().values_list("severity", "risk_class").distinct():
        decision = lanes.decide(Severity(severity), RiskClass(risk_class))
        due = F("opened_on") + Value(timedelta(days=settings.DUE_DAYS[decision.lane]))
        base.filter(severity=severity, risk_class=risk_class).update(
            lane=decision.lane, lane_reason=decision.reason, lane_version=lanes.RULES_VERSION, lane_from="",
            due_on=Case(When(is_default_branch=True, then=due), output_field=DateField()),
        )  # fmt: skip


def _follow_figures(rows: FindingQuerySet) -> None:
    """Their estimates may be others now, and with them what decides their lanes."""
    ids = list(rows.values_list("pk", flat=True))
    estimating.follow(ids)
    for service_id in Finding.objects.filter(pk__in=ids).order_by().values_list("service_id", flat=True).distinct():
        estimating.decide_lanes(service_id)


def change(
    finding: Finding, action: Action, *, user: User, source: str, expected_version: int | None = None
) -> Finding:
    """One finding. Raises Conflict with the states allowed, Stale when it is no longer the version the caller saw,
    Refused for nonsense; the caller has already made sure that the user sees it."""
    with transaction.atomic():
        row = Finding.objects.select_for_update(no_key=True).get(pk=finding.pk)
        if expected_version is not None and row.version != expected_version:
            raise Stale("The finding has changed since you read it: read it again.")
        _check(action)
        if isinstance(action, Transition) and not _allows(action, Status(row.status)):
            allowed = [status.value for status in actions.ALLOWED[Status(row.status)]]
            raise Conflict(f"A finding that is {row.status} cannot become {action.to}.", allowed=allowed)
        bulk = act(Finding.objects.filter(pk=row.pk), action, user=user, source=source)
        if bulk.applied != 1:
            raise PermissionRefused
    finding.refresh_from_db()
    return finding


class PermissionRefused(Refused):
    """The user sees the finding but may not change it."""

    def __init__(self) -> None:
        super().__init__("You may see this finding, but changing it takes the role member in its team.")


@transaction.atomic
def take_back(bulk: BulkAction, *, user: User, source: str) -> int:
    """Undoes a decision as a compensating change; returns for how many findings (those untouched since)."""
    locked = BulkAction.objects.select_for_update().get(pk=bulk.pk)
    if locked.undone_at is not None or locked.state != "done":
        raise Conflict("This decision was taken back already, or is still being carried out.")
    if not user.is_admin and locked.actor_id != user.pk:
        raise Refused("Only who decided it, or an administrator, can take it back.")
    acting_as(user, source=source, reason="Taken back", bulk_id=bulk.pk)
    with connection.cursor() as cursor:
        cursor.execute(statements(_SQL)["take_back"], {"bulk": bulk.pk})
        count: int = cursor.rowcount
    estimating.follow(list(bulk.items.values_list("finding_id", flat=True)))
    locked.undone_at = timezone.now()
    locked.save(update_fields=["undone_at"])
    return count


@transaction.atomic
def comment(finding: Finding, text: str, *, user: User) -> Comment:
    if not text.strip():
        raise Refused("The comment is empty.", field="text")
    return Comment.objects.create(finding=finding, author=user, text=redactor().text(text.strip()[:10_000]))


@transaction.atomic
def write_finding(
    *,
    user: User,
    service: Service,
    title: str,
    description: str = "",
    category: Category = Category.ARCHITECTURE,
    severity: Severity = Severity.MEDIUM,
    environment: Environment | None = None,
    path: str = "",
    line: int | None = None,
    evidence: str = "",
    outcome: str = "",
    source: str,
) -> Finding:
    """A finding by a person: a review, a postmortem. No scan closes it; people do."""
    redact = redactor().text
    risk_class = CLASS_OF_CATEGORY[category]
    decision = lanes.decide(severity, risk_class)
    today = timezone.now().date()
    target = target_for(service, environment.pk if environment else None, service.default_branch)
    team_id, team_from = team_finder(service)(path, "", "")
    acting_as(user, source=source, reason="Written by hand")
    finding = Finding.objects.create(
        target=target, service=service, environment=environment, branch=target.branch,
        is_default_branch=target.is_default_branch, fingerprint=blake2b(uuid.uuid4().bytes, digest_size=16).hexdigest(),
        title=redact(title)[:500], message=redact(description), severity=severity, severity_source="user",
        reported_severity=severity, reported_severity_source="user",
        category=category, risk_class=risk_class, outcome=outcome, rule="manual",
        scanners=["manual"], path=path, line=line, evidence={"excerpt": redact(evidence)} if evidence else {},
        lane=decision.lane, lane_reason=decision.reason, lane_version=lanes.RULES_VERSION, team_id=team_id,
        team_from=team_from, opened_on=today, due_on=today + timedelta(days=settings.DUE_DAYS[decision.lane]),
        first_seen_at=timezone.now(), written_by=user,
    )  # fmt: skip
    estimating.follow([finding.pk])
    estimating.decide_lanes(service.pk)
    finding.refresh_from_db()
    return finding


def wake_and_expire() -> dict[str, int]:
    """The clock's part: snoozes end, acceptances run out, other branches' findings go after their time."""
    today = timezone.now().date()
    common: dict[str, Any] = {"version": F("version") + 1, "updated_at": Now()}
    with transaction.atomic():
        acting_as(None, source="clock", reason="The snooze ended")
        woken = Finding.objects.filter(status=Status.SNOOZED, snoozed_until__lte=today).update(
            status=Case(When(snoozed_from="", then=Value("new")), default=F("snoozed_from")),
            snoozed_until=None, snoozed_from="", **common,
        )  # fmt: skip
        acting_as(None, source="clock", reason="The acceptance expired")
        expired = Finding.objects.filter(status=Status.ACCEPTED, acceptance_expires_on__lte=today).update(
            status=Status.NEW, acceptance_expires_on=None, decided_severity="", closed_at=None,
            opened_on=today, due_on=_due(), **common,
        )  # fmt: skip
        silent = timezone.now() - timedelta(days=settings.BRANCH_EXPIRY_DAYS)
        acting_as(None, source="clock", reason=f"The branch was not imported for {settings.BRANCH_EXPIRY_DAYS} days")
        branches = (
            Finding.objects.filter(is_default_branch=False, target__scopes__isnull=False)
            .exclude(target__scopes__imports__finished_at__gte=silent)
            .exclude(status__in=[Status.FIXED, Status.VERIFIED, Status.ACCEPTED, Status.DISMISSED])
        )
        ids = list(branches.values_list("pk", flat=True).distinct())
        gone = Finding.objects.filter(pk__in=ids).update(status=Status.FIXED, closed_at=timezone.now(), **common)
    return {"woken": woken, "expired": expired, "branches": gone}


def reassign_teams(service_id: int | None) -> int:
    """Applies ownership rules anew to the findings of one service or of all; returns how many moved.

    What a person assigned stays. Findings share places, so the rules are asked once per place, and each team's
    findings move in one statement.
    """
    services = Service.objects.all() if service_id is None else Service.objects.filter(pk=service_id)
    return sum(_reassign(service) for service in services.iterator())


@transaction.atomic
def _reassign(service: Service) -> int:
    team_of = team_finder(service)
    acting_as(None, source="rule", reason="Ownership changed")
    rows = Finding.objects.filter(service=service).exclude(team_from="user").order_by()
    places = rows.values_list("path", "image", "namespace", "team_id", "team_from").distinct()
    moves: dict[tuple[int | None, str], list[tuple[str, str, str]]] = {}
    for path, image, namespace, *before in places.iterator():
        now = team_of(path, image, namespace)
        if now != tuple(before):
            moves.setdefault(now, []).append((path, image, namespace))
    moved = 0
    with connection.cursor() as cursor:
        for (team_id, team_from), where in moves.items():
            columns = [list(column) for column in zip(*where, strict=True)]
            cursor.execute(statements(_SQL)["move"], [team_id, team_from, *columns, service.pk])
            moved += cursor.rowcount
    return moved


@transaction.atomic
def follow_default_branch(service_id: int) -> int:
    """After a service's default branch changed: which findings count, and have a due date, follows the targets."""
    acting_as(None, source="rule", reason="The default branch changed")
    common: dict[str, Any] = {"version": F("version") + 1, "updated_at": Now()}
    rows = Finding.objects.filter(service_id=service_id)
    left = rows.filter(is_default_branch=True, target__is_default_branch=False)
    count = left.update(is_default_branch=False, due_on=None, **common)
    came = rows.filter(is_default_branch=False, target__is_default_branch=True)
    for lane, days in settings.DUE_DAYS.items():
        due = ExpressionWrapper(F("opened_on") + Value(timedelta(days=days)), output_field=DateField())
        count += came.filter(lane=lane).update(is_default_branch=True, due_on=due, **common)
    return count


@transaction.atomic
def compact_rollups() -> None:
    """Merges the deltas. Deletes and inserts in one statement, so no reader ever sees other sums."""
    keys = "service_id, team_id, environment_id, lane, severity, status, has_owner"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [0x5CA8])
        cursor.execute(
            f"WITH old AS (DELETE FROM findings_rollup RETURNING *) INSERT INTO findings_rollup ({keys}, count)"  # noqa: S608
            f" SELECT {keys}, sum(count) FROM old GROUP BY {keys} HAVING sum(count) <> 0"
        )
        cursor.execute(
            "WITH old AS (DELETE FROM findings_weekrollup RETURNING *)"
            " INSERT INTO findings_weekrollup (service_id, team_id, week, opened, closed)"
            " SELECT service_id, team_id, week, sum(opened), sum(closed) FROM old GROUP BY 1, 2, 3"
        )
        cursor.execute(
            "WITH old AS (DELETE FROM findings_riskrollup RETURNING *)"
            " INSERT INTO findings_riskrollup (service_id, team_id, lane, risk_key, count)"
            " SELECT service_id, team_id, lane, risk_key, sum(count) FROM old GROUP BY 1, 2, 3, 4"
            " HAVING sum(count) <> 0"
        )
        # Many rows: only those of services that something was added to, and of these all at once.
        keys = (
            "service_id, team_id, environment_id, owner_id, is_default_branch, rule, check_id, category, risk_class,"
            " severity, severity_source, lane, rank, status, regressed, risk_key"
        )
        cursor.execute(
            "WITH old AS (DELETE FROM findings_grouprollup WHERE service_id IN"  # noqa: S608
            " (SELECT service_id FROM findings_grouprollup WHERE NOT is_merged) RETURNING *)"
            f" INSERT INTO findings_grouprollup ({keys}, is_merged, count)"
            f" SELECT {keys}, true, sum(count) FROM old GROUP BY {keys} HAVING sum(count) <> 0"
        )
