"""Endpoints of incidents. Each parses, makes one call, and answers."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from rest_framework import serializers
from rest_framework.request import Request

from findings.models import Finding
from platform_risk.core.api import catalog, filters
from platform_risk.core.api.collections import Collection, described
from platform_risk.core.api.exports import Table
from platform_risk.core.api.fields import SlugField, ZonedTimeField, shown_number, shown_time
from platform_risk.core.api.problems import bad_field, bad_parameter
from platform_risk.core.api.resources import Body
from platform_risk.core.api.schema import parameter
from platform_risk.core.catalog.selectors import services_visible_to
from platform_risk.core.models import User
from platform_risk.planning import incidents
from platform_risk.planning.models import Incident


class IncidentSerializer(serializers.Serializer[Any]):
    """Something that went wrong with a service. Null is "nobody says"."""

    id = serializers.CharField()
    service = serializers.CharField()
    title = serializers.CharField()
    started_at = serializers.DateTimeField()
    detected_at = serializers.DateTimeField(allow_null=True)
    recovered_at = serializers.DateTimeField(allow_null=True)
    users_affected = serializers.CharField(allow_null=True, help_text="Share, 0 to 1.")
    was_predicted = serializers.BooleanField(allow_null=True, help_text="A finding had told of it before.")
    was_alerted = serializers.BooleanField(allow_null=True, help_text="An alert told of it, not a user.")
    findings = serializers.ListField(child=serializers.CharField(), help_text="Numbers of those that you may see.")
    notes = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class IncidentWrittenSerializer(Body):
    service = SlugField()
    title = serializers.CharField(max_length=300)
    started_at = ZonedTimeField()
    detected_at = ZonedTimeField(required=False, allow_null=True)
    recovered_at = ZonedTimeField(required=False, allow_null=True)
    users_affected = serializers.DecimalField(
        7, 6, min_value=Decimal(0), max_value=Decimal(1), required=False, allow_null=True
    )
    was_predicted = serializers.BooleanField(required=False, allow_null=True)
    was_alerted = serializers.BooleanField(required=False, allow_null=True)
    findings = serializers.ListField(
        child=serializers.RegexField(r"^[0-9]{1,18}$"), required=False, max_length=100, help_text="Their numbers."
    )
    notes = serializers.CharField(max_length=10_000, required=False, allow_blank=True)


COLUMNS = (
    "id", "service", "title", "started_at", "detected_at", "recovered_at", "users_affected", "was_predicted",
    "was_alerted", "findings", "notes",
)  # fmt: skip


def shown(incident: Incident, seen: set[int] | None = None) -> dict[str, Any]:
    """`seen`: the findings that the user may see."""
    linked = sorted(each.pk for each in incident.findings.all() if seen is None or each.pk in seen)
    return {
        "id": str(incident.pk),
        "service": incident.service.slug,
        "title": incident.title,
        "started_at": shown_time(incident.started_at),
        "detected_at": shown_time(incident.detected_at),
        "recovered_at": shown_time(incident.recovered_at),
        "users_affected": shown_number(incident.users_affected),
        "was_predicted": incident.was_predicted,
        "was_alerted": incident.was_alerted,
        "findings": [str(pk) for pk in linked],
        "notes": incident.notes,
        "created_at": shown_time(incident.created_at),
        "updated_at": shown_time(incident.updated_at),
    }


_LIST = (
    parameter("service", "Filter by service; repeat for any of several."),
    parameter("updated_since", "Changed at this time or later (RFC 3339).", many=False),
)


@described(
    IncidentSerializer,
    IncidentWrittenSerializer,
    list="Incidents of services that you may see, the newest first.",
    create="Write down an incident.",
    retrieve="One incident.",
    change="Change an incident; `findings` replaces the links to those that you may see.",
    delete="Delete an incident.",
)
class Incidents(Collection):
    """Incidents: what went wrong. Linked to findings, they tell how often it happens and if an alert catches it."""

    table = Table("incidents", COLUMNS, shown)
    body = IncidentWrittenSerializer
    key = ("-started_at", "-id")
    parameters: ClassVar[dict[str, Any]] = {"list": _LIST}
    conflicts: ClassVar[Sequence[str]] = ()

    def rows(self) -> QuerySet[Incident]:
        return incidents.visible(self.user)

    def _seen(self, rows: QuerySet[Incident]) -> set[int]:
        linked = Finding.objects.visible_to(self.user).filter(incidents__in=rows.order_by())
        return set(linked.values_list("pk", flat=True))

    def shown(self, row: Incident) -> Mapping[str, Any]:
        return shown(row, self._seen(Incident.objects.filter(pk=row.pk)))

    def list(self, request: Request) -> HttpResponseBase:
        rows = self.rows()
        if slugs := filters.words(request, "service"):
            known = dict(services_visible_to(self.user).filter(slug__in=slugs).values_list("slug", "pk"))
            missing = next((slug for slug in slugs if slug not in known), None)
            if missing is not None:
                raise bad_parameter("service", f"No service “{missing[:60]}” that you may see.")
            rows = rows.filter(service_id__in=known.values())
        since = filters.moment(request, "updated_since")
        if since is not None:
            rows = rows.filter(updated_at__gte=since)
        seen = self._seen(rows)
        return self.listed(rows, Table("incidents", COLUMNS, lambda row: shown(row, seen)), self.key)

    def add(self, sent: dict[str, Any]) -> Incident:
        return incidents.create(user=self.user, through="api", **_named(sent, self.user))

    def change(self, row: Incident, sent: dict[str, Any]) -> None:
        incidents.change(row, user=self.user, through="api", **_named(sent, self.user))

    def remove(self, row: Incident) -> None:
        incidents.delete(row, user=self.user, through="api")


def _named(sent: dict[str, Any], user: User) -> dict[str, Any]:
    found = dict(sent)
    if "service" in found:
        found["service"] = catalog.service_named(found["service"], user)
    if "findings" in found:
        numbers = {int(each) for each in found["findings"]}
        found["findings"] = list(incidents.linkable(user, numbers))
        if len(found["findings"]) != len(numbers):
            raise bad_field("/findings", "Numbers of findings that you may see.")
    return found
