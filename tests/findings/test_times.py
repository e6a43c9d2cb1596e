"""When things happened, as a report tells it, and what that moves."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from findings import selectors, services
from findings.actions import Transition, Update
from findings.models import Finding
from findings.vocabulary import Status
from platform_risk.core.imports import services as imports
from platform_risk.core.models import Import, Scope, Service, User
from tests.factories import sarif, sarif_result, upload

pytestmark = pytest.mark.django_db
A, B = sarif_result("A", "a.py"), sarif_result("B", "b.py")


def ago(days: int) -> datetime:
    return timezone.now() - timedelta(days=days)


def test_what_a_report_of_last_month_closed_counts_in_the_week_it_was_observed(ada: User, checkout: Service) -> None:
    upload(sarif(A, B), checkout, observed_at=ago(40))
    upload(sarif(A), checkout, observed_at=ago(26))
    week = {each.start: (each.opened, each.closed) for each in selectors.weeks(ada) if each.opened or each.closed}
    mondays = [(day - timedelta(days=day.weekday())).date() for day in (ago(40), ago(26))]
    assert week == {mondays[0]: (2, 0), mondays[1]: (0, 1)}


def test_a_decision_counts_in_the_week_it_is_made(ada: User, checkout: Service) -> None:
    upload(sarif(A), checkout, observed_at=ago(40))
    services.change(Finding.objects.get(), Transition(to=Status.FIXED), user=ada, source="page")
    assert selectors.weeks(ada)[-1].closed == 1


def test_a_source_was_last_seen_when_the_sender_says_that_the_report_is_of(checkout: Service) -> None:
    given = ago(20)
    upload(sarif(A), checkout, observed_at=given)
    assert Scope.objects.get().last_seen_at == given
    upload(sarif(A), checkout)
    assert Scope.objects.get().last_seen_at is not None
    assert Scope.objects.get().last_seen_at > ago(1)  # type: ignore[operator]  # said one line above


def test_a_late_report_does_not_make_a_source_look_silent(checkout: Service) -> None:
    upload(sarif(A), checkout)
    before = Scope.objects.get().last_seen_at
    upload(sarif(B), checkout, observed_at=ago(90))
    assert Scope.objects.get().last_seen_at == before


def test_undoing_puts_back_when_the_source_was_seen(ada: User, checkout: Service) -> None:
    given = ago(20)
    upload(sarif(A), checkout, observed_at=given)
    second = upload(sarif(A, B), checkout)
    imports.undo(second, user=ada)
    assert Scope.objects.get().last_seen_at == given


def test_a_source_silent_for_two_weeks_is_named(ada: User, checkout: Service) -> None:
    upload(sarif(A), checkout, observed_at=ago(15))
    assert [scope.source for scope in selectors.silent_sources(ada, 14)] == ["probe"]
    assert not selectors.silent_sources(ada, 16).exists()


def test_findings_of_a_branch_go_a_month_after_its_last_import_whatever_time_its_reports_tell(
    checkout: Service,
) -> None:
    row = upload(sarif(A), checkout, branch="feature", observed_at=ago(50))
    services.wake_and_expire()
    assert Finding.objects.get().status == "new"
    Import.objects.filter(pk=row.pk).update(finished_at=ago(31))
    services.wake_and_expire()
    assert Finding.objects.get().status == "fixed"


def test_a_severity_taken_back_is_again_whose_it_was(ada: User, checkout: Service) -> None:
    content = b"title,severity,rule\nNobody said how bad,,X1\n"
    upload(content, checkout, name="list.csv")
    finding = Finding.objects.get()
    assert (finding.severity, finding.severity_source) == ("medium", "unrated")
    services.change(finding, Update(fields={"severity": "critical"}), user=ada, source="page")
    assert (finding.severity, finding.severity_source) == ("critical", "user")
    services.change(finding, Update(fields={"severity": None}), user=ada, source="page")
    assert (finding.severity, finding.severity_source) == ("medium", "unrated")


def test_a_time_in_the_future_is_not_believed(checkout: Service) -> None:
    row = upload(sarif(A, at=datetime(2999, 1, 1, tzinfo=UTC).isoformat()), checkout)
    assert row.observed_at is not None
    assert row.observed_at <= timezone.now()
