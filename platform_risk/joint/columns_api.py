"""What the endpoints of a list's columns answer: which column means what, and what the list would come to."""

from typing import Any

from rest_framework import serializers

from costs.bills.preview import Preview
from costs.bills.records import BillError
from costs.money import plain
from platform_risk.core.api import imports
from platform_risk.core.api.imports import ImportErrorSerializer, PlaceSerializer
from platform_risk.core.api.resources import Body
from platform_risk.core.models import Import
from platform_risk.joint import columns


class ColumnsWrittenSerializer(Body):
    columns = serializers.DictField(
        child=serializers.CharField(max_length=1000),
        help_text="Field → header of the file. A value that begins with = is the same for every row (=EUR), or says how"
        " days and decimals are written (=day.month.year, =comma).",
    )


class ColumnOptionSerializer(serializers.Serializer[Any]):
    value = serializers.CharField()
    locals()["label"] = serializers.CharField()


class ColumnFieldSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    locals()["label"] = serializers.CharField()
    is_needed = serializers.BooleanField()
    options = ColumnOptionSerializer(many=True, help_text="What it may be beside a header.")


class PreviewTotalSerializer(serializers.Serializer[Any]):
    currency = serializers.CharField()
    charge_category = serializers.CharField()
    billed = serializers.CharField()
    effective = serializers.CharField()


class PreviewRowSerializer(serializers.Serializer[Any]):
    values = serializers.DictField(child=serializers.CharField(allow_blank=True), help_text="Field → as it is read.")
    problem = serializers.CharField(allow_null=True, help_text="Why the line cannot be used.")


class PreviewRejectSerializer(serializers.Serializer[Any]):
    location = PlaceSerializer()
    reason = serializers.CharField()
    excerpt = serializers.CharField(allow_null=True)


class ListPreviewSerializer(serializers.Serializer[Any]):
    """Of the file, or of its first megabytes; nothing of it is applied."""

    is_whole = serializers.BooleanField(help_text="False: figures are of the beginning alone.")
    lines = serializers.IntegerField()
    rejected = serializers.IntegerField()
    days = serializers.CharField(help_text="How days are read.")
    decimals = serializers.CharField(help_text="How amounts are read.")
    months = serializers.ListField(child=serializers.CharField())
    totals = PreviewTotalSerializer(many=True, help_text="Of the lines that can be used.")
    rows = PreviewRowSerializer(many=True, help_text="The first ones.")
    rejects = PreviewRejectSerializer(many=True, help_text="The first ones.")


class ColumnsSerializer(serializers.Serializer[Any]):
    headers = serializers.ListField(child=serializers.CharField(allow_blank=True))
    locals()["fields"] = ColumnFieldSerializer(many=True)
    columns = serializers.DictField(
        child=serializers.CharField(), help_text="Field → header: what was sent, else remembered, else guessed."
    )
    missing = serializers.ListField(child=serializers.CharField(), help_text="Needed fields that have no column yet.")
    remembered_by = serializers.CharField(allow_null=True)
    remembered_at = serializers.DateTimeField(allow_null=True)
    preview = ListPreviewSerializer(allow_null=True, help_text="Of bills, once nothing is missing.")
    problem = ImportErrorSerializer(allow_null=True, help_text="Why there is no preview.")


def shown(row: Import, sent: dict[str, Any] | None = None) -> dict[str, Any]:
    """The answer, with the columns `sent` in place of those that are known. Raises Http404 and Refused."""
    asked = columns.of(row)
    form = asked.form()
    chosen = form.guessed() if sent is None else asked.checked(sent)
    found = asked.preview(chosen) if asked.may_preview(chosen) else None
    known = asked.remembered()
    return {
        "headers": asked.headers,
        "fields": [
            {
                "name": name,
                "label": text,
                "is_needed": name in asked.needed,
                "options": [{"value": value, "label": words} for value, words in columns.options(form, name)],
            }
            for name, text in asked.labels.items()
        ],
        "columns": chosen,
        "missing": [name for name in asked.needed if name not in chosen],
        "remembered_by": known.created_by.username if known and known.created_by else None,
        "remembered_at": known.created_at if known else None,
        "preview": _preview(found) if isinstance(found, Preview) else None,
        "problem": _problem(found) if isinstance(found, BillError) else None,
    }


def _problem(error: BillError) -> dict[str, Any]:
    place = {name: value for name, value in error.location.items() if name != "headers"}
    return imports.error_row({
        "code": error.code, "message": error.message, "location": place, "remedy": error.remedy
    })  # fmt: skip


def _preview(found: Preview) -> dict[str, Any]:
    return {
        "is_whole": found.is_whole,
        "lines": found.lines,
        "rejected": found.rejected,
        "days": found.days,
        "decimals": found.decimals,
        "months": found.months,
        "totals": [
            {
                "currency": total.currency,
                "charge_category": total.charge_category,
                "billed": plain(total.billed),
                "effective": plain(total.effective),
            }
            for total in found.totals
        ],
        "rows": [
            {"values": dict(zip(found.fields, (value for value, _ in cells), strict=True)), "problem": why or None}
            for cells, why in found.rows
        ],
        "rejects": [
            {
                "location": imports.place({"line": each.line, "pointer": each.pointer, "entry": each.entry}),
                "reason": each.reason,
                "excerpt": each.excerpt or None,
            }
            for each in found.rejects
        ],
    }  # fmt: skip
