"""Values as the API shows and reads them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from platform_risk.core.catalog.models import slug_validator

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


def shown_time(value: datetime | None) -> str | None:
    """RFC 3339 in UTC."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if value is not None else None


def shown_date(value: date | None) -> str | None:
    return value.isoformat() if value is not None else None


def shown_number(value: Decimal | None) -> str | None:
    """A decimal without trailing zeros; a string, so that no reader rounds it."""
    return format(value.normalize(), "f") if value is not None else None


class SlugField(serializers.CharField):
    """A name for addresses and filters."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=80, validators=[slug_validator], **kwargs)


class PastTimeField(serializers.DateTimeField):
    """A time that something was observed at, UTC without a zone; not in the future (an hour is granted to clocks)."""

    def to_internal_value(self, value: Any) -> datetime:
        try:
            moment = super().to_internal_value(value)
        except OverflowError as error:
            raise serializers.ValidationError("This is not a time that can be stored.") from error
        if not EARLIEST <= moment <= timezone.now() + timedelta(hours=1):
            raise serializers.ValidationError("This time is in the future, or before 1970.")
        return moment


class ZonedTimeField(PastTimeField):
    """One that a person wrote down somewhere: without its zone nobody knows which hour was meant."""

    def enforce_timezone(self, value: datetime) -> datetime:
        if timezone.is_naive(value):
            raise serializers.ValidationError("Its zone is missing: write 2026-11-02T09:30:00Z.")
        return super().enforce_timezone(value)
