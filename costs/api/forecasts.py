"""The forecast of spend, and what is unusual in it."""

from collections.abc import Sequence
from datetime import date
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from costs import budgeting, outlook
from costs.forecasting.coherent import Key
from costs.forecasting.daily import money
from costs.forecasting.forecast import LEVELS, MOST_DAYS_AHEAD, Backtest, Forecast
from costs.forecasting.months import Month
from costs.outlook import Outlook, Unusual
from platform_risk.core.api import catalog, exports, filters
from platform_risk.core.api.exports import Table
from platform_risk.core.api.fields import SlugField, shown_date, shown_time
from platform_risk.core.api.problems import bad_parameter
from platform_risk.core.api.resources import Body, Resource, read
from platform_risk.core.api.schema import parameter
from platform_risk.core.catalog.selectors import services_visible_to, teams_visible_to
from platform_risk.core.models import Environment
from platform_risk.quantities.pricing import shown

GROUPS = list(outlook.COLUMNS)
_FORECAST = (
    parameter("group_by", "Of each of these apart.", enum=GROUPS),
    parameter("horizon_days", f"How far ahead, 1 to {MOST_DAYS_AHEAD}; 90 if left out.", many=False, type=int),
    parameter("levels", "Intervals in percent, separated by commas; 50,80,95 if left out.", many=False),
    parameter("measure", "billed (if left out) or effective.", enum=list(outlook.MEASURES), many=False),
    parameter("currency", "The currency; the one with the most days if left out.", many=False),
    parameter("team", "Only of this team.", many=False),
    parameter("service", "Only of this service.", many=False),
    parameter("environment", "Only of this environment.", many=False),
)


class BacktestSerializer(serializers.Serializer[Any]):
    """Of forecasts from points in the past; null where there was no room for one."""

    mase = serializers.FloatField(allow_null=True, help_text="Mean absolute error over seasonal naive's in the past.")
    coverage_80 = serializers.FloatField(allow_null=True, help_text="Share of days within the 80 % interval.")
    baseline_mase = serializers.FloatField(allow_null=True, help_text="Seasonal naive's own error on the same days.")
    origins = serializers.IntegerField()
    days = serializers.IntegerField()


class MonthSerializer(serializers.Serializer[Any]):
    month = serializers.DateField()
    known = serializers.CharField(help_text="Spent before the forecast begins.")
    mean = serializers.CharField()
    bounds = serializers.DictField(child=serializers.CharField(), help_text="lo_80, hi_80 …")
    days = serializers.IntegerField(help_text="That are forecast.")
    is_whole = serializers.BooleanField()


class SpendGroupSerializer(serializers.Serializer[Any]):
    group = serializers.DictField(child=serializers.CharField(allow_null=True))
    model = serializers.CharField(allow_null=True, help_text="Null: too short, it has its share of the whole.")
    backtest = BacktestSerializer(allow_null=True)
    notes = serializers.ListField(child=serializers.CharField())


class ForecastSerializer(serializers.Serializer[Any]):
    currency = serializers.CharField(allow_null=True)
    currencies = serializers.ListField(child=serializers.CharField())
    measure = serializers.CharField()
    known_until = serializers.DateField(allow_null=True, help_text="The last day that is no forecast.")
    rows = serializers.ListField(
        child=serializers.DictField(child=serializers.CharField(allow_null=True)),
        help_text="day, what it is grouped by, mean, lo_80, hi_80 …; the groups' means add up to the whole's.",
    )
    model = serializers.CharField(allow_null=True)
    backtest = BacktestSerializer(allow_null=True)
    months = MonthSerializer(many=True)
    groups = SpendGroupSerializer(many=True)
    notes = serializers.ListField(child=serializers.CharField())
    too_short = serializers.CharField(allow_null=True, help_text="Why there is no forecast.")


def _backtest(found: Backtest) -> dict[str, Any]:
    def rounded(value: float | None) -> float | None:
        return None if value is None else round(value, 4)

    return {
        "mase": rounded(found.mase),
        "coverage_80": rounded(found.coverage_80),
        "baseline_mase": rounded(found.baseline_mase),
        "origins": found.origins,
        "days": found.days,
    }


def _bounds(found: Forecast, at: int, moved: float = 0.0) -> dict[str, str]:
    told = {}
    for level, (low, high) in sorted(found.bounds.items()):
        below = float(low[at]) + moved
        told[f"lo_{level}"] = shown(money(max(below, 0.0) if found.is_spend else below))
        told[f"hi_{level}"] = shown(
            money(max(float(high[at]) + moved, 0.0) if found.is_spend else float(high[at]) + moved)
        )
    return told


def _rows(found: Outlook, group_by: Sequence[str]) -> list[dict[str, Any]]:
    assert found.told is not None
    whole = found.told.whole
    days = [shown_date(date.fromordinal(whole.start.toordinal() + at)) for at in range(len(whole.mean))]
    if not group_by:
        means = whole.mean.tolist()
        return [{"day": day, "mean": shown(money(means[at])), **_bounds(whole, at)} for at, day in enumerate(days)]
    told = []
    for key, part in found.told.parts.items():
        names = _names(group_by, key)
        for at, day in enumerate(days):
            row = {"day": day, **names, "mean": shown(part.means[at])}
            # The interval keeps its width and goes where the mean was moved to, so that the parts add up.
            moved = float(part.means[at]) - float(part.own.mean[at]) if part.own else 0.0
            told.append(row | (_bounds(part.own, at, moved) if part.own else dict.fromkeys(_bounds(whole, at))))
    return told


def _names(group_by: Sequence[str], key: Key) -> dict[str, str | None]:
    return {name: value or None for name, value in zip(group_by, key, strict=True)}


def _month(found: Month) -> dict[str, Any]:
    bounds: dict[str, str] = {}
    for level, (low, high) in found.bounds.items():
        bounds |= {f"lo_{level}": shown(low), f"hi_{level}": shown(high)}
    return {
        "month": shown_date(found.first), "known": shown(found.known), "mean": shown(found.mean), "bounds": bounds,
        "days": found.days, "is_whole": found.is_whole,
    }  # fmt: skip


def _groups(found: Outlook, group_by: Sequence[str]) -> list[dict[str, Any]]:
    assert found.told is not None
    return [
        {
            "group": _names(group_by, key),
            "model": part.own.model if part.own else None,
            "backtest": _backtest(part.own.backtest) if part.own else None,
            "notes": list(part.own.notes) if part.own else ["Its history is too short: it has its share of the whole."],
        }
        for key, part in found.told.parts.items()
    ]


# --- what is unusual


class CauseSerializer(serializers.Serializer[Any]):
    cloud_service = serializers.CharField(allow_null=True)
    account = serializers.CharField(allow_null=True)
    size = serializers.CharField()


class SeenSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField()
    by = serializers.CharField(allow_null=True)
    at = serializers.DateTimeField()


class AnomalySerializer(serializers.Serializer[Any]):
    day = serializers.DateField()
    team = serializers.CharField(allow_null=True)
    cloud_services = serializers.ListField(
        child=serializers.CharField(), help_text="Of which alone the figures are; empty: of all that the team spends."
    )
    currency = serializers.CharField()
    actual = serializers.CharField()
    usual = serializers.CharField()
    size = serializers.CharField(help_text="Money more than usual; less is negative.")
    stays = serializers.BooleanField(help_text="The level has moved and is usual from then on.")
    causes = CauseSerializer(many=True)
    acknowledged = SeenSerializer(allow_null=True)


class AnomalyListSerializer(serializers.Serializer[Any]):
    results = AnomalySerializer(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class AcknowledgeBody(Body):
    team = SlugField(required=False, allow_null=True, help_text="null: what is of no team.")
    day = serializers.DateField()
    currency = serializers.CharField(max_length=40)
    reason = serializers.CharField(max_length=1000)


def anomaly_row(each: Unusual) -> dict[str, Any]:
    seen = each.seen
    return {
        "day": shown_date(each.found.day),
        "team": each.team,
        "cloud_services": list(each.found.services),
        "currency": each.currency,
        "actual": shown(each.found.actual),
        "usual": shown(each.found.usual),
        "size": shown(each.found.size),
        "stays": each.found.stays,
        "causes": [
            {"cloud_service": cause.key[0] or None, "account": cause.key[1] or None, "size": shown(cause.size)}
            for cause in each.found.causes
        ],
        "acknowledged": {
            "reason": seen.reason,
            "by": seen.seen_by.get_username() if seen.seen_by else None,
            "at": shown_time(seen.seen_at),
        }
        if seen
        else None,
    }


_ANOMALIES = Table(
    "costs-anomalies",
    ("day", "team", "cloud_services", "currency", "actual", "usual", "size", "stays", "causes", "acknowledged.reason",
     "acknowledged.by", "acknowledged.at"),
    anomaly_row,
)  # fmt: skip


class Outlooks(Resource):
    """Spend as it will go on, and days that cost what they should not have."""

    parameters: ClassVar[dict[str, Any]] = {
        "forecast": _FORECAST,
        "anomalies": (parameter("since", "From this day on.", many=False), parameter("team", "Of this team.")),
    }
    paged: ClassVar[Sequence[str]] = ()
    exported: ClassVar[Sequence[str]] = ("anomalies",)

    def _asked(self, request: Request) -> tuple[list[str], dict[str, Any]]:
        group_by = list(dict.fromkeys(_split(request, "group_by")))
        for name in group_by:
            if name not in GROUPS:
                raise bad_parameter("group_by", f"group_by is one of {', '.join(GROUPS)}; not “{name[:60]}”.")
        only: dict[str, Any] = {}
        if slug := request.query_params.get("team"):
            only["team"] = _slug(teams_visible_to(self.user), "team", slug)
        if slug := request.query_params.get("service"):
            only["service"] = _slug(services_visible_to(self.user), "service", slug)
        if slug := request.query_params.get("environment"):
            only["environment"] = _slug(Environment.objects.all(), "environment", slug)
        if "account" in group_by and (len(group_by) > 1 or only):
            raise bad_parameter("group_by", "account is grouped by alone.")
        return group_by, only

    @extend_schema(responses=ForecastSerializer)
    @action(detail=False)
    def forecast(self, request: Request) -> Response:
        """A forecast of the daily spend that you may see, with intervals, and how it did on the past."""
        group_by, only = self._asked(request)
        measure = (filters.choices(request, "measure", outlook.MEASURES) or ["billed"])[0]
        known = outlook.currencies(self.user)
        currency = request.query_params.get("currency") or (known[0] if known else "")
        if currency and known and currency not in known:
            raise bad_parameter("currency", f"There is no spend in {currency[:40]}. There is: {', '.join(known)}.")
        found = outlook.outlook(
            self.user, currency, group_by=group_by, horizon=_horizon(request), levels=_levels(request),
            measure=measure, only=only,
        )  # fmt: skip
        shown_ = {"currency": currency or None, "currencies": known, "measure": measure}
        if found.told is None or found.spend is None:
            return Response(
                shown_ | {"known_until": None, "rows": [], "model": None, "backtest": None, "months": [], "groups": [],
                          "notes": [], "too_short": found.too_short}
            )  # fmt: skip
        return Response(
            shown_
            | {
                "known_until": shown_date(date.fromordinal(found.told.whole.start.toordinal() - 1)),
                "rows": _rows(found, group_by),
                "model": found.told.whole.model,
                "backtest": _backtest(found.told.whole.backtest),
                "months": [_month(each) for each in found.months],
                "groups": _groups(found, group_by) if group_by else [],
                "notes": list(found.notes),
                "too_short": None,
            }
        )

    @extend_schema(responses={200: AnomalyListSerializer})
    @action(detail=False)
    def anomalies(self, request: Request) -> HttpResponseBase:
        """Unusual days of the spend that you may see, the newest first, with what made them so."""
        text = request.query_params.get("since") or ""
        try:
            since = date.fromisoformat(text) if text else None
        except ValueError as error:
            raise bad_parameter("since", "since is a day, as 2026-05-01.") from error
        teams = [_slug(teams_visible_to(self.user), "team", slug) for slug in filters.words(request, "team")]
        found = [each for each in outlook.unusual(self.user, since=since) if not teams or each.team in teams]
        whole = exports.stream(request, _ANOMALIES, exports.Rows(found))
        return whole or Response({"results": [anomaly_row(each) for each in found], "next": None, "previous": None})

    @extend_schema(request=AcknowledgeBody, responses={200: SeenSerializer})
    @action(detail=False, methods=["post"], url_path="anomalies/acknowledge")
    def acknowledge(self, request: Request) -> Response:
        """Say why an unusual day is all right."""
        sent = read(AcknowledgeBody, request)
        team = catalog.team_named(sent.get("team"), self.user)
        outlook.check_unusual(self.user, team, sent["day"], sent["currency"])
        row = budgeting.see_anomaly(
            user=self.user, team=team, day=sent["day"], currency=sent["currency"], reason=sent["reason"]
        )
        return Response({"reason": row.reason, "by": self.user.get_username(), "at": shown_time(row.seen_at)})


def _split(request: Request, name: str) -> list[str]:
    return [part for value in filters.words(request, name) for part in value.split(",") if part]


def _slug(rows: QuerySet[Any], name: str, slug: str) -> str:
    """A name that is not known, or not visible, is an error of the parameter."""
    if not rows.filter(slug=slug).exists():
        raise bad_parameter(name, f"No {name} “{slug[:60]}” that you may see.")
    return slug


def _horizon(request: Request) -> int:
    text = request.query_params.get("horizon_days") or "90"
    if not (text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= MOST_DAYS_AHEAD):
        raise bad_parameter("horizon_days", f"horizon_days is a number from 1 to {MOST_DAYS_AHEAD}.")
    return int(text)


def _levels(request: Request) -> list[int]:
    parts = _split(request, "levels") or [str(level) for level in LEVELS]
    if len(parts) > 6 or not all(part.isascii() and part.isdigit() and 0 < int(part[:4]) < 100 for part in parts):
        raise bad_parameter("levels", "levels are whole percents from 1 to 99, six at most, as 50,80,95.")
    return sorted({int(part) for part in parts})
