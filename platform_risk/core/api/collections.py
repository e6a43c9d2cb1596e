"""Lists of things that are created, read, changed and deleted alike: services, teams, users …"""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.urls import reverse
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from platform_risk.core.api.etag import check_if_match, etag_of
from platform_risk.core.api.exports import Table
from platform_risk.core.api.idempotency import idempotent
from platform_risk.core.api.resources import Body, Resource, one, one_named, read


class Collection(Resource):
    """The five calls. A subclass says what may be seen, how it is shown and read, and which service writes."""

    table: ClassVar[Table]
    body: ClassVar[type[Body]]
    change_body: ClassVar[type[Body] | None] = None
    key_column: ClassVar[str] = ""  # by what it is named, beside its id
    key: ClassVar[tuple[str, ...]] = ("id",)
    volatile: ClassVar[tuple[str, ...]] = ()  # what changes by merely being used, and so not the ETag

    def rows(self) -> QuerySet[Any]:
        """What the user may see."""
        raise NotImplementedError

    def add(self, sent: dict[str, Any]) -> Any:
        raise NotImplementedError

    def change(self, row: Any, sent: dict[str, Any]) -> None:
        raise NotImplementedError

    def remove(self, row: Any) -> None:
        raise NotImplementedError

    def shown(self, row: Any) -> Mapping[str, Any]:
        return self.table.row(row)

    def _one(self, key: str, *, locked: bool = False, goes: bool = False) -> Any:
        # What stays may be referred to meanwhile.
        rows = self.rows().select_for_update(of=("self",), no_key=not goes) if locked or goes else self.rows()
        return one_named(rows, key, self.key_column) if self.key_column else one(rows, key)

    def _etag(self, row: Any) -> str:
        return etag_of(self.table.row(row), without=self.volatile)

    def _answer(self, row: Any, status: int = 200, shown: Mapping[str, Any] | None = None) -> Response:
        headers = {"ETag": self._etag(row)}
        if status == 201:
            name = getattr(row, self.key_column) if self.key_column else row.pk
            headers["Location"] = reverse(f"api:{self.basename}-detail", args=[name])
        return Response(shown or self.shown(row), status=status, headers=headers)

    def list(self, request: Request) -> HttpResponseBase:
        return self.listed(self.rows(), self.table, self.key)

    @idempotent(secret=("token",))
    def create(self, request: Request) -> Response:
        sent = read(self.body, request)
        with transaction.atomic():
            added = self.add(sent)
            return self._answer(self.rows().get(pk=added.pk), 201)

    def retrieve(self, request: Request, id: str) -> Response:
        return self._answer(self._one(id))

    def partial_update(self, request: Request, id: str) -> Response:
        with transaction.atomic():
            row = self._one(id, locked=True)
            check_if_match(request, self._etag(row))
            self.change(row, read(self.change_body or self.body, request, partial=True))
            return self._answer(self.rows().get(pk=row.pk))

    def destroy(self, request: Request, id: str) -> Response:
        with transaction.atomic():
            row = self._one(id, goes=True)
            check_if_match(request, self._etag(row))
            self.remove(row)
        return Response(status=204)


def described(
    shown: type[serializers.Serializer[Any]], body: type[Body], changing: type[Body] | None = None, **words: str
) -> Any:
    """Puts the shapes and words of a collection's five calls into the schema."""
    return extend_schema_view(
        list=extend_schema(responses=shown(many=True), description=words["list"]),
        create=extend_schema(request=body, responses={201: shown}, description=words["create"]),
        retrieve=extend_schema(responses=shown, description=words["retrieve"]),
        partial_update=extend_schema(request=changing or body, responses=shown, description=words["change"]),
        destroy=extend_schema(responses={204: None}, description=words["delete"]),
    )
