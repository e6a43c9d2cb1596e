"""Query parameters: known ones only, each with a value that makes sense."""

import re
from collections.abc import Collection
from datetime import UTC, datetime

from django.utils.dateparse import parse_datetime
from rest_framework.request import Request

from platform_risk.core.api.problems import bad_parameter

_TIME_ZONE_EATEN = re.compile(r" (\d\d:\d\d)$")
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


def refuse_unknown(request: Request, known: Collection[str]) -> None:
    """A filter with a typing error must not silently show everything."""
    for name in request.query_params:
        if name not in known:
            expected = ", ".join(sorted(known)) or "none at all"
            raise bad_parameter(name[:60], f"There is no parameter “{name[:60]}” here. Known: {expected}.")


def moment(request: Request, name: str) -> datetime | None:
    """A parameter that holds a time with its zone (RFC 3339), or a day for its beginning in UTC."""
    text = request.query_params.get(name, "")
    if not text:
        return None
    # A plus sign that was not escaped arrives as a blank.
    text = _TIME_ZONE_EATEN.sub(r"+\1", text)
    if _DAY.fullmatch(text):
        text += "T00:00:00Z"
    try:
        value = parse_datetime(text)
    except ValueError:
        value = None
    if value is None or value.tzinfo is None or not _EARLIEST <= value <= _LATEST:
        raise bad_parameter(
            name, f"{name} is a time with its zone, such as 2026-11-02T09:30:00Z, or a day such as 2026-11-02."
        )
    return value


def choices(request: Request, name: str, allowed: Collection[str]) -> list[str]:
    """All values of a parameter that may repeat."""
    values = [value for value in request.query_params.getlist(name) if value]
    for value in values:
        if value not in allowed:
            raise bad_parameter(name, f"{name} is one of {', '.join(allowed)}; not “{value[:60]}”.")
    return values


def words(request: Request, name: str) -> list[str]:
    """All values of a parameter that may repeat and names something."""
    values = [value for value in request.query_params.getlist(name) if value]
    for value in values:
        if "\x00" in value or len(value) > 500:
            raise bad_parameter(name, f"The value of {name} is too long or holds a NUL.")
    return values
