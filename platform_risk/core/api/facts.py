"""Facts: what configuration and people stated about a service, as the API shows and reads them."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import transaction
from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from platform_risk.core.api import catalog, filters
from platform_risk.core.api.exports import Table
from platform_risk.core.api.fields import SlugField, shown_time
from platform_risk.core.api.problems import bad_field, bad_parameter
from platform_risk.core.api.resources import Body, Resource, read
from platform_risk.core.api.schema import parameter
from platform_risk.core.catalog.selectors import environments, services_visible_to
from platform_risk.core.facts import selectors, services
from platform_risk.core.models import Environment, FactSource, User


def fact_row(fact: Any) -> dict[str, Any]:
    return {
        "id": str(fact.pk),
        "service": fact.service.slug,
        "environment": fact.environment.slug if fact.environment else None,
        "name": fact.name,
        "value": fact.value,
        "unit": fact.unit,
        "source": fact.source,
        "in_force": fact.in_force,
        "path": fact.path,
        "line": fact.line,
        "note": fact.note,
        "import": str(fact.import_row_id) if fact.import_row_id else None,
        "stated_by": fact.stated_by.get_username() if fact.stated_by else None,
        "stated_at": shown_time(fact.stated_at),
    }


class FactSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    service = serializers.CharField()
    environment = serializers.CharField(allow_null=True, help_text="Null: holds in all of them.")
    name = serializers.CharField(help_text="Its dotted path, as in platform-risk.yaml.")
    value = serializers.JSONField(allow_null=True, help_text="Null: stated to be none, as of a retention: for ever.")
    unit = serializers.CharField(allow_blank=True)
    in_force = serializers.BooleanField(help_text=selectors.RULE)
    path = serializers.CharField(allow_blank=True)
    line = serializers.IntegerField(allow_null=True)
    note = serializers.CharField(allow_blank=True)
    stated_by = serializers.CharField(allow_null=True)
    stated_at = serializers.DateTimeField()

    def get_fields(self) -> dict[str, Any]:
        # `import` is no name that a class body could hold, and `source` is one of the serializer's own.
        source = serializers.ChoiceField(choices=FactSource.choices)
        return {**super().get_fields(), "source": source, "import": serializers.CharField(allow_null=True)}


class FactsWrittenSerializer(Body):
    service = SlugField()
    environment = SlugField(required=False, allow_null=True)
    facts = serializers.DictField(
        child=serializers.JSONField(allow_null=True),
        help_text="Name → value, as {“metrics.series_per_pod”: 100}, or nested as in platform-risk.yaml; null takes "
        "back what was stated.",
        error_messages={"not_a_dict": 'Facts are an object of name → value, as {"metrics.series_per_pod": 100}.'},
    )
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")

    def validate_facts(self, value: dict[str, Any]) -> dict[str, Any]:
        return _dotted(value)


_DEEPEST = 5  # parts of a fact's name, and more


def _dotted(facts: Mapping[str, Any], prefix: str = "", depth: int = 1) -> dict[str, Any]:
    """Nested names as dotted ones. What is nested deeper than any name, or empty, is kept, and refused as a value."""
    found: dict[str, Any] = {}
    for name, value in facts.items():
        if isinstance(value, Mapping) and value and depth < _DEEPEST:
            found |= _dotted(value, f"{prefix}{name}.", depth + 1)
        else:
            found[f"{prefix}{name}"] = value
    return found


TABLE = Table(
    "facts",
    ("id", "service", "environment", "name", "value", "unit", "source", "in_force", "path", "line", "note", "import",
     "stated_by", "stated_at"),
    fact_row,
)  # fmt: skip


def _environment(slug: str | None) -> Environment | None:
    if slug is None:
        return None
    found = environments().filter(slug=slug).first()
    if found is None:
        raise bad_field("/environment", f"No environment “{slug}”.")
    return found


class Facts(Resource):
    """Facts: what configuration and people stated, each with its source and date."""

    parameters: ClassVar[dict[str, Any]] = {
        "list": (
            parameter("service", "Filter by service; repeat for any of several."),
            parameter("environment", "Filter by environment; repeat for any of several."),
            parameter("name", "Filter by name; repeat for any of several."),
            parameter("source", "Filter by source; repeat for any of several.", enum=FactSource.values),
        )
    }

    @extend_schema(responses=FactSerializer(many=True))
    def list(self, request: Request) -> HttpResponseBase:
        """What is stated now. Where several sources state the same, all are shown and one is in force."""
        rows = selectors.facts_visible_to(self.user)
        wanted = filters.words(request, "service")
        if wanted:
            rows = rows.filter(service__in=_services(wanted, self.user))
        if places := filters.words(request, "environment"):
            rows = rows.filter(environment__slug__in=places)
        if names := filters.words(request, "name"):
            rows = rows.filter(name__in=names)
        if sources := filters.choices(request, "source", FactSource.values):
            rows = rows.filter(source__in=sources)
        return self.listed(rows, TABLE)

    @extend_schema(request=FactsWrittenSerializer, responses=FactSerializer(many=True))
    def state(self, request: Request) -> Response:
        """State facts of a service. What was stated of the same names before ends; others stay."""
        sent = read(FactsWrittenSerializer, request)
        with transaction.atomic():
            service = catalog.service_named(sent["service"], self.user)
            assert service is not None
            where = _environment(sent.get("environment"))
            services.state(service, sent["facts"], user=self.user, environment=where, reason=sent["reason"])
            rows = selectors.facts_visible_to(self.user)
            rows = rows.filter(service=service, environment=where, name__in=sent["facts"]).order_by("name", "pk")
            return Response([fact_row(fact) for fact in rows])


def _services(slugs: list[str], user: User) -> Any:
    found = services_visible_to(user).filter(slug__in=slugs)
    missing = set(slugs) - set(found.values_list("slug", flat=True))
    if missing:
        raise bad_parameter("service", f"No service “{min(missing)[:80]}” that you may see.")
    return found
