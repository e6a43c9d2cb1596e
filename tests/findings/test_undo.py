"""Undoing one import after another, and what it leaves behind."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from findings import services
from findings.actions import Transition, Update
from findings.models import Finding, History
from findings.vocabulary import Status
from platform_risk.core import tasks
from platform_risk.core.imports import services as imports
from platform_risk.core.models import AuditEvent, Import, Service, User
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


def test_an_import_that_was_undone_is_no_evidence_that_something_is_fixed(ada: User, checkout: Service) -> None:
    upload(sarif(R1), checkout)
    closing = upload(sarif(), checkout)
    for to in (Status.NEW, Status.FIXED):  # somebody says so, whatever the import said
        services.change(Finding.objects.get(), Transition(to=to), user=ada, source="page")
    imports.undo(closing, user=ada)
    assert Finding.objects.get().fixed_by_import is None
    first = upload(sarif(version="again"), checkout)
    assert statuses() == {"R1": "fixed"}
    assert Finding.objects.get().fixed_by_import == first
    upload(sarif(version="and again"), checkout)
    assert statuses() == {"R1": "verified"}


def test_what_another_source_sees_as_well_stays_and_is_then_its(ada: User, checkout: Service) -> None:
    first = upload(sarif(R1, R2), checkout, source="nightly")
    second = upload(sarif(R1), checkout, source="review")
    imports.undo(first, user=ada)
    assert statuses() == {"R1": "new"}
    finding = Finding.objects.get(rule="R1")
    assert (finding.created_by_import, finding.first_seen_at) == (second, second.observed_at)


def test_what_the_other_source_has_stopped_to_see_is_fixed(ada: User, checkout: Service) -> None:
    only = upload(sarif(R1), checkout, source="nightly")
    upload(sarif(R1), checkout, source="review")
    gone = upload(sarif(), checkout, source="review")
    assert statuses() == {"R1": "new"}
    imports.undo(only, user=ada)
    assert statuses() == {"R1": "fixed"}
    assert Finding.objects.get().fixed_by_import == gone


def test_what_the_scope_sees_again_is_open_although_another_source_closed_it_since(
    ada: User, checkout: Service
) -> None:
    upload(sarif(R1), checkout, source="nightly")
    upload(sarif(R1), checkout, source="review")
    gone = upload(sarif(), checkout, source="nightly")
    upload(sarif(), checkout, source="review")
    assert statuses() == {"R1": "fixed"}
    imports.undo(gone, user=ada)
    assert statuses() == {"R1": "new"}


def test_what_another_source_has_written_since_stays(ada: User, checkout: Service) -> None:
    upload(sarif(sarif_result("R1", "a.py", 3)), checkout, source="nightly")
    moved = upload(sarif(sarif_result("R1", "a.py", 4)), checkout, source="nightly")
    upload(sarif(sarif_result("R1", "a.py", 5)), checkout, source="review")
    imports.undo(moved, user=ada)
    assert Finding.objects.get().line == 5


def test_a_severity_that_a_person_took_back_since_stays_taken_back(ada: User, checkout: Service) -> None:
    upload(sarif(sarif_result("R1", "a.py", level="warning")), checkout)
    finding = Finding.objects.get()
    services.change(finding, Update(fields={"severity": "critical"}), user=ada, source="page")
    worse = upload(sarif(sarif_result("R1", "a.py", level="error")), checkout)
    services.change(finding, Update(fields={"severity": None}), user=ada, source="page")
    imports.undo(worse, user=ada)
    finding.refresh_from_db()
    assert (finding.severity, finding.severity_source, finding.lane) == ("medium", "report", "important")
    assert finding.due_on == finding.opened_on + timedelta(days=90)


def test_what_comes_back_after_an_undo_knows_nothing_of_its_former_life(ada: User, checkout: Service) -> None:
    first = upload(sarif(R1), checkout)
    finding = Finding.objects.get()
    services.change(finding, Transition(to=Status.DISMISSED, reason="inaccurate"), user=ada, source="page")
    imports.undo(first, user=ada)
    upload(sarif(R1 | {"suppressions": [{"kind": "external", "justification": "a fixture"}]}), checkout)
    finding.refresh_from_db()
    assert (finding.status, finding.dismiss_reason, finding.status_comment) == ("dismissed", "wont_fix", "a fixture")
    upload(sarif(R1, version="later"), checkout)
    assert statuses() == {"R1": "new"}


def test_undoing_what_brought_a_finding_back_leaves_it_to_the_source_that_sees_it(ada: User, checkout: Service) -> None:
    first = upload(sarif(R1), checkout, source="nightly")
    services.change(
        Finding.objects.get(), Transition(to=Status.DISMISSED, reason="inaccurate"), user=ada, source="page"
    )
    imports.undo(first, user=ada)
    second = upload(sarif(R1), checkout, source="nightly")
    upload(sarif(R1), checkout, source="review")
    imports.undo(second, user=ada)
    assert statuses() == {"R1": "new"}


# By a worker


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "UNDONE_AT_ONCE", 1)


@pytest.mark.usefixtures("large")
def test_a_large_import_is_taken_back_by_a_worker_once(
    api: Callable[..., Client], alice: User, checkout: Service, django_capture_on_commit_callbacks: Any
) -> None:
    row = upload(sarif(R1, R2), checkout)
    with django_capture_on_commit_callbacks() as left:
        answer = api(alice).post(f"/api/v1/imports/{row.pk}/undo/", {"reason": "The wrong one"}, "application/json")
    assert (answer.status_code, len(left)) == (202, 1)
    assert answer.json()["undo_requested_at"]
    assert answer.json()["undone_at"] is None
    assert statuses() == {"R1": "new", "R2": "new"}
    # Asked again while it waits: the same answer, and nothing twice.
    assert api(alice).post(f"/api/v1/imports/{row.pk}/undo/", {}, "application/json").status_code == 202
    tasks.undo_import(row.pk)
    assert statuses() == {}
    row.refresh_from_db()
    assert (row.undone_by, row.is_applied) == (alice, False)
    at = row.undone_at
    tasks.undo_import(row.pk)
    row.refresh_from_db()
    assert row.undone_at == at
    event = AuditEvent.objects.get(action="undone")
    assert (event.actor, event.reason) == (alice, "The wrong one")


@pytest.mark.usefixtures("large")
def test_an_undo_whose_message_was_lost_is_found_by_the_sweeper(
    ada: User, checkout: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = upload(sarif(R1, R2), checkout)
    imports.request_undo(row, user=ada)
    called: list[int] = []
    monkeypatch.setattr(tasks.undo_import, "delay", called.append)
    tasks.sweep_imports()
    assert called == []
    Import.objects.update(undo_requested_at=timezone.now() - timedelta(minutes=1))
    tasks.sweep_imports()
    assert called == [row.pk]


@pytest.mark.usefixtures("large")
def test_an_undo_that_another_import_has_overtaken_is_refused_and_told(ada: User, checkout: Service) -> None:
    row = upload(sarif(R1, R2), checkout)
    imports.request_undo(row, user=ada)
    upload(sarif(R1), checkout)
    tasks.undo_import(row.pk)
    row.refresh_from_db()
    assert (row.undo_requested_at, row.undone_at) == (None, None)
    assert statuses() == {"R1": "new", "R2": "fixed"}
    assert "last applied" in AuditEvent.objects.get(action="undo refused").reason


@pytest.mark.usefixtures("large")
def test_the_page_tells_that_it_is_being_taken_back(
    signed_in: Callable[[User], Client], ada: User, checkout: Service
) -> None:
    row = upload(sarif(R1, R2), checkout)
    page = signed_in(ada).post(f"/imports/{row.pk}/undo/", {"reason": ""}, follow=True).content.decode()
    assert "Being taken back since" in page
    assert "Undo the import" not in page
    assert signed_in(ada).get(f"/imports/{row.pk}/live/").status_code == 200
    tasks.undo_import(row.pk)
    assert signed_in(ada).get(f"/imports/{row.pk}/live/").status_code == 204
