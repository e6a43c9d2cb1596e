"""Findings by their days: what a filter finds, on the page and through the API."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from findings import query, selectors
from findings.models import Finding
from platform_risk.core.models import Service, User
from tests.factories import make_finding

pytestmark = pytest.mark.django_db
ClientOf = Callable[..., Client]
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
# One finding for each day from three before to three after.
DAYS = [NOON.date() + timedelta(days=number) for number in range(-3, 4)]


@pytest.fixture
def numbers(checkout: Service, monkeypatch: pytest.MonkeyPatch) -> dict[int, date]:
    monkeypatch.setattr(timezone, "now", lambda: NOON)
    made = {}
    for day in DAYS:
        # The first moment of the day and the last one belong to it.
        at = datetime.combine(day, datetime.min.time() if day.day % 2 else datetime.max.time(), UTC)
        finding = make_finding(
            checkout, first_seen_at=at, opened_on=day, closed_at=at, due_on=day, acceptance_expires_on=day
        )
        Finding.objects.filter(pk=finding.pk).update(updated_at=at)
        made[finding.pk] = day
    return made


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("today", lambda day: day == DAYS[3]),
        (">today", lambda day: day > DAYS[3]),
        (">=today", lambda day: day >= DAYS[3]),
        ("<today", lambda day: day < DAYS[3]),
        ("<=today", lambda day: day <= DAYS[3]),
        (f"{DAYS[1]}..{DAYS[2]}", lambda day: DAYS[1] <= day <= DAYS[2]),
        ("*..today-1d", lambda day: day < DAYS[3]),
        ("none", lambda day: False),
    ],
)
def test_a_day_is_from_its_first_moment_to_its_last(
    numbers: dict[int, date], ada: User, text: str, holds: Callable[[date], bool]
) -> None:
    expected = {number for number, day in numbers.items() if holds(day)}
    for name in query.DAYS:
        rows = selectors.found(query.parse(f"{name}:{text}"), ada)
        assert set(rows.values_list("pk", flat=True)) == expected, name
        others = selectors.found(query.parse(f"-{name}:{text}"), ada)
        assert set(others.values_list("pk", flat=True)) == numbers.keys() - expected, name


def test_several_days_of_one_name_narrow_and_what_has_no_day_is_found_as_none(
    numbers: dict[int, date],
    checkout: Service,
    alice: User,
    api: Callable[..., Client],
    signed_in: Callable[..., Client],
) -> None:
    without = make_finding(checkout, due_on=None)

    def found(**asked: Any) -> set[int]:
        return {row["number"] for row in api(alice).get("/api/v1/findings/", asked).json()["results"]}

    both = found(due=[">=today-1d", "<today+2d"])
    assert both == {number for number, day in numbers.items() if DAYS[2] <= day <= DAYS[4]}
    assert found(q="due:>=today-1d due:<today+2d") == both
    assert found(due="none") == {without.pk}
    page = signed_in(alice).get("/findings/", {"q": "due:>=today-1d due:<today+2d"})
    assert page.context["count"] == 3
    refused = api(alice).get("/api/v1/findings/", {"due": "tomorrow"})
    assert (refused.status_code, refused.json()["errors"][0]["parameter"]) == (400, "due")
