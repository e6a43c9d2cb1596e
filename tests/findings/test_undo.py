"""Undoing one import after another, and what it leaves behind."""

from datetime import timedelta

import pytest
from django.utils import timezone

from findings.models import Finding, History
from platform_risk.core.imports import services as imports
from platform_risk.core.models import Service, User
from tests.factories import sarif, sarif_result, upload

pytestmark = pytest.mark.django_db
R1, R2 = sarif_result("R1", "a.py"), sarif_result("R2", "b.py")


def statuses() -> dict[str, str]:
    return dict(Finding.objects.filter(withdrawn_by=None).values_list("rule", "status"))


def test_two_undone_one_after_the_other_leave_what_was_before_both(ada: User, checkout: Service) -> None:
    upload(sarif(R1, R2), checkout)
    closing = upload(sarif(R1), checkout)
    reopening = upload(sarif(R1, R2, version="again"), checkout)
    assert statuses() == {"R1": "new", "R2": "new"}
    imports.undo(reopening, user=ada)
    assert statuses() == {"R1": "new", "R2": "fixed"}
    imports.undo(closing, user=ada)
    assert statuses() == {"R1": "new", "R2": "new"}


def test_the_history_says_who_undid_it_and_why(ada: User, checkout: Service) -> None:
    upload(sarif(R1), checkout)
    second = upload(sarif(R2), checkout)
    imports.undo(second, user=ada, reason="The wrong branch was scanned")
    event = History.objects.filter(finding__rule="R1").latest("id")
    assert event.changes["status"] == ["fixed", "new"]
    assert (event.actor, event.source, event.import_row) == (ada, "import", second)
    assert "The wrong branch was scanned" in event.reason


def test_what_was_withdrawn_comes_back_with_a_late_report_as_its_new_ones_do(ada: User, checkout: Service) -> None:
    upload(sarif(R1), checkout)
    second = upload(sarif(R1, R2), checkout)
    imports.undo(second, user=ada)
    upload(sarif(R2), checkout, observed_at=timezone.now() - timedelta(days=9))
    assert statuses() == {"R1": "new", "R2": "fixed"}
    upload(sarif(R1, version="later"), checkout)
    assert statuses() == {"R1": "new", "R2": "verified"}
