"""Imports as the API shows, filters and reads them; the endpoints are in platform_risk.joint.api."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from rest_framework import serializers
from rest_framework.request import Request

from platform_risk.core.api import enums, filters
from platform_risk.core.api.exports import Table
from platform_risk.core.api.fields import PastTimeField, shown_time
from platform_risk.core.api.problems import bad_parameter
from platform_risk.core.api.resources import Body
from platform_risk.core.api.schema import parameter
from platform_risk.core.imports import services
from platform_risk.core.models import Environment, Import, ImportReject, ImportState, Service, User

_PLACE = ("line", "column", "byte", "pointer", "entry")

PARAMETERS = (
    parameter("service", "Imports into this service."),
    parameter("environment", "Imports into this environment."),
    parameter("source", "Imports from this source."),
    parameter("branch", "Imports of this branch."),
    parameter("kind", "Imports of this kind.", enum=enums.IMPORT_KINDS),
    parameter("state", "Imports in this state.", enum=enums.IMPORT_STATES),
    parameter("updated_since", "Created, begun, finished or undone at this time or later (RFC 3339).", many=False),
)


def visible(user: User) -> QuerySet[Import]:
    return Import.objects.visible_to(user).select_related("service", "environment", "created_by")


def filtered(request: Request, user: User) -> QuerySet[Import]:
    rows = visible(user).defer("coverage")
    if slugs := filters.words(request, "service"):
        rows = rows.filter(service_id__in=_ids("service", slugs, Service.objects.visible_to(user)))
    if slugs := filters.words(request, "environment"):
        rows = rows.filter(environment_id__in=_ids("environment", slugs, Environment.objects.all()))
    for name in ("source", "branch"):
        if values := filters.words(request, name):
            rows = rows.filter(**{f"{name}__in": values})
    for name, allowed in (("kind", enums.IMPORT_KINDS), ("state", enums.IMPORT_STATES)):
        if values := filters.choices(request, name, allowed):
            rows = rows.filter(**{f"{name}__in": values})
    since = filters.moment(request, "updated_since")
    if since is not None:
        # What is running changes all the time.
        changed = Q(state=ImportState.RUNNING)
        for column in (
            "created_at",
            "started_at",
            "finished_at",
            "cancel_requested_at",
            "undo_requested_at",
            "undone_at",
        ):
            changed |= Q(**{f"{column}__gte": since})
        rows = rows.filter(changed)
    return rows


def _ids(name: str, slugs: Iterable[str], rows: QuerySet[Any]) -> list[int]:
    found = dict(rows.filter(slug__in=list(slugs)).values_list("slug", "pk"))
    for slug in slugs:
        if slug not in found:
            raise bad_parameter(name, f"No {name} “{slug[:60]}” that you may see.")
    return list(found.values())


def check_may_change(row: Import, user: User) -> None:
    """Cancelling and undoing take what importing took."""
    if not user.may_change_import(row.service, row.kind, row.created_by_id):
        raise PermissionDenied("You may see this import, but changing it takes what importing it took.")


def row(found: Import) -> dict[str, Any]:
    return {
        "id": str(found.pk),
        "kind": found.kind,
        "state": found.state,
        "format": found.format or found.requested_format or None,
        "format_reason": found.format_reason or None,
        "file_name": found.file_name,
        "size_bytes": found.size_bytes,
        "sha256": found.sha256,
        "scope": {
            "service": found.service.slug if found.service else None,
            "environment": found.environment.slug if found.environment else None,
            "source": found.source or None,
            "branch": found.branch or None,
            "export": found.export or None,
            "billing_account": found.billing_account or None,
        },
        "complete": found.complete,
        "is_complete": found.is_complete,
        "incomplete_because": found.incomplete_because or None,
        "is_late": found.is_late,
        "is_applied": found.is_applied,
        "replay": found.replay,
        "observed_at": shown_time(found.observed_at or found.stated_observed_at),
        "progress": {"bytes": found.bytes_done, "bytes_total": found.bytes_total, "records": found.records_done},
        "counts": services.counts(found),
        "totals": found.totals or [],
        "duplicate_of": str(found.duplicate_of_id) if found.duplicate_of_id else None,
        "again_of": str(found.again_of_id) if found.again_of_id else None,
        "error": None if found.error is None else error_row(found.error),
        "created_by": found.created_by.get_username() if found.created_by else None,
        "created_at": shown_time(found.created_at),
        "started_at": shown_time(found.started_at),
        "finished_at": shown_time(found.finished_at),
        "cancel_requested_at": shown_time(found.cancel_requested_at),
        "undo_requested_at": shown_time(found.undo_requested_at),
        "undone_at": shown_time(found.undone_at),
    }


def detail(found: Import) -> dict[str, Any]:
    """One import, with what of configuration was looked at."""
    return row(found) | {"coverage": found.coverage}


def error_row(error: dict[str, Any]) -> dict[str, Any]:
    return {
        "code": error.get("code"),
        "message": error.get("message"),
        "location": place(error.get("location") or {}),
        "remedy": error.get("remedy"),
    }


def place(known: Mapping[str, Any]) -> dict[str, Any]:
    """What of a place is known; the rest is null."""
    found = {name: known.get(name) for name in _PLACE}
    return {name: None if value == "" else value for name, value in found.items()}


def reject_rows(rejects: Iterable[ImportReject]) -> list[dict[str, Any]]:
    return [_reject(each) for each in rejects]


def _reject(reject: ImportReject) -> dict[str, Any]:
    return {
        "id": str(reject.pk),
        "location": place({"line": reject.line, "pointer": reject.pointer, "entry": reject.entry}),
        "reason": reject.reason,
        "excerpt": reject.excerpt or None,
    }


def rejects_of(found: Import) -> QuerySet[ImportReject]:
    return found.rejects.all()


TABLE = Table(
    "imports",
    (
        "id", "kind", "state", "format", "file_name", "size_bytes", "sha256", "scope.service", "scope.environment",
        "scope.source", "scope.branch", "scope.export", "scope.billing_account",
        "is_complete", "is_late", "is_applied", "observed_at", "counts.read",
        "counts.collapsed", "counts.new", "counts.changed", "counts.unchanged", "counts.closed", "counts.reopened",
        "counts.rejected", "duplicate_of", "error.code", "error.message", "created_by", "created_at", "started_at",
        "finished_at", "undone_at",
    ),
    row,
)  # fmt: skip
# The line came last: columns keep their places.
REJECTS = Table("rejects", ("location.pointer", "location.entry", "reason", "excerpt", "location.line"), _reject)


class ImportWrittenSerializer(Body):
    """Multipart. What is left out is read from the report: source and branch by name, the time by its own."""

    file = serializers.FileField()
    service = serializers.CharField(
        max_length=80, required=False, help_text="Of scans and configuration. Created when it is unknown and you may."
    )
    environment = serializers.CharField(max_length=80, required=False, allow_blank=True)
    locals()["source"] = serializers.CharField(max_length=100, required=False, allow_blank=True)
    branch = serializers.CharField(max_length=250, required=False, allow_blank=True)
    export = serializers.CharField(
        max_length=100, required=False, allow_blank=True, help_text="Of bills and usage: which export this is."
    )
    billing_account = serializers.CharField(
        max_length=200, required=False, allow_blank=True, help_text="Of bills; left out, each line says it."
    )
    kind = serializers.ChoiceField(
        choices=enums.IMPORT_KINDS, required=False, help_text="Left out, it follows from format and content."
    )
    format = serializers.CharField(max_length=40, required=False, allow_blank=True)
    complete = serializers.ChoiceField(choices=enums.COMPLETE, required=False)
    observed_at = PastTimeField(required=False)
    replay = serializers.BooleanField(required=False, default=False)


class ScopeSerializer(serializers.Serializer[Any]):
    service = serializers.CharField(allow_null=True)
    environment = serializers.CharField(allow_null=True)
    locals()["source"] = serializers.CharField(allow_null=True)
    branch = serializers.CharField(allow_null=True)
    export = serializers.CharField(allow_null=True)
    billing_account = serializers.CharField(allow_null=True)


class ProgressSerializer(serializers.Serializer[Any]):
    bytes = serializers.IntegerField()
    bytes_total = serializers.IntegerField()
    records = serializers.IntegerField()


class CountsSerializer(serializers.Serializer[Any]):
    """read = collapsed + new + changed + unchanged + rejected + reopened."""

    read = serializers.IntegerField()
    collapsed = serializers.IntegerField()
    new = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    closed = serializers.IntegerField()
    reopened = serializers.IntegerField()
    rejected = serializers.IntegerField()


class TotalSerializer(serializers.Serializer[Any]):
    currency = serializers.CharField()
    charge_category = serializers.CharField()
    file_billed = serializers.CharField()
    loaded_billed = serializers.CharField()
    file_effective = serializers.CharField()
    loaded_effective = serializers.CharField()


class PlaceSerializer(serializers.Serializer[Any]):
    line = serializers.IntegerField(allow_null=True)
    column = serializers.IntegerField(allow_null=True)
    byte = serializers.IntegerField(allow_null=True)
    pointer = serializers.CharField(allow_null=True)
    entry = serializers.CharField(allow_null=True)


class ImportErrorSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()
    location = PlaceSerializer()
    remedy = serializers.CharField()


class ImportSerializer(serializers.Serializer[Any]):
    """A stored file and what became of it."""

    id = serializers.CharField()
    kind = serializers.ChoiceField(choices=enums.IMPORT_KINDS)
    state = serializers.ChoiceField(choices=enums.IMPORT_STATES)
    format = serializers.CharField(allow_null=True)
    format_reason = serializers.CharField(allow_null=True)
    file_name = serializers.CharField()
    size_bytes = serializers.IntegerField()
    sha256 = serializers.CharField()
    scope = ScopeSerializer()
    complete = serializers.ChoiceField(choices=enums.COMPLETE)
    is_complete = serializers.BooleanField(allow_null=True)
    incomplete_because = serializers.CharField(allow_null=True)
    is_late = serializers.BooleanField()
    is_applied = serializers.BooleanField()
    replay = serializers.BooleanField()
    observed_at = serializers.DateTimeField(allow_null=True)
    progress = ProgressSerializer()
    counts = CountsSerializer()
    totals = TotalSerializer(many=True, help_text="Of bills: what the file says, and what was loaded.")
    duplicate_of = serializers.CharField(allow_null=True)
    again_of = serializers.CharField(
        allow_null=True, help_text="The import whose file was read again, because alert rules of others have changed."
    )
    error = ImportErrorSerializer(allow_null=True)
    created_by = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    cancel_requested_at = serializers.DateTimeField(allow_null=True)
    undo_requested_at = serializers.DateTimeField(allow_null=True, help_text="A large one is undone by a worker.")
    undone_at = serializers.DateTimeField(allow_null=True)


class ImportDetailSerializer(ImportSerializer):
    """One of them, with what of configuration each check looked at, and what it could not tell."""

    coverage = serializers.DictField(allow_null=True, help_text="Of imports of kind platform.")


class RejectSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    location = PlaceSerializer()
    reason = serializers.CharField()
    excerpt = serializers.CharField(allow_null=True)


class ReasonSerializer(Body):
    reason = serializers.CharField(max_length=1000, required=False, allow_blank=True, help_text="Kept in the audit.")
