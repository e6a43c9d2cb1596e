"""Endpoints of projections: from figures that are sent, and from what was imported. They compute and keep nothing."""

from collections.abc import Sequence
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from costs import beginning, projecting
from costs.api.serializers import (
    EntitiesBody,
    ImportedProjectionSerializer,
    LogsBody,
    MetricsBody,
    ProjectionBody,
    ProjectionSerializer,
)
from platform_risk.core.api.problems import bad_parameter
from platform_risk.core.api.resources import Resource, read
from platform_risk.core.api.schema import parameter
from platform_risk.core.catalog.selectors import services_visible_to
from platform_risk.quantities.pricing import BadPriceError
from platform_risk.quantities.projections import MOST_MONTHS

_IMPORTED = (
    parameter("service", "Usage and facts of this service alone.", many=False),
    parameter("months", f"How far ahead, 1 to {MOST_MONTHS}; 12 if left out.", many=False, type=int),
    parameter("price", "Id of the price to take; if left out, the one that applies.", many=False),
)


class Projections(Resource):
    """What metrics, entities and logs will come to."""

    computes: ClassVar[Sequence[str]] = ("metrics", "entities", "logs")
    parameters: ClassVar[dict[str, Any]] = {f"imported_{vector}": _IMPORTED for vector in projecting.UNITS}
    paged: ClassVar[Sequence[str]] = ()
    exported: ClassVar[Sequence[str]] = ()

    def _answered(self, request: Request, body: type[ProjectionBody], vector: str) -> Response:
        inputs = read(body, request)
        try:
            found = projecting.project(vector, inputs)
        except BadPriceError as error:
            raise serializers.ValidationError({"tiers": [str(error)]}) from error
        return Response(projecting.answer(found, inputs))

    def _imported(self, request: Request, vector: str) -> Response:
        months = _number(request, "months", 12, MOST_MONTHS)
        price = _number(request, "price", 0, 10**18)
        service = None
        if slug := request.query_params.get("service"):
            service = services_visible_to(self.user).filter(slug=slug).first()
            if service is None:
                raise bad_parameter("service", f"No service “{slug[:60]}” that you may see.")
        try:
            found = beginning.imported(vector, self.user, service=service, months=months, price_id=price)
        except beginning.NoSuchPriceError as error:
            raise bad_parameter("price", str(error)) from error
        return Response(found)

    @extend_schema(request=MetricsBody, responses={200: ProjectionSerializer})
    @action(detail=False, methods=["post"])
    def metrics(self, request: Request) -> Response:
        """Data points a month: pods × series × frequency × environments × replicas of the scraper."""
        return self._answered(request, MetricsBody, "metrics")

    @extend_schema(responses={200: ImportedProjectionSerializer})
    @metrics.mapping.get
    def imported_metrics(self, request: Request) -> Response:
        """The same from imported usage and facts, each input with its source."""
        return self._imported(request, "metrics")

    @extend_schema(request=EntitiesBody, responses={200: ProjectionSerializer})
    @action(detail=False, methods=["post"])
    def entities(self, request: Request) -> Response:
        """Entities that exist: the live ones, and those that outlive their pods."""
        return self._answered(request, EntitiesBody, "entities")

    @extend_schema(responses={200: ImportedProjectionSerializer})
    @entities.mapping.get
    def imported_entities(self, request: Request) -> Response:
        """The same from imported usage and facts, each input with its source."""
        return self._imported(request, "entities")

    @extend_schema(request=LogsBody, responses={200: ProjectionSerializer})
    @action(detail=False, methods=["post"])
    def logs(self, request: Request) -> Response:
        """Logs kept and what they cost, day by day; ingest and storage are priced by their units."""
        return self._answered(request, LogsBody, "logs")

    @extend_schema(responses={200: ImportedProjectionSerializer})
    @logs.mapping.get
    def imported_logs(self, request: Request) -> Response:
        """The same from imported usage and facts, each input with its source, and by log group."""
        return self._imported(request, "logs")


def _number(request: Request, name: str, default: int, most: int) -> int:
    text = request.query_params.get(name) or ""
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 20 and 1 <= int(text) <= most):
        raise bad_parameter(name, f"{name} is a number from 1 to {most}.")
    return int(text)
