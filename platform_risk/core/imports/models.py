"""Import: the row that is the truth about one uploaded file. Celery carries only its id."""

from typing import Any

from django.db import models

from platform_risk.core.access.models import User
from platform_risk.core.catalog.models import Target


class ImportKind(models.TextChoices):
    SCAN = "scan", "Scan report"
    PLATFORM = "platform", "Platform configuration"
    BILL = "bill", "Bill"
    USAGE = "usage", "Usage"


class ImportState(models.TextChoices):
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class Scope(models.Model):
    """Service × environment × source × branch: an import replaces exactly its scope's state."""

    target = models.ForeignKey(Target, on_delete=models.CASCADE, related_name="scopes")
    source = models.CharField(max_length=100)
    # The newest applied import, and what a late one is measured against.
    last_applied = models.ForeignKey("Import", null=True, on_delete=models.SET_NULL, related_name="+")
    last_complete_at = models.DateTimeField(null=True)  # observed_at of the last applied complete import
    last_seen_at = models.DateTimeField(null=True)  # the last run, an unchanged one included

    class Meta:
        constraints = [models.UniqueConstraint(fields=["target", "source"], name="scope_once")]

    def __str__(self) -> str:
        return f"{self.target} {self.source}"


class ImportQuerySet(models.QuerySet["Import"]):
    def visible_to(self, user: User) -> "ImportQuerySet":
        """Imports of the services a user may see. One that has no service is seen by who sent it and by admins; those
        that concern every team (bills, usage) by managers too."""
        if user.is_admin:
            return self
        mine = models.Q(service__team_id__in=user.team_ids)
        mine |= models.Q(service__isnull=True, created_by=user)
        if user.sees_unowned:
            mine |= models.Q(service__isnull=False, service__team_id__isnull=True)
            mine |= models.Q(service__isnull=True, kind__in=(ImportKind.BILL, ImportKind.USAGE))
        return self.filter(mine)


class Import(models.Model):
    kind = models.CharField(max_length=10, choices=ImportKind, default=ImportKind.SCAN)
    state = models.CharField(max_length=10, choices=ImportState, default=ImportState.QUEUED)

    # What was asked
    file = models.FileField(max_length=300, upload_to="imports/%Y/%m/%d")
    file_name = models.CharField(max_length=250)
    size_bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    service = models.ForeignKey("core.Service", null=True, on_delete=models.CASCADE, related_name="imports")
    environment = models.ForeignKey("core.Environment", null=True, on_delete=models.PROTECT, related_name="+")
    source = models.CharField(max_length=100, blank=True)  # "" until the report names its tool
    branch = models.CharField(max_length=250, blank=True)  # "" until the report names one; then the default branch
    # Of bills and usage, which are of no service; "" leaves it to the file
    export = models.CharField(max_length=100, blank=True)
    billing_account = models.CharField(max_length=200, blank=True)
    requested_format = models.CharField(max_length=40, blank=True)
    complete = models.CharField(max_length=4, default="auto")  # yes, no, auto
    stated_observed_at = models.DateTimeField(null=True)
    replay = models.BooleanField(default=False)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    # What was found out
    format = models.CharField(max_length=40, blank=True)
    format_reason = models.CharField(max_length=1000, blank=True)
    scope = models.ForeignKey(Scope, null=True, on_delete=models.SET_NULL, related_name="imports")
    observed_at = models.DateTimeField(null=True)
    observed_at_from = models.CharField(max_length=10, blank=True)  # report, given, received
    is_complete = models.BooleanField(null=True)
    incomplete_because = models.CharField(max_length=500, blank=True)
    is_late = models.BooleanField(default=False)  # older than the scope's state: adds history, closes nothing
    is_applied = models.BooleanField(default=False)
    previous = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="+")
    duplicate_of = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="+")
    # The import whose file this one reads again because what it is held against has changed, and what was to come of it
    again_of = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="+")
    again_because = models.CharField(max_length=64, blank=True, default="")
    error: "models.JSONField[Any, Any]" = models.JSONField(null=True)
    # Of configuration: what each check looked at, and what it could not tell
    coverage: "models.JSONField[Any, Any]" = models.JSONField(null=True)
    # Of bills: [{currency, charge_category, file_billed, loaded_billed, file_effective, loaded_effective}]
    totals: "models.JSONField[Any, Any]" = models.JSONField(null=True)
    # A large one is taken back by a worker: asked for, and then done in one transaction.
    undo_requested_at = models.DateTimeField(null=True)
    undo_reason = models.CharField(max_length=2000, blank=True)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    # How far it is
    bytes_done = models.BigIntegerField(default=0)
    bytes_total = models.BigIntegerField(default=0)
    records_done = models.IntegerField(default=0)
    read = models.IntegerField(default=0)
    collapsed = models.IntegerField(default=0)
    new = models.IntegerField(default=0)
    changed = models.IntegerField(default=0)
    unchanged = models.IntegerField(default=0)
    closed = models.IntegerField(default=0)
    reopened = models.IntegerField(default=0)
    rejected = models.IntegerField(default=0)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    # Who works on it: `attempt` is the fence, checked inside the load transaction
    attempt = models.IntegerField(default=0)
    lease_expires_at = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)

    objects = ImportQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["lease_expires_at"],
                name="import_unfinished",
                condition=models.Q(state__in=["queued", "running"]),
            ),
            models.Index(fields=["scope", "-id"], name="import_by_scope"),
        ]

    def __str__(self) -> str:
        return f"{self.file_name} ({self.state})"


class ImportReject(models.Model):
    """A record of a report that could not be used. Nothing that was sent is lost without a word."""

    import_row = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="rejects")
    pointer = models.CharField(max_length=500)
    entry = models.CharField(max_length=500, blank=True)
    line = models.BigIntegerField(null=True)  # of a text; of Parquet the row
    reason = models.CharField(max_length=1000)
    excerpt = models.CharField(max_length=1000, blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.pointer}: {self.reason}"


class ColumnMapping(models.Model):
    """Which column of a list means what, remembered by the list's header."""

    signature = models.CharField(max_length=64, unique=True)
    columns: "models.JSONField[Any, Any]" = models.JSONField()
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.signature[:12]
