"""The daily cost series through the API."""

import base64
import itertools
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.utils.dateparse import parse_date
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from costs import selectors
from costs.cube_query import DIMENSIONS, FILTERS, Question
from costs.money import plain
from platform_risk.core.api import exports, filters
from platform_risk.core.api.exports import Table
from platform_risk.core.api.pagination import page_size
from platform_risk.core.api.problems import bad_parameter
from platform_risk.core.api.resources import Resource
from platform_risk.core.api.schema import parameter

PARAMETERS = (
    parameter("from", "The first day (2026-06-01), included.", many=False),
    parameter("to", "The day after the last one.", many=False),
    parameter(
        "group_by", f"Dimensions beside the day, with commas or repeated: {', '.join(DIMENSIONS)}. None: totals."
    ),
    parameter("currency", "Amounts in this currency."),
    *(parameter(name, f"Costs of this {DIMENSIONS[name].label.lower()}.") for name in FILTERS),
)


class DailySerializer(serializers.Serializer[Any]):
    """A day's cost, and the dimensions that were asked for. null: of nobody."""

    day = serializers.DateField()
    billed = serializers.CharField(help_text="What the invoice says; a decimal.")
    effective = serializers.CharField(help_text="With commitments spread over what used them; a decimal.")
    currency = serializers.CharField(help_text="ISO 4217, or as the bill calls it; three X: the bill names none.")

    def get_fields(self) -> dict[str, Any]:
        found = dict(super().get_fields())
        for name, dimension in DIMENSIONS.items():
            found[name] = serializers.CharField(required=False, allow_null=True, help_text=dimension.label)
        return found


def question_of(request: Request) -> Question:
    """From the query. Raises Problem 400 with the parameter."""
    names = [name for text in filters.words(request, "group_by") for name in text.split(",") if name]
    for name in names:
        if name not in DIMENSIONS:
            raise bad_parameter("group_by", f"group_by is one of {', '.join(DIMENSIONS)}; not “{name[:60]}”.")
    chosen = {name: tuple(values) for name in FILTERS if (values := filters.words(request, name))}
    start, end = day(request, "from"), day(request, "to")
    if start and end and end <= start:
        raise bad_parameter("to", "to is the day after the last one, so it comes after from.")
    return Question(start, end, tuple(dict.fromkeys(names)), tuple(filters.words(request, "currency")), chosen)


def day(request: Request, name: str, *, or_month: bool = False) -> date | None:
    """A parameter that holds a day, or a month such as 2026-06, which is its first day."""
    text = request.query_params.get(name, "")
    if or_month and len(text) == len("2026-06"):
        text += "-01"
    if not text:
        return None
    try:
        found = parse_date(text)
    except ValueError:
        found = None
    if found is None or not 1900 <= found.year <= 9998:
        raise bad_parameter(name, f"{name} is a day, such as 2026-06-01.")
    return found


def asked(question: Question, request: Request) -> QuerySet[Any]:
    try:
        return selectors.daily(question, request.user)  # type: ignore[arg-type]  # signed in: ours
    except selectors.UnknownName as error:
        raise bad_parameter(error.parameter, str(error)) from error


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    dimensions = {name[3:]: value or None for name, value in row.items() if name.startswith("by_")}
    return {
        "day": row["day"].isoformat(),
        **dimensions,
        "billed": plain(row["sum_billed"]),
        "effective": plain(row["sum_effective"]),
        "currency": row["currency"],
    }


def _offset(request: Request) -> int:
    text = request.query_params.get("cursor", "")
    if not text:
        return 0
    try:
        kind, number = base64.urlsafe_b64decode(text.encode("ascii")).decode("ascii").split(":")
        offset = int(number)
    except (ValueError, UnicodeError):
        kind, offset = "", -1
    if kind != "row" or not 0 <= offset < 1 << 40:
        raise bad_parameter("cursor", "This cursor was not made here.")
    return offset


class Daily(Resource):
    """Costs by day and by what you group by."""

    parameters: ClassVar[dict[str, Any]] = {"list": PARAMETERS}

    @extend_schema(responses=DailySerializer(many=True), operation_id="costs_daily_list")
    def list(self, request: Request) -> HttpResponseBase:
        """What was spent on each day, of what you may see: net of credits and refunds, unless you group by
        charge_category to see them apart. Charges of several days stand on the day on which they begin."""
        question = question_of(request)
        rows = asked(question, request)
        columns: Sequence[str] = ("day", *question.group_by, "billed", "effective", "currency")
        whole = exports.stream(request, Table("costs-daily", columns, _row), rows)
        if whole is not None:
            return whole
        size, offset = page_size(request), _offset(request)
        found = list(itertools.islice(rows[offset : offset + size + 1], size + 1))
        return Response(
            {
                "results": [_row(row) for row in found[:size]],
                "next": self._url(request, offset + size) if len(found) > size else None,
                "previous": self._url(request, max(offset - size, 0)) if offset else None,
            }
        )

    @staticmethod
    def _url(request: Request, offset: int) -> str:
        cursor = base64.urlsafe_b64encode(f"row:{offset}".encode()).decode()
        return replace_query_param(request.build_absolute_uri(), "cursor", cursor)
