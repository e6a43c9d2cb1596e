"""The endpoint of alert coverage: parses, makes one call, answers."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from platform_risk.core.api import exports, filters
from platform_risk.core.api.exports import Table
from platform_risk.core.api.fields import shown_time
from platform_risk.core.api.pagination import page_size
from platform_risk.core.api.problems import bad_parameter
from platform_risk.core.api.resources import Resource
from platform_risk.core.api.schema import parameter
from platform_risk.core.catalog.selectors import services_visible_to, teams_visible_to
from platform_risk.planning import coverage, freshness
from platform_risk.planning.api import enums
from platform_risk.planning.coverage import Alert, Filter, Row
from platform_risk.planning.freshness import Gap

_MODES = enums.FAILURE_MODES
_WHOSE = (
    parameter("service", "Filter by service; repeat for any of several."),
    parameter("team", "Filter by team; repeat for any of several."),
)
_LIST = (
    *_WHOSE,
    parameter("mode", "Filter by failure mode; repeat for any of several.", enum=_MODES),
    parameter("state", "Filter by state; repeat for any of several.", enum=enums.COVERAGE_STATES),
)


class AlertSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    language = serializers.CharField()
    severity = serializers.CharField(allow_blank=True)
    path = serializers.CharField(allow_blank=True)
    line = serializers.IntegerField(allow_null=True)
    best_seconds = serializers.FloatField(allow_null=True, help_text="Until it opens, at the soonest.")
    worst_seconds = serializers.FloatField(allow_null=True, help_text="At the latest; null: no bound is known.")
    wait_reason = serializers.CharField(allow_blank=True, help_text="Why a bound is not known.")
    reason = serializers.CharField(allow_blank=True, help_text="Why it is not understood.")
    service = serializers.CharField(
        allow_null=True, help_text="Whose import it is of; null: of one that you may not see, named only as such."
    )
    import_id = serializers.CharField(allow_null=True)


class CoverageSerializer(serializers.Serializer[Any]):
    """One failure mode of one thing, and the alerts that would notice it."""

    service = serializers.CharField()
    team = serializers.CharField(allow_null=True)
    environment = serializers.CharField(allow_null=True)
    subject = serializers.CharField()
    mode = serializers.ChoiceField(choices=_MODES)
    title = serializers.CharField()
    state = serializers.ChoiceField(choices=enums.COVERAGE_STATES)
    alerts = AlertSerializer(many=True)
    best_seconds = serializers.FloatField(allow_null=True)
    worst_seconds = serializers.FloatField(allow_null=True)
    why = serializers.CharField(allow_blank=True)
    path = serializers.CharField(allow_blank=True)
    line = serializers.IntegerField(allow_null=True)
    observed_at = serializers.DateTimeField(allow_null=True)


def shown(row: Row) -> dict[str, Any]:
    told = {name: value for name, value in vars(row).items() if name not in ("alerts", "observed_at", "import_id")}
    times = {"best_seconds": row.best_seconds, "worst_seconds": row.worst_seconds}
    return told | times | {"alerts": [_alert(each) for each in row.alerts], "observed_at": shown_time(row.observed_at)}


def _alert(alert: Alert) -> dict[str, Any]:
    return vars(alert) | {"import_id": str(alert.import_id) if alert.import_id else None}


def flat(row: Row) -> dict[str, Any]:
    """As a line of a list: the alerts by name, place, and whose they are where it is another's."""
    return shown(row) | {"alerts": [_named(each, row) for each in row.alerts]}


def _named(alert: Alert, row: Row) -> str:
    whose = f"{alert.service}, " if alert.service and alert.service != row.service else ""
    return f"{alert.name} ({whose}{alert.path}:{alert.line})" if alert.line else alert.name


class GapSerializer(serializers.Serializer[Any]):
    """Something that is not known any more."""

    kind = serializers.ChoiceField(choices=enums.GAP_KINDS)
    service = serializers.CharField(allow_null=True)
    team = serializers.CharField(allow_null=True, help_text="The service's.")
    about = serializers.CharField(help_text="The branch, source or bill.")
    since = serializers.DateField(allow_null=True, help_text="Null: it never was known.")
    words = serializers.CharField()


def gap_shown(gap: Gap) -> dict[str, Any]:
    return vars(gap) | {"since": gap.since.isoformat() if gap.since else None}


GAPS = Table("freshness", ("kind", "service", "team", "about", "since", "words"), gap_shown)
TABLE = Table(
    "alert-coverage",
    (
        "service", "team", "environment", "subject", "mode", "title", "state", "alerts", "best_seconds",
        "worst_seconds", "why", "path", "line", "observed_at",
    ),
    flat,
)  # fmt: skip


class AlertCoverage(Resource):
    """Alert coverage: which alert would notice which failure of what, and what none would."""

    parameters: ClassVar[dict[str, Any]] = {"list": _LIST, "freshness": _WHOSE}
    paged: ClassVar[Sequence[str]] = ("list", "freshness")
    exported: ClassVar[Sequence[str]] = ("list", "freshness")

    @extend_schema(responses=CoverageSerializer(many=True))
    def list(self, request: Request) -> HttpResponseBase:
        """Of the configuration last imported of services that you may see; what nothing notices first."""
        found = coverage.rows(coverage.sources(self.user), self._wanted(request))
        whole = exports.stream(request, TABLE, exports.Rows(found))
        return whole or _page(request, [shown(row) for row in found])

    @extend_schema(responses=GapSerializer(many=True))
    @action(detail=False)
    def freshness(self, request: Request) -> HttpResponseBase:
        """What is not known any more: services that nothing looks at, silent sources, bills with a gap."""
        services, teams = self._whose(request)
        found = [
            gap
            for gap in freshness.gaps(self.user)
            if (not services or gap.service in services) and (not teams or gap.team in teams)
        ]
        whole = exports.stream(request, GAPS, exports.Rows(found))
        return whole or _page(request, [gap_shown(each) for each in found])

    def _wanted(self, request: Request) -> Filter:
        services, teams = self._whose(request)
        modes = filters.choices(request, "mode", _MODES)
        states = filters.choices(request, "state", enums.COVERAGE_STATES)
        return Filter(services, frozenset(modes), frozenset(states), teams)

    def _whose(self, request: Request) -> tuple[frozenset[str], frozenset[str]]:
        """Services and teams that are asked for."""
        services = filters.words(request, "service")
        known = set(services_visible_to(self.user).filter(slug__in=services).values_list("slug", flat=True))
        for slug in services:
            if slug not in known:
                raise bad_parameter("service", f"No service “{slug[:60]}” that you may see.")
        teams = filters.words(request, "team")
        seen = set(teams_visible_to(self.user).filter(slug__in=teams).values_list("slug", flat=True))
        for slug in teams:
            if slug not in seen:
                raise bad_parameter("team", f"No team “{slug[:60]}” that you may see.")
        return frozenset(services), frozenset(teams)


def _page(request: Request, found: Sequence[dict[str, Any]]) -> Response:
    """By number: the list is made anew from what was imported, and has no key."""
    text, size = request.query_params.get("cursor", "") or "0", page_size(request)
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        raise bad_parameter("cursor", "This cursor was not made here.")
    begin = int(text)

    def link(number: int) -> str:
        query = request._request.GET.copy()
        query["cursor"] = str(number)
        return f"{request.build_absolute_uri(request.path)}?{query.urlencode()}"

    following = link(begin + size) if begin + size < len(found) else None
    previous = link(max(begin - size, 0)) if begin else None
    return Response({"results": found[begin : begin + size], "next": following, "previous": previous})
