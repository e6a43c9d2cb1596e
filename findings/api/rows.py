"""A finding as the API shows it: one function for pages, details and exports."""

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet

from findings import selectors
from findings.models import BulkAction, Comment, Estimate, Finding, FindingQuerySet, History
from platform_risk.core.api.exports import Table
from platform_risk.core.api.fields import shown_date, shown_time
from platform_risk.core.models import Team, User


def complete(rows: FindingQuerySet) -> FindingQuerySet:
    """Everything a row shows in one query, so that an export of any length is one query too."""
    rows = selectors.with_last_seen(rows)
    return rows.select_related("service", "environment", "team", "owner", "estimate")


LANE_SOURCES = {"": "severity", "risk": "risk", "user": "user"}


def location(finding: Finding) -> dict[str, Any]:
    return {
        "path": finding.path or None,
        "line": finding.line,
        "end_line": finding.end_line,
        "resource": finding.resource or None,
        "namespace": finding.namespace or None,
        "image": finding.image or None,
        "package": finding.package or None,
        "version": finding.package_version or None,
        "endpoint": finding.endpoint or None,
        "symbol": finding.symbol or None,
    }


def row(finding: Any) -> dict[str, Any]:
    """`finding` comes from `complete`."""
    return {
        "id": str(finding.pk),
        "number": finding.pk,
        "title": finding.title,
        "message": finding.message,
        "severity": finding.severity,
        "severity_source": finding.severity_source,
        "reported_severity": finding.reported_severity,
        "lane": finding.lane,
        "lane_reason": finding.lane_reason,
        "lane_source": LANE_SOURCES[finding.lane_from],
        "status": finding.status,
        "regressed": finding.regressed,
        "category": finding.category,
        "class": finding.risk_class,
        "outcome": finding.outcome or None,
        "rule": finding.rule,
        "rule_name": finding.rule_name or None,
        "check": finding.check_id or None,
        "scanners": finding.scanners,
        "service": finding.service.slug,
        "environment": finding.environment.slug if finding.environment else None,
        "branch": finding.branch,
        "is_default_branch": finding.is_default_branch,
        "team": finding.team.slug if finding.team else None,
        "owner": finding.owner.get_username() if finding.owner else None,
        "tags": finding.tags,
        "location": location(finding),
        "identifiers": finding.identifiers,
        "evidence": finding.evidence,
        "quantities": finding.quantities or [],
        "remedies": finding.remedies,
        **estimates(finding.estimate),
        **_decision(finding),
        "first_seen_at": shown_time(finding.first_seen_at),
        "last_seen_at": shown_time(finding.seen_at),
        "closed_at": shown_time(finding.closed_at),
        "due_on": shown_date(finding.due_on),
        "fingerprint": finding.fingerprint,
        "version": finding.version,
        "updated_at": shown_time(finding.updated_at),
    }


def estimates(found: Estimate | None) -> dict[str, Any]:
    """Not estimated is not zero: money is null until somebody states what a bad minute, or the thing itself, costs."""
    if found is None:
        return dict.fromkeys(_ESTIMATES)
    return {
        "likelihood": found.likelihood,
        "impact": found.impact,
        "band": found.band or None,
        "annual_loss": _loss(found),
        "bad_minutes_per_year": _rounded(found.bad_minutes),
        "hidden_minutes_per_year": _rounded(found.hidden_minutes),
        "risk_reason": found.words,
    }


_ESTIMATES = (
    "likelihood", "impact", "band", "annual_loss", "bad_minutes_per_year", "hidden_minutes_per_year", "risk_reason",
)  # fmt: skip


def _loss(found: Estimate) -> dict[str, Any] | None:
    if found.annual_loss is None:
        return None
    spread = {"p5": found.loss_p5, "p50": found.loss_p50, "p95": found.loss_p95}
    return {
        "mean": str(found.annual_loss),
        **{name: None if amount is None else str(amount) for name, amount in spread.items()},
        "currency": found.currency,
    }


def _rounded(minutes: float | None) -> float | None:
    return None if minutes is None else round(minutes, 6)


def _decision(finding: Finding) -> dict[str, Any]:
    return {
        "dismiss_reason": finding.dismiss_reason or None,
        "status_comment": finding.status_comment or None,
        "snoozed_until": shown_date(finding.snoozed_until),
        "acceptance_expires_on": shown_date(finding.acceptance_expires_on),
    }


TABLE = Table(
    "findings",
    (
        "number", "title", "severity", "severity_source", "lane", "lane_reason", "status", "regressed", "category",
        "class", "outcome", "rule", "check", "scanners", "service", "environment", "branch", "team", "owner", "tags",
        "location.path", "location.line", "location.resource", "location.image", "location.package",
        "location.version", "location.endpoint", "identifiers", "message", "dismiss_reason", "status_comment",
        "snoozed_until", "acceptance_expires_on", "likelihood", "impact", "band", "annual_loss.mean",
        "annual_loss.p5", "annual_loss.p50", "annual_loss.p95", "annual_loss.currency", "bad_minutes_per_year",
        "first_seen_at", "last_seen_at", "closed_at", "due_on", "fingerprint", "version", "updated_at", "id",
    ),
    row,
)  # fmt: skip


def etag(finding: Finding) -> str:
    return f'"{finding.version}"'


def history_of(finding: Finding) -> QuerySet[History]:
    return finding.history.select_related("actor")


def comments_of(finding: Finding) -> QuerySet[Comment]:
    return finding.comments.select_related("author")


def history_rows(events: Iterable[History]) -> list[dict[str, Any]]:
    """Owners and teams by name: two queries for the page, however many changes it has."""
    events = list(events)
    names = {
        "owner": dict(User.objects.filter(pk__in=_ids(events, "owner")).values_list("pk", "username")),
        "team": dict(Team.objects.filter(pk__in=_ids(events, "team")).values_list("pk", "slug")),
    }
    return [_event(event, names) for event in events]


def _ids(events: list[History], field: str) -> set[int]:
    return {value for event in events for value in event.changes.get(field, ()) if value}


def _event(event: History, names: dict[str, dict[int, str]]) -> dict[str, Any]:
    changes = {field: [_named(field, value, names) for value in pair] for field, pair in event.changes.items()}
    return {
        "id": str(event.pk),
        "at": shown_time(event.at),
        "actor": event.actor.get_username() if event.actor_id and event.actor else None,
        "source": event.source,
        "reason": event.reason,
        "import": str(event.import_row_id) if event.import_row_id else None,
        "bulk": str(event.bulk_id) if event.bulk_id else None,
        "changes": changes,
    }


_NOTHING = {"owner": 0, "team": 0, "line": 0, "due_on": "", "snoozed_until": "", "acceptance_expires_on": ""}


def _named(field: str, value: Any, names: dict[str, dict[int, str]]) -> Any:
    """The history keeps 0 or "" for nothing, since its JSON drops nulls."""
    if field in _NOTHING and value == _NOTHING[field]:
        return None
    return names[field].get(value, "(deleted)") if field in names else value


def comment(row_: Comment) -> dict[str, Any]:
    return {
        "id": str(row_.pk),
        "author": row_.author.get_username() if row_.author else None,
        "text": row_.text,
        "created_at": shown_time(row_.created_at),
    }


def comment_rows(said: Iterable[Comment]) -> list[dict[str, Any]]:
    return [comment(each) for each in said]


def bulk(decision: BulkAction, url: str) -> dict[str, Any]:
    return {
        "id": str(decision.pk),
        "state": decision.state,
        "matched": decision.matched,
        "applied": decision.applied,
        "refused": decision.refused,
        "results": [
            {"id": each["id"], "result": each["result"], "detail": each.get("detail")} for each in decision.results
        ],
        "url": url,
        "created_at": shown_time(decision.created_at),
        "finished_at": shown_time(decision.finished_at),
        "undone_at": shown_time(decision.undone_at),
    }
