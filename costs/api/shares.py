"""Shared cost and showback through the API."""

from collections.abc import Sequence
from datetime import date
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from costs import sharing, showback
from costs.api.daily import day
from costs.api.enums import SHARED_KINDS, SPLITS
from costs.models import SharedCost
from costs.money import plain
from costs.showback import Amounts, Share
from platform_risk.core.api import exports, filters
from platform_risk.core.api.collections import Collection, described
from platform_risk.core.api.exports import Rows, Table
from platform_risk.core.api.fields import shown_time
from platform_risk.core.api.resources import Body, Resource
from platform_risk.core.api.schema import parameter


def _row(shared: SharedCost) -> dict[str, Any]:
    return {
        "id": str(shared.pk),
        "kind": shared.kind,
        "pattern": shared.pattern,
        "split": shared.split,
        "note": shared.note,
        "created_at": shown_time(shared.created_at),
    }


class SharedCostSerializer(serializers.Serializer[Any]):
    """A rule that the cost of an account, a cloud service, a namespace or a tag is everybody's, and how it is split."""

    id = serializers.CharField()
    kind = serializers.ChoiceField(choices=SHARED_KINDS)
    pattern = serializers.CharField(help_text="A glob; of tags over key=value.")
    split = serializers.ChoiceField(
        choices=SPLITS, help_text="By what each team spends directly in the month, or the same for each that spends."
    )
    note = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()


class SharedCostBody(Body):
    kind = serializers.ChoiceField(choices=SHARED_KINDS)
    pattern = serializers.CharField(max_length=500)
    split = serializers.ChoiceField(choices=SPLITS, required=False)
    note = serializers.CharField(max_length=500, required=False, allow_blank=True)


@described(
    SharedCostSerializer,
    SharedCostBody,
    list="What is shared, for managers. Tried after ownership rules, before service and tag.",
    create="Share a cost over the teams, as an administrator. Charges follow within moments, past months too.",
    retrieve="One rule.",
    change="Change a rule; charges follow.",
    delete="Share it no longer; its charges are given to somebody or nobody again.",
)
class SharedCosts(Collection):
    """Shared cost: what nobody alone has caused."""

    table = Table("shared-costs", ("id", "kind", "pattern", "split", "note", "created_at"), _row)
    body = SharedCostBody

    def rows(self) -> QuerySet[SharedCost]:
        return sharing.rules_visible_to(self.user)

    def add(self, sent: dict[str, Any]) -> SharedCost:
        return sharing.create(user=self.user, **sent)

    def change(self, row: SharedCost, sent: dict[str, Any]) -> None:
        sharing.change(row, user=self.user, **sent)

    def remove(self, row: SharedCost) -> None:
        sharing.delete(row, user=self.user)


class ShareSerializer(serializers.Serializer[Any]):
    """What a team has cost in a month; team null: nobody's."""

    month = serializers.DateField()
    team = serializers.CharField(allow_null=True)
    direct_billed = serializers.CharField()
    shared_billed = serializers.CharField(help_text="Its part of what is shared.")
    billed = serializers.CharField(help_text="Both together.")
    direct_effective = serializers.CharField()
    shared_effective = serializers.CharField()
    effective = serializers.CharField()
    currency = serializers.CharField()


def _share(share: Share) -> dict[str, Any]:
    def named(name: str) -> dict[str, str]:
        of: list[tuple[str, Amounts]] = [("direct_", share.direct), ("shared_", share.shared), ("", share.total)]
        return {f"{prefix}{name}": plain(getattr(amounts, name)) for prefix, amounts in of}

    return {
        "month": share.month.isoformat(),
        "team": share.team,
        **named("billed"),
        **named("effective"),
        "currency": share.currency,
    }


_TABLE = Table(
    "showback",
    (
        "month", "team", "direct_billed", "shared_billed", "billed", "direct_effective", "shared_effective",
        "effective", "currency",
    ),
    _share,
)  # fmt: skip


class Showback(Resource):
    """What each team has cost."""

    parameters: ClassVar[dict[str, Any]] = {
        "list": (
            parameter("month", "As 2026-06, or any day of it; left out, the latest there is.", many=False, type=date),
            parameter("currency", "In these currencies."),
        )
    }
    paged: ClassVar[Sequence[str]] = ()

    @extend_schema(responses=ShareSerializer(many=True))
    def list(self, request: Request) -> HttpResponseBase:
        """A calendar month by team: its own cost and its part of what is shared. Your teams; for managers nobody's
        too, for administrators all, which then add up to the month."""
        month = day(request, "month", or_month=True) or showback.last_month(self.user)
        currencies = filters.words(request, "currency")
        found = showback.of_month(month.replace(day=1), self.user) if month else []
        rows = [share for share in found if not currencies or share.currency in currencies]
        whole = exports.stream(request, _TABLE, Rows(rows))
        return whole or Response({"results": [_share(row) for row in rows], "next": None, "previous": None})
