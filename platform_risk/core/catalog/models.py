"""Team, Service, Environment, ownership rules; and Target, the place that findings belong to."""

from typing import TYPE_CHECKING

from django.core.validators import RegexValidator
from django.db import models

if TYPE_CHECKING:
    from platform_risk.core.access.models import User

slug_validator = RegexValidator(r"^[a-z0-9](?:[a-z0-9._-]{0,78}[a-z0-9])?$", "Use a-z, 0-9, dot, dash, underscore.")


class Team(models.Model):
    slug = models.CharField(max_length=80, unique=True, validators=[slug_validator])
    name = models.CharField(max_length=200)
    is_demo = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name


class Criticality(models.TextChoices):
    CRITICAL = "critical", "Critical"
    HIGH = "high", "High"
    MEDIUM = "medium", "Medium"
    LOW = "low", "Low"


class ServiceQuerySet(models.QuerySet["Service"]):
    def visible_to(self, user: "User") -> "ServiceQuerySet":
        """Services of the user's teams; those of no team for managers; all for admins."""
        if user.is_admin:
            return self
        mine = models.Q(team_id__in=user.team_ids)
        if user.sees_unowned:
            mine |= models.Q(team_id__isnull=True)
        return self.filter(mine)


class Service(models.Model):
    slug = models.CharField(max_length=80, unique=True, validators=[slug_validator])
    name = models.CharField(max_length=200, blank=True)
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.SET_NULL, related_name="services")
    default_branch = models.CharField(max_length=250, default="main")
    criticality = models.CharField(max_length=10, choices=Criticality, default=Criticality.MEDIUM)
    # Share of good requests promised, e.g. 0.999. Null: nobody stated one.
    slo = models.DecimalField(max_digits=8, decimal_places=7, null=True, blank=True)
    # Money lost in one minute in which every request fails. Null: not estimated (never a default).
    value_per_bad_minute = models.DecimalField(max_digits=16, decimal_places=4, null=True, blank=True)
    currency = models.CharField(max_length=3, default="USD")
    is_demo = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ServiceQuerySet.as_manager()

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name or self.slug


class Environment(models.Model):
    slug = models.CharField(max_length=80, unique=True, validators=[slug_validator])
    name = models.CharField(max_length=200, blank=True)
    is_demo = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name or self.slug


class Target(models.Model):
    """A service's branch in an environment (or in none): a fingerprint is one finding per target."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="targets")
    environment = models.ForeignKey(Environment, null=True, on_delete=models.PROTECT, related_name="targets")
    branch = models.CharField(max_length=250)
    # Derived from the service, kept here so that the finding's trigger can read it in one look-up.
    is_default_branch = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["service", "environment", "branch"], name="target_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.service.slug} {self.branch}"


class OwnershipRule(models.Model):
    """First match by position wins; what matches none falls to the service's team."""

    class Kind(models.TextChoices):
        PATH = "path", "Path"
        IMAGE = "image", "Image"
        NAMESPACE = "namespace", "Namespace"
        SERVICE = "service", "Service"
        ACCOUNT = "account", "Account"  # of a cloud; costs only
        TAG = "tag", "Tag"  # key=value on a bill; costs only
        LABEL = "label", "Label"  # key=value in Kubernetes; costs only

    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=Kind)
    pattern = models.CharField(max_length=500)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="ownership_rules")
    # A path rule from a CODEOWNERS file holds for the service whose file it was; null holds for every service.
    service = models.ForeignKey(Service, null=True, blank=True, on_delete=models.CASCADE)
    origin = models.CharField(max_length=20, default="manual")  # manual, codeowners
    note = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.pattern}"
