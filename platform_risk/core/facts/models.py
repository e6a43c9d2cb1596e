"""Fact: one thing that is stated about a service. Configuration's are written by imports, people's by services.py."""

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import F, Q

from platform_risk.core.access.models import User
from platform_risk.core.catalog.models import Environment, Service
from platform_risk.core.imports.models import Import

if TYPE_CHECKING:
    from collections.abc import Iterable


class FactSource(models.TextChoices):
    """In the order in which they are believed: what a person says about now outdoes what a file was written to say."""

    USER = "user", "A person"
    FACTS = "facts", "platform-risk.yaml"
    FILE = "file", "Configuration"
    PROVIDER_DEFAULT = "provider_default", "The provider's default"
    ASSUMPTION = "assumption", "An assumption"


class FactQuerySet(models.QuerySet["Fact"]):
    def current(self) -> "FactQuerySet":
        """Of each source what it says now: a person's last word, and the last applied import of a default branch."""
        said = Q(import_row__isnull=True, ended_at__isnull=True)
        read = Q(import_row=F("import_row__scope__last_applied"), import_row__scope__target__is_default_branch=True)
        return self.filter(said | read)

    def of(self, services: "Iterable[Service] | models.QuerySet[Service]") -> "FactQuerySet":
        return self.filter(service__in=services)


class Fact(models.Model):
    """Never changed and never deleted alone: an import's are in force while it is the last applied one of its scope
    (so that undoing it brings back those before), a person's until `ended_at`."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="facts")
    environment = models.ForeignKey(Environment, null=True, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=400)  # dotted, as in platform-risk.yaml: metrics.series_per_pod
    value: "models.JSONField[Any, Any]" = models.JSONField(null=True)  # null: stated to be none (kept for ever)
    unit = models.CharField(max_length=40, blank=True)
    source = models.CharField(max_length=20, choices=FactSource)
    path = models.CharField(max_length=1000, blank=True)
    line = models.IntegerField(null=True)
    note = models.CharField(max_length=500, blank=True)  # what a default rests on; a person's reason
    import_row = models.ForeignKey(Import, null=True, on_delete=models.CASCADE, related_name="facts")
    stated_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    stated_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    objects = FactQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["service", "environment", "name"],
                condition=Q(import_row__isnull=True, ended_at__isnull=True),
                nulls_distinct=False,
                name="fact_said_once",
            ),
            models.UniqueConstraint(
                fields=["import_row", "name"], condition=Q(import_row__isnull=False), name="fact_read_once"
            ),
        ]
        indexes = [models.Index(fields=["service", "name"], name="fact_by_name")]

    def __str__(self) -> str:
        return f"{self.name} = {self.value}"
