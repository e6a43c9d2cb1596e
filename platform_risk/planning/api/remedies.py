"""Endpoints of remedies. Each parses, makes one call, and answers."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from findings.api import enums as findings_enums
from findings.selectors import people_visible_to
from platform_risk.core.api import catalog, filters
from platform_risk.core.api.collections import Collection, described
from platform_risk.core.api.exports import Table
from platform_risk.core.api.fields import SlugField, shown_number, shown_time
from platform_risk.core.api.problems import bad_field, bad_parameter
from platform_risk.core.api.resources import NAME, Body
from platform_risk.core.api.schema import parameter
from platform_risk.core.models import User
from platform_risk.planning import plans, remedies
from platform_risk.planning.api import enums
from platform_risk.planning.models import Remedy
from platform_risk.planning.plans import Planned
from platform_risk.planning.remedies import Checked, Row
from platform_risk.planning.seen import MoneySeen

MOST_BUDGET = 10_000


class MoneySeenSerializer(serializers.Serializer[Any]):
    """Amounts are of a month."""

    currency = serializers.CharField()
    claimed = serializers.CharField(help_text="What it was to save, when it was said to be done.")
    before = serializers.CharField(allow_null=True, help_text="By the bill, in the four weeks before.")
    after = serializers.CharField(allow_null=True, help_text="By the bill, in up to four weeks since.")
    seen = serializers.CharField(allow_null=True, help_text="What is less now; null: it cannot be told.")
    days_before = serializers.IntegerField(help_text="Days that the bill has.")
    days_after = serializers.IntegerField()
    why = serializers.CharField(allow_blank=True, help_text="Why it cannot be told.")
    verdict = serializers.ChoiceField(choices=enums.SAVING_VERDICTS)


class UsageSeenSerializer(serializers.Serializer[Any]):
    """Means of the days that were measured within the same weeks."""

    measure = serializers.CharField()
    unit = serializers.CharField()
    before = serializers.FloatField()
    after = serializers.FloatField()


class CheckedSerializer(serializers.Serializer[Any]):
    """What was claimed of a done remedy, and what later imports saw."""

    claimed = serializers.IntegerField(allow_null=True, help_text="Findings open when it was said to be done.")
    open = serializers.IntegerField(help_text="Of its checks, now.")
    closed_since = serializers.IntegerField()
    reopened = serializers.IntegerField()
    last_seen_at = serializers.DateTimeField(allow_null=True, help_text="The last import since; null: none yet.")
    verdict = serializers.ChoiceField(choices=enums.REMEDY_VERDICTS)
    money = MoneySeenSerializer(many=True, help_text="Of one that claimed to save money.")
    usage = UsageSeenSerializer(many=True)


class ClosesSerializer(serializers.Serializer[Any]):
    findings = serializers.IntegerField()
    services = serializers.ListField(child=serializers.CharField())
    query = serializers.CharField(help_text="For `GET /findings/?q=`.")


class RemedySerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    slug = serializers.CharField()
    title = serializers.CharField()
    how = serializers.CharField(allow_blank=True)
    lane = serializers.ChoiceField(choices=findings_enums.LANES, allow_null=True)
    effort_days = serializers.CharField(help_text="Engineer-days.")
    checks = serializers.ListField(child=serializers.CharField())
    team = serializers.CharField(allow_null=True, help_text="Null: it is about every team's findings.")
    owner = serializers.CharField(allow_null=True)
    state = serializers.ChoiceField(choices=enums.REMEDY_STATES)
    done_at = serializers.DateTimeField(allow_null=True)
    closes = ClosesSerializer()
    bad_minutes_avoided_per_year = serializers.FloatField(allow_null=True)
    annual_loss_avoided = serializers.CharField(allow_null=True, help_text="Null: not known, or several currencies.")
    currency = serializers.CharField(allow_null=True)
    saved_per_month = serializers.CharField(allow_null=True, help_text="Money, whether anything happens or not.")
    saved_currency = serializers.CharField(allow_null=True)
    bad_minutes_avoided_per_day = serializers.FloatField(allow_null=True, help_text="Per engineer-day.")
    annual_loss_avoided_per_day = serializers.CharField(allow_null=True, help_text="Per engineer-day.")
    checked = CheckedSerializer(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class RemedyWrittenSerializer(Body):
    slug = SlugField()
    title = serializers.CharField(max_length=200)
    how = serializers.CharField(max_length=4000, required=False, allow_blank=True)
    lane = serializers.ChoiceField(choices=findings_enums.LANES, required=False, allow_null=True)
    effort_days = serializers.DecimalField(5, 1, min_value=Decimal("0.1"), max_value=Decimal(1000))
    checks = serializers.ListField(child=serializers.CharField(max_length=60), max_length=50, min_length=1)
    team = SlugField(required=False, allow_null=True)
    owner = serializers.CharField(max_length=150, required=False, allow_null=True)
    state = serializers.ChoiceField(choices=enums.REMEDY_STATES, required=False)
    reason = serializers.CharField(max_length=2000, required=False, allow_blank=True)


class StepSerializer(serializers.Serializer[Any]):
    remedy = serializers.CharField()
    days = serializers.FloatField()
    gain = serializers.FloatField()
    gain_per_day = serializers.FloatField()
    days_so_far = serializers.FloatField()
    gain_so_far = serializers.FloatField()


class PlanSerializer(serializers.Serializer[Any]):
    unit = serializers.CharField(help_text="minutes (bad ones a year), or the currency of a year's loss.")
    budget_days = serializers.FloatField()
    steps = StepSerializer(many=True)
    gain = serializers.FloatField()
    total = serializers.FloatField(help_text="What all remedies ahead would avoid.")
    bound = serializers.FloatField(help_text="No set within the budget avoids more.")
    share_of_best = serializers.FloatField(allow_null=True, help_text="At least this share of the best possible.")
    curve = StepSerializer(many=True, help_text="Every remedy that adds something: what each further day buys.")


def shown(row: Row) -> dict[str, Any]:
    remedy, figures = row.remedy, row.figures
    return {
        **fixed(remedy),
        "owner": row.owner.get_username() if row.owner else None,
        "closes": {"findings": figures.findings, "services": list(figures.services), "query": row.query},
        "bad_minutes_avoided_per_year": figures.minutes,
        "annual_loss_avoided": _money(figures.loss),
        "currency": figures.currency,
        "saved_per_month": _money(figures.saved),
        "saved_currency": figures.saved_currency,
        "bad_minutes_avoided_per_day": row.minutes_per_day,
        "annual_loss_avoided_per_day": _money(row.loss_per_day),
        "checked": _checked(row.checked),
    }


def fixed(remedy: Remedy) -> dict[str, Any]:
    """What changes only when somebody changes it."""
    return {
        "id": str(remedy.pk),
        "slug": remedy.slug,
        "title": remedy.title,
        "how": remedy.how,
        "lane": remedy.lane or None,
        "effort_days": shown_number(remedy.effort_days),
        "checks": remedy.checks,
        "team": remedy.team.slug if remedy.team else None,
        "state": remedy.state,
        "done_at": shown_time(remedy.done_at),
        "created_at": shown_time(remedy.created_at),
        "updated_at": shown_time(remedy.updated_at),
    }


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"


def _checked(found: Checked | None) -> dict[str, Any] | None:
    if found is None:
        return None
    told = {name: getattr(found, name) for name in ("claimed", "open", "closed_since", "reopened", "verdict")}
    return told | {
        "last_seen_at": shown_time(found.last_seen_at),
        "money": [_money_seen(each) for each in found.savings.money],
        "usage": [asdict(each) for each in found.savings.usage],
    }


def _money_seen(found: MoneySeen) -> dict[str, Any]:
    amounts = {name: _money(getattr(found, name)) for name in ("claimed", "before", "after", "seen")}
    told = {name: getattr(found, name) for name in ("currency", "days_before", "days_after", "why", "verdict")}
    return told | amounts


def plan_shown(made: Planned, budget: float) -> dict[str, Any]:
    return {
        "unit": made.unit,
        "budget_days": budget,
        "steps": [_step(each) for each in made.plan.steps],
        "gain": made.plan.gain,
        "total": made.total,
        "bound": made.plan.bound,
        "share_of_best": made.plan.share_of_best,
        "curve": [_step(each) for each in made.curve],
    }


def _step(step: Any) -> dict[str, Any]:
    return {
        "remedy": step.key, "days": step.days, "gain": step.gain, "gain_per_day": step.per_day,
        "days_so_far": step.days_so_far, "gain_so_far": step.gain_so_far,
    }  # fmt: skip


COLUMNS = (
    "slug", "title", "lane", "state", "effort_days", "checks", "team", "owner", "closes.findings",
    "bad_minutes_avoided_per_year", "annual_loss_avoided", "currency", "saved_per_month", "saved_currency",
    "bad_minutes_avoided_per_day", "annual_loss_avoided_per_day", "done_at", "checked.claimed", "checked.open",
    "checked.closed_since", "checked.verdict",
)  # fmt: skip
_LIST = (
    parameter("state", "Filter by state; repeat for any of several.", enum=enums.REMEDY_STATES),
    parameter("lane", "Filter by lane; repeat for any of several.", enum=findings_enums.LANES),
    parameter("check", "Remedies that close findings of this check."),
)
_PLAN = (
    parameter("days", "Engineer-days to spend; 10 unless told otherwise.", many=False, type=float),
    parameter("worth", "What counts: minutes (default) or money.", enum=enums.WORTHS, many=False),
)


@described(
    RemedySerializer,
    RemedyWrittenSerializer,
    list="Remedies of everybody and of your teams, each with what it would close and avoid of what you may see.",
    create="Add a remedy.",
    retrieve="One remedy, by its slug or id.",
    change="Change a remedy. Saying that it is done keeps what it was to close.",
    delete="Delete a remedy.",
)
class Remedies(Collection):
    """Remedies: what can be done, and what it is worth."""

    is_named = True
    lookup_value_regex = NAME
    table = Table("remedies", COLUMNS, fixed)
    body = RemedyWrittenSerializer
    key_column = "slug"
    parameters: ClassVar[dict[str, Any]] = {"list": _LIST, "plan": _PLAN}
    paged: ClassVar[Sequence[str]] = ("list",)
    conflicts: ClassVar[Sequence[str]] = ("create", "partial_update")

    def rows(self) -> QuerySet[Remedy]:
        return remedies.visible(self.user)

    def shown(self, row: Remedy) -> Mapping[str, Any]:
        return shown(remedies.rows(self.user, [row])[0])

    def list(self, request: Request) -> HttpResponseBase:
        rows = self.rows()
        if states := filters.choices(request, "state", enums.REMEDY_STATES):
            rows = rows.filter(state__in=states)
        if lanes := filters.choices(request, "lane", findings_enums.LANES):
            rows = rows.filter(lane__in=lanes)
        if checks := filters.words(request, "check"):
            rows = rows.filter(checks__overlap=checks)
        found = {row.remedy.pk: shown(row) for row in remedies.rows(self.user, list(rows))}
        return self.listed(rows, Table("remedies", COLUMNS, lambda remedy: found.get(remedy.pk) or fixed(remedy)))

    def add(self, sent: dict[str, Any]) -> Remedy:
        return remedies.create(user=self.user, **_named(sent, self.user))

    def change(self, row: Remedy, sent: dict[str, Any]) -> None:
        remedies.change(row, user=self.user, **_named(sent, self.user))

    def remove(self, row: Remedy) -> None:
        remedies.delete(row, user=self.user)

    @extend_schema(responses=PlanSerializer)
    @action(detail=False)
    def plan(self, request: Request) -> Response:
        """The set to take for so many engineer-days, and what each further day buys. Remedies proposed or planned."""
        budget = _days(request)
        given = filters.choices(request, "worth", enums.WORTHS)
        worth: Any = given[-1] if given else "minutes"
        found = remedies.rows(self.user, list(self.rows()))
        return Response(plan_shown(plans.plan(self.user, found, budget=budget, worth=worth), budget))


def _days(request: Request) -> float:
    text = request.query_params.get("days", "") or "10"
    try:
        days = float(text)
    except ValueError:
        days = -1.0
    if not 0 <= days <= MOST_BUDGET:
        raise bad_parameter("days", f"days is a number from 0 to {MOST_BUDGET}.")
    return days


def _named(sent: dict[str, Any], user: User) -> dict[str, Any]:
    """Team and owner by name → as rows, where they were sent."""
    found = dict(sent)
    if "team" in found:
        found["team"] = catalog.team_named(found["team"], user)
    if "owner" in found and found["owner"] is not None:
        name = found["owner"]
        found["owner"] = people_visible_to(user).filter(username=name).first()
        if found["owner"] is None:
            raise bad_field("/owner", f"No user “{name[:60]}” that you may see.")
    if "lane" in found:
        found["lane"] = found["lane"] or ""
    return found
