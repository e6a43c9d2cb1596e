"""Imports through the very path of an upload, and what becomes of findings."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from findings import actions, load, services
from findings.models import Effect, Finding, History, Rollup, Sighting, WeekRollup
from findings.vocabulary import Status
from platform_risk.core.errors import Conflict
from platform_risk.core.imports import services as imports
from platform_risk.core.models import Import, Scope, Service, User
from tests.factories import sarif, sarif_result, upload

pytestmark = pytest.mark.django_db

A = [sarif_result("R1", "a.py", 3), sarif_result("R2", "b.py", 5), sarif_result("R3", "c.py", 9)]
B = [sarif_result("R1", "a.py", 30), sarif_result("R4", "d.py", 2)]


def statuses(service: Service) -> dict[str, str]:
    return dict(Finding.objects.filter(service=service, withdrawn_by=None).values_list("rule", "status"))


def counts(row: Import) -> dict[str, int]:
    return {name: value for name, value in imports.counts(row).items() if value}


def test_a_report_becomes_findings_with_lane_due_date_team_and_sighting(checkout: Service, alice: User) -> None:
    row = upload(sarif(*A), checkout, user=alice)
    assert row.state == "done", row.error
    assert counts(row) == {"read": 3, "new": 3}
    finding = Finding.objects.get(rule="R1")
    assert (finding.severity, finding.lane, finding.status) == ("high", "critical", "new")
    assert finding.team == checkout.team
    assert finding.team_from == "service"
    assert finding.due_on == finding.opened_on + timedelta(days=30)
    assert (finding.path, finding.line, finding.branch) == ("a.py", 3, "main")
    sighting = Sighting.objects.get(finding=finding)
    assert (sighting.first_import, sighting.last_import) == (row, None)


def test_the_same_file_twice_changes_nothing_but_when_the_scope_was_seen(checkout: Service) -> None:
    first = upload(sarif(*A), checkout)
    before = Scope.objects.get()
    second = upload(sarif(*A), checkout)
    assert second.duplicate_of == first
    assert counts(second) == {"read": 3, "unchanged": 3}
    after = Scope.objects.get()
    assert after.last_applied_id == before.last_applied_id == first.pk
    assert after.last_seen_at is not None
    assert before.last_seen_at is not None
    assert after.last_seen_at > before.last_seen_at


def _rows_updated() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n_tup_upd + n_tup_del + n_tup_ins FROM pg_stat_xact_user_tables WHERE relname = 'findings_finding'"
        )
        return int(cursor.fetchone()[0])


def test_an_unchanged_report_writes_no_finding_row_by_the_databases_own_count(checkout: Service) -> None:
    upload(sarif(*A), checkout)
    before = _rows_updated()
    row = upload(sarif(*A), checkout, replay=True)
    assert counts(row) == {"read": 3, "unchanged": 3}
    assert row.duplicate_of is None
    assert _rows_updated() == before
    assert not Effect.objects.exists()


def test_a_moved_line_is_a_change_of_the_same_finding(checkout: Service) -> None:
    upload(sarif(*A), checkout)
    number = Finding.objects.get(rule="R1").pk
    row = upload(sarif(*B), checkout)
    assert counts(row) == {"read": 2, "new": 1, "changed": 1, "closed": 2}
    moved = Finding.objects.get(rule="R1")
    assert (moved.pk, moved.line, moved.status, moved.version) == (number, 30, "new", 2)
    change = History.objects.get(finding=moved)
    assert change.changes == {"line": [3, 30]}
    assert (change.source, change.import_row_id) == ("import", row.pk)


def test_a_b_a_reopens_what_b_closed(checkout: Service) -> None:
    upload(sarif(*A), checkout)
    upload(sarif(*B), checkout)
    assert statuses(checkout) == {"R1": "new", "R2": "fixed", "R3": "fixed", "R4": "new"}
    row = upload(sarif(*A), checkout)
    assert row.duplicate_of is None
    assert counts(row) == {"read": 3, "changed": 1, "reopened": 2, "closed": 1}
    assert statuses(checkout) == {"R1": "new", "R2": "new", "R3": "new", "R4": "fixed"}
    assert Finding.objects.get(rule="R2").regressed
    assert not Finding.objects.get(rule="R1").regressed
    assert Sighting.objects.filter(finding__rule="R2").count() == 2


def test_fixed_becomes_verified_after_one_more_complete_import_without_it(checkout: Service) -> None:
    upload(sarif(*A), checkout)
    upload(sarif(*B), checkout)
    upload(sarif(*B, sarif_result("R5", "e.py")), checkout, complete="no")
    assert statuses(checkout)["R2"] == "fixed"
    upload(sarif(*B, sarif_result("R6", "f.py")), checkout)
    assert statuses(checkout)["R2"] == "verified"


def test_a_partial_report_closes_nothing(checkout: Service) -> None:
    upload(sarif(*A), checkout)
    row = upload(sarif(*B), checkout, complete="no")
    assert row.closed == 0
    assert statuses(checkout) == dict.fromkeys(["R1", "R2", "R3", "R4"], "new")


def test_a_late_report_adds_history_and_closes_nothing(checkout: Service) -> None:
    upload(sarif(*B, at="2026-11-02T00:00:00Z"), checkout)
    row = upload(sarif(*A, at="2026-11-01T00:00:00Z"), checkout)
    assert row.is_late
    assert counts(row) == {"read": 3, "new": 2, "unchanged": 1}
    assert statuses(checkout) == {"R1": "new", "R4": "new", "R2": "fixed", "R3": "fixed"}
    assert Finding.objects.get(rule="R1").line == 30
    past = Sighting.objects.get(finding__rule="R2")
    assert past.first_import == past.last_import == row


def test_other_branches_stay_out_of_rollups_and_due_dates(checkout: Service) -> None:
    upload(sarif(*A), checkout, branch="feature")
    finding = Finding.objects.get(rule="R1")
    assert not finding.is_default_branch
    assert finding.due_on is None
    assert not Rollup.objects.exists()


def test_two_sources_close_a_finding_only_when_neither_sees_it(checkout: Service) -> None:
    upload(sarif(*A), checkout, source="nightly")
    row = upload(sarif(*A), checkout, source="pull-request")
    assert counts(row) == {"read": 3, "unchanged": 3}
    upload(sarif(*B), checkout, source="nightly")
    assert statuses(checkout)["R2"] == "new"
    upload(sarif(*B), checkout, source="pull-request")
    assert statuses(checkout)["R2"] == "fixed"


def test_dismissed_and_accepted_survive_and_reopen_when_the_severity_rises(checkout: Service, alice: User) -> None:
    mild = [sarif_result("R1", "a.py", level="warning"), sarif_result("R2", "b.py", level="warning")]
    upload(sarif(*mild), checkout)
    dismiss = actions.Transition(to=Status.DISMISSED, reason="inaccurate", comment="test code")
    services.change(Finding.objects.get(rule="R1"), dismiss, user=alice, source="page")
    accept = actions.Transition(to=Status.ACCEPTED, expires_on=datetime(2030, 1, 1, tzinfo=UTC).date())
    services.change(Finding.objects.get(rule="R2"), accept, user=alice, source="page")
    upload(sarif(*mild), checkout, replay=True)
    upload(sarif(sarif_result("R9", "z.py")), checkout)
    upload(sarif(*mild), checkout)
    assert statuses(checkout) == {"R1": "dismissed", "R2": "accepted", "R9": "fixed"}
    worse = [sarif_result("R1", "a.py", level="error"), sarif_result("R2", "b.py", level="error")]
    row = upload(sarif(*worse), checkout)
    assert row.reopened == 2
    assert statuses(checkout) == {"R1": "new", "R2": "new", "R9": "verified"}


def test_a_suppression_in_the_report_arrives_as_dismissed_with_its_words(checkout: Service) -> None:
    quiet = sarif_result("R1", "a.py") | {"suppressions": [{"kind": "inSource", "justification": "fixture"}]}
    upload(sarif(quiet, sarif_result("R2", "b.py")), checkout)
    finding = Finding.objects.get(rule="R1")
    assert (finding.status, finding.status_comment, finding.suppressed_by_report) == ("dismissed", "fixture", True)
    upload(sarif(sarif_result("R1", "a.py"), sarif_result("R2", "b.py")), checkout)
    finding.refresh_from_db()
    assert (finding.status, finding.regressed) == ("new", False)


def test_duplicates_in_a_report_collapse_and_are_counted(checkout: Service) -> None:
    row = upload(sarif(A[0], A[0], A[1]), checkout)
    assert counts(row) == {"read": 3, "collapsed": 1, "new": 2}


def test_a_rejected_record_is_kept_with_its_place_and_the_rest_goes_in(checkout: Service) -> None:
    row = upload(sarif(A[0], {"ruleId": "R7", "message": {"text": 7}}, A[1]), checkout)
    assert counts(row) == {"read": 3, "new": 2, "rejected": 1}
    reject = row.rejects.get()
    assert reject.pointer == "/runs/0/results/1" or reject.pointer.startswith("/runs/0/results/1/")
    assert reject.reason


BROKEN = {"ruleId": "R2", "message": {"text": 7}, "locations": A[1]["locations"]}


def test_a_report_that_rejects_what_the_one_before_had_closes_nothing_and_says_so(checkout: Service) -> None:
    upload(sarif(*A), checkout)
    for content in (sarif(A[0], BROKEN), sarif(BROKEN, A[0])):
        row = upload(content, checkout)
        assert counts(row) == {"read": 2, "unchanged": 1, "rejected": 1}
        assert not row.is_complete
        assert row.incomplete_because.startswith("1 record could not be read")
    assert counts(upload(sarif(A[0], A[1]), checkout)) == {"read": 2, "unchanged": 2, "closed": 1}


def test_what_the_last_complete_report_rejected_as_well_hinders_nothing(checkout: Service) -> None:
    assert upload(sarif(*A, BROKEN), checkout).is_complete, "there is nothing that it could close"
    row = upload(sarif(A[0], BROKEN), checkout)
    assert counts(row) == {"read": 2, "unchanged": 1, "closed": 2, "rejected": 1}
    twice = upload(sarif(BROKEN, BROKEN), checkout)
    assert (twice.is_complete, twice.closed) == (False, 0)


def test_who_says_that_a_report_is_complete_has_the_last_word_over_what_it_rejects(checkout: Service) -> None:
    upload(sarif(*A), checkout)
    report = sarif(A[0], BROKEN)
    held = upload(report, checkout)
    again = upload(report, checkout)
    assert (again.duplicate_of, again.is_complete) == (held, False)
    assert again.incomplete_because == held.incomplete_because
    assert counts(upload(report, checkout, complete="yes")) == {"read": 2, "unchanged": 1, "closed": 2, "rejected": 1}


def test_duplicates_in_different_parts_of_a_large_report_collapse_as_well(
    checkout: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "_FIRST_PART", 1)
    monkeypatch.setattr(load, "_PART", 1)
    row = upload(sarif(A[0], A[1], A[0], A[2], A[1]), checkout)
    assert counts(row) == {"read": 5, "collapsed": 2, "new": 3}
    row = upload(sarif(B[0], A[1], B[0], B[1]), checkout)
    assert counts(row) == {"read": 4, "collapsed": 1, "new": 1, "changed": 1, "unchanged": 1, "closed": 1}
    assert Sighting.objects.filter(last_import=None).count() == 3


def test_equal_records_beyond_those_looked_up_in_memory_are_known_as_well(
    checkout: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "MOST_KNOWN", 1)
    upload(sarif(*A), checkout)
    before = _rows_updated()
    assert counts(upload(sarif(*A), checkout, replay=True)) == {"read": 3, "unchanged": 3}
    assert _rows_updated() == before


def test_an_equal_record_reopens_what_a_person_closed(checkout: Service, alice: User) -> None:
    upload(sarif(*A), checkout)
    services.change(Finding.objects.get(rule="R1"), actions.Transition(to=Status.FIXED), user=alice, source="page")
    row = upload(sarif(*A), checkout, replay=True)
    assert counts(row) == {"read": 3, "unchanged": 2, "reopened": 1}
    finding = Finding.objects.get(rule="R1")
    assert (finding.status, finding.line, finding.regressed) == ("new", 3, True)


def test_equal_records_say_nothing_about_teams_and_severities_that_people_set(checkout: Service, alice: User) -> None:
    upload(sarif(*A), checkout)
    finding = Finding.objects.get(rule="R1")
    services.change(finding, actions.Update(fields={"severity": "low", "team": None}), user=alice, source="page")
    row = upload(sarif(*A), checkout, replay=True)
    assert counts(row) == {"read": 3, "unchanged": 3}
    finding.refresh_from_db()
    assert (finding.severity, finding.team_id) == ("low", None)


def _state() -> list[tuple[Any, ...]]:
    rows = Finding.objects.filter(withdrawn_by=None).order_by("fingerprint")
    return list(
        rows.values_list("rule", "status", "line", "severity", "regressed", "due_on", "content_hash", "opened_on")
    )


def test_undo_puts_the_scope_back_to_before_its_last_import(checkout: Service, alice: User) -> None:
    first = upload(sarif(*A), checkout)
    before = _state()
    row = upload(sarif(*B), checkout)
    assert _state() != before
    imports.undo(row, user=alice, reason="wrong branch")
    assert _state() == before
    assert Scope.objects.get().last_applied == first
    again = upload(sarif(*B), checkout)
    assert counts(again) == {"read": 2, "new": 1, "changed": 1, "closed": 2}
    with pytest.raises(Conflict, match="last applied"):
        imports.undo(first, user=alice)


def test_undo_leaves_what_people_decided_since(checkout: Service, alice: User) -> None:
    upload(sarif(*A), checkout)
    row = upload(sarif(*B), checkout)
    triage = actions.Transition(to=Status.TRIAGED)
    services.change(Finding.objects.get(rule="R1"), triage, user=alice, source="page")
    imports.undo(row, user=alice)
    moved = Finding.objects.get(rule="R1")
    assert (moved.line, moved.status) == (3, "triaged")


def recounted() -> dict[tuple[Any, ...], int]:
    found: dict[tuple[Any, ...], int] = {}
    for finding in Finding.objects.filter(withdrawn_by=None, is_default_branch=True):
        key = (finding.service_id, finding.team_id, finding.environment_id, finding.lane, finding.severity,
               finding.status, finding.owner_id is not None)  # fmt: skip
        found[key] = found.get(key, 0) + 1
    return found


def rolled_up() -> dict[tuple[Any, ...], int]:
    found: dict[tuple[Any, ...], int] = {}
    names = ("service_id", "team_id", "environment_id", "lane", "severity", "status", "has_owner", "count")
    for *key, count in Rollup.objects.values_list(*names):
        found[tuple(key)] = found.get(tuple(key), 0) + count
    return {key: count for key, count in found.items() if count}


def test_rollups_equal_a_recount_after_everything_and_after_compaction(checkout: Service, alice: User) -> None:
    upload(sarif(*A), checkout)
    row = upload(sarif(*B), checkout)
    services.change(
        Finding.objects.get(rule="R1"), actions.Update(fields={"owner": alice.pk}), user=alice, source="api"
    )
    assert rolled_up() == recounted()
    imports.undo(row, user=alice)
    assert rolled_up() == recounted()
    services.compact_rollups()
    assert rolled_up() == recounted()
    assert Rollup.objects.filter(count=0).count() == 0
    week = WeekRollup.objects.get()
    assert week.opened - week.closed == Finding.objects.filter(withdrawn_by=None).open().count()
