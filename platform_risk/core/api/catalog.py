"""Services, teams, environments and ownership rules as the API shows and reads them."""

from typing import Any

from rest_framework import serializers

from platform_risk.core.api import enums
from platform_risk.core.api.exports import Table
from platform_risk.core.api.fields import SlugField, shown_number, shown_time
from platform_risk.core.api.problems import bad_field
from platform_risk.core.api.resources import Body
from platform_risk.core.catalog.selectors import services_visible_to, teams_visible_to
from platform_risk.core.models import OwnershipRule, Service, Team, User


def team_named(slug: str | None, user: User) -> Team | None:
    if slug is None:
        return None
    found = teams_visible_to(user).filter(slug=slug).first()
    if found is None:
        raise bad_field("/team", f"No team “{slug}” that you may see.")
    return found


def service_named(slug: str | None, user: User) -> Service | None:
    if slug is None:
        return None
    found = services_visible_to(user).filter(slug=slug).first()
    if found is None:
        raise bad_field("/service", f"No service “{slug}” that you may see.")
    return found


def service_row(service: Service) -> dict[str, Any]:
    return {
        "id": str(service.pk),
        "slug": service.slug,
        "name": service.name,
        "team": service.team.slug if service.team else None,
        "default_branch": service.default_branch,
        "criticality": service.criticality,
        "slo": shown_number(service.slo),
        "value_per_bad_minute": shown_number(service.value_per_bad_minute),
        "currency": service.currency,
        "is_demo": service.is_demo,
        "created_at": shown_time(service.created_at),
    }


def named_row(row: Any) -> dict[str, Any]:
    """Of a team or an environment."""
    return {
        "id": str(row.pk),
        "slug": row.slug,
        "name": row.name,
        "is_demo": row.is_demo,
        "created_at": shown_time(row.created_at),
    }


def rule_row(rule: OwnershipRule) -> dict[str, Any]:
    return {
        "id": str(rule.pk),
        "position": rule.position,
        "kind": rule.kind,
        "pattern": rule.pattern,
        "team": rule.team.slug,
        "service": rule.service.slug if rule.service else None,
        "origin": rule.origin,
        "note": rule.note,
        "created_at": shown_time(rule.created_at),
    }


class ServiceSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    slug = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    team = serializers.CharField(allow_null=True)
    default_branch = serializers.CharField()
    criticality = serializers.ChoiceField(choices=enums.CRITICALITIES)
    slo = serializers.CharField(allow_null=True, help_text="Share of good requests promised, as 0.999.")
    value_per_bad_minute = serializers.CharField(allow_null=True, help_text="Null: nobody stated one.")
    currency = serializers.CharField()
    is_demo = serializers.BooleanField()
    created_at = serializers.DateTimeField()


class NamedSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    slug = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    is_demo = serializers.BooleanField()
    created_at = serializers.DateTimeField()


class TeamSerializer(NamedSerializer):
    pass


class EnvironmentSerializer(NamedSerializer):
    pass


class RuleSerializer(serializers.Serializer[Any]):
    """The first rule that matches says whose a finding is."""

    id = serializers.CharField()
    position = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=enums.RULE_KINDS)
    pattern = serializers.CharField()
    team = serializers.CharField()
    service = serializers.CharField(allow_null=True)
    origin = serializers.CharField()
    note = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()


class ServiceWrittenSerializer(Body):
    slug = SlugField()
    name = serializers.CharField(max_length=200, required=False, allow_blank=True)
    team = SlugField(required=False, allow_null=True)
    default_branch = serializers.CharField(max_length=250, required=False)
    criticality = serializers.ChoiceField(choices=enums.CRITICALITIES, required=False)
    slo = serializers.DecimalField(8, 7, min_value=0, max_value=1, required=False, allow_null=True)
    value_per_bad_minute = serializers.DecimalField(16, 4, min_value=0, required=False, allow_null=True)
    currency = serializers.RegexField(r"^[A-Z]{3}$", required=False)


class TeamWrittenSerializer(Body):
    slug = SlugField()
    name = serializers.CharField(max_length=200, required=False)


class EnvironmentWrittenSerializer(Body):
    slug = SlugField()
    name = serializers.CharField(max_length=200, required=False, allow_blank=True)


class RuleWrittenSerializer(Body):
    position = serializers.IntegerField(
        min_value=1, max_value=1_000_000, required=False, help_text="Counted from 1; left out: last."
    )
    kind = serializers.ChoiceField(choices=enums.RULE_KINDS)
    pattern = serializers.CharField(max_length=500)
    team = SlugField()
    service = SlugField(required=False, allow_null=True)
    note = serializers.CharField(max_length=500, required=False, allow_blank=True)


SERVICES = Table(
    "services",
    (
        "id", "slug", "name", "team", "default_branch", "criticality", "slo", "value_per_bad_minute", "currency",
        "created_at",
    ),
    service_row,
)  # fmt: skip
TEAMS = Table("teams", ("id", "slug", "name", "created_at"), named_row)
ENVIRONMENTS = Table("environments", ("id", "slug", "name", "created_at"), named_row)
RULES = Table(
    "ownership-rules",
    ("id", "position", "kind", "pattern", "team", "service", "origin", "note", "created_at"),
    rule_row,
)
