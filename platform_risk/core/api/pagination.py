"""Lists: {"results", "next", "previous"}, by key."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from django.db.models import QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from platform_risk.core import keyset
from platform_risk.core.api.problems import bad_parameter

if TYPE_CHECKING:
    from rest_framework.views import APIView  # at run time this would be a circle

DEFAULT_PAGE_SIZE = 100
MAX_PAGE_SIZE = 500


def page_size(request: Request) -> int:
    text = request.query_params.get("page_size", "")
    if not text:
        return DEFAULT_PAGE_SIZE
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= MAX_PAGE_SIZE):
        raise bad_parameter("page_size", f"page_size must be a number from 1 to {MAX_PAGE_SIZE}.")
    return int(text)


class KeysetPagination(BasePagination):
    """The view says its order in `ordering_fields()` or `ordering`; the default is the primary key."""

    def paginate_queryset(
        self, queryset: QuerySet[Any] | Sequence[Any], request: Request, view: "APIView | None" = None
    ) -> list[Any] | None:
        assert isinstance(queryset, QuerySet), "only the database pages by key"
        self.request = request
        ordering = cast("Sequence[str]", getattr(view, "keyset", ("id",)))
        try:
            found = keyset.page(
                queryset, ordering=ordering, cursor=request.query_params.get("cursor"), size=page_size(request)
            )
        except keyset.BadCursor as error:
            raise bad_parameter("cursor", str(error)) from error
        except (ValueError, OverflowError) as error:
            # A cursor that was made up: text with a NUL, or a number beyond all bounds, in a place of the key.
            raise bad_parameter("cursor", "This cursor was not made here.") from error
        self.next, self.previous = found.next, found.previous
        return found.rows

    def _url(self, cursor: str | None) -> str | None:
        return replace_query_param(self.request.build_absolute_uri(), "cursor", cursor) if cursor else None

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"results": data, "next": self._url(self.next), "previous": self._url(self.previous)})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {"results": schema, "next": link, "previous": link},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            {
                "name": "cursor",
                "in": "query",
                "schema": {"type": "string"},
                "description": "From `next` or `previous`.",
            },
            {
                "name": "page_size",
                "in": "query",
                "schema": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE, "default": DEFAULT_PAGE_SIZE},
            },
        ]
