"""Budgets by month, projections that are kept under a name, and what people say of unusual days."""

from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from platform_risk.core.models import Environment, Service, Team, User

_CURRENCY = RegexValidator(r"^[A-Z][A-Z0-9_]{2,39}\Z", "An ISO 4217 currency, as USD.")
SUBJECTS = ("team", "service", "environment", "account")


class BudgetQuerySet(models.QuerySet["Budget"]):
    def visible_to(self, user: User) -> "BudgetQuerySet":
        """Of one's teams and their services. One of an environment, an account or everything is of all."""
        if user.is_admin:
            return self
        mine = Q(team_id__in=user.team_ids) | Q(service__team_id__in=user.team_ids)
        if user.sees_unowned:
            mine |= Q(service__isnull=False, service__team_id__isnull=True)
        return self.filter(mine)


class Budget(models.Model):
    """What a team, a service, an environment, an account or, of none of them, everything may cost in a month."""

    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="budgets")
    service = models.ForeignKey(Service, null=True, blank=True, on_delete=models.CASCADE, related_name="budgets")
    environment = models.ForeignKey(
        Environment, null=True, blank=True, on_delete=models.CASCADE, related_name="budgets"
    )
    account = models.CharField(max_length=200, blank=True)
    amount = models.DecimalField(max_digits=20, decimal_places=4, validators=[MinValueValidator(Decimal(0))])
    currency = models.CharField(max_length=40, default="USD", validators=[_CURRENCY])
    note = models.CharField(max_length=500, blank=True)
    created_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = BudgetQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["team", "service", "environment", "account", "currency"], nulls_distinct=False,
                name="budget_once", violation_error_message="There is a budget of this in this currency already.",
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.of}: {self.amount} {self.currency}"

    @property
    def kind(self) -> str:
        return next((name for name in SUBJECTS if getattr(self, name)), "everything")

    @property
    def of(self) -> str:
        """What it is a budget of, by its name."""
        found = getattr(self, self.kind, None)
        return str(getattr(found, "slug", found)) if found else "everything"

    def clean(self) -> None:
        named = [name for name in SUBJECTS if getattr(self, name)]
        if len(named) > 1:
            words = "A budget is of one thing: a team, a service, an environment or an account."
            raise ValidationError({named[1]: words})

    def validate_constraints(self, exclude: Any = None) -> None:
        """Said at what there is a budget of already; of everything that can be but the currency."""
        try:
            super().validate_constraints(exclude)
        except ValidationError as error:
            at = self.kind if self.kind in SUBJECTS else "currency"
            raise ValidationError({at: error.messages}) from error


class ScenarioQuerySet(models.QuerySet["Scenario"]):
    def visible_to(self, user: User) -> "ScenarioQuerySet":
        """One's own, and those shared with one's teams."""
        if user.is_admin:
            return self
        return self.filter(Q(created_by=user) | Q(team_id__in=user.team_ids))


class Scenario(models.Model):
    """Settings of a projection under a name: {field: value} as the API names them, and perhaps a second one beside."""

    name = models.CharField(max_length=120)
    vector = models.CharField(max_length=10, choices=[(each, each) for each in ("metrics", "entities", "logs")])
    inputs: "models.JSONField[Any, Any]" = models.JSONField()
    beside: "models.JSONField[Any, Any]" = models.JSONField(null=True, blank=True)
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="scenarios")
    created_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScenarioQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["created_by", "name"], name="scenario_once")]

    def __str__(self) -> str:
        return self.name


class SeenAnomaly(models.Model):
    """Why an unusual day of a team’s spend (team null: of nobody’s) is all right, and who said so."""

    team = models.ForeignKey(Team, null=True, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    currency = models.CharField(max_length=40)
    reason = models.CharField(max_length=1000)
    seen_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    seen_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-day", "id"]
        constraints = [
            models.UniqueConstraint(fields=["team", "day", "currency"], nulls_distinct=False, name="anomaly_seen_once")
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.currency}"
