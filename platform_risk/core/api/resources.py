"""What every endpoint is made of: who may call, what may be asked, pages, exports, and preconditions."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, cast

from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from platform_risk.core import giving_way
from platform_risk.core.api import exports, filters
from platform_risk.core.api.authentication import ScopedPermission
from platform_risk.core.api.exports import Negotiation, Table
from platform_risk.core.api.pagination import KeysetPagination
from platform_risk.core.api.parsing import BoundedJSONParser
from platform_risk.core.api.schema import ApiSchema
from platform_risk.core.api.throttling import CallerThrottle
from platform_risk.core.models import User

NUMBER = r"[0-9]{1,18}"  # ids; more digits would not fit the column
NAME = r"[\w@.+-]{1,150}"  # slugs and user names, or ids


class Resource(ViewSet):
    """Base of all endpoints. A subclass names its query parameters per action; others are refused."""

    permission_classes: Sequence[Any] = [ScopedPermission]
    throttle_classes: Sequence[Any] = [CallerThrottle]
    parser_classes: Sequence[type[BaseParser]] = [BoundedJSONParser]
    content_negotiation_class = Negotiation
    pagination_class = KeysetPagination
    metadata_class = None
    schema = ApiSchema()
    lookup_url_kwarg = "id"
    lookup_value_regex = NUMBER

    is_named: ClassVar[bool] = False  # addressed by name or id, not by id alone
    parameters: ClassVar[Mapping[str, Sequence[Any]]] = {}
    paged: ClassVar[Sequence[str]] = ("list",)
    exported: ClassVar[Sequence[str]] = ("list",)
    conflicts: ClassVar[Sequence[str]] = ()
    conditional: ClassVar[Sequence[str]] = ()  # honours If-Match, beside what changes and deletes
    keyset: Sequence[str] = ("id",)
    _is_let_in = False

    @property
    def user(self) -> User:
        return cast(User, self.request.user)

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        # JSON is UTF-8 (RFC 8259), and so are our forms: a charset that the client makes up is not tried.
        request.encoding = "utf-8"
        # Known before the parsers are chosen, which depend on it.
        self.action = (self.action_map or {}).get((request.method or "").lower(), "")
        return super().initialize_request(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        known = {parameter.name for parameter in self.parameters.get(self.action or "", ())}
        if self.action in self.paged:
            known |= {"cursor", "page_size"}
        if self.action in self.exported:
            known.add("format")
        filters.refuse_unknown(request, known)
        self._is_let_in = True

    def handle_exception(self, exc: Exception) -> Response:
        # Not before it was decided whether the caller may at all.
        if self._is_let_in and giving_way.gave_way(exc):
            handler = getattr(self, (self.request.method or "").lower())
            data = self.request.data
            files = [each for each in data.values() if isinstance(each, UploadedFile)] if isinstance(data, dict) else []
            try:
                answer: Response = giving_way.again(
                    lambda: handler(self.request, *self.args, **self.kwargs), files, giving_way.MOST - 1
                )
            except Exception as error:  # noqa: BLE001 # handled as the first would have been
                return super().handle_exception(error)
            return answer
        return super().handle_exception(exc)

    def get_renderers(self) -> list[BaseRenderer]:
        if self.action in self.exported:
            return [renderer() for renderer in exports.LIST_RENDERERS]
        return [JSONRenderer()]

    def listed(
        self,
        rows: QuerySet[Any],
        table: Table,
        keyset: Sequence[str] = ("id",),
        *,
        near: Callable[[Any], QuerySet[Any]] | None = None,
    ) -> HttpResponseBase:
        """A page of `rows`, or all of them in the format asked for. `near` narrows them to what the page lies among."""
        self.keyset = keyset
        whole = exports.stream(self.request, table, rows.order_by(*keyset))
        if whole is not None:
            return whole
        return self.page(near(rows) if near else rows, lambda found: [table.row(each) for each in found], keyset)

    def page(
        self, rows: QuerySet[Any], shown: Callable[[list[Any]], list[Any]], keyset: Sequence[str] = ("id",)
    ) -> Response:
        self.keyset = keyset
        pages = self.pagination_class()
        found = pages.paginate_queryset(rows, self.request, self) or []
        return pages.get_paginated_response(shown(found))


def one(rows: QuerySet[Any], key: str) -> Any:
    """The row with this id, or a 404 that does not tell whether it exists for others."""
    found = rows.filter(pk=int(key)).first()
    if found is None:
        raise NotFound
    return found


def one_named(rows: QuerySet[Any], key: str, column: str = "slug") -> Any:
    """By its name or, second, by its id."""
    found = rows.filter(**{column: key}).first()
    if found is None and key.isascii() and key.isdigit() and len(key) < 19:
        found = rows.filter(pk=int(key)).first()
    if found is None:
        raise NotFound
    return found


class Body(serializers.Serializer[Any]):
    """A request's body. A field that is not known is refused: a typing error must not pass for done."""

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        for field in fields.values():
            if isinstance(field, serializers.ChoiceField):
                choices = ", ".join(str(choice) for choice in field.choices if choice != "")
                field.error_messages["invalid_choice"] = f"“{{input}}” is none of {choices}."
        return fields

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            # Whoever wrote by guess learns all names from one answer.
            refusal = f"There is no such field here. Known: {', '.join(sorted(self.fields))}."
            unknown = {str(name)[:60]: [refusal] for name in data if name not in self.fields}
            if unknown:
                raise serializers.ValidationError(cast(Any, unknown))
        return super().to_internal_value(data)


def read(body: type[Body], request: Request, *, partial: bool = False) -> dict[str, Any]:
    """The validated fields of the body; of a partial one only those that were sent."""
    serializer = body(data=request.data, partial=partial)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)
