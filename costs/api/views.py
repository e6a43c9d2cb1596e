"""Endpoints of projections: they compute and keep nothing."""

from collections.abc import Sequence
from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from costs import projecting
from costs.api.serializers import EntitiesBody, LogsBody, MetricsBody, ProjectionBody, ProjectionSerializer
from platform_risk.core.api.resources import Resource, read


class Projections(Resource):
    """What metrics, entities and logs will come to, from figures that you give."""

    computes: ClassVar[Sequence[str]] = ("metrics", "entities", "logs")

    def _answered(self, request: Request, body: type[ProjectionBody], vector: str) -> Response:
        inputs = read(body, request)
        return Response(projecting.answer(projecting.project(vector, inputs), inputs))

    @extend_schema(request=MetricsBody, responses={200: ProjectionSerializer})
    @action(detail=False, methods=["post"])
    def metrics(self, request: Request) -> Response:
        """Data points a month: pods × series × frequency × environments × replicas of the scraper."""
        return self._answered(request, MetricsBody, "metrics")

    @extend_schema(request=EntitiesBody, responses={200: ProjectionSerializer})
    @action(detail=False, methods=["post"])
    def entities(self, request: Request) -> Response:
        """Entities that exist: the live ones, and those that outlive their pods."""
        return self._answered(request, EntitiesBody, "entities")

    @extend_schema(request=LogsBody, responses={200: ProjectionSerializer})
    @action(detail=False, methods=["post"])
    def logs(self, request: Request) -> Response:
        """Logs kept and what they cost, day by day; ingest and storage are priced by their units."""
        return self._answered(request, LogsBody, "logs")
