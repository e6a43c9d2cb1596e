"""Prices through the API: rates of price books, and a book as YAML."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, JSONParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from costs import pricebook, pricing
from costs.api.enums import CONFIDENCES, GIGABYTES, PRICE_UNITS
from costs.api.serializers import THREE_LETTERS
from costs.models import PriceRate
from platform_risk.core.api import filters
from platform_risk.core.api.collections import Collection, described
from platform_risk.core.api.exports import Table
from platform_risk.core.api.fields import SlugField, shown_date, shown_number, shown_time
from platform_risk.core.api.problems import bad_parameter
from platform_risk.core.api.resources import Body, read
from platform_risk.core.api.schema import parameter
from platform_risk.quantities.pricing import GIBIBYTE, GIGABYTE

_BYTES = {"GB": GIGABYTE, "GiB": GIBIBYTE}
_NAMES = {value: name for name, value in _BYTES.items()}


def money_field(**kwargs: Any) -> serializers.DecimalField:
    return serializers.DecimalField(
        max_digits=24, decimal_places=12, min_value=Decimal(0), max_value=Decimal(10**12), **kwargs
    )  # fmt: skip


def row(rate: PriceRate) -> dict[str, Any]:
    return {
        "id": str(rate.pk),
        "book": rate.book.slug,
        "item": rate.item,
        "provider": rate.provider,
        "unit": rate.unit,
        "amount": shown_number(rate.amount),
        "currency": rate.currency,
        "free_per_month": shown_number(rate.free),
        "tiers": rate.tiers,
        "gigabyte": _NAMES[rate.gb_bytes],
        "valid_from": shown_date(rate.valid_from),
        "valid_to": shown_date(rate.valid_to),
        "source": rate.source,
        "source_date": rate.source_date,
        "confidence": rate.confidence,
        "applies": rate.applies,
        "note": rate.note,
        "updated_at": shown_time(rate.updated_at),
    }


TABLE = Table(
    "prices",
    (
        "id", "book", "item", "provider", "unit", "amount", "currency", "free_per_month", "tiers", "gigabyte",
        "valid_from", "valid_to", "source", "source_date", "confidence", "applies", "note", "updated_at",
    ),
    row,
)  # fmt: skip


class TierShown(serializers.Serializer[Any]):
    up_to = serializers.CharField(allow_null=True)
    amount = serializers.CharField()


class PriceSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    book = serializers.CharField()
    item = serializers.CharField()
    provider = serializers.CharField(help_text="Whose usage it prices by default; empty: none's.")
    unit = serializers.ChoiceField(choices=PRICE_UNITS)
    amount = serializers.CharField()
    currency = serializers.CharField()
    free_per_month = serializers.CharField(help_text="Of the unit; comes off before tiers are counted.")
    tiers = TierShown(many=True, help_text="By month; the last has no bound. Empty: one price for all.")
    gigabyte = serializers.ChoiceField(choices=GIGABYTES, help_text="What the provider calls a gigabyte.")
    valid_from = serializers.DateField(allow_null=True)
    valid_to = serializers.DateField(allow_null=True, help_text="Not included.")
    locals()["source"] = serializers.CharField(allow_blank=True)
    source_date = serializers.CharField(allow_blank=True)
    confidence = serializers.ChoiceField(choices=CONFIDENCES)
    applies = serializers.BooleanField(help_text="Without being chosen, to the usage of its provider.")
    note = serializers.CharField(allow_blank=True)
    updated_at = serializers.DateTimeField()


class TierBody(Body):
    up_to = money_field(allow_null=True)
    amount = money_field()


class PriceBody(Body):
    book = SlugField(required=False)
    item = serializers.CharField(max_length=200)
    provider = serializers.RegexField(r"^[a-z0-9][a-z0-9._-]{0,79}\Z|^\Z", required=False, allow_blank=True)
    unit = serializers.ChoiceField(choices=PRICE_UNITS)
    amount = money_field()
    currency = serializers.RegexField(
        r"^[A-Z]{3}\Z", required=False, help_text="ISO 4217.", error_messages={"invalid": THREE_LETTERS}
    )
    free_per_month = money_field(required=False)
    tiers = TierBody(many=True, required=False)
    gigabyte = serializers.ChoiceField(choices=GIGABYTES, required=False)
    valid_from = serializers.DateField(required=False, allow_null=True)
    valid_to = serializers.DateField(required=False, allow_null=True)
    locals()["source"] = serializers.CharField(max_length=500, required=False, allow_blank=True)
    source_date = serializers.CharField(max_length=40, required=False, allow_blank=True)
    confidence = serializers.ChoiceField(choices=CONFIDENCES, required=False)
    applies = serializers.BooleanField(required=False)
    note = serializers.CharField(max_length=1000, required=False, allow_blank=True)

    def validate_tiers(self, value: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        if len(value) > 20:
            raise serializers.ValidationError("Twenty tiers at most.")
        return [dict(each) for each in value]


class BookBody(Body):
    yaml = serializers.CharField(max_length=pricebook.MOST_BYTES, trim_whitespace=False)


class YamlParser(BaseParser):
    """A book as it is, beside one within JSON."""

    media_type = "application/yaml"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, str]:
        sent = stream.read(pricebook.MOST_BYTES + 1)
        try:
            return {"yaml": sent.decode()}
        except UnicodeDecodeError as error:
            raise ParseError("The book is no UTF-8.") from error


class OtherYamlParser(YamlParser):
    media_type = "text/yaml"


class YamlRenderer(BaseRenderer):
    media_type = "application/yaml"
    format = "yaml"
    charset = "utf-8"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> str:
        return str(data["yaml"]) if "yaml" in data else json.dumps(data)  # JSON is YAML


class BookPutSerializer(serializers.Serializer[Any]):
    book = serializers.CharField()
    before = serializers.IntegerField(help_text="How many prices it had.")
    after = serializers.IntegerField()


def _fields(sent: dict[str, Any]) -> dict[str, Any]:
    """As the model names them."""
    found = dict(sent)
    if "free_per_month" in found:
        found["free"] = found.pop("free_per_month")
    if "gigabyte" in found:
        found["gb_bytes"] = _BYTES[found.pop("gigabyte")]
    return found


@described(
    PriceSerializer,
    PriceBody,
    list="Prices of all books: what a unit costs, by whom it is said and how sure that is.",
    create="Add a price, to the book of your own prices if none is named.",
    retrieve="One price.",
    change="Change a price.",
    delete="Delete a price. One that came along does not come back.",
)
class Prices(Collection):
    """Prices: each carries its unit, and cannot be applied to an amount of another."""

    parameters: ClassVar[dict[str, Any]] = {
        "list": (
            parameter("book", "Of this book."),
            parameter("unit", "Of this unit.", enum=PRICE_UNITS),
            parameter("provider", "Of this provider."),
            parameter("confidence", "Of this confidence.", enum=CONFIDENCES),
        ),
        "book": (parameter("book", "The book to write; one’s own if none is named.", many=False),),
        "put_book": (parameter("book", "The book to replace: the one that the text names.", many=False),),
    }
    table = TABLE
    body = PriceBody
    conflicts: ClassVar[Sequence[str]] = ("create", "partial_update")

    def get_renderers(self) -> list[BaseRenderer]:
        return [*super().get_renderers(), *([YamlRenderer()] if self.action == "book" else [])]

    def rows(self) -> QuerySet[PriceRate]:
        found = pricing.rates()
        if self.action == "list":
            for name, column in (("book", "book__slug"), ("provider", "provider")):
                if words := filters.words(self.request, name):
                    found = found.filter(**{f"{column}__in": words})
            for name, allowed in (("unit", PRICE_UNITS), ("confidence", CONFIDENCES)):
                if values := filters.choices(self.request, name, allowed):
                    found = found.filter(**{f"{name}__in": values})
        return found

    def add(self, sent: dict[str, Any]) -> PriceRate:
        return pricing.create(user=self.user, **_fields(sent))

    def change(self, row: PriceRate, sent: dict[str, Any]) -> None:
        pricing.change(row, user=self.user, **_fields(sent))

    def remove(self, row: PriceRate) -> None:
        pricing.delete(row, user=self.user)

    @extend_schema(responses={(200, "application/json"): OpenApiResponse(BookBody)})
    @action(detail=False, methods=["get"], parser_classes=[JSONParser, YamlParser, OtherYamlParser])
    def book(self, request: Request) -> HttpResponseBase:
        """A whole book as YAML text, as it can be put back."""
        slug = (filters.words(request, "book") or [pricing.OWN])[0]
        text = pricing.book_as_yaml(slug)
        if text is None:
            raise bad_parameter("book", f"There is no book “{slug[:40]}”.")
        return Response({"yaml": text})

    @extend_schema(request=BookBody, responses={200: BookPutSerializer})
    @book.mapping.put
    def put_book(self, request: Request) -> HttpResponse | Response:
        """Replace a book by what a YAML text says; the other books stay."""
        named = request.query_params.get("book", "")
        book, before = pricing.put_book(read(BookBody, request)["yaml"], user=self.user, named=named)
        return Response({"book": book.slug, "before": before, "after": len(book.rates)})
