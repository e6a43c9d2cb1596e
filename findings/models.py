"""Tables of findings. Models hold fields and constraints; writes have names in services.py and load.py.

History and rollups are kept by the statement-level triggers of sql/triggers.sql, so that every way of writing,
the bulk loader included, leaves them right.
"""

from datetime import date
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models.functions import Coalesce, Now

from findings.risk_models import Estimate, RiskInput, RiskPolicy, RiskRollup, Simulation, StatedMeanwhile
from findings.vocabulary import OPEN_STATUSES, Category, DismissReason, Lane, Outcome, RiskClass, Severity, Status
from findings.vocabulary import SeveritySource as Source
from platform_risk.core.models import Environment, Import, Scope, Service, Target, Team, User

if TYPE_CHECKING:
    from enum import StrEnum

__all__ = [
    "BulkAction", "BulkItem", "Comment", "Effect", "Estimate", "Finding", "FindingQuerySet", "GroupRollup", "History",
    "RiskInput", "RiskPolicy", "RiskRollup", "Rollup", "Sighting", "Simulation", "StatedMeanwhile", "WeekRollup",
    "choices",
]  # fmt: skip


# What has no due date is due after everything else.
NEVER_DUE = date(9999, 1, 1)
_GROUPED_BY = (
    "service", "team", "owner", "is_default_branch", "withdrawn_by", "rule", "lane", "severity", "rank", "id",
)  # fmt: skip
_IS_OPEN = models.Q(status__in=["new", "triaged", "in_progress"])


def choices(enum: "type[StrEnum]") -> list[tuple[str, str]]:
    return [(member.value, member.value.replace("_", " ").capitalize()) for member in enum]


def _rank(field: str, enum: "type[StrEnum]") -> models.Case:
    whens = [models.When(**{field: member.value}, then=models.Value(i)) for i, member in enumerate(enum)]
    return models.Case(*whens, default=models.Value(len(whens)), output_field=models.SmallIntegerField())


def _joined(*fields: str) -> models.Func:
    return models.Func(
        *(models.F(field) for field in fields),
        function="",
        arg_joiner=" || ' ' || ",
        output_field=models.TextField(),
    )


class FindingQuerySet(models.QuerySet["Finding"]):
    def visible_to(self, user: User) -> "FindingQuerySet":
        """The one door to findings: by the service's team or the finding's own; of nobody's for managers and admins.

        Withdrawn findings (created by an import that was undone) are behind no door.
        """
        rows = self.filter(withdrawn_by__isnull=True)
        if user.is_admin:
            return rows
        mine = models.Q(team_id__in=user.team_ids) | models.Q(
            service_id__in=Service.objects.filter(team_id__in=user.team_ids).values("id")
        )
        if user.sees_unowned:
            mine |= models.Q(team_id__isnull=True)
        return rows.filter(mine)

    def writable_by(self, user: User) -> "FindingQuerySet":
        """What the user may change: as visible_to, but by the teams in which they are more than a viewer."""
        rows = self.visible_to(user)
        if user.is_admin:
            return rows
        mine = models.Q(team_id__in=user.writing_team_ids) | models.Q(
            service_id__in=Service.objects.filter(team_id__in=user.writing_team_ids).values("id")
        )
        if user.sees_unowned:
            mine |= models.Q(team_id__isnull=True)
        return rows.filter(mine)

    def open(self) -> "FindingQuerySet":
        return self.filter(status__in=[s.value for s in OPEN_STATUSES])

    def on_default_branch(self) -> "FindingQuerySet":
        return self.filter(is_default_branch=True)


class Finding(models.Model):
    """One problem in one place, deduplicated. `id` is the number people use."""

    # Where it belongs; service, environment and branch repeat the target's for filters without a join. Target, service
    # and team need no index of their own: each leads one below. Imports and what the target's own keys guard are not
    # guarded twice: imports go with their service, and a foreign key costs the load 3 µs a row of 60.
    target = models.ForeignKey(Target, on_delete=models.CASCADE, related_name="findings", db_index=False)
    service = models.ForeignKey(
        Service, on_delete=models.CASCADE, related_name="findings", db_index=False, db_constraint=False
    )
    environment = models.ForeignKey(
        Environment, null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    branch = models.CharField(max_length=250)
    is_default_branch = models.BooleanField()
    fingerprint = models.CharField(max_length=32)
    fingerprint_version = models.SmallIntegerField(db_default=1)

    # What it is
    title = models.CharField(max_length=500)
    message = models.TextField(blank=True, db_default="")
    severity = models.CharField(max_length=10, choices=choices(Severity))
    severity_source = models.CharField(max_length=10, choices=choices(Source))
    reported_severity = models.CharField(max_length=10, choices=choices(Severity))
    reported_severity_source = models.CharField(max_length=10, choices=choices(Source))
    category = models.CharField(max_length=20, choices=choices(Category))
    risk_class = models.CharField(max_length=12, choices=choices(RiskClass))
    outcome = models.CharField(max_length=10, choices=choices(Outcome), blank=True, db_default="")
    rule = models.CharField(max_length=200)
    rule_name = models.CharField(max_length=500, blank=True, db_default="")
    check_id = models.CharField(max_length=60, blank=True, db_default="")
    scanners = ArrayField(models.CharField(max_length=100), db_default=[])
    path = models.CharField(max_length=1000, blank=True, db_default="")
    line = models.IntegerField(null=True)
    end_line = models.IntegerField(null=True)
    resource = models.CharField(max_length=500, blank=True, db_default="")
    namespace = models.CharField(max_length=253, blank=True, db_default="")
    image = models.CharField(max_length=500, blank=True, db_default="")
    package = models.CharField(max_length=300, blank=True, db_default="")
    package_version = models.CharField(max_length=100, blank=True, db_default="")
    endpoint = models.CharField(max_length=1000, blank=True, db_default="")
    symbol = models.CharField(max_length=500, blank=True, db_default="")
    identifiers = ArrayField(models.CharField(max_length=100), db_default=[])
    evidence: "models.JSONField[Any, Any]" = models.JSONField(db_default=models.Value({}, models.JSONField()))
    quantities: "models.JSONField[Any, Any]" = models.JSONField(null=True)
    remedies = ArrayField(models.CharField(max_length=60), db_default=[])
    # What the report says of its being exploited: known, likely, unlikely, or "" where it says nothing.
    exploit = models.CharField(max_length=8, blank=True, db_default="")
    content_hash = models.CharField(max_length=32, db_default="")

    # What is done about it
    lane = models.CharField(max_length=12, choices=choices(Lane))
    lane_reason = models.CharField(max_length=300)
    lane_version = models.CharField(max_length=20)
    # Who decides the lane: a person, the risk's figures, or "" for severity and class.
    lane_from = models.CharField(max_length=4, blank=True, db_default="")
    status = models.CharField(max_length=12, choices=choices(Status), db_default=Status.NEW.value)
    regressed = models.BooleanField(db_default=False)
    dismiss_reason = models.CharField(max_length=24, choices=choices(DismissReason), blank=True, db_default="")
    status_comment = models.TextField(blank=True, db_default="")
    decided_severity = models.CharField(max_length=10, blank=True, db_default="")  # at acceptance or dismissal
    suppressed_by_report = models.BooleanField(db_default=False)  # dismissed by the report; lifted when it is
    snoozed_until = models.DateField(null=True)
    snoozed_from = models.CharField(max_length=12, blank=True, db_default="")
    acceptance_expires_on = models.DateField(null=True)
    team = models.ForeignKey(Team, null=True, on_delete=models.SET_NULL, related_name="findings", db_index=False)
    # How the team was found: user, rule, service, or "" for nobody's. A person's word outlives rules.
    team_from = models.CharField(max_length=8, blank=True, db_default="")
    owner = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="owned_findings")
    tags = ArrayField(models.CharField(max_length=60), db_default=[])
    opened_on = models.DateField()  # the day the clock of due_on started: first seen, reopened, acceptance expired
    due_on = models.DateField(null=True)

    # When
    first_seen_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    created_by_import = models.ForeignKey(
        Import, null=True, on_delete=models.SET_NULL, related_name="+", db_constraint=False
    )
    fixed_by_import = models.ForeignKey(
        Import, null=True, on_delete=models.SET_NULL, related_name="+", db_constraint=False
    )
    withdrawn_by = models.ForeignKey(
        Import, null=True, on_delete=models.SET_NULL, related_name="+", db_constraint=False
    )
    written_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")  # by hand
    version = models.IntegerField(db_default=1)
    updated_at = models.DateTimeField(db_default=Now())

    # The worst first: lane, then severity. One column so that a keyset page is one index range.
    rank = models.GeneratedField(
        expression=_rank("lane", Lane) * 10 + _rank("severity", Severity),
        output_field=models.SmallIntegerField(),
        db_persist=True,
    )
    # Which estimate it has; generated, so that no way of writing a finding can forget it.
    has_own_inputs = models.BooleanField(db_default=False)
    risk_key = models.GeneratedField(
        expression=models.Func(
            *(models.F(name) for name in ("service", "check_id", "severity", "risk_class", "exploit", "quantities")),
            models.Case(models.When(has_own_inputs=True, then=models.F("id")), default=models.Value(None)),
            function="findings_risk_key",
            output_field=models.BigIntegerField(),
        ),
        output_field=models.BigIntegerField(),
        db_persist=True,
    )
    estimate = models.ForeignObject(
        Estimate, models.DO_NOTHING, from_fields=["risk_key"], to_fields=["key"], null=True, related_name="+"
    )
    search = models.GeneratedField(
        expression=models.Func(
            _joined("title", "rule", "path", "resource", "image", "package", "endpoint", "symbol"),
            models.F("identifiers"),
            function="findings_words",
            output_field=SearchVectorField(),
        ),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = FindingQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["target", "fingerprint"], name="finding_once")]
        indexes = [
            models.Index(fields=["rank", "id"], name="finding_by_rank"),
            models.Index(models.F("rank") % 10, "rank", "id", name="finding_by_severity"),
            models.Index(fields=["service", "rank", "id"], name="finding_by_service"),
            models.Index(fields=["team", "rank", "id"], name="finding_by_team"),
            models.Index(fields=["updated_at", "id"], name="finding_by_update"),
            models.Index(fields=["first_seen_at", "id"], name="finding_by_first_seen"),
            models.Index(
                Coalesce("due_on", models.Value(NEVER_DUE), output_field=models.DateField()),
                "id",
                name="finding_by_due",
            ),
            # All that counting and grouping what is due, or is new, within some days asks for: the rows are not read.
            models.Index(fields=["due_on"], include=_GROUPED_BY, name="finding_overdue", condition=_IS_OPEN),
            models.Index(
                fields=["first_seen_at"], include=(*_GROUPED_BY, "due_on"), name="finding_new", condition=_IS_OPEN
            ),
            # What a week's review asks for.
            models.Index(fields=["closed_at"], name="finding_closed", condition=models.Q(closed_at__isnull=False)),
            models.Index(fields=["opened_on"], name="finding_regressed", condition=models.Q(regressed=True)),
            models.Index(
                fields=["acceptance_expires_on"],
                name="finding_expiring",
                condition=models.Q(status=Status.ACCEPTED.value),
            ),
            # The earliest of a group.
            models.Index(
                fields=["service", "rule", "due_on", "id"],
                name="finding_open_by_rule",
                condition=_IS_OPEN & models.Q(withdrawn_by__isnull=True),
            ),
            models.Index(
                fields=["fixed_by_import"], name="finding_to_verify", condition=models.Q(status=Status.FIXED.value)
            ),
            models.Index(fields=["risk_key", "id"], name="finding_by_risk"),
            GinIndex(fields=["search"], name="finding_search"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.title}"

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_STATUSES

    @property
    def place(self) -> str:
        where = self.path or self.resource or self.image or self.endpoint or self.package
        return f"{where}:{self.line}" if self.path and self.line else where


class Sighting(models.Model):
    """An interval in which one scope saw one finding: from one import to another, or still."""

    finding = models.ForeignKey(Finding, on_delete=models.CASCADE, related_name="sightings")
    scope = models.ForeignKey(Scope, on_delete=models.CASCADE, related_name="sightings")
    first_import = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    last_import = models.ForeignKey(
        Import, null=True, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )  # null: still seen
    ended_by = models.ForeignKey(Import, null=True, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    content_hash = models.CharField(max_length=32)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["scope", "finding"], name="sighting_open_once", condition=models.Q(last_import__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"{self.finding_id} in {self.scope_id}"


class Effect(models.Model):
    """What one import did to one finding it did not create, with what it overwrote: for the diff and for undo."""

    class Kind(models.TextChoices):
        CHANGED = "changed", "Changed"
        REOPENED = "reopened", "Reopened"
        CLOSED = "closed", "Closed"
        VERIFIED = "verified", "Verified"
        SEEN_AGAIN = "seen_again", "Seen again"  # already closed elsewhere or first seen by another source: no news

    import_row = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="effects")
    finding = models.ForeignKey(Finding, on_delete=models.CASCADE, related_name="effects")
    kind = models.CharField(max_length=10, choices=Kind)
    before: "models.JSONField[Any, Any]" = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["import_row", "finding", "kind"], name="effect_once")]

    def __str__(self) -> str:
        return f"{self.import_row_id} {self.kind} {self.finding_id}"


class BulkAction(models.Model):
    """One decision about one finding or many; its history rows carry its id, so that it can be taken back as one."""

    actor = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    action: "models.JSONField[Any, Any]" = models.JSONField()
    query = models.CharField(max_length=2000, blank=True)
    finding_ids: "models.JSONField[Any, Any]" = models.JSONField(null=True)
    state = models.CharField(max_length=10, default="queued")  # queued, running, done, failed
    matched = models.IntegerField(default=0)
    applied = models.IntegerField(default=0)
    refused = models.IntegerField(default=0)
    results: "models.JSONField[Any, Any]" = models.JSONField(default=list)  # per item, while there are few
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"bulk {self.pk} {self.action}"


class BulkItem(models.Model):
    """One finding of a decision as it was before: what taking the decision back restores."""

    bulk = models.ForeignKey(BulkAction, on_delete=models.CASCADE, related_name="items")
    finding = models.ForeignKey(Finding, on_delete=models.CASCADE, related_name="+")
    before: "models.JSONField[Any, Any]" = models.JSONField()
    version_after = models.IntegerField()  # still this version: nobody has touched it since

    class Meta:
        constraints = [models.UniqueConstraint(fields=["bulk", "finding"], name="bulk_item_once")]

    def __str__(self) -> str:
        return f"{self.bulk_id} {self.finding_id}"


class History(models.Model):
    """Append-only: written by the trigger on Finding, never by Python."""

    finding = models.ForeignKey(Finding, on_delete=models.CASCADE, related_name="history", db_index=False)
    at = models.DateTimeField(db_default=Now())
    actor = models.ForeignKey(User, null=True, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False)
    source = models.CharField(max_length=8)  # page, api, import, rule, clock
    import_row = models.ForeignKey(Import, null=True, on_delete=models.SET_NULL, related_name="+")
    bulk = models.ForeignKey(BulkAction, null=True, on_delete=models.SET_NULL, related_name="history")
    changes: "models.JSONField[Any, Any]" = models.JSONField()  # {field: [from, to]}
    reason = models.TextField(blank=True, db_default="")

    class Meta:
        indexes = [models.Index(fields=["finding", "id"], name="history_by_finding")]

    def __str__(self) -> str:
        return f"{self.finding_id} {self.changes}"


class Comment(models.Model):
    finding = models.ForeignKey(Finding, on_delete=models.CASCADE, related_name="comments")
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    text = models.TextField(max_length=10_000)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.text[:60]


class Rollup(models.Model):
    """Counts of default branches' findings, as deltas: rows are only ever added, so writers never wait for one
    another; reading sums them and `compact_rollups` merges them."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="+")
    team = models.ForeignKey(Team, null=True, on_delete=models.CASCADE, related_name="+")
    environment = models.ForeignKey(Environment, null=True, on_delete=models.CASCADE, related_name="+")
    lane = models.CharField(max_length=12)
    severity = models.CharField(max_length=10)
    status = models.CharField(max_length=12)
    has_owner = models.BooleanField()
    count = models.IntegerField()

    class Meta:
        indexes = [models.Index(fields=["service", "team"], name="rollup_by_service")]

    def __str__(self) -> str:
        return f"{self.service_id} {self.lane} {self.status} {self.count}"


class GroupRollup(models.Model):
    """Counts of all findings that are not withdrawn by what the list of groups can be narrowed by without reading them,
    as deltas like Rollup; the columns are named like those of Finding, so that the same conditions hold for both."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="+")
    team = models.ForeignKey(Team, null=True, on_delete=models.CASCADE, related_name="+")
    environment = models.ForeignKey(Environment, null=True, on_delete=models.CASCADE, related_name="+")
    # Deltas may tell of somebody who is just being deleted.
    owner = models.ForeignKey(User, null=True, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False)
    is_default_branch = models.BooleanField()
    rule = models.CharField(max_length=200)
    check_id = models.CharField(max_length=60)
    category = models.CharField(max_length=20)
    risk_class = models.CharField(max_length=12)
    severity = models.CharField(max_length=10)
    severity_source = models.CharField(max_length=10)
    lane = models.CharField(max_length=12)
    rank = models.SmallIntegerField()
    status = models.CharField(max_length=12)
    regressed = models.BooleanField()
    risk_key = models.BigIntegerField()
    is_merged = models.BooleanField()  # by compact_rollups, and no delta of its service since
    count = models.IntegerField()
    estimate = models.ForeignObject(
        Estimate, models.DO_NOTHING, from_fields=["risk_key"], to_fields=["key"], null=True, related_name="+"
    )

    class Meta:
        indexes = [models.Index(fields=["service"], name="group_rollup_by_service")]

    def __str__(self) -> str:
        return f"{self.service_id} {self.rule} {self.count}"


class WeekRollup(models.Model):
    """Findings opened (new or reopened) and closed per week (its Monday, UTC), as deltas like Rollup."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="+")
    team = models.ForeignKey(Team, null=True, on_delete=models.CASCADE, related_name="+")
    week = models.DateField()
    opened = models.IntegerField()
    closed = models.IntegerField()

    class Meta:
        indexes = [models.Index(fields=["service", "week"], name="week_by_service")]

    def __str__(self) -> str:
        return f"{self.service_id} {self.week} +{self.opened} -{self.closed}"
