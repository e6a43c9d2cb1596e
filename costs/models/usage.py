"""What usage files said, by import and scope. A state is in force while its import is its scope's last applied one,
which carries on what it does not name when it is not complete; a day's figure until a newer applied import of the scope
says that day anew."""

from typing import Any

from django.db import models

from costs.usage.records import UNITS, Measure
from platform_risk.core.models import Environment, Import, Service, User


def usage_seen_by(user: User, key: str = "") -> models.Q:
    """Usage of the services that a user sees; what is of no service concerns all, so admins and managers see it."""
    if user.is_admin:
        return models.Q()
    mine = models.Q(**{f"{key}service__team_id__in": user.team_ids})
    if user.sees_unowned:
        mine |= models.Q(**{f"{key}service__isnull": True}) | models.Q(
            **{f"{key}service__isnull": False, f"{key}service__team_id__isnull": True}
        )
    return mine


class UsageScope(models.Model):
    """Source × format × account × service × environment: an import replaces exactly its scope's state."""

    source = models.CharField(max_length=100)
    format = models.CharField(max_length=40)  # two formats of one source say different things
    account = models.CharField(max_length=200, blank=True)
    service = models.ForeignKey(Service, null=True, on_delete=models.CASCADE, related_name="usage_scopes")
    environment = models.ForeignKey(Environment, null=True, on_delete=models.PROTECT, related_name="+")
    provider = models.CharField(max_length=80, blank=True)  # whose usage it is: prices are looked up by it
    last_applied = models.ForeignKey(Import, null=True, on_delete=models.SET_NULL, related_name="+")
    last_complete_at = models.DateTimeField(null=True)  # observed_at of the last applied import
    last_seen_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["source", "account", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "format", "account", "service", "environment"],
                nulls_distinct=False,
                name="usage_scope_once",
            )
        ]

    def __str__(self) -> str:
        return " ".join(part for part in (self.source, self.account, str(self.service or "")) if part)


class UsageFigureQuerySet(models.QuerySet["UsageFigure"]):
    def visible_to(self, user: User) -> "UsageFigureQuerySet":
        return self.filter(usage_seen_by(user, "scope__"))

    def states(self) -> "UsageFigureQuerySet":
        """What holds now: undated figures of each scope's last applied import."""
        return self.filter(day__isnull=True, import_row=models.F("scope__last_applied"))

    def days(self) -> "UsageFigureQuerySet":
        """Dated figures, each day from the last applied import that tells it."""
        return (
            self.filter(day__isnull=False, import_row__is_applied=True)
            .order_by("scope_id", "measure", "subject", "day", "-import_row__observed_at", "-import_row_id")
            .distinct("scope_id", "measure", "subject", "day")
        )


class UsageFigure(models.Model):
    scope = models.ForeignKey(UsageScope, on_delete=models.CASCADE, related_name="figures")
    import_row = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="usage_figures")
    # The import that said so, where an incomplete one that did not name it came after
    carried_from = models.ForeignKey(Import, null=True, on_delete=models.SET_NULL, related_name="+")
    measure = models.CharField(max_length=30, choices=[(each.value, each.value) for each in Measure])
    subject = models.CharField(max_length=500, blank=True)
    day = models.DateField(null=True)
    value = models.DecimalField(max_digits=44, decimal_places=10, null=True)  # null: for ever, of a retention
    is_part = models.BooleanField(default=False)
    note = models.CharField(max_length=200, blank=True)

    objects = UsageFigureQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["import_row", "measure", "subject", "day"], nulls_distinct=False, name="usage_figure_once"
            )
        ]
        indexes = [models.Index(fields=["scope", "measure", "day"], name="usage_by_scope")]

    def __str__(self) -> str:
        return f"{self.measure} {self.subject} {self.value}"

    @property
    def unit(self) -> str:
        return UNITS[Measure(self.measure)]

    @property
    def said_by(self) -> Import:
        return self.carried_from or self.import_row

    @property
    def as_state(self) -> tuple[Any, ...]:
        return self.value, self.is_part, self.note
