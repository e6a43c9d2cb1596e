"""Endpoints of imports: the core receives files, the apps say which formats there are."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.http.response import HttpResponseBase
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from platform_risk.core import uploads
from platform_risk.core.api import imports
from platform_risk.core.api.etag import etag_of
from platform_risk.core.api.idempotency import idempotent
from platform_risk.core.api.imports import (
    ImportDetailSerializer,
    ImportSerializer,
    ImportWrittenSerializer,
    ReasonSerializer,
    RejectSerializer,
)
from platform_risk.core.api.parsing import BoundedJSONParser
from platform_risk.core.api.resources import Resource, one, read
from platform_risk.core.imports import services
from platform_risk.core.models import Import
from platform_risk.joint import columns, columns_api
from platform_risk.joint.columns_api import ColumnsSerializer, ColumnsWrittenSerializer
from platform_risk.joint.receiving import enqueue, hand_in, take_back


class Imports(Resource):
    """Imports: everything that enters, and what became of it."""

    parameters: ClassVar[dict[str, Any]] = {"list": imports.PARAMETERS}
    paged: ClassVar[Sequence[str]] = ("list", "rejects")
    exported: ClassVar[Sequence[str]] = ("list", "rejects")
    conflicts: ClassVar[Sequence[str]] = ("cancel", "undo", "tell_columns")

    def get_parsers(self) -> list[Any]:
        return [MultiPartParser()] if self.action == "create" else [BoundedJSONParser()]

    def perform_authentication(self, request: Request) -> None:
        # First of all: looking for a form's CSRF token would read the body already.
        length = request.META.get("CONTENT_LENGTH") or ""
        announced = int(length[:20]) if length.isascii() and length.isdigit() else 0
        if self.action == "create" and announced > uploads.largest() + uploads.ENVELOPE_BYTES:
            raise services.TooLarge(f"The request has {length} bytes; at most {uploads.largest()} are accepted.")
        super().perform_authentication(request)

    def _one(self, key: str) -> Any:
        return one(imports.visible(self.user), key)

    def _shown(self, found: Import, status: int = 200) -> Response:
        shown = imports.detail(found)
        headers = {"ETag": etag_of(shown)}
        if status == 202:
            headers["Location"] = reverse("api:import-detail", args=[found.pk])
        return Response(shown, status=status, headers=headers)

    @extend_schema(responses=ImportSerializer(many=True))
    def list(self, request: Request) -> HttpResponseBase:
        """Imports that you may see, the newest first."""
        return self.listed(imports.filtered(request, self.user), imports.TABLE, ("-id",))

    @extend_schema(request={"multipart/form-data": ImportWrittenSerializer}, responses={202: ImportDetailSerializer})
    @idempotent()
    def create(self, request: Request) -> Response:
        """Hand in a file. It is stored at once and read by a worker: ask its Location how far it is."""
        sent = read(ImportWrittenSerializer, request)
        upload = sent.pop("file")
        received = hand_in(upload, user=self.user, **sent)
        return self._shown(received, 202)

    @extend_schema(responses=ImportDetailSerializer)
    def retrieve(self, request: Request, id: str) -> Response:
        """How far it is, what was found, or why it failed and what to do."""
        return self._shown(self._one(id))

    @extend_schema(responses=RejectSerializer(many=True))
    @action(detail=True)
    def rejects(self, request: Request, id: str) -> HttpResponseBase:
        """Records that could not be used, each with its place and the reason."""
        return self.listed(imports.rejects_of(self._one(id)), imports.REJECTS)

    @extend_schema(request=None, responses={200: ImportDetailSerializer})
    @action(detail=True, methods=["post"])
    @idempotent()
    def cancel(self, request: Request, id: str) -> Response:
        """Stop an import that is not finished; nothing of it is applied."""
        found = self._one(id)
        imports.check_may_change(found, self.user)
        return self._shown(services.cancel(found, user=self.user))

    @extend_schema(request=ReasonSerializer, responses={200: ImportDetailSerializer, 202: ImportDetailSerializer})
    @action(detail=True, methods=["post"])
    @idempotent()
    def undo(self, request: Request, id: str) -> Response:
        """Put the scope back to before this import: only the last applied one. Large ones wait for a worker (202)."""
        found = self._one(id)
        imports.check_may_change(found, self.user)
        reason = read(ReasonSerializer, request).get("reason", "")
        taken = take_back(found, user=self.user, reason=reason)
        return self._shown(taken, 202 if services.is_undoing(taken) else 200)

    @extend_schema(responses=ColumnsSerializer)
    @action(detail=True)
    def columns(self, request: Request, id: str) -> Response:
        """Of a list of charges or findings: its columns, what they are taken for, and what a bill would come to."""
        return Response(columns_api.shown(self._to_change(id)))

    @extend_schema(request=ColumnsWrittenSerializer, responses={202: ImportDetailSerializer})
    @columns.mapping.put
    @idempotent()
    def tell_columns(self, request: Request, id: str) -> Response:
        """Say which column means what: remembered for every list with these columns, and this one is read again, as an
        import of its own."""
        found = self._to_change(id)
        asked = columns.of(found)
        asked.remember(asked.checked(read(ColumnsWrittenSerializer, request)["columns"]), user=self.user)
        made = services.again(found, user=self.user)
        enqueue(made)
        return self._shown(made, 202)

    @extend_schema(request=ColumnsWrittenSerializer, responses={200: ColumnsSerializer})
    @action(detail=True, methods=["post"], url_path="columns/preview")
    def preview(self, request: Request, id: str) -> Response:
        """What the list would come to with these columns. Nothing is applied and nothing is remembered."""
        found = self._to_change(id)
        return Response(columns_api.shown(found, read(ColumnsWrittenSerializer, request)["columns"]))

    def _to_change(self, id: str) -> Import:
        found: Import = self._one(id)
        imports.check_may_change(found, self.user)
        return found
