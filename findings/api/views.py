"""Endpoints of findings. Each parses, makes one call, and answers."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db import transaction
from django.http.response import HttpResponseBase
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from findings import bulk, estimating, query, selectors, services, tasks
from findings.api import enums, reading, risk_rows, rows
from findings.api.risk_serializers import LaidOpenSerializer
from findings.api.serializers import (
    BulkAnswerSerializer,
    BulkSerializer,
    CommentSerializer,
    CommentWrittenSerializer,
    FindingChangeSerializer,
    FindingSerializer,
    FindingWrittenSerializer,
    HistorySerializer,
    TransitionSerializer,
)
from findings.models import BulkAction, Finding
from platform_risk.core.api.etag import check_if_match, has_precondition
from platform_risk.core.api.idempotency import idempotent
from platform_risk.core.api.problems import bad_field
from platform_risk.core.api.resources import Resource, one, read
from platform_risk.core.api.schema import parameter

_CHOICES = {
    "lane": enums.LANES,
    "status": enums.STATUSES,
    "severity": enums.SEVERITIES,
    "category": enums.CATEGORIES,
    "class": enums.CLASSES,
    "is": enums.STATES,
    "likelihood": enums.LEVELS,
    "impact": enums.LEVELS,
    "band": enums.BANDS_OR_NONE,
}
FILTERS = (
    parameter("q", "The language of the search box: words, name:value, -name:value.", many=False),
    *(
        parameter(
            name,
            "Days (UTC): 2026-11-23, >=today-7d, 2026-11-23..2026-11-29, none; repeat to narrow."
            if name in query.DAYS
            else f"Filter by {name}; repeat for any of several.",
            enum=_CHOICES.get(name),
        )
        for name in reading.FILTERS
    ),
)
_LIST = (
    *FILTERS,
    parameter("ordering", "priority unless told otherwise.", enum=enums.FINDING_ORDERINGS, many=False),
    parameter("updated_since", "Changed at this time or later (RFC 3339).", many=False),
)


class Findings(Resource):
    """Findings: one problem in one place each."""

    parameters: ClassVar[dict[str, Any]] = {"list": _LIST}
    paged: ClassVar[Sequence[str]] = ("list", "history", "comments")
    conflicts: ClassVar[Sequence[str]] = ("transitions",)
    conditional: ClassVar[Sequence[str]] = ("transitions",)

    def _shown(self, finding: Finding, status: int = 200) -> Response:
        headers = {"ETag": rows.etag(finding)}
        if status == 201:
            headers["Location"] = reverse("api:finding-detail", args=[finding.pk])
        return Response(rows.row(finding), status=status, headers=headers)

    def _one(self, key: str) -> Any:
        return one(reading.visible(self.user), key)

    def _mine(self, key: str) -> Any:
        """One that the user may change: 404 for what they do not see, 403 for what they only see."""
        finding = self._one(key)
        if not self.user.may_write(finding.team_id, finding.service.team_id):
            raise PermissionDenied(str(services.PermissionRefused()))
        return finding

    @extend_schema(responses=FindingSerializer(many=True))
    def list(self, request: Request) -> HttpResponseBase:
        """All that you may see and the filters let through, closed ones too; page by page, or whole as CSV or JSONL."""
        found, asked = reading.filtered(request, self.user)
        return self.listed(found, rows.TABLE, asked.keyset, near=reading.near(request, self.user, asked))

    @extend_schema(request=FindingWrittenSerializer, responses={201: FindingSerializer})
    @idempotent()
    def create(self, request: Request) -> Response:
        """Write a finding by hand: from a review, a postmortem."""
        sent = read(FindingWrittenSerializer, request)
        sent["service"] = reading.service_named(sent["service"], self.user)
        sent["environment"] = reading.environment_named(sent.pop("environment", None))
        written = services.write_finding(user=self.user, source="api", **sent)
        return self._shown(self._one(str(written.pk)), 201)

    @extend_schema(responses=FindingSerializer)
    def retrieve(self, request: Request, id: str) -> Response:
        """One finding."""
        return self._shown(self._one(id))

    @extend_schema(request=FindingChangeSerializer, responses=FindingSerializer)
    def partial_update(self, request: Request, id: str) -> Response:
        """Set owner, team, severity, lane or tags."""
        finding = self._mine(id)
        check_if_match(request, rows.etag(finding))
        sent = read(FindingChangeSerializer, request, partial=True)
        update = reading.update_of(sent, self.user)
        if not update.fields:
            raise bad_field("/", "Nothing to change: send owner, team, severity, lane or tags.")
        return self._changed(request, finding, update)

    def _changed(self, request: Request, finding: Finding, decided: Any) -> Response:
        expected = finding.version if has_precondition(request) else None
        with reading.answers():
            changed = services.change(finding, decided, user=self.user, source="api", expected_version=expected)
        return self._shown(changed)

    @extend_schema(request=TransitionSerializer, responses={200: FindingSerializer})
    @action(detail=True, methods=["post"])
    @idempotent()
    def transitions(self, request: Request, id: str) -> Response:
        """Take a finding to another status; 409 names the statuses that its present one allows."""
        finding = self._mine(id)
        check_if_match(request, rows.etag(finding))
        sent = read(TransitionSerializer, request)
        return self._changed(request, finding, reading.transition_of(sent, sent["to"]))

    @extend_schema(responses=LaidOpenSerializer)
    @action(detail=True)
    def risk(self, request: Request, id: str) -> Response:
        """Every input of its figures with its source, and how the figures follow."""
        found = self._one(id).estimate
        known = estimating.assembled(found) if found is not None else None
        return Response(risk_rows.laid_open(found, known))

    @extend_schema(responses=HistorySerializer(many=True))
    @action(detail=True)
    def history(self, request: Request, id: str) -> Response:
        """Every change, the newest first: who, when, from, to, why."""
        return self.page(rows.history_of(self._one(id)), rows.history_rows, ("-id",))

    @extend_schema(responses=CommentSerializer(many=True))
    @action(detail=True)
    def comments(self, request: Request, id: str) -> Response:
        """What people said about it, the oldest first."""
        return self.page(rows.comments_of(self._one(id)), rows.comment_rows)

    @extend_schema(request=CommentWrittenSerializer, responses={201: CommentSerializer})
    @comments.mapping.post
    @idempotent()
    def comment(self, request: Request, id: str) -> Response:
        """Say something about a finding."""
        finding = self._mine(id)
        said = services.comment(finding, read(CommentWrittenSerializer, request)["text"], user=self.user)
        return Response(rows.comment(said), status=201)


class BulkDecisions(Resource):
    """One decision about many findings."""

    conflicts: ClassVar[Sequence[str]] = ("undo",)

    def _answer(self, decision: BulkAction, status: int = 200) -> Response:
        path = reverse("api:finding-bulk-detail", args=[decision.pk])
        shown = rows.bulk(decision, self.request.build_absolute_uri(path))
        return Response(shown, status=status, headers={"Location": path} if status == 202 else None)

    def _one(self, key: str) -> BulkAction:
        found = selectors.bulk_of(self.user, int(key))
        if found is None:
            raise NotFound
        return found

    @extend_schema(request=BulkSerializer, responses={200: BulkAnswerSerializer, 202: BulkAnswerSerializer})
    @idempotent()
    def create(self, request: Request) -> Response:
        """Decide about a selection (`ids`) or a filter (`q`). Up to 500 at once; more are left to a worker (202)."""
        sent = read(BulkSerializer, request)
        ids = [int(each) for each in sent["ids"]] if "ids" in sent else None
        decided = reading.action_of(sent, self.user)
        with reading.answers(in_body=True), transaction.atomic():
            decision, waits = bulk.begin(user=self.user, action=decided, ids=ids, q=sent.get("q"), source="api")
            if waits:
                transaction.on_commit(lambda: tasks.run_bulk.delay(decision.pk), robust=True)
        return self._answer(decision, 202 if waits else 200)

    @extend_schema(responses=BulkAnswerSerializer)
    def retrieve(self, request: Request, id: str) -> Response:
        """How far it is, and what became of each finding."""
        return self._answer(self._one(id))

    @extend_schema(request=None, responses={200: BulkAnswerSerializer})
    @action(detail=True, methods=["post"])
    @idempotent()
    def undo(self, request: Request, id: str) -> Response:
        """Take the decision back where nobody has touched the finding since: a compensating change, not a deletion."""
        services.take_back(self._one(id), user=self.user, source="api")
        return self._answer(self._one(id))
