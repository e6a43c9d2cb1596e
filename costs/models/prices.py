"""Price books and their rates. One installation has one set of them, seen by everyone who signs in."""

from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone

from platform_risk.core.catalog.models import slug_validator
from platform_risk.quantities.pricing import (
    GIBIBYTE,
    GIGABYTE,
    UNIT_WORDS,
    BadPriceError,
    Confidence,
    Price,
    PriceUnit,
    Rate,
    Tier,
)

_POSITIVE = [MinValueValidator(Decimal(0))]


class PriceBook(models.Model):
    slug = models.CharField(max_length=40, unique=True, validators=[slug_validator])
    name = models.CharField(max_length=200)
    version = models.PositiveIntegerField(default=1)  # of the product's own books: the last one that was filled in
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name


class PriceRate(models.Model):
    """quantities.pricing.Rate as a row. `tiers`: [{up_to, amount}], decimal strings; the last has up_to null."""

    book = models.ForeignKey(PriceBook, on_delete=models.CASCADE, related_name="rates")
    item = models.CharField(max_length=200)
    provider = models.CharField(max_length=80, blank=True, validators=[slug_validator])
    unit = models.CharField(max_length=30, choices=[(unit.value, UNIT_WORDS[unit]) for unit in PriceUnit])
    amount = models.DecimalField(max_digits=24, decimal_places=12, validators=_POSITIVE)
    currency = models.CharField(max_length=3, default="USD", validators=[RegexValidator(r"^[A-Z]{3}\Z")])
    free = models.DecimalField(max_digits=24, decimal_places=12, default=Decimal(0), validators=_POSITIVE)
    tiers: "models.JSONField[Any, Any]" = models.JSONField(default=list, blank=True)
    gb_bytes = models.BigIntegerField(default=GIGABYTE, choices=[(GIGABYTE, "GB, 10^9"), (GIBIBYTE, "GiB, 2^30")])
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)  # excluded
    source = models.CharField(max_length=500, blank=True)
    source_date = models.CharField(max_length=40, blank=True)
    confidence = models.CharField(
        max_length=6, choices=[(each.value, each.value) for each in Confidence], default="high"
    )
    applies = models.BooleanField(default=True)  # by default, without being chosen
    note = models.CharField(max_length=1000, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["book__slug", "provider", "item", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["book", "item", "valid_from"], nulls_distinct=False, name="price_once_from_a_day",
                violation_error_message="The book has this item from this day on already.",
            ),
            models.CheckConstraint(
                condition=models.Q(valid_to__isnull=True) | models.Q(valid_from__isnull=True)
                | models.Q(valid_to__gt=models.F("valid_from")),
                name="price_ends_after_it_begins", violation_error_message="valid_to is after valid_from.",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.item

    @property
    def when(self) -> str:
        """Whether it holds today: "now", "ended", "later"."""
        today = timezone.now().date()
        if self.valid_to is not None and self.valid_to <= today:
            return "ended"
        return "later" if self.valid_from is not None and self.valid_from > today else "now"

    @property
    def price(self) -> Price:
        tiers = tuple(
            Tier(None if each["up_to"] is None else Decimal(each["up_to"]), Decimal(each["amount"]))
            for each in self.tiers
        )
        unit = PriceUnit(self.unit)
        return Price(self.amount, unit, self.currency, free=self.free, tiers=tiers, gb_bytes=self.gb_bytes)

    @property
    def rate(self) -> Rate:
        return Rate(
            item=self.item, price=self.price, provider=self.provider, valid_from=self.valid_from,
            valid_to=self.valid_to, source=self.source, source_date=self.source_date,
            confidence=Confidence(self.confidence), applies=self.applies, note=self.note, book=self.book.slug,
        )  # fmt: skip

    def clean(self) -> None:
        if self.valid_from and self.valid_to and self.valid_to <= self.valid_from:
            raise ValidationError({"valid_to": "A price ends after the day on which it begins."})
        try:
            self.price  # noqa: B018 - what contradicts itself is refused when it is built
        except (BadPriceError, ArithmeticError, KeyError, TypeError, ValueError) as error:
            words = str(error) if isinstance(error, BadPriceError) else "tiers is a list of {up_to, amount}."
            raise ValidationError({"tiers" if self.tiers else "amount": words}) from error

    def validate_constraints(self, exclude: Any = None) -> None:
        try:
            super().validate_constraints(exclude)
        except ValidationError as error:
            raise ValidationError({"item": error.messages}) from error  # there is such a price already
