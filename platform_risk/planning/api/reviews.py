"""Endpoints of weekly reviews. Each parses, makes one call, and answers."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from platform_risk.core.api import catalog, filters
from platform_risk.core.api.etag import etag_of
from platform_risk.core.api.exports import Table
from platform_risk.core.api.fields import SlugField, shown_time
from platform_risk.core.api.idempotency import idempotent
from platform_risk.core.api.problems import bad_parameter
from platform_risk.core.api.resources import Body, Resource, one, read
from platform_risk.core.api.schema import parameter
from platform_risk.core.catalog.selectors import teams_visible_to
from platform_risk.core.models import User
from platform_risk.planning import reviews
from platform_risk.planning.api import enums
from platform_risk.planning.models import ReviewNote, ReviewSnapshot


class ListedSerializer(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    title = serializers.CharField()
    place = serializers.CharField(required=False, help_text="Where it is; snapshots of earlier versions do not say")
    service = serializers.CharField()
    lane = serializers.CharField()
    due_on = serializers.DateField(allow_null=True)
    expires_on = serializers.DateField(allow_null=True)


class ListsSerializer(serializers.Serializer[Any]):
    """The worst of each list, by name; the counts are of all."""

    new = ListedSerializer(many=True)
    regressed = ListedSerializer(many=True)
    closed = ListedSerializer(many=True)
    overdue = ListedSerializer(many=True)
    expiring = ListedSerializer(many=True)


class MoverSerializer(serializers.Serializer[Any]):
    service = serializers.CharField(allow_null=True)
    currency = serializers.CharField()
    before_per_day = serializers.CharField()
    now_per_day = serializers.CharField()
    change_per_day = serializers.CharField()


class ReviewSerializer(serializers.Serializer[Any]):
    """One team's week as it was when it had ended; a past review never changes."""

    id = serializers.CharField()
    week = serializers.DateField(help_text="Its Monday, UTC.")
    team = serializers.CharField(allow_null=True, help_text="Null: what is of no team.")
    new = serializers.IntegerField()
    regressed = serializers.IntegerField()
    closed = serializers.IntegerField()
    overdue = serializers.IntegerField()
    expiring = serializers.IntegerField(help_text="Acceptances that expire within 14 days of its end.")
    open_by_lane = serializers.DictField(child=serializers.IntegerField())
    bad_minutes_per_year = serializers.FloatField(allow_null=True)
    annual_losses = serializers.DictField(child=serializers.CharField(), help_text="Loss a year by currency.")
    listed = ListsSerializer()
    costs = MoverSerializer(many=True, help_text="Largest changes of a day's cost against the week before.")
    created_at = serializers.DateTimeField()


class NoteSerializer(serializers.Serializer[Any]):
    """What was decided or said in a team's review of a week."""

    id = serializers.CharField()
    week = serializers.DateField()
    team = serializers.CharField(allow_null=True)
    kind = serializers.ChoiceField(choices=enums.NOTE_KINDS)
    text = serializers.CharField()
    author = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()


class NoteWrittenSerializer(Body):
    week = serializers.DateField(help_text="The week's Monday.")
    team = SlugField(required=False, allow_null=True)
    kind = serializers.ChoiceField(choices=enums.NOTE_KINDS)
    text = serializers.CharField(max_length=4000)


def shown(row: ReviewSnapshot) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "week": row.week.isoformat(),
        "team": row.team.slug if row.team else None,
        **row.figures,
        "created_at": shown_time(row.created_at),
    }


def note_shown(note: ReviewNote) -> dict[str, Any]:
    return {
        "id": str(note.pk),
        "week": note.week.isoformat(),
        "team": note.team.slug if note.team else None,
        "kind": note.kind,
        "text": note.text,
        "author": note.author.get_username() if note.author else None,
        "created_at": shown_time(note.created_at),
    }


REVIEWS = Table(
    "reviews",
    (
        "id", "week", "team", "new", "regressed", "closed", "overdue", "expiring", "open_by_lane.immediate",
        "open_by_lane.critical", "open_by_lane.important", "open_by_lane.optimization", "bad_minutes_per_year",
        "annual_losses",
    ),
    shown,
)  # fmt: skip
NOTES = Table("review-notes", ("id", "week", "team", "kind", "text", "author", "created_at"), note_shown)
_LIST = (
    parameter("team", "Filter by team; repeat for any of several."),
    parameter("week", "Of the week with this Monday (2026-11-23).", many=False),
)


def _filtered(request: Request, user: User, rows: QuerySet[Any]) -> QuerySet[Any]:
    if slugs := filters.words(request, "team"):
        known = dict(teams_visible_to(user).filter(slug__in=slugs).values_list("slug", "pk"))
        missing = next((slug for slug in slugs if slug not in known), None)
        if missing is not None:
            raise bad_parameter("team", f"No team “{missing[:60]}” that you may see.")
        rows = rows.filter(team_id__in=known.values())
    text = request.query_params.get("week", "")
    if text:
        try:
            rows = rows.filter(week=serializers.DateField().to_internal_value(text))
        except serializers.ValidationError as error:
            raise bad_parameter("week", "week is the Monday of a week, as 2026-11-23.") from error
    return rows


class Reviews(Resource):
    """Weekly reviews: each team's week, kept as it was when it had ended."""

    parameters: ClassVar[dict[str, Any]] = {"list": _LIST}

    @extend_schema(responses=ReviewSerializer(many=True))
    def list(self, request: Request) -> HttpResponseBase:
        """Weeks that are kept, of your teams, the newest first."""
        rows = _filtered(request, self.user, reviews.snapshots_visible_to(self.user))
        return self.listed(rows, REVIEWS, ("-week", "-id"))

    @extend_schema(responses=ReviewSerializer)
    def retrieve(self, request: Request, id: str) -> Response:
        """One team's week."""
        found = shown(one(reviews.snapshots_visible_to(self.user), id))
        return Response(found, headers={"ETag": etag_of(found)})


class ReviewNotes(Resource):
    """Decisions and notes of weekly reviews: they are kept as they were written."""

    parameters: ClassVar[dict[str, Any]] = {"list": _LIST}
    conflicts: ClassVar[Sequence[str]] = ()

    @extend_schema(responses=NoteSerializer(many=True))
    def list(self, request: Request) -> HttpResponseBase:
        """Decisions and notes of your teams, the newest first."""
        rows = _filtered(request, self.user, reviews.notes_visible_to(self.user))
        return self.listed(rows, NOTES, ("-week", "-id"))

    @extend_schema(request=NoteWrittenSerializer, responses={201: NoteSerializer})
    @idempotent()
    def create(self, request: Request) -> Response:
        """Write down a decision or a note."""
        sent = read(NoteWrittenSerializer, request)
        sent["team"] = catalog.team_named(sent.get("team"), self.user)
        return Response(note_shown(reviews.add_note(user=self.user, **sent)), status=201)
