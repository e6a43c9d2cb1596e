"""Budgets and scenarios through the API."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from costs import budgeting, outlook
from costs.api import serializers as projecting
from costs.api.enums import VECTORS
from costs.models import Budget, Scenario
from platform_risk.core.api import catalog
from platform_risk.core.api.collections import Collection, described
from platform_risk.core.api.exports import Table
from platform_risk.core.api.fields import SlugField, shown_date, shown_number, shown_time
from platform_risk.core.api.problems import bad_field
from platform_risk.core.api.resources import Body
from platform_risk.core.models import Environment, User
from platform_risk.quantities.pricing import shown

BODIES: dict[str, type[projecting.ProjectionBody]] = {
    "metrics": projecting.MetricsBody, "entities": projecting.EntitiesBody, "logs": projecting.LogsBody,
}  # fmt: skip


def budget_row(budget: Budget) -> dict[str, Any]:
    return {
        "id": str(budget.pk),
        "kind": budget.kind,
        "team": budget.team.slug if budget.team else None,
        "service": budget.service.slug if budget.service else None,
        "environment": budget.environment.slug if budget.environment else None,
        "account": budget.account or None,
        "amount": shown_number(budget.amount),
        "currency": budget.currency,
        "note": budget.note,
        "created_at": shown_time(budget.created_at),
    }


def standing_shown(found: outlook.Standing | str) -> dict[str, Any]:
    if isinstance(found, str):
        return {
            "sentence": found, "month": None, "as_of": None, "spent": None, "expected": None, "expected_on": None,
            "probability": None, "is_crossed": None,
        }  # fmt: skip
    crossing = found.crossing
    return {
        "sentence": found.sentence,
        "month": shown_date(found.month),
        "as_of": shown_date(found.as_of),
        "spent": shown(crossing.spent),
        "expected": None if crossing.expected is None else shown(crossing.expected),
        "expected_on": shown_date(crossing.on),
        "probability": round(crossing.probability, 4),
        "is_crossed": crossing.is_crossed,
    }


class StandingSerializer(serializers.Serializer[Any]):
    """Of the month that the bills have reached; null where nothing can be said, and the sentence says why."""

    sentence = serializers.CharField()
    month = serializers.DateField(allow_null=True)
    as_of = serializers.DateField(allow_null=True, help_text="The last day of which spend is known.")
    spent = serializers.CharField(allow_null=True)
    expected = serializers.CharField(allow_null=True, help_text="By the month's end.")
    expected_on = serializers.DateField(allow_null=True, help_text="The day that is expected to use it up.")
    probability = serializers.FloatField(allow_null=True, help_text="That the month ends above the budget.")
    is_crossed = serializers.BooleanField(allow_null=True)


class BudgetSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    kind = serializers.CharField(help_text="team, service, environment, account or everything.")
    team = serializers.CharField(allow_null=True)
    service = serializers.CharField(allow_null=True)
    environment = serializers.CharField(allow_null=True)
    account = serializers.CharField(allow_null=True)
    amount = serializers.CharField(help_text="For a calendar month.")
    currency = serializers.CharField()
    note = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()


class BudgetDetailSerializer(BudgetSerializer):
    standing = StandingSerializer()


class BudgetBody(Body):
    team = SlugField(required=False, allow_null=True)
    service = SlugField(required=False, allow_null=True)
    environment = SlugField(required=False, allow_null=True)
    account = serializers.CharField(max_length=200, required=False, allow_blank=True, allow_null=True)
    amount = serializers.DecimalField(max_digits=20, decimal_places=4, min_value=Decimal(0))
    currency = serializers.RegexField(r"^[A-Z][A-Z0-9_]{2,39}\Z", required=False)
    note = serializers.CharField(max_length=500, required=False, allow_blank=True)


def _with_rows(sent: dict[str, Any], user: User) -> dict[str, Any]:
    found = dict(sent)
    if "team" in found:
        found["team"] = catalog.team_named(found["team"], user)
    if "service" in found:
        found["service"] = catalog.service_named(found["service"], user)
    if "environment" in found and found["environment"] is not None:
        slug = found["environment"]
        found["environment"] = Environment.objects.filter(slug=slug).first()
        if found["environment"] is None:
            raise bad_field("/environment", f"There is no environment “{slug}”.")
    if "account" in found:
        found["account"] = found["account"] or ""
    return found


@described(
    BudgetDetailSerializer,
    BudgetBody,
    list="Budgets of your teams and their services; administrators see all.",
    create="Add a budget: for a team, a service, an environment, an account, or of none of them for everything.",
    retrieve="One budget, and whether it will do.",
    change="Change a budget.",
    delete="Delete a budget.",
)
class Budgets(Collection):
    """Budgets: what something may cost in a calendar month, and when it is expected to be used up."""

    table = Table(
        "budgets",
        ("id", "kind", "team", "service", "environment", "account", "amount", "currency", "note", "standing.sentence",
         "standing.month", "standing.as_of", "standing.spent", "standing.expected", "standing.expected_on",
         "standing.probability", "created_at"),
        budget_row,
    )  # fmt: skip
    body = BudgetBody
    conflicts: ClassVar[Sequence[str]] = ("create", "partial_update")

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        user = self.user
        plain = type(self).table
        self.shown_table = Table(
            plain.name,
            plain.columns,
            lambda budget: budget_row(budget) | {"standing": standing_shown(outlook.standing(budget, user))},
        )

    def list(self, request: Any) -> Any:
        return self.listed(self.rows(), self.shown_table, self.key)

    def shown(self, row: Budget) -> Mapping[str, Any]:
        return self.shown_table.row(row)

    def rows(self) -> QuerySet[Budget]:
        return Budget.objects.visible_to(self.user).select_related("team", "service", "environment")

    def add(self, sent: dict[str, Any]) -> Budget:
        return budgeting.create_budget(user=self.user, **_with_rows(sent, self.user))

    def change(self, row: Budget, sent: dict[str, Any]) -> None:
        budgeting.change_budget(row, user=self.user, **_with_rows(sent, self.user))

    def remove(self, row: Budget) -> None:
        budgeting.delete_budget(row, user=self.user)


# --- scenarios


def scenario_row(scenario: Scenario) -> dict[str, Any]:
    return {
        "id": str(scenario.pk),
        "name": scenario.name,
        "vector": scenario.vector,
        "inputs": scenario.inputs,
        "beside": scenario.beside,
        "team": scenario.team.slug if scenario.team else None,
        "created_by": scenario.created_by.get_username() if scenario.created_by else None,
        "created_at": shown_time(scenario.created_at),
    }


class ScenarioSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()
    vector = serializers.ChoiceField(choices=VECTORS)
    inputs = serializers.DictField(child=serializers.JSONField(allow_null=True))
    beside = serializers.DictField(child=serializers.JSONField(allow_null=True), allow_null=True)
    team = serializers.CharField(allow_null=True)
    created_by = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()


@extend_schema_field({"type": "object", "additionalProperties": True})
class _Inputs(serializers.JSONField):
    """Settings of a projection; they are checked as the projection's own call checks them."""


class ScenarioBody(Body):
    name = serializers.CharField(max_length=120)
    vector = serializers.ChoiceField(choices=VECTORS)
    inputs = _Inputs(help_text="As the projection of this vector takes them.")
    beside = _Inputs(required=False, allow_null=True, help_text="Settings to compare them with.")
    team = SlugField(required=False, allow_null=True, help_text="Shared with this team.")


def _checked(sent: dict[str, Any], vector: str) -> dict[str, Any]:
    """Raises ValidationError with the pointer of the input that makes no sense."""
    found = dict(sent)
    for name in ("inputs", "beside"):
        if found.get(name) is None:
            continue
        body = BODIES[vector](data=found[name])
        if not body.is_valid():
            raise serializers.ValidationError({name: body.errors})
        given = found[name]
        found[name] = {field: given[field] for field in body.fields if field in given}
    return found


@described(
    ScenarioSerializer,
    ScenarioBody,
    list="Your scenarios, and those shared with your teams.",
    create="Keep settings of a projection under a name.",
    retrieve="One scenario.",
    change="Change a scenario of yours.",
    delete="Delete a scenario of yours.",
)
class Scenarios(Collection):
    """Scenarios: settings of projections under a name."""

    table = Table(
        "scenarios", ("id", "name", "vector", "inputs", "beside", "team", "created_by", "created_at"), scenario_row
    )
    body = ScenarioBody
    conflicts: ClassVar[Sequence[str]] = ("create", "partial_update")

    def rows(self) -> QuerySet[Scenario]:
        return Scenario.objects.visible_to(self.user).select_related("team", "created_by")

    def _fields(self, sent: dict[str, Any], vector: str) -> dict[str, Any]:
        found = _checked(sent, vector)
        if "team" in found:
            found["team"] = catalog.team_named(found["team"], self.user)
        return found

    def add(self, sent: dict[str, Any]) -> Scenario:
        return budgeting.create_scenario(user=self.user, **self._fields(sent, sent["vector"]))

    def change(self, row: Scenario, sent: dict[str, Any]) -> None:
        vector = sent.get("vector", row.vector)
        if "vector" in sent and "inputs" not in sent and vector != row.vector:
            raise bad_field("/inputs", "Another vector has other inputs: send them too.")
        budgeting.change_scenario(row, user=self.user, **self._fields(sent, vector))

    def remove(self, row: Scenario) -> None:
        budgeting.delete_scenario(row, user=self.user)
